"""Composes the stages: what a user calls once a network is declared.

Enters: a `Network`. Leaves: a derivation that prints itself, a module to train with, a file, a report.
Must not know: how any stage works.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from symbp.derive.derivation import ClosedForm
from symbp.derive.derivation import Derivation as Derived
from symbp.errors import GenerationError, UsageError

if TYPE_CHECKING:
    from symbp.emit import Footprint
    from symbp.explain.document import Document
    from symbp.explain.lecture import Steps
    from symbp.explain.numbers import ShownNumbers
    from symbp.explain.page.equations import CodeLine
    from symbp.explain.short import ShortForm
    from symbp.ir.training import UpdateRule
    from symbp.language import Network
    from symbp.read.flow import StepBound
    from symbp.read.formula import Formula
    from symbp.read.formula.declared import Shapes
    from symbp.read.numbers import Numbers
    from symbp.read.numbers.descent import Descent
    from symbp.read.options import Derivatives, Layout
    from symbp.read.reading import Style
    from symbp.targets.target import Order
    from symbp.verify import Report
    from symbp.verify.grading import Grader, Verdict

__all__ = [
    "Derivation",
    "check",
    "compile",
    "derive",
    "generate",
    "grad_of",
    "hessian",
    "hvp",
    "jacobian",
    "order",
    "plan",
    "source",
]


class PageChoices(TypedDict, total=False):
    """How a page is to be read, the same in every format. `symbols`: the LaTeX that the author wants of
    tensors, `{"W1": r"W^{(1)}"}`; `reading`: the forward pass as it was declared, or as it is computed;
    `notation`: derivatives of the loss as ∂loss/∂W, as δ (by a parameter as ∂loss/∂W), or as dW; `layout`:
    examples as rows of matrices, or as their columns; `origin`: what indices start at."""

    symbols: Mapping[str, str] | None
    reading: Style
    notation: Derivatives | None
    layout: Layout
    origin: Literal[0, 1]


class Derivation(Derived):
    """A network's derivatives in closed form, and their page in every format. `d["W1"]` is one closed form,
    `d["W1,W2"]` that of a second derivative."""

    def _page(self, chosen: PageChoices) -> Document:
        from symbp.explain.document import document
        from symbp.read.options import Options

        own = {"notation", "layout", "origin"}
        options = Options(**{name: value for name, value in chosen.items() if name in own})  # type: ignore[arg-type]
        style = chosen.get("reading", "textbook")
        return document(self, symbols=chosen.get("symbols"), style=style, options=options)

    def text(self, *, steps: Steps = False, **chosen: Unpack[PageChoices]) -> str:
        """Numbered equations, forward and backward; with `steps`, how each derivative comes about, or every
        rewrite that led to the `computed` equations. What may be `chosen` says `PageChoices`."""
        from symbp.explain import text

        return text.text(self._page(chosen), steps=steps)

    def latex(self, *, steps: Steps = False, fragment: bool = False, **chosen: Unpack[PageChoices]) -> str:
        """A complete LaTeX document, or as a `fragment` the equations alone."""
        from symbp.explain import latex

        return latex.latex(self._page(chosen), steps=steps, fragment=fragment)

    def markdown(self, *, steps: Steps = False, **chosen: Unpack[PageChoices]) -> str:
        """The page as Markdown, with formulas in LaTeX between dollar signs."""
        from symbp.explain import markdown

        return markdown.markdown(self._page(chosen), steps=steps)

    def html(
        self,
        *,
        steps: Steps = True,
        fragment: bool = False,
        numbers: Numbers | bool = True,
        code: bool = True,
        flow: bool | None = None,
        **chosen: Unpack[PageChoices],
    ) -> str:
        """The page as one HTML file that needs neither a network nor JavaScript; with `steps`, how each
        derivative comes about, folded below it, or every rewrite that led to the `computed` equations.
        `numbers` are those of a worked example: a small one, if none are given; `code` is NumPy beside the
        textbook's equations, `flow` how gradients travel, which large nets have where it is asked for. A
        `fragment` is for a page of one's own, and has none of these. Arrays have examples as rows and count
        from 0: a page in columns or from 1 has neither numbers nor code.

        Raises UsageError: numbers for such a page."""
        from symbp.explain import html
        from symbp.explain.page.example import own_flow, small_example

        page = self._page(chosen)
        if fragment:
            return html.html(page, steps=steps, fragment=True)
        as_arrays = page.reading.options.layout == "rows" and not page.reading.options.origin
        example = numbers if not isinstance(numbers, bool) else None
        if numbers is True and as_arrays:
            example = small_example(self, page.reading.style)
        if example is not None and not as_arrays:
            raise UsageError(
                "numbers have examples as rows and count from 0, this page doesn't",
                help="leave out layout and origin, or numbers",
            )
        lines = self._code(page) if code and as_arrays else ()
        travel = own_flow(self, self._step_bound(), flow)
        return html.html(page, steps=steps, numbers=example, code=lines, flow=travel)

    def _step_bound(self) -> StepBound | None:
        """What a step of the one recurrence multiplies a gradient by at most, where that is known."""
        from symbp.read.flow import StepBound
        from symbp.verify.lint.factors import loops

        found = loops(self) if self.is_gradient else ()
        if len(found) != 1 or len(found[0]) != 1:
            return None
        (factor,) = found[0]
        return StepBound(float(factor.number), factor.norms)

    def _code(self, page: Document) -> tuple[CodeLine, ...]:
        """Plain NumPy beside the equations of a textbook's page of gradients, where there is such code."""
        from symbp.explain.page.equations import CodeLine
        from symbp.targets.plain.listing import gradients_listing

        if page.reading.style != "textbook" or not self.is_gradient:
            return ()
        try:
            return tuple(CodeLine(line.text, line.numbers) for line in gradients_listing(page.reading))
        except GenerationError:
            return ()

    def drawing(
        self,
        *,
        backward: bool = True,
        unrolled: int | None = None,
        symbols: Mapping[str, str] | None = None,
    ) -> str:
        """The network as a graph, in SVG: tensors and who reads them, and beneath it the `backward` pass,
        whose arrows carry the local derivatives. A recurrence is drawn with a loop, or with so many steps
        `unrolled`. Raises UsageError: nothing to unroll."""
        from symbp.explain.drawing import drawing

        page = self._page({"symbols": symbols})
        return str(drawing(page, backward=backward, unrolled=unrolled, alone=True))

    def notebook(self, *, steps: Steps = False, code: str = "", **chosen: Unpack[PageChoices]) -> str:
        """The page as a Jupyter notebook; `code`, such as what derives the network, is its first code
        cell."""
        from symbp.explain import notebook

        return notebook.notebook(self._page(chosen), steps=steps, code=code)

    def grade(self, answer: str, *, seconds: float = 20.0) -> Verdict:
        """Whether an answer is right, `d.grade("dW2 = h.T @ (p - y)/N")`, proven whatever its form; if it is
        wrong, where it fails and the likely slip. It is read by symbp's own grammar and never run.

        Raises FormulaError, which points at the place: no equation in the names of the page.
        """
        return self._grader.grade(answer, seconds=seconds)

    def exercise(
        self,
        format: Literal["text", "html", "latex", "notebook"] = "text",
        *,
        blanks: int = 5,
        seed: int = 0,
        key: bool = False,
        symbols: Mapping[str, str] | None = None,
        command: str = "",
        code: str = "",
    ) -> str:
        """A worksheet: the page with so many right sides, or factors, left out, the same for the same seed;
        with a `key`, the answers and how they come about. `command` says how to grade an answer, `code`
        derives the network as `d` in a notebook. Raises UsageError: no gradients, no blanks."""
        from symbp.explain.exercise import html, latex, notebook, text, worksheet

        sheet = worksheet(self._page({"symbols": symbols}), blanks=blanks, seed=seed, command=command)
        if format == "notebook":
            return notebook.notebook(sheet, key=key, code=code)
        written = {"text": text.text, "html": html.html, "latex": latex.latex}
        return written[_one_of("format", format, written)](sheet, key=key)

    @cached_property
    def _grader(self) -> Grader:
        from symbp.verify.grading import Grader

        return Grader(self)

    def _repr_html_(self) -> str:
        return self.html(fragment=True)

    def _repr_latex_(self) -> str:
        return self.latex(fragment=True)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __getitem__(self, parameter: str) -> ClosedForm:
        """The closed form of ∂ loss / ∂ parameter, able to show itself in a notebook."""
        from symbp.explain.closed_form import ShownForm

        found = super().__getitem__(parameter)
        return ShownForm(found.parameter, found.equations, self)

    def json(self, **chosen: Unpack[PageChoices]) -> str:
        """One JSON object: name, symbols, legend, equations, gradients, steps, warnings."""
        from symbp.explain import json

        return json.text(self._page(chosen))

    def short(self) -> tuple[ShortForm, ...]:
        """Each result in one line, its matrix notation with what it rests on written in its place."""
        from symbp.explain import short

        return short.short_forms(self)

    def values(
        self,
        arrays: Mapping[str, Any] | None = None,
        *,
        sizes: Mapping[str, int] | None = None,
        seed: int = 0,
        reading: Style = "textbook",
        small: bool = False,
        scalar: bool = False,
    ) -> ShownNumbers:
        """Every number of the page, forward and backward, and central differences of each derivative.
        `arrays` gives inputs, targets and parameters their values; what is left out is an example's, drawn
        from the seed. Sizes come from the arrays, from `sizes`, from the declaration (unless the example is
        to be `small`); others are 2 or 3. As a `scalar` page a tiny net is written out, w5 for W2[0,0].

        Raises UsageError: a name or a size that isn't there; DataError: a wrong shape, an integer out of its
        range; EvaluationError: no sizes that fit.
        """
        from symbp.explain.numbers import shown
        from symbp.read.numbers import worked_example

        found = worked_example(
            self, arrays, sizes=sizes, seed=seed, style=reading, small=small, differences=not scalar
        )
        if not scalar:
            return shown(found)
        from symbp.read.scalar import written_out

        return shown(written_out(found))

    def descend(self, start: Numbers, *, rate: float, steps: int = 1) -> Descent:
        """Steps of gradient descent from the parameters of `start`, θ ← θ − rate·∂loss/∂θ, by generated code;
        data, masks and noise stay. Raises UsageError: no gradients, a rate or a number that can't be."""
        from symbp.read.numbers.descent import descend

        point = start.whole or start
        bound = {name: point.declared_sizes[name] for name in self.system.bound}  # an example may be small
        module = compile(replace(self, system=self.system.with_(bound=bound)), sizes=point.declared_sizes)
        data = {name: point[name] for name in module.DERIVATIVE_INPUTS}
        return descend(start, lambda now: module.derivatives(now, **data), rate=rate, steps=steps)

    def __str__(self) -> str:
        return self.text()


