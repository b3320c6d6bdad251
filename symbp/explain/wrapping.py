"""Breaks equations and prose into lines of a terminal's width.

Enters: text, a width. Leaves: lines. Must not know: what a symbol stands for.

An equation is broken before a second `=`, then before + and − of its sum, then at products, then within
parentheses; what goes on stands behind the `=`.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

WIDTH = 100
BREAKS = (" + ", " - ", " where ", "·", " ⊙ ", ", ")


def columns(written: str) -> int:
    """The columns that a text takes: signs above letters take none."""
    return sum(not unicodedata.combining(sign) for sign in written)


def equation_lines(equation: str, width: int) -> list[str]:
    """The equation in lines of at most that width where it can be broken; those after the first go on behind
    the equals sign."""
    if columns(equation) <= width:
        return [equation]
    left, sign, right = equation.partition(" = ")
    indent = min(columns(left) + 3, 24)
    lines, line = [], left + sign
    room = width - indent
    for piece in _pieces(right, room):
        if columns(line) + columns(piece) > width and line.strip() and line != left + sign:
            lines.append(line.rstrip())
            again = piece.lstrip()
            line = " " * (indent - 2 if again.startswith("= ") else indent) + again
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str, room: int, depth: int = 0) -> Iterator[str]:
    """The text cut where it is least nested; each piece begins with its operator."""
    if columns(text) <= room or depth > 6:
        yield text
        return
    found = _cut(text, depth)
    if len(found) == 1:
        yield from _pieces(text, room, depth + 1)
        return
    for piece in found:
        yield from _pieces(piece, room, depth)


def _cut(text: str, depth: int) -> list[str]:
    """The text cut before every operator that so many parentheses enclose; the weakest operator there is."""
    equal = ((" = ",),) if not depth else ()  # within parentheses it is that of a bracket
    for signs in (*equal, (" + ", " - "), (" where ",), ("·", " ⊙ "), (", ",)):
        level, start, pieces = 0, 0, []
        for at, sign in enumerate(text):
            level += (sign in "([") - (sign in ")]")
            if level == depth and at > start and any(text.startswith(s, at) for s in signs):
                pieces.append(text[start:at])
                start = at
        if pieces:
            return [*pieces, text[start:]]
    return [text]


def prose_lines(text: str, indent: str, width: int = WIDTH) -> list[str]:
    """Prose in lines; those after the first are indented more."""
    if columns(text) + len(indent) <= width:
        return [indent + text]
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent + "    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
