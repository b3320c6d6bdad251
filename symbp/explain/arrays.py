"""Arrays laid out as matrices, in text: aligned at the decimal point, long axes shortened.

Enters: an array, a number of digits. Leaves: lines of text. Must not know: what an array is the value of.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symbp.explain.wrapping import columns
from symbp.read.numbers.shortened import places

Array = np.ndarray[Any, Any]
Block = tuple[tuple[int, ...], list[str]]  # the places along the leading axes, lines

NOISE = 1e-14  # of the largest element: what rounding leaves of 0
MORE = "…"


def blocks(array: Array, digits: int) -> list[Block]:
    """The array as matrices, a vector as a row, each with its places along the leading axes."""
    leading = itertools.product(*map(places, array.shape[:-2]))
    return [(at, _matrix(array[at], digits)) for at in leading]


def number(value: Any, digits: int) -> str:
    """One number, in so many significant digits."""
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "-∞"
    written = f"{float(value):.{digits}g}"
    return "0" if written in ("-0", "0") else written


def beside(left: Sequence[str], right: Sequence[str], gap: str) -> list[str]:
    """Two blocks of lines of one height, side by side."""
    width = max(map(columns, left), default=0)
    pairs = itertools.zip_longest(left, right, fillvalue="")
    return [f"{a}{' ' * (width - columns(a))}{gap}{b}" for a, b in pairs]


def _matrix(array: Array, digits: int) -> list[str]:
    if array.ndim == 0:
        return [number(array[()], digits)]
    if array.size == 0:
        return ["[]"]
    rows = array[None] if array.ndim == 1 else array
    largest = float(np.max(np.abs(rows[np.isfinite(rows)]), initial=0.0))
    shown = [
        [_element(rows[r, c], largest, digits) for c in places(rows.shape[1])] for r in places(rows.shape[0])
    ]
    columns = [_aligned([row[k] for row in shown]) for k in range(len(shown[0]))]
    cut = _cut(rows.shape[1])
    lines = []
    for row in zip(*columns, strict=True):
        cells = [*row[:cut], MORE, *row[cut:]] if cut else list(row)
        lines.append("  ".join(cells))
    above = _cut(rows.shape[0])
    if above:
        lines.insert(above, MORE.ljust(len(lines[0])))
    if array.ndim == 1:
        return [f"[{lines[0]}]"]
    return [f"{left}{line}{right}" for line, (left, right) in zip(lines, _brackets(len(lines)), strict=True)]


def _element(value: Any, largest: float, digits: int) -> str:
    small = not isinstance(value, np.integer) and abs(value) < NOISE * largest
    return "0" if small else number(value, digits)


def _cut(length: int) -> int:
    """Before which of the places that are shown something is left out; 0 if nothing is."""
    shown = places(length)
    return len(shown) - 1 if len(shown) < length else 0


def _aligned(column: Sequence[str]) -> list[str]:
    """Numbers with their decimal points below each other."""
    heads = [written.partition(".")[0] for written in column]
    tails = [written[len(head) :] for written, head in zip(column, heads, strict=True)]
    before, behind = max(map(len, heads)), max(map(len, tails))
    return [f"{head:>{before}}{tail:<{behind}}" for head, tail in zip(heads, tails, strict=True)]


def _brackets(height: int) -> Iterator[tuple[str, str]]:
    if height == 1:
        yield "[", "]"
        return
    yield "⎡", "⎤"
    yield from (("⎢", "⎥") for _ in range(height - 2))
    yield "⎣", "⎦"