def derive(net: Network, *, wrt: Sequence[str] | None = None, order: int = 1) -> Derivation:
    """The gradients of the network's loss by its parameters, or by the tensors named in `wrt`; with
    `order=2` also all second derivatives, the one by W1 and W2 under the key `"W1,W2"`.

    Raises DerivationError: no loss, another order; InvalidSystem: an unknown tensor.
    """
    from symbp.derive import derive as derive_system

    return _shown(net, derive_system(net.system, name=net.name, wrt=wrt, order=order))


def hessian(net: Network, *, wrt: Sequence[str] | None = None) -> Derivation:
    """The blocks of the loss's Hessian, `"W1,W2"` for ∂²loss/∂W1∂W2, and the gradients that they rest on;
    the axes of a block are those of W1, then those of W2. The same as `derive(net, order=2)`."""
    return derive(net, wrt=wrt, order=2)


def hvp(net: Network, *, wrt: Sequence[str] | None = None) -> Derivation:
    """The Hessian of the loss times a vector, without the Hessian: for each parameter (or tensor of `wrt`)
    `a` an input `v_a`, the direction, and the product `Hv_a = Σ_b ∂²loss/∂a∂b · v_b`, under the key `a`
    (Pearlmutter 1994)."""
    from symbp.derive import hvp as derive_products

    return _shown(net, derive_products(net.system, name=net.name, wrt=wrt))


