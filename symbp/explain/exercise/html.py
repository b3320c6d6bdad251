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
from symbp.explain.html import LessonRow, Links, display, given, lesson_block, notation_for
from symbp.explain.mathml import MathML, operator, spelling
from symbp.explain.text import PageText, index_form, matrix_form
from symbp.ir.expr import Expr
from symbp.read.matrix.spell import matrix_sides
from symbp.rendering import render


class Gapped(MathML):
    """MathML with an empty box in the place of a factor."""

    def symbol(self, symbol: Expr) -> str:
        return operator("□") if symbol == GAP else super().symbol(symbol)


@dataclass(frozen=True)
class Row:
    """An equation; where it is asked for, the question, the shape and the lesson, and `forms` are the key."""

    number: int
    forms: tuple[Markup, ...]
    question: Markup | None = None
    shape: str = ""
    lesson: tuple[LessonRow, ...] = ()


def html(sheet: Worksheet, *, key: bool = True) -> str:
    """The page; without a `key`, the questions alone."""
    page = sheet.document
    values = {
        "title": page.title,
        "seed": sheet.seed,
        "task": sheet.task,
        "command": sheet.command,
        "key": key,
        "given": [given(tensor, notation_for(page.reading.symbols)) for tensor in page.given],
        "sections": [(s.title, [_row(sheet, e) for e in s.equations]) for s in sheet.sections],
    }
    return render("exercise.html.j2", values, markup=True)


def _row(sheet: Worksheet, shown: NumberedEquation) -> Row:
    symbols = sheet.document.reading.symbols
    notation, text = notation_for(symbols), PageText(symbols)
    forms = [display(*sides(shown.line, notation), index_form(shown, text))]
    if shown.matrix is not None:
        label = matrix_form(shown, text) or ""
        forms.append(display(*matrix_sides(shown.matrix, spelling(notation)), label))
    blank = sheet.by_number.get(shown.number)
    if blank is None:
        return Row(shown.number, tuple(forms))
    links = Links(frozenset(), "")
    told = () if blank.lesson is None else lesson_block(blank.lesson, sheet.document, links)
    return Row(shown.number, tuple(forms), _question(sheet, blank), shape_words(blank), told)


def _question(sheet: Worksheet, blank: Blank) -> Markup:
    symbols = sheet.document.reading.symbols
    left, right = sides(blank.partly or blank.shown.line, Gapped(symbols, PageText(symbols)))
    body = right if blank.partly else operator("…")
    return display(left, body, f"equation {blank.shown.number}, to be completed")
