r"""Where a long equation is broken: at + and − of its sum, at products where that isn't enough.

Enters: both sides of an equation in LaTeX, a width in points. Leaves: the lines of the right-hand side.
Must not know: what the symbols stand for.

A parenthesis that doesn't fit is opened: `\left( … \right)`, which can't be broken, becomes
`\bigl( … \bigr)`.
A fraction that doesn't fit becomes its numerator in parentheses, times one over its denominator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbp.read.boxes import BINARY, RELATION, Box, row, text, width

TEXT_WIDTH = 455.0  # of a page of A4 with margins of 25 mm, in points
INDENT = 20.0
LEAST = 120.0  # what a line has even where the left-hand side is wide
CUTS = ("clause", "binary", "space")  # before `where`, at + and −, at products
TIMES = Box(r"\cdot ", 7.3)
Row = Sequence[Box]


def lines(left: str, right: str, wide: float) -> list[str]:
    """The right-hand side in lines that fit beside the left-hand side."""
    boxes = row(right)
    room = wide - width(row(left)) - RELATION
    if width(boxes) <= room:
        return [right]
    room = max(room - INDENT, LEAST)
    return [text(line) for line in _packed(list(_pieces(boxes, room)), room)]


def _packed(pieces: Sequence[Row], room: float) -> Iterator[Row]:
    """Pieces put into lines, as many as fit; a product goes on with a visible sign."""
    line: list[Box] = []
    for piece in pieces:
        if line and width(line) + width(piece) > room:
            yield line
            line = []
            if piece[0].tex.strip() == r"\,":
                piece = [TIMES, *piece[1:]]
        line += piece
    yield line


def _pieces(boxes: Row, room: float, cuts: Sequence[str] = CUTS) -> Iterator[Row]:
    """The row in pieces that fit, each with the sign before it: cut where it matters least to a reader, and
    only what doesn't fit cut further."""
    if width(boxes) <= room:
        yield boxes
    elif not cuts:
        yield from _opened(boxes, room)
    else:
        for piece in _split(boxes, cuts[0]):
            yield from _pieces(piece, room, cuts[1:])


def _split(boxes: Row, kind: str) -> list[Row]:
    """The row cut before each box of that kind."""
    pieces: list[list[Box]] = [[]]
    for box in boxes:
        if box.kind == kind and pieces[-1]:
            pieces.append([])
        pieces[-1].append(box)
    return [piece for piece in pieces if piece]


def _opened(factor: Row, room: float) -> Iterator[Row]:
    """A factor that is too wide: what is in its widest box may be broken, too."""
    at = max(range(len(factor)), key=lambda k: factor[k].width)
    widest, before, after = factor[at], list(factor[:at]), list(factor[at + 1 :])
    inner = widest.inner
    if widest.kind == "group" and len(inner) == 1 and inner[0].kind == "fence":
        widest = _with_scripts(inner[0], widest.scripts)
        inner = widest.inner
    if widest.kind == "fence":
        opening = Box(rf"\bigl{widest.fence[0]} ", 4.6)
        closing = Box(rf"\bigr{widest.fence[1]}{widest.scripts}", 4.6 + width(row(f"x{widest.scripts}")))
    elif widest.kind == "fraction":
        below = text(widest.under)
        opening = Box(rf"\frac{{1}}{{{below}}} \, \bigl( ", width(widest.under) + 9.0)
        closing = Box(r"\bigr)", 4.6)
    elif widest.kind == "group" and not widest.scripts:
        yield from _pieces([*before, *inner, *after], room)
        return
    else:
        yield factor  # nothing in it can be broken
        return
    pieces = list(_pieces(inner, room - width(before) - opening.width - closing.width - BINARY))
    pieces[0] = [*before, opening, *pieces[0]]
    pieces[-1] = [*pieces[-1], closing, *after]
    yield from pieces


def _with_scripts(box: Box, scripts: str) -> Box:
    extra = width(row(f"x{scripts}")) if scripts else 0.0
    return Box(
        box.tex + scripts, box.width + extra, box.kind, box.inner, (), box.fence, box.scripts + scripts
    )


def estimate(tex: str) -> float:
    """The width of a formula in points."""
    return width(row(tex))
