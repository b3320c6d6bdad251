"""A worksheet as plain text.

Enters: a worksheet. Leaves: text. Must not know: other formats.
"""

from __future__ import annotations

from symbp.explain.document import sides
from symbp.explain.exercise.worksheet import GAP, Blank, Worksheet
from symbp.explain.text import PageText, index_form, lesson_lines, matrix_form
from symbp.explain.wrapping import prose_lines
from symbp.ir.expr import Expr
from symbp.ir.printer import Notation, expression_text

LINE = "_" * 24


class Gapped(PageText):
    """A page's text with a line in the place of a factor."""

    def symbol(self, symbol: Expr) -> str:
        return "____" if symbol == GAP else super().symbol(symbol)


def text(sheet: Worksheet, *, key: bool = False) -> str:
    """The worksheet, with its key behind it."""
    page = sheet.document
    notation = Gapped(page.reading.symbols)
    found = [f"{page.title}: exercise {sheet.seed}", "", "Given"]
    found += [line for tensor in page.given for line in prose_lines(str(tensor), "  ")]
    for section in sheet.sections:
        found += ["", section.title]
        for shown in section.equations:
            blank = sheet.by_number.get(shown.number)
            line = index_form(shown, notation) if blank is None else asked_for(blank, notation)
            found.append(f"  {f'({shown.number})':>5} {line}")
    found += ["", sheet.task, *([f"Is it right?  {sheet.command}"] if sheet.command else [])]
    return "\n".join([*found, *(key_lines(sheet) if key else [])])


def asked_for(blank: Blank, notation: Notation) -> str:
    """The equation with a line in the place of what is asked for, and the shape."""
    left, right = sides(blank.partly or blank.shown.line, notation)
    return f"{left} = {right if blank.partly else LINE}   {shape_words(blank)}"


def shape_words(blank: Blank) -> str:
    """The shape as a hint, and what a value of the forward pass is called."""
    shape = ", ".join(expression_text(extent) for extent in blank.shape)
    words = f"shape ({shape})" if shape else "a number"
    return f"[{words}; {blank.named}]" if blank.named else f"[{words}]"


def key_lines(sheet: Worksheet) -> list[str]:
    """The right sides, and how they come about."""
    page, found = sheet.document, ["", "Key"]
    notation = PageText(page.reading.symbols)
    for blank in sheet.blanks:
        found += ["", f"  ({blank.shown.number}) {index_form(blank.shown, notation)}"]
        matrix = matrix_form(blank.shown, notation)
        found += [f"      {matrix}"] if matrix else []
        found += lesson_lines(page, blank.lesson, "") if blank.lesson is not None else []
    return found