def jacobian(net: Network, of: str, *, wrt: Sequence[str] | None = None) -> Derivation:
    """∂ of / ∂ each parameter (or tensor of `wrt`), forward or reverse, whatever costs less; `of` names an
    output or another tensor of the network, whose axes come first. Raises InvalidSystem: no such tensor."""
    from symbp.derive import jacobian as derive_jacobian

    chosen = [t.name for t in net.system.parameters] if wrt is None else list(wrt)
    return _shown(net, derive_jacobian(net.system, of, name=net.name, wrt=chosen))


def grad_of(
    formula: str | Formula,
    *,
    shapes: Shapes | None = None,
    wrt: str | Sequence[str] | None = None,
    order: int = 1,
) -> Derivation:
    """The gradient of a scalar formula, `bp.grad_of("norm2(A*w - b)^2/2", wrt="w")`; with `order=2` also the
    Hessian. The formula is read by symbp's own grammar and never run.

    `shapes` is text such as `"A:N,D w:D b:N"`, or a mapping from names to extents; without it ranks and sizes
    come from how names are used and spelled. `wrt` names what to differentiate by, and may be left out if
    there is but one name. Raises FormulaError, which points at the place: no formula, shapes that don't fit
    or can't be told, a formula that isn't scalar.
    """
    from symbp.derive import derive as derive_system
    from symbp.read.formula import read_formula

    read = read_formula(formula, shapes, wrt) if isinstance(formula, str) else formula
    found = derive_system(read.network.system, name=read.network.name, wrt=read.wrt, order=order)
    return Derivation(**{part.name: getattr(found, part.name) for part in fields(found)})


