"""The document model that every format prints: what a derivation says, in the order in which it is read.

Enters: a derivation, and code as text where a page shows it. Leaves: frozen sections of numbered equations.
Must not know: any format, or how code is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy

from symbp.derive.derivation import Derivation, Step
from symbp.explain.starts import Start, starts
from symbp.explain.steps import with_gone
from symbp.ir.expr import Guard, Size, free_indices
from symbp.ir.printer import TEXT, Notation
from symbp.ir.system import Equation, System, Tensor
from symbp.ir.training import Initial
from symbp.read.lecture import Lecture, lecture
from symbp.read.legend import Entry
from symbp.read.matrix.columns import Columns, columns, in_columns
from symbp.read.matrix.legend import columns_legend, matrix_legend
from symbp.read.matrix.origin import counted
from symbp.read.matrix.rewrite import with_rows, without_transposes
from symbp.read.matrix.spell import matrix_sides
from symbp.read.matrix.subscripts import matrix_equations
from symbp.read.matrix.tree import MatrixEquation
from symbp.read.options import PLAIN, Options
from symbp.read.reading import Line, Reading, Style, reading
from symbp.read.spelling import Quotient
from symbp.read.symbols import Symbols


@dataclass(frozen=True)
class NumberedEquation:
    """Equation `number`: the line of the reading, the equation with names as in code, its matrix form or
    None, the rule it comes from, and the lines of code that compute it."""

    number: int
    line: Line
    equation: Equation
    matrix: MatrixEquation | None
    rule: str
    code: tuple[str, ...] = ()

    @property
    def shown(self) -> Equation:
        """The equation with the letters of the page."""
        return self.line.equation

    @property
    def differs(self) -> bool:
        """Whether what is computed for it has other equations, or another number."""
        return self.line.computed != (self.number,)

    @property
    def index_form(self) -> str:
        """The equation in index notation, as plain text, with the names that tensors have in code."""
        return " = ".join(sides(self.line, TEXT, self.equation))

    @property
    def matrix_form(self) -> str | None:
        """The equation in matrix notation, in the same way, or None where it has none."""
        return None if self.matrix is None else " = ".join(matrix_sides(self.matrix))

    @property
    def beside(self) -> MatrixEquation | None:
        """The matrix form where it says more than the equation beside it, as that of a scalar doesn't."""
        return None if self.matrix_form == self.index_form else self.matrix


def sides(line: Line, notation: Notation, equation: Equation | None = None) -> tuple[str, str]:
    """Both sides of a line in a notation, with what holds of its target's subscripts."""
    equation = equation or line.equation
    left, right = notation.equation(equation)
    if line.fixed:
        subscripts = [notation.show(line.fixed.get(i, i)) for i in equation.indices]
        left = notation.access(equation.target, subscripts, None)
    if line.condition is not None:
        right += notation.holding(notation.show(line.condition))
    return left, right


