"""A derivation as plain text: numbered equations in index notation with the matrix notation beside them.

Enters: a document. Leaves: text for a terminal. Must not know: other formats, or how to print an expression.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from symbp.derive.derivation import Step
from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.lecture import Sentence, Steps, rows
from symbp.explain.starts import Start
from symbp.explain.steps import rests
from symbp.explain.wrapping import WIDTH, columns, equation_lines, prose_lines
from symbp.ir.printer import ATOM, MUL, Notation
from symbp.read.lecture import Lesson
from symbp.read.legend import Entry, Named, Piece, counted
from symbp.read.matrix.spell import TEXT_SPELLING, matrix_sides
from symbp.read.symbols import Symbols

WIDEST = 56  # an index form beyond this width has its matrix form on the next line


class PageText(Notation):
    """Index notation as text, with the symbols of a page."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        return super().access(self.symbols.text[name], subscripts, outside)

    def binding(self, name: str) -> int:
        symbol = self.symbols.symbols.get(name)
        return MUL if symbol is not None and symbol.is_quotient_in_text else ATOM

    def component(self, place: str, index: str) -> str:
        return f"({place})_{index}"

    def place(self, written: str) -> str:
        """Raised numbers in the order of numbers, which their signs are not in."""
        return unicodedata.normalize("NFKC", written)


def text(document: Document, *, steps: Steps = False) -> str:
    """The page as text without a final newline; with `steps`, how each derivative comes about, or every
    rewrite that led to the `computed` equations."""
    notation = PageText(document.reading.symbols)
    blocks = [document.title]
    given = [part for tensor in document.given for part in prose_lines(str(tensor), "  ")]
    blocks.append("\n".join(["Given", *given]))
    if document.starts:
        blocks.append(_starts(document.starts))
    if document.reading.legend:
        told = [part for line in legend_lines(document) for part in prose_lines(line, "  ")]
        blocks.append("\n".join(["Legend", *told]))
    shown = [e for section in document.sections for e in section.equations]
    widths = [columns(index_form(e, notation)) for e in shown]
    column = max((width for width in widths if width <= WIDEST), default=0)
    digits = len(str(len(shown)))
    blocks += [_section(section, column, digits, notation) for section in document.sections]
    if document.results:
        width = max(len(words) for words, _ in document.results)
        number = {e.equation.target: e.number for e in document.equations}
        rows = [f"  {words:<{width}}  {name}, equation ({number[name]})" for words, name in document.results]
        blocks.append("\n".join(["Derivatives", *rows]))
    if steps and steps != "computed" and document.lecture.lessons:
        blocks.append(lecture_text(document))
    elif steps:
        blocks.append(steps_text(document.steps, document.ever))
    blocks += [f"warning: {warning}" for warning in document.warnings]
    return "\n\n".join(blocks)


def legend_lines(document: Document) -> list[str]:
    """The legend, one entry a line."""
    notation = PageText(document.reading.symbols)
    return [_entry(entry, notation) for entry in document.reading.legend]


def _entry(entry: Entry, notation: Notation) -> str:
    return _spelled(entry.pieces, notation)


def _spelled(pieces: Sequence[Piece], notation: Notation) -> str:
    spelled = []
    for piece in pieces:
        if isinstance(piece, Named):
            spelled.append(notation.access(piece.name, [], None))
        else:
            spelled.append(piece if isinstance(piece, str) else notation.show(piece))
    return "".join(spelled)


def index_form(shown: NumberedEquation, notation: Notation) -> str:
    """The equation in index notation."""
    return " = ".join(sides(shown.line, notation))


def matrix_form(shown: NumberedEquation, notation: Notation) -> str | None:
    """The equation in matrix notation, or None where it has none."""
    if shown.matrix is None:
        return None
    return " = ".join(matrix_sides(shown.matrix, replace(TEXT_SPELLING, scalar=notation)))


def _starts(starts: Sequence[Start]) -> str:
    """Where parameters start, and why."""
    lines = ["Start"]
    for start in starts:
        kind, scale = start.words(Notation())
        lines += prose_lines(f"{', '.join(start.names)}: {f'{kind} {scale}'.strip()}", "  ")
        lines += prose_lines(start.initial.reason, "      ") if start.initial.reason else []
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
    index = index_form(shown, notation)
    matrix = matrix_form(shown, notation) if shown.beside is not None else None
    room = WIDTH - len(margin)
    broken = equation_lines(index, room)
    lines = [f"  {number}  {broken[0]}", *(margin + rest for rest in broken[1:])]
    if matrix is not None and len(broken) == 1 and _fits(index, column, matrix, room):
        lines = [f"  {number}  {index}{' ' * (column - columns(index))}   {matrix}"]
    elif matrix is not None:
        lines += [f"{margin}   {part}" for part in equation_lines(matrix, room - 3)]
    note = computed_as(shown)
    if note and columns(lines[-1]) + len(note) + 3 <= WIDTH:
        lines[-1] += " " * (WIDTH - columns(lines[-1]) - len(note)) + note
    elif note:
        lines.append(" " * (WIDTH - len(note)) + note)
    return lines + [f"{margin}{line}" for line in shown.code]


def _fits(index: str, column: int, matrix: str, room: int) -> bool:
    return columns(index) <= column and column + 3 + columns(matrix) <= room


def computed_as(shown: NumberedEquation) -> str:
    """`computed as (5)–(8)`, where that is another equation."""
    return f"computed as {counted(shown.line.computed)}" if shown.differs and shown.line.computed else ""


def lecture_text(document: Document) -> str:
    """How each derivative comes about: who reads the tensor, local derivatives, the chain rule's sum."""
    lines = ["Steps"]
    for count, lesson in enumerate(document.lecture.told, start=1):
        lines += lesson_lines(document, lesson, f"{count:>4}. ")
    return "\n".join(lines)


def lesson_lines(document: Document, lesson: Lesson, head: str) -> list[str]:
    """How one derivative comes about; `head` stands before the first line."""
    notation, lines, indent = PageText(document.lecture.symbols), list[str](), " " * 6
    for row in rows(document, lesson, notation):
        if isinstance(row, Sentence):
            written = prose_lines(_spelled(row.pieces, notation), head if head.strip() else indent)
        else:
            number = "" if row.number is None else f"   ({row.number})"
            margin = indent + "  " * (row.depth + 1)
            broken = equation_lines(f"{row.left} = {row.right}", WIDTH - len(margin) - len(number))
            written = [margin + line for line in broken]
            written[-1] += number
        lines += written
        head = ""
    return lines


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