def _shown(net: Network, found: Derived) -> Derivation:
    """The derivation, able to show itself, with the network's constants and starts; parameters that get no
    gradient where they start are a warning."""
    from symbp.verify.stuck import stuck

    parts = {part.name: getattr(found, part.name) for part in fields(found)}
    own = {"constants": net.hyper, "initial": net.initial, "choices": net.choices, "example": net.example}
    shown = Derivation(**{**parts, **own})
    return replace(shown, warnings=(*shown.warnings, *stuck(shown)))


def source(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
) -> str:
    """The text of the standalone training module of a network; `derivation` saves deriving again what is at
    hand. Of a derivation in place of a network (a Hessian, a product with it, a Jacobian, gradients), the
    text of a module that computes what it holds and doesn't train. `pieces` names what its training has
    beside the essential: `"live"` (a line of progress), `"log"` (JSON lines), `"patience"` (early stopping).

    Raises UsageError: an unknown size, target or dtype, no optimizer for a network; LoweringError: an
    equation without a program; GenerationError: a hyperparameter without a value.
    """
    from symbp import targets
    from symbp.emit import DTYPES, TARGETS, generate_derivatives, generate_source

    derivation = net if isinstance(net, Derived) else derivation or derive(net)
    if target in targets.TARGETS:
        return targets.named(target).source(
            order(net, optimizer=optimizer, dtype=dtype, sizes=sizes, derivation=derivation, pieces=pieces)
        )
    every = (*TARGETS, *targets.TARGETS)
    target, dtype = _one_of("target", target, every), _one_of("dtype", dtype, DTYPES)
    chosen = _sizes(derivation, sizes or {})
    if isinstance(net, Derived):
        if optimizer is not None:
            raise UsageError(
                "a module of derivatives has no use for an optimizer", help="give the network to train it"
            )
        return generate_derivatives(net, target=target, dtype=dtype, sizes=chosen, hyper=net.constants)
    if optimizer is None:
        raise UsageError(
            "a training module needs an optimizer",
            help="optimizer=bp.optim.Adam(1e-3); for derivatives alone, give a derivation: bp.derive(net)",
        )
    return generate_source(
        derivation,
        target=target,
        dtype=dtype,
        update=optimizer,
        initial=net.initial,
        sizes=chosen,
        hyper=net.hyper,
        pieces=pieces,
    )


def order(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
) -> Order:
    """What a target's passes start from. Raises UsageError: a derivation in place of a network, no
    optimizer."""
    from symbp.targets.target import Order

    if isinstance(net, Derived) or optimizer is None:
        raise UsageError(
            "this target writes modules that train: they need a network and an optimizer",
            help='give both, optimizer=bp.optim.Adam(1e-3), or choose target="numpy"',
        )
    derivation = derivation or derive(net)
    chosen = _sizes(derivation, sizes or {})
    return Order(derivation, optimizer, net.initial, chosen, net.hyper, dtype, tuple(pieces))


