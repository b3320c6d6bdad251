"""A derivation as one HTML file that needs no network and no JavaScript, formulas in MathML.

Enters: a document. Leaves: the page, which is well-formed XML too. Must not know: other formats' layout, or
how to print an expression. How the page looks is in its template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.drawing import caption, drawing
from symbp.explain.lecture import Sentence, rows
from symbp.explain.mathml import MathML, operator, row, spelling
from symbp.explain.starts import Start
from symbp.explain.text import PageText, computed_as, index_form, matrix_form
from symbp.ir.system import Tensor
from symbp.read.lecture import Lesson
from symbp.read.legend import Named, Piece
from symbp.read.matrix.spell import matrix_sides
from symbp.read.symbols import Symbols
from symbp.rendering import render

EQUALS = operator("=")


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
class GivenRow:
    """A tensor that is given: its symbol, what it is, its shape."""

    symbol: Markup
    meaning: str
    shape: Markup


@dataclass(frozen=True)
class StartRow:
    """Parameters, how they start, and why."""

    names: Markup
    how: Markup
    reason: str


@dataclass(frozen=True)
class LessonRow:
    """Words, or else a formula; `label` is the formula as text, `number` where it is one of the page."""

    words: Markup | None
    formula: Markup | None = None
    label: str = ""
    number: int | None = None
    depth: int = 0


@dataclass(frozen=True)
class EquationBlock:
    """A numbered equation in its forms, and the lesson that explains it."""

    number: int
    forms: tuple[Markup, ...]
    computed: str
    lesson: tuple[LessonRow, ...]


@dataclass(frozen=True)
class SectionBlock:
    """Equations under a title."""

    name: str
    title: str
    note: Markup
    equations: tuple[EquationBlock, ...]


def html(document: Document, *, steps: bool = True, fragment: bool = False) -> str:
    """The page; with `steps`, below each derivative how it comes about, folded away; as a `fragment`, what
    stands in another page, with names of its own for the places that links lead to."""
    prefix = f"{_slug(document.title)}-" if fragment else ""
    notation = _notation(document.reading.symbols)
    lessons = document.lecture.lessons if steps else ()
    links = Links(frozenset(line.number for line in document.reading.lines), prefix)
    number = {e.equation.target: e.number for e in reversed(document.equations)}
    values = {
        "title": document.title,
        "prefix": prefix,
        "given": [_given(tensor, notation) for tensor in document.given],
        "drawing": drawing(document, prefix),
        "drawing_key": caption(document, prefix),
        "legend": [_spelled(entry.pieces, notation, links) for entry in document.reading.legend],
        "starts": [_start(start, notation) for start in document.starts],
        "results": [(words, _inline(notation.tensor(t)), number[t]) for words, t in document.results],
        "sections": [
            _section(section, document, links, {x.line.number: x for x in lessons})
            for section in document.sections
        ],
        "warnings": document.warnings,
    }
    return render("page_fragment.html.j2" if fragment else "page.html.j2", values, markup=True)


def _notation(symbols: Symbols) -> MathML:
    return MathML(symbols, PageText(symbols))


def _slug(words: str) -> str:
    return re.sub(r"\W+", "-", words.lower())


def _inline(fragment: str) -> Markup:
    return Markup(f"<math>{fragment}</math>")


def _display(left: str, right: str, label: str) -> Markup:
    """A formula on a line of its own; `label` is for those who don't see it."""
    return Markup('<math display="block" alttext="{}">{}</math>').format(label, Markup(left + EQUALS + right))


def _given(tensor: Tensor, notation: MathML) -> GivenRow:
    shape = operator("×").join(map(notation.show, tensor.shape))
    drawn = [str(tensor.draw)] if tensor.draw else []
    kind = f"{tensor.role.value} integer" if tensor.integer else tensor.role.value
    meaning = ", ".join([kind, *drawn, *sorted(map(str, tensor.facts))])
    symbol = _inline(notation.tensor(tensor.name))
    return GivenRow(symbol, meaning, _inline(shape) if shape else Markup("scalar"))


def _start(start: Start, notation: MathML) -> StartRow:
    kind, scale = start.words(notation, operator("±"))
    names = Markup(", ").join(_inline(notation.tensor(name)) for name in start.names)
    how = Markup(" ").join([*([escape(kind)] if kind else []), *([_inline(row(scale))] if scale else [])])
    return StartRow(names, how, start.initial.reason)


def _section(
    section: Section, document: Document, links: Links, lessons: Mapping[int, Lesson]
) -> SectionBlock:
    notation = _notation(document.reading.symbols)
    pairs = (
        Markup("{} {} {}").format(_inline(notation.tensor(a)), section.verb, _inline(notation.tensor(b)))
        for a, b in section.pairs
    )
    return SectionBlock(
        _slug(section.title),
        section.title,
        Markup(", ").join(pairs),
        tuple(_equation(e, document, links, lessons.get(e.number)) for e in section.equations),
    )


def _equation(
    shown: NumberedEquation, document: Document, links: Links, lesson: Lesson | None
) -> EquationBlock:
    symbols = document.reading.symbols
    notation, text = _notation(symbols), PageText(symbols)
    forms = [_display(*sides(shown.line, notation), index_form(shown, text))]
    if shown.matrix is not None:
        label = matrix_form(shown, text) or ""
        forms.append(_display(*matrix_sides(shown.matrix, spelling(notation)), label))
    told = () if lesson is None else _lesson(lesson, document, links)
    return EquationBlock(shown.number, tuple(forms), computed_as(shown), told)


def formulas(shown: NumberedEquation, document: Document) -> tuple[Markup, ...]:
    """One equation of a document in its forms."""
    return _equation(shown, document, Links(frozenset(), ""), None).forms


def _lesson(lesson: Lesson, document: Document, links: Links) -> tuple[LessonRow, ...]:
    symbols = document.lecture.symbols
    notation = _notation(symbols)
    spelled, text = rows(document, lesson, notation), rows(document, lesson, PageText(symbols))
    found = []
    for one, said in zip(spelled, text, strict=True):
        if isinstance(one, Sentence) or isinstance(said, Sentence):
            assert isinstance(one, Sentence), "both notations have the same rows"
            found.append(LessonRow(_spelled(one.pieces, notation, links)))
        else:
            label = f"{said.left} = {said.right}"
            formula = _display(one.left, one.right, label)
            found.append(LessonRow(None, formula, label, one.number, one.depth))
    return tuple(found)


def _spelled(pieces: Sequence[Piece], notation: MathML, links: Links) -> Markup:
    """Words with formulas; numbers of equations are links to them."""
    spelled = []
    for piece in pieces:
        if isinstance(piece, str):
            spelled.append(links.linked(piece))
        else:
            is_named = isinstance(piece, Named)
            spelled.append(_inline(notation.tensor(piece.name) if is_named else notation.show(piece)))
    return Markup("").join(spelled)
