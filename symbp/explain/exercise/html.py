"""A worksheet as one HTML file: each answer, with its lesson, folded below its question.

Enters: a worksheet. Leaves: the page, which needs neither a network nor JavaScript. Must not know: other
formats. How the page looks is in its template.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from symbp.explain.document import NumberedEquation, sides
from symbp.explain.exercise.text import shape_words
from symbp.explain.exercise.worksheet import GAP, Blank, Worksheet
from symbp.explain.html import given, part_as_written
from symbp.explain.mathml import MathML, operator
from symbp.explain.page.equations import Blocks, EquationBlock, LessonRow, Links, display, notation_of
from symbp.explain.text import PageText
from symbp.ir.expr import Expr
from symbp.rendering import render


class Gapped(MathML):
    """MathML with an empty box in the place of a factor."""

    def symbol(self, symbol: Expr) -> str:
        return operator("□") if symbol == GAP else super().symbol(symbol)


@dataclass(frozen=True)
class Row:
    """An equation; where it is asked for, the question and the shape, and the equation is the key."""

    block: EquationBlock
    question: Markup | None = None
    shape: str = ""

    @property
    def number(self) -> int:
        return self.block.number

    @property
    def forms(self) -> tuple[Markup, ...]:
        return self.block.forms

    @property
    def lesson(self) -> tuple[LessonRow, ...]:
        return self.block.lesson


def html(sheet: Worksheet, *, key: bool = True) -> str:
    """The page; without a `key`, the questions alone."""
    page = sheet.document
    values = {
        "title": page.title,
        "style": part_as_written("page.css"),
        "seed": sheet.seed,
        "task": sheet.task,
        "command": sheet.command,
        "key": key,
        "given": [given(tensor, notation_of(page.reading.symbols)) for tensor in page.given],
        "sections": [(s.title, [_row(sheet, e) for e in s.equations]) for s in sheet.sections],
    }
    return render("exercise.html.j2", values, markup=True)


def _row(sheet: Worksheet, shown: NumberedEquation) -> Row:
    blank = sheet.by_number.get(shown.number)
    lessons = {} if blank is None or blank.lesson is None else {shown.number: blank.lesson}
    block = Blocks(sheet.document, Links(frozenset(), ""), lessons).equation(shown)
    if blank is None:
        return Row(block)
    return Row(block, _question(sheet, blank), shape_words(blank))


def _question(sheet: Worksheet, blank: Blank) -> Markup:
    symbols = sheet.document.reading.symbols
    left, right = sides(blank.partly or blank.shown.line, Gapped(symbols, PageText(symbols)))
    body = right if blank.partly else operator("…")
    return display(left, body, f"equation {blank.shown.number}, to be completed")