def plan(
    net: Network,
    *,
    optimizer: UpdateRule,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
) -> Footprint:
    """What a training step of the module that `generate` writes takes: each kernel's operations and bytes
    moved, where every tensor of the workspace lies and when it is needed, and the sums, as formulas in the
    sizes and, where all have a value, as numbers. A value for the size of the batch leaves it open."""
    from symbp.emit import DTYPES, TARGETS, plan_of

    derivation = derivation or derive(net)
    return plan_of(
        derivation,
        target=_one_of("target", target, TARGETS),
        dtype=_one_of("dtype", dtype, DTYPES),
        update=optimizer,
        initial=net.initial,
        sizes=_sizes(derivation, sizes or {}),
        hyper=net.hyper,
    )


def compile(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
) -> types.ModuleType:
    """The training module of a network, or the module of a derivation with `derivatives(params, **inputs)`,
    imported from the user's cache; the same text as `generate` writes."""
    from symbp.emit import load

    text = source(
        net,
        optimizer=optimizer,
        target=target,
        dtype=dtype,
        sizes=sizes,
        derivation=derivation,
        pieces=pieces,
    )
    return load(text, net.name)


def generate(
    net: Network | Derivation,
    path: str | Path,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
    force: bool = False,
) -> Path:
    """Writes the standalone module, see `source`; its path. Raises GenerationError where a file stands
    already, unless `force` is set, and what `source` raises."""
    refuse_to_overwrite(path, force=force)
    text = source(
        net,
        optimizer=optimizer,
        target=target,
        dtype=dtype,
        sizes=sizes,
        derivation=derivation,
        pieces=pieces,
    )
    return write(path, text, force=force)


def check(
    net: Network,
    *,
    derivation: Derivation | None = None,
    sizes: Mapping[str, int] | None = None,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    module: types.ModuleType | None = None,
) -> Report:
    """Every derived gradient, or every result of a `derivation` (Hessians, products with them, Jacobians),
    against central differences, the complex step and an exact expansion.

    `sizes` overrides those bound in the declaration; sizes that are open are small. The gradients of a
    compiled `module`, or the results of a module of the derivation, are compared with the derivation's, too.
    """
    from symbp.verify import METHODS, check_derivation
    from symbp.verify.generated import module_rows

    derivation = derivation or derive(net)
    chosen = tuple(_one_of("method", method, METHODS) for method in methods or METHODS)
    report = check_derivation(
        derivation,
        sizes=_sizes(derivation, sizes or {}),
        methods=chosen,
        seed=seed,
        hyper=net.hyper,
        declared=net.system,
    )
    if module is None:
        return report
    rows = module_rows(derivation, module, sizes=report.sizes, seed=seed)
    return replace(report, rows=(*report.rows, *rows))


def refuse_to_overwrite(path: str | Path, *, force: bool) -> None:
    """Raises GenerationError if there is a file and `force` isn't set, or no folder to write it to."""
    if Path(path).exists() and not force:
        raise GenerationError(
            "the output file exists already",
            where=str(path),
            help="choose another name, or overwrite it: --force (force=True)",
        )
    if not Path(path).absolute().parent.is_dir():
        raise GenerationError("there is no such folder to write to", where=str(Path(path).absolute().parent))


def write(path: str | Path, text: str, *, force: bool) -> Path:
    """Writes a text file whole or not at all, with the same refusals."""
    refuse_to_overwrite(path, force=force)
    Path(path).write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def _one_of(what: str, chosen: str, known: Iterable[str]) -> str:
    if chosen not in known:
        raise UsageError(f"there is no {what} {chosen!r}", help=f"choose one of: {', '.join(known)}")
    return chosen


def _sizes(derivation: Derivation, given: Mapping[str, int]) -> dict[str, int]:
    """The declared sizes with the given ones, which must be sizes of the network and positive; without those
    that no axis has any more (two stacked tensors were summed over)."""
    left, bound = derivation.system.sizes, derivation.system.bound
    known = dict.fromkeys((*left, *bound))
    for name, extent in given.items():
        if name not in known:
            raise UsageError(f"the network has no size {name!r}", help=f"its sizes: {', '.join(known)}")
        if name not in left and extent != bound[name]:
            raise UsageError(
                f"size {name} is {bound[name]} in the network, not {extent!r}",
                help="declare it without a value",
            )
        if not isinstance(extent, int) or isinstance(extent, bool) or extent < 1:
            raise UsageError(f"size {name} must be a positive integer, not {extent!r}")
    return {name: extent for name, extent in {**bound, **given}.items() if name in left}
