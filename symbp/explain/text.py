"""A derivation as plain text: numbered equations in index notation with the matrix notation beside them.

Enters: a document. Leaves: text for a terminal. Must not know: other formats, or how to print an expression.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from symbp.derive.derivation import Step
from symbp.explain.document import Document, NumberedEquation, Section
from symbp.explain.matrix_text import TEXT_SPELLING, matrix_text
from symbp.explain.starts import Start
from symbp.explain.steps import rests
from symbp.ir.printer import Notation
from symbp.read.legend import Entry, Named
from symbp.read.symbols import Symbols

WIDEST = 56  # an index form beyond this width has its matrix form on the next line


class PageText(Notation):
    """Index notation as text, with the symbols of a page."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        return super().access(self.symbols.text[name], subscripts, outside)

    def component(self, place: str, index: str) -> str:
        return f"({place})_{index}"

    def place(self, written: str) -> str:
        """Raised numbers in the order of numbers, which their signs are not in."""
        return unicodedata.normalize("NFKC", written)


def text(document: Document, *, steps: bool = False) -> str:
    """The page as text without a final newline; with `steps`, every rewrite with its reason."""
    notation = PageText(document.reading.symbols)
    blocks = [document.title]
    blocks.append("\n".join(["Given", *(f"  {tensor}" for tensor in document.given)]))
    if document.starts:
        blocks.append(_starts(document.starts))
    if document.reading.legend:
        blocks.append("\n".join(["Legend", *(f"  {line}" for line in legend_lines(document))]))
    shown = [e for section in document.sections for e in section.equations]
    widths = [_width(index_form(e, notation)) for e in shown]
    column = max((width for width in widths if width <= WIDEST), default=0)
    digits = len(str(len(shown)))
    blocks += [_section(section, column, digits, notation) for section in document.sections]
    if document.results:
        width = max(len(words) for words, _ in document.results)
        number = {e.equation.target: e.number for e in document.equations}
        rows = [f"  {words:<{width}}  {name}, equation ({number[name]})" for words, name in document.results]
        blocks.append("\n".join(["Derivatives", *rows]))
    if steps:
        blocks.append(steps_text(document.steps, document.ever))
    blocks += [f"warning: {warning}" for warning in document.warnings]
    return "\n\n".join(blocks)


def legend_lines(document: Document) -> list[str]:
    """The legend, one entry a line."""
    notation = PageText(document.reading.symbols)
    return [_entry(entry, notation) for entry in document.reading.legend]


def _entry(entry: Entry, notation: Notation) -> str:
    spelled = []
    for piece in entry.pieces:
        if isinstance(piece, Named):
            spelled.append(notation.access(piece.name, [], None))
        else:
            spelled.append(piece if isinstance(piece, str) else notation.show(piece))
    return "".join(spelled)


def index_form(shown: NumberedEquation, notation: Notation) -> str:
    """The equation in index notation."""
    return " = ".join(notation.equation(shown.shown))


def _matrix_form(shown: NumberedEquation, notation: Notation) -> str | None:
    if shown.matrix is None:
        return None
    left = notation.access(shown.equation.target, [], None)
    return f"{left} = {matrix_text(shown.matrix, replace(TEXT_SPELLING, scalar=notation))}"


def _width(written: str) -> int:
    """The columns that a text takes: signs above letters take none."""
    return sum(not unicodedata.combining(sign) for sign in written)


def _starts(starts: Sequence[Start]) -> str:
    """Where parameters start, and why."""
    lines = ["Start"]
    for start in starts:
        kind, scale = start.words(Notation())
        lines.append(f"  {', '.join(start.names)}: {f'{kind} {scale}'.strip()}")
        lines += [f"      {start.initial.reason}"] if start.initial.reason else []
    return "\n".join(lines)


def _section(section: Section, column: int, digits: int, notation: PageText) -> str:
    text = notation.symbols.text
    note = ", ".join(f"{text[name]} {section.verb} {text[other]}" for name, other in section.pairs)
    lines = [section.title, *([f"  {note}"] if note else [])]
    for equation in section.equations:
        lines += _equation(equation, column, digits, notation)
    return "\n".join(lines)


def _equation(shown: NumberedEquation, column: int, digits: int, notation: Notation) -> list[str]:
    number = f"({shown.number})".rjust(digits + 2)
    margin = " " * (digits + 6)
    index, matrix = index_form(shown, notation), _matrix_form(shown, notation)
    lines = [f"  {number}  {index}"]
    if matrix is not None and _width(index) <= column:
        lines = [f"  {number}  {index}{' ' * (column - _width(index))}   {matrix}"]
    elif matrix is not None:
        lines.append(f"{margin}{'':<{column}}   {matrix}")
    return lines + [f"{margin}{line}" for line in shown.code]


def steps_text(steps: Sequence[Step], symbols: Symbols) -> str:
    """Every rewrite: its rule, what it changed, why, and what it rests on."""
    notation = PageText(symbols)
    lines = ["Steps"]
    for count, step in enumerate(steps, start=1):
        before, after = step.spelled(notation)
        rested = f" (by {', '.join(rests(step, notation))})" if step.rests_on else ""
        lines += [
            f"  {count}. {symbols.text[step.target]}: {step.rule}",
            f"       {before}",
            f"    ⟶  {after}",
            f"       {step.because(notation)}{rested}",
        ]
    return "\n".join(lines if steps else [*lines, "  none: every equation stands as it was first derived"])
