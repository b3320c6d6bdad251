"""The equations of a page as blocks: their forms, their numbers, the lesson that explains each.

Enters: a document, the worked example's numbers, code by line. Leaves: frozen blocks of markup.
Must not know: how they are laid out, which is in the templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.latex import notation_for
from symbp.explain.lecture import Sentence, rows
from symbp.explain.mathml import MathML, operator, spelling
from symbp.explain.page.breaks import ROOM, broken, pieces
from symbp.explain.page.matrices import matrices
from symbp.explain.text import PageText, computed_as, index_form, matrix_form
from symbp.read.lecture import Lesson
from symbp.read.legend import Named, Piece
from symbp.read.matrix.spell import matrix_sides
from symbp.read.numbers import Row
from symbp.read.symbols import Symbols

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


WORDS = 14.0  # em; a formula between words
INSET = 3.0  # em; what a lesson's box and the number in it leave less room


@dataclass(frozen=True)
class Links:
    """The numbers of equations that the page has, and what stands before the names of its places."""

    numbers: frozenset[int]
    prefix: str

    def linked(self, words: str) -> Markup:
        """Words in which the numbers of equations, `(5)`, are links."""
        parts = []
        for at, part in enumerate(re.split(r"\((\d+)\)", words)):
            if at % 2 == 0:
                parts.append(escape(part))
            elif int(part) in self.numbers:
                parts.append(Markup('<a href="#{0}eq-{1}">({1})</a>').format(self.prefix, part))
            else:
                parts.append(escape(f"({part})"))
        return Markup("").join(parts)


@dataclass(frozen=True)
class CodeLine:
    """A line of code and the numbers of the equations that it computes."""

    text: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class LessonRow:
    """Words, or else a formula; `number` where it is one of the page."""

    words: Markup | None
    formula: Markup | None = None
    number: int | None = None
    depth: int = 0


@dataclass(frozen=True)
class Value:
    """What an equation defines, in numbers: tensor, formula, and by differences, if it is a derivative."""

    tensor: str
    formula: Markup
    difference: Markup | None


@dataclass(frozen=True)
class EquationBlock:
    """A numbered equation in its forms, as LaTeX, in numbers, as code, and the lesson that explains it."""

    number: int
    forms: tuple[Markup, ...]
    latex: str
    computed: str
    lesson: tuple[LessonRow, ...]
    value: Value | None = None
    code: tuple[CodeLine, ...] = ()


@dataclass(frozen=True)
class SectionBlock:
    """Equations under a title."""

    name: str
    title: str
    note: Markup
    equations: tuple[EquationBlock, ...]


@dataclass(frozen=True)
class Blocks:
    """Makes the blocks of a document from lessons, values and lines of code, each by an equation's number;
    `offsets` are the places of a value's elements in its tensor."""

    document: Document
    links: Links
    lessons: Mapping[int, Lesson] = field(default_factory=dict)
    values: Mapping[int, Row] = field(default_factory=dict)
    offsets: Mapping[int, Array] = field(default_factory=dict)
    code: Sequence[CodeLine] = ()

    @property
    def notation(self) -> MathML:
        return notation_of(self.document.reading.symbols)

    def section(self, section: Section) -> SectionBlock:
        """A part of the page."""
        notation = self.notation
        pairs = (
            Markup("{} {} {}").format(inline(notation.tensor(a)), section.verb, inline(notation.tensor(b)))
            for a, b in section.pairs
        )
        equations = tuple(self.equation(shown) for shown in section.equations)
        return SectionBlock(slug(section.title), section.title, Markup(", ").join(pairs), equations)

    def equation(self, shown: NumberedEquation) -> EquationBlock:
        """One equation with all that stands beside it."""
        symbols = self.document.reading.symbols
        notation, text, latex = self.notation, PageText(symbols), notation_for(self.document)
        forms = [display(*sides(shown.line, notation), index_form(shown, text))]
        if shown.beside is not None:
            label = matrix_form(shown, text) or ""
            forms.append(display(*matrix_sides(shown.beside, spelling(notation)), label))
        lesson, row = self.lessons.get(shown.number), self.values.get(shown.number)
        return EquationBlock(
            shown.number,
            tuple(forms),
            " = ".join(sides(shown.line, latex)),
            computed_as(shown),
            () if lesson is None else self.lesson(lesson),
            None if row is None else self.value(row),
            self.lines(shown.number),
        )

    def lines(self, number: int) -> tuple[CodeLine, ...]:
        """The lines of code of an equation, without what they are indented together."""
        found = [line for line in self.code if number in line.numbers]
        margin = min((len(line.text) - len(line.text.lstrip()) for line in found), default=0)
        return tuple(replace(line, text=line.text[margin:]) for line in found)

    def value(self, row: Row) -> Value:
        """The numbers of an equation."""
        notation, line = self.notation, row.line
        partial = line.fixed or line.condition is not None
        left = sides(line, notation)[0] if partial else notation.tensor(line.target)
        offsets = self.offsets.get(line.number)
        letters = [notation.symbol(i) for i in line.equation.indices if i not in line.fixed]
        shown = matrices(row.value, offsets=offsets, letters=letters)
        value = joined([left + operator("=") + shown[0], *shown[1:]])
        if row.difference is None:
            return Value(line.target, value, None)
        other = matrices(row.difference, offsets=offsets, letters=letters)
        return Value(line.target, value, joined([operator("≈") + other[0], *other[1:]]))

    def lesson(self, lesson: Lesson) -> tuple[LessonRow, ...]:
        """The rows of a lesson."""
        symbols = self.document.lecture.symbols
        notation = notation_of(symbols)
        spelled = rows(self.document, lesson, notation)
        text = rows(self.document, lesson, PageText(symbols))
        found = []
        for one, said in zip(spelled, text, strict=True):
            if isinstance(one, Sentence) or isinstance(said, Sentence):
                assert isinstance(one, Sentence), "both notations have the same rows"
                found.append(LessonRow(spelled_out(one.pieces, notation, self.links)))
            else:
                formula = display(one.left, one.right, f"{said.left} = {said.right}", ROOM - INSET)
                found.append(LessonRow(None, formula, one.number, one.depth))
        return tuple(found)


