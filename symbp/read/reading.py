"""A reading of a derivation: its equations with letters, symbols and a legend, before any format.

Enters: a derivation, a style, an author's choice of symbols. Leaves: a frozen reading.
Must not know: formats, ops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Expr, Guard, Index, Size
from symbp.ir.system import Equation
from symbp.read.cases import cases
from symbp.read.display import Constant, bound
from symbp.read.indices import Lettering, lengths, lettering, size_letters
from symbp.read.legend import Entry, constants_legend, legend, sizes_of
from symbp.read.named_places import NamedPlaces, named_places
from symbp.read.options import PLAIN, Options
from symbp.read.origin import Origin
from symbp.read.rates import NO_RATES, rates
from symbp.read.sections import Part, parts
from symbp.read.symbols import Symbols, same_axes, symbols
from symbp.read.textbook import Textbook, textbook

COMPUTED = (
    "computed as (…): the equations that generated code computes instead, in a form in which nothing "
    "overflows and nothing is computed twice (--reading computed)"
)
Style = Literal["textbook", "computed"]


@dataclass(frozen=True)
class Line:
    """Equation `number` of a page, with the page's letters. Some subscripts of its target may be `fixed`, or
    it may hold only where a `condition` does. `computed` are the numbers of the computed equations behind
    it. `plain` is the same line where indices start at 0 and places are numbers, if that isn't the
    page's."""

    number: int
    equation: Equation
    fixed: Mapping[Index, Expr] = field(default_factory=dict)
    condition: Guard | None = None
    computed: tuple[int, ...] = ()
    plain: Line | None = None

    @property
    def target(self) -> str:
        return self.equation.target

    @property
    def subscripts(self) -> tuple[Expr, ...]:
        """Those of the left-hand side."""
        return tuple(self.fixed.get(index, index) for index in self.equation.indices)


@dataclass(frozen=True)
class Reading:
    """`lines` in the order of their numbers, `parts` of the page by the numbers of their first and last line;
    `derivation` is that of the page: its system holds what the lines define. `lettering` for its indices;
    `symbols` for the tensors. `defined` and `computed` say what tensors are that
    the computation hasn't, or has under another name; `sizes` maps sizes that are numbers to their author, by
    the computation's names for them, to their letters. Indices start at `origin`. `constants` are the
    numbers that go by a letter, `places` the names of the places along some axes."""

    style: Style
    derivation: Derivation
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]
    lettering: Lettering
    symbols: Symbols
    legend: tuple[Entry, ...]
    defined: Mapping[str, Equation] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    constants: Mapping[Constant, Expr] = field(default_factory=dict)
    places: NamedPlaces = field(default_factory=NamedPlaces)

    @property
    def origin(self) -> Origin:
        """Where indices start, what counts as they do, and what places are called."""
        return Origin(self.options.origin, self.derivation.system, self.places)

    @cached_property
    def computable(self) -> Reading:
        """The reading as it is evaluated and as code has it: constants and places are numbers, indices start
        at 0."""
        if not self.constants and self.origin.is_plain:
            return self
        own = self.derivation
        equations = tuple(e.changed(self.constants) for e in own.system.equations)
        own = replace(own, system=replace(own.system, equations=equations))
        lines = tuple(line.plain or line for line in self.lines)
        lines = tuple(replace(line, equation=line.equation.changed(self.constants)) for line in lines)
        options = replace(self.options, origin=0)
        return replace(self, derivation=own, lines=lines, options=options, places=NamedPlaces())

    def of(self, part: Part) -> tuple[Line, ...]:
        """The lines of a part."""
        return tuple(line for line in self.lines if line.target in part.targets)

    @property
    def lengths(self) -> Mapping[Expr, Size]:
        """The lengths of axes that are long formulas, with their names."""
        return self.lettering.lengths

    @property
    def numbers(self) -> dict[str, int]:
        """The number of the first line that defines each tensor."""
        return {line.target: line.number for line in reversed(self.lines)}


