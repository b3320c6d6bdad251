"""A derivation that shows itself: its page in every format, its numbers, its picture, and who grades answers.

Enters: what `symbp.derive` found. Leaves: text of pages, values, verdicts. Must not know: how a page is laid
out, or how anything is derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from symbp.api.choices import one_of
from symbp.derive.derivation import ClosedForm
from symbp.derive.derivation import Derivation as Derived
from symbp.errors import GenerationError, UsageError

if TYPE_CHECKING:
    from symbp.explain.document import Document
    from symbp.explain.lecture import Steps
    from symbp.explain.numbers import ShownNumbers
    from symbp.explain.page.equations import CodeLine
    from symbp.explain.short import ShortForm
    from symbp.read.flow import StepBound
    from symbp.read.numbers import Numbers
    from symbp.read.numbers.descent import Descent
    from symbp.read.options import Derivatives, Layout
    from symbp.read.reading import Style
    from symbp.verify.grading import Grader, Verdict


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
        about: str = "",
        **chosen: Unpack[PageChoices],
    ) -> str:
        """The page as one HTML file that needs neither a network nor JavaScript; with `steps`, how each
        derivative comes about, folded below it, or every rewrite that led to the `computed` equations.
        `numbers` are those of a worked example: a small one, if none are given; `code` is NumPy beside the
        textbook's equations, `flow` how gradients travel, which large nets have where it is asked for,
        `about` says in a few words what the network is. A `fragment` is for a page of one's own, and has
        neither numbers nor code nor a flow. Arrays have examples as rows and count from 0: a page in columns
        or from 1 has no numbers and no code.

        Raises UsageError: numbers for such a page."""
        from symbp.explain import html
        from symbp.explain.page.example import own_flow, small_example

        page = self._page(chosen)
        if fragment:
            return html.html(page, steps=steps, fragment=True, about=about)
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
        return html.html(page, steps=steps, numbers=example, code=lines, flow=travel, about=about)

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

    def notebook(
        self, *, steps: Steps = False, code: str | Sequence[str] = "", **chosen: Unpack[PageChoices]
    ) -> str:
        """The page as a Jupyter notebook; `code`, such as what derives the network, is its first code cell,
        or its first ones."""
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
        format: Literal["text", "html", "latex", "notebook", "stack"] = "text",
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
        derives the network as `d` in a notebook. For `stack`, Moodle's question type, a blank is a whole
        right side that Maxima can write, with its key. Raises UsageError: no gradients, no blanks."""
        from symbp.explain.exercise import html, latex, notebook, stack, text, worksheet

        if format == "stack":
            return stack.stack(self._page({"symbols": symbols}), blanks=blanks, seed=seed)
        sheet = worksheet(self._page({"symbols": symbols}), blanks=blanks, seed=seed, command=command)
        if format == "notebook":
            return notebook.notebook(sheet, key=key, code=code)
        written = {"text": text.text, "html": html.html, "latex": latex.latex}
        return written[one_of("format", format, written)](sheet, key=key)

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
        from symbp.api import compile
        from symbp.read.numbers.descent import descend

        point = start.whole or start
        bound = {name: point.declared_sizes[name] for name in self.system.bound}  # an example may be small
        module = compile(replace(self, system=self.system.with_(bound=bound)), sizes=point.declared_sizes)
        data = {name: point[name] for name in module.DERIVATIVE_INPUTS}
        return descend(start, lambda now: module.derivatives(now, **data), rate=rate, steps=steps)

    def __str__(self) -> str:
        return self.text()