@dataclass(frozen=True)
class Section:
    """Equations under a title. `pairs`: the second tensor stands for the first there; `verb` says how."""

    title: str
    equations: tuple[NumberedEquation, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    verb: str = "is"

    @property
    def note(self) -> str:
        """The pairs in words; empty, if there are none."""
        return ", ".join(f"{name} {self.verb} {other}" for name, other in self.pairs)


@dataclass(frozen=True)
class Document:
    """A derivation as a page: what is given, how parameters start, the equations, the gradients, the steps.

    `reading` holds symbols and the legend: `quotients` says which tensors are derivatives of what, so that a
    format can write ∂L/∂W₁ for `dW1`; `results` lists what was asked for beyond gradients, in words, with its
    tensor; `columns` says which are shown transposed.
    """

    title: str
    given: tuple[Tensor, ...]
    starts: tuple[Start, ...]
    sections: tuple[Section, ...]
    reading: Reading
    results: tuple[tuple[str, str], ...]
    gradients: Mapping[str, str]
    steps: tuple[Step, ...]
    lecture: Lecture
    warnings: tuple[str, ...]
    derivation: Derivation
    columns: Columns = field(default_factory=Columns)

    @cached_property
    def ever(self) -> Symbols:
        """A symbol for each tensor of the steps, also for those that are gone in the end."""
        computed = self.reading
        if computed.style != "computed":
            computed = reading(self.derivation, options=computed.options)
        return with_gone(computed.symbols, self.derivation)

    @property
    def quotients(self) -> Mapping[str, Quotient]:
        """The tensors that are written as derivatives."""
        return self.reading.symbols.quotients

    @property
    def equations(self) -> tuple[NumberedEquation, ...]:
        """All equations in the order of their numbers."""
        found = [equation for section in self.sections for equation in section.equations]
        return tuple(sorted(found, key=lambda e: e.number))


def document(
    derivation: Derivation,
    code: Mapping[int, Sequence[str]] | None = None,
    symbols: Mapping[str, str] | None = None,
    style: Style = "computed",
    options: Options = PLAIN,
) -> Document:
    """The page of a derivation; `code` gives the lines that compute each equation, by its number; `symbols`
    the LaTeX of tensors whose symbol their author chooses; `style` says whether the page shows what is
    computed, or the same as a textbook has it, `options` in which notation.

    Raises UsageError: a symbol for no tensor; ReadingError: one symbol for two.
    """
    read = reading(derivation, symbols, style, options)
    page, origin = read.derivation, read.origin
    lines, letters = code or {}, {value: letter for letter, value in read.constants.items()}
    turned, matrices = _shown(_matrix_forms(read), read)
    read = replace(read, legend=(*read.legend, *_signs(turned, matrices, read)))

    def numbered(line: Line) -> NumberedEquation:
        matrix = matrices[line.number]
        own = line.equation if style == "textbook" else origin.equation(page.system.defining[line.target])
        return NumberedEquation(line.number, line, own, matrix, own.rule, tuple(lines.get(line.number, ())))

    return Document(
        title=derivation.name,
        given=tuple(origin.tensor(_shortened(leaf, read)) for leaf in page.system.leaves),
        starts=starts(_with_letters(derivation.initial, read)) if derivation.is_gradient else (),
        sections=tuple(
            Section(part.title, tuple(map(numbered, read.of(part))), tuple(part.pairs.items()), part.verb)
            for part in read.parts
        ),
        reading=read,
        results=() if derivation.is_gradient else _results(derivation, read.symbols.quotients),
        gradients=dict(derivation.gradients),
        steps=tuple(origin.step(step.changed(letters)) for step in derivation.steps),
        lecture=lecture(read) if style == "textbook" else Lecture((), read.symbols),
        warnings=tuple(_with_words(warning, read.sizes) for warning in derivation.warnings),
        derivation=derivation,
        columns=turned,
    )


Forms = Mapping[int, MatrixEquation | None]


def _shown(forms: Forms, read: Reading) -> tuple[Columns, Forms]:
    """The forms without needless transposes, in the layout and over the indices of the page."""
    symmetric = symmetric_names(read.derivation.system)
    found = {
        number: replace(form, right=with_rows(without_transposes(form.right, symmetric), symmetric))
        for number, form in forms.items()
        if form is not None
    }
    turned = Columns()
    if read.options.layout == "columns":
        tensors = {tensor.name: _shortened(tensor, read) for tensor in read.derivation.system.tensors}
        turned = columns(read.derivation, tensors, found.values())
        found = {number: in_columns(form, turned) for number, form in found.items()}
    shown = {number: counted(form, read.origin) for number, form in found.items()}
    conditions = {line.number: line.condition for line in read.lines}
    held = {n: form and replace(form, condition=conditions[n]) for n, form in shown.items()}
    return turned, dict.fromkeys(forms) | held


def _signs(turned: Columns, forms: Forms, read: Reading) -> tuple[Entry, ...]:
    """What the legend says of matrix notation."""
    used = [form for form in forms.values() if form is not None]
    in_columns = read.options.layout == "columns"
    system = read.derivation.system
    ordered = [*(t.name for t in system.leaves), *(e.target for e in system.equations)]
    layout = columns_legend(used, turned, ordered) if in_columns else ()
    return (*layout, *matrix_legend(used, columns=in_columns))


def _matrix_forms(read: Reading) -> dict[int, MatrixEquation | None]:
    """The matrix notation of each line, by its number."""
    tensors = {tensor.name: _shortened(tensor, read) for tensor in read.derivation.system.tensors}
    lengths = {size: extent for extent, size in read.lengths.items()}
    plain = [line.plain or line for line in read.lines]
    lines = [x for x in plain if not _is_lazy(x)]
    fixed, must = (
        [line.fixed for line in lines],
        [() if x.condition is None else free_indices(x.condition) for x in lines],
    )
    equations = [line.equation for line in lines]
    forms = matrix_equations(equations, tensors, lengths, read.symbols.text, fixed, must)
    found: dict[int, MatrixEquation | None] = dict.fromkeys(line.number for line in read.lines)
    return found | {line.number: form for line, form in zip(lines, forms, strict=True)}


def _is_lazy(line: Line) -> bool:
    """Whether a bracket keeps ∞ − ∞ from being evaluated: ⊙ evaluates both of its factors."""
    infinite = (sympy.oo, -sympy.oo)
    return any(g.lhs in infinite or g.rhs in infinite for g in line.equation.body.atoms(Guard))


def _with_letters(initial: Mapping[str, Initial], read: Reading) -> dict[str, Initial]:
    """How parameters start, with the page's letters for sizes."""
    letters = {Size(old): Size(new) for old, new in read.sizes.items()}
    return {
        name: replace(start, scale=sympy.sympify(start.scale).xreplace(letters))
        for name, start in initial.items()
    }


def _with_words(sentence: str, names: Mapping[str, str]) -> str:
    """A sentence with other words for some."""
    return re.sub(r"\w+", lambda word: names.get(word.group(), word.group()), sentence)


def _shortened(tensor: Tensor, read: Reading) -> Tensor:
    return replace(tensor, shape=tuple(extent.xreplace(read.lengths) for extent in tensor.shape))


def symmetric_names(system: System) -> frozenset[str]:
    """The matrices that are declared symmetric."""
    return frozenset(t.name for t in system.leaves if t.fact("symmetric") and len(t.shape) == 2)


def _results(derivation: Derivation, quotients: Mapping[str, Quotient]) -> tuple[tuple[str, str], ...]:
    """What was asked for, in words, and the tensor that holds it."""
    loss = derivation.system.loss
    return tuple(
        (str(quotients[tensor]) if tensor in quotients else f"(∇²{loss}·v)_{key}", tensor)
        for key, tensor in derivation.gradients.items()
    )