def reading(
    derivation: Derivation,
    chosen: Mapping[str, str] | None = None,
    style: Style = "computed",
    options: Options = PLAIN,
) -> Reading:
    """What a page shows of a derivation: what is `computed`, or as a `textbook` has it; `chosen` maps tensors
    to LaTeX symbols, `options` say in which notation.

    Raises UsageError: a choice for no tensor; ReadingError: one symbol for two.
    """
    book = textbook(derivation) if style == "textbook" else _as_computed(derivation)
    sized = _with_size_letters(book.derivation) if style == "textbook" else {}
    book = replace(book, derivation=_resized(book.derivation, sized))
    constants = {Constant(letter): v for letter, v in derivation.choices.constants.items()}
    book = replace(book, derivation=_with_letters(book.derivation, constants))
    system = book.derivation.system
    words = {*system.by_name, *sizes_of(system)}
    dropped = NO_RATES
    if style == "textbook":
        dropped = rates(system, {*words, *(constant.name for constant in constants)})
        constants |= dropped.values
        words |= {constant.name for constant in dropped.values}
        system = system.with_(equations=tuple(map(dropped.shown, system.equations)))
        book = replace(book, derivation=replace(book.derivation, system=system))
    long = lengths(system, words)
    sizes = sizes_of(system) | {size.name for size in long.values()}
    choices = derivation.choices
    letters = lettering(system, words | sizes, long, choices.letters)
    known = {name: latex for name, latex in choices.symbols.items() if name in system.by_name}
    equations = {e.target: letters.shown(e) for e in system.equations}
    ordered = parts(book.derivation)
    lines = _lines([equations[name] for part in ordered for name in part.targets], book, style)
    used = {index.name for line in lines for index in bound(line.equation)}
    letters_of_numbers = {constant.name for constant in constants}
    found = symbols(
        book.derivation, {*sizes, *used, *letters_of_numbers}, known | dict(chosen or {}), options.notation
    )
    numbers = {line.target: line.number for line in reversed(lines)}
    places = NamedPlaces()
    if style == "textbook":
        places = named_places(tuple(equations.values()), same_axes(book.derivation))
    origin = Origin(options.origin, system, places)
    told = (
        *legend(book.derivation, equations, found, long, numbers, origin),
        *constants_legend(equations.values(), constants, derivation.constants, dropped.letters),
    )
    if style == "textbook" and any(line.computed != (line.number,) for line in lines):
        told = (*told, Entry("computed", (COMPUTED,)))
    shown = tuple(_counted(line, origin) for line in lines)
    own = book.derivation
    return Reading(
        style, own, shown, ordered, letters, found, told, book.defined, book.computed, sized, options,
        constants, places,
    )  # fmt: skip


def _counted(line: Line, origin: Origin) -> Line:
    """The line over indices that start at the origin, and with the names of places."""
    if origin.is_plain:
        return line
    axes = {index: (line.target, k) for k, index in enumerate(line.equation.indices)}
    return replace(
        line,
        equation=origin.equation(line.equation),
        fixed={index: origin.subscript(place, axes[index]) for index, place in line.fixed.items()},
        condition=None if line.condition is None else origin.guard(line.condition),
        plain=line,
    )


def _with_size_letters(derivation: Derivation) -> dict[str, str]:
    """Letters for sizes that are numbers to their author."""
    system = derivation.system
    return size_letters(system, {*system.by_name, *(sizes_of(system) - system.unnamed)})


def _with_letters(derivation: Derivation, constants: Mapping[Constant, Expr]) -> Derivation:
    """The derivation with letters in the place of numbers."""
    if not constants:
        return derivation
    values = {value: constant for constant, value in constants.items()}
    equations = tuple(e.changed(values) for e in derivation.system.equations)
    return replace(derivation, system=replace(derivation.system, equations=equations))


def _resized(derivation: Derivation, names: Mapping[str, str]) -> Derivation:
    return replace(derivation, system=derivation.system.resized(names)) if names else derivation


def _as_computed(derivation: Derivation) -> Textbook:
    return Textbook(derivation, {name: (k,) for name, k in derivation.numbers.items()}, {}, {})


def _lines(equations: Sequence[Equation], book: Textbook, style: Style) -> tuple[Line, ...]:
    """The equations in their cases, numbered; those that are computed keep their numbers."""
    found: list[Line] = []
    for equation in equations:
        behind = book.behind.get(equation.target, ())
        if style == "computed":
            found.append(Line(behind[0], equation, computed=behind))
            continue
        for case in cases(equation):
            found.append(Line(len(found) + 1, case.equation, case.fixed, case.condition, behind))
    return tuple(sorted(found, key=lambda line: line.number))