def notation_of(symbols: Symbols) -> MathML:
    """The notation of a page, whose formulas have the order that they have as text."""
    return MathML(symbols, PageText(symbols))


def slug(words: str) -> str:
    """The name of a place: `after-a-step`."""
    return re.sub(r"\W+", "-", words.lower())


def inline(fragment: str) -> Markup:
    """A formula in a line."""
    return Markup(f"<math>{fragment}</math>")


def tall(fragment: str) -> Markup:
    """A formula whose fractions have their full height."""
    return Markup(f'<math displaystyle="true">{fragment}</math>')


def display(left: str, right: str, label: str, room: float = ROOM) -> Markup:
    """A formula on lines of its own, as many as it needs; `label` is the formula as text."""
    return formula(pieces(left, right, room), label)


def formula(parts: Iterable[str], label: str) -> Markup:
    """Parts of a formula that a browser may put in lines."""
    return Markup('<div class="formula" data-text="{}">{}</div>').format(label, joined(parts))


def joined(parts: Iterable[str]) -> Markup:
    """Formulas beside each other, or below each other where there is no room."""
    return Markup("<wbr/>").join(map(tall, parts))


def spelled_out(parts: Sequence[Piece], notation: MathML, links: Links) -> Markup:
    """Words with formulas; numbers of equations are links to them."""
    spelled = []
    for part in parts:
        if isinstance(part, str):
            spelled.append(links.linked(part))
        else:
            is_named = isinstance(part, Named)
            written = notation.tensor(part.name) if is_named else notation.show(part)
            spelled.append(Markup("<wbr/>").join(map(inline, broken(written, WORDS, WORDS))))
    return Markup("").join(spelled)
