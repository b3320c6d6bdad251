"""Arrays as matrices in MathML: a scalar, a row, a matrix, or one matrix for each place of further axes.

Enters: an array, its name. Leaves: markup in which each number knows its place. Must not know: equations.

A long axis is shortened to its first places and its last, so that a page stays readable.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symbp.explain.mathml import number, operator
from symbp.read.numbers.shortened import places

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BLOCKS = 3  # places of the axes before the last two
SMALLEST, LARGEST = 1e-4, 1e6
DECIMALS = 4
LEFT, RIGHT = "<mo>[</mo>", "<mo>]</mo>"


def figure(value: float, *, exact: bool = False) -> str:
    """A number as it is shown: with four decimals, or as it was given if `exact`; very small and large ones
    with a power of ten."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and not SMALLEST <= abs(value) < LARGEST:
        digits, _, power = f"{value:.2e}".partition("e")
        written = f"{digits}e{int(power)}"
    elif exact:
        written = f"{value:.{DECIMALS + 2}f}".rstrip("0").rstrip(".")
    else:
        written = f"{value:.{DECIMALS}f}"
    return written.replace("-", "−")


def matrices(
    array: Array, *, exact: bool = False, offsets: Array | None = None, letters: Sequence[str] = ()
) -> list[str]:
    """The array as fragments of MathML that may stand below each other: one, or one for each place of further
    axes, whose indices are called by the `letters`; `offsets` gives the place of each element in a larger
    array."""
    import numpy as np

    flat = np.arange(array.size).reshape(array.shape) if offsets is None else offsets
    shown = [_block(array, flat, at, exact, letters) for at in _leading(array.shape)]
    more = len(shown) < math.prod(array.shape[:-2]) if array.ndim > 2 else False
    shown = [*(part + operator(",") for part in shown[:-1]), *shown[-1:]]
    return [*shown[:-1], shown[-1] + operator(",") + operator("…")] if more else shown


def _leading(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """The places of the axes before the last two, as many as are shown."""
    return list(itertools.islice(itertools.product(*map(range, shape[:-2])), BLOCKS))


def _block(array: Array, flat: Array, at: tuple[int, ...], exact: bool, letters: Sequence[str]) -> str:
    inner, where = array[at], flat[at]
    if inner.ndim == 0:
        return _cell(inner, where, exact)
    if inner.ndim == 1:
        inner, where = inner[None], where[None]
    if not inner.size:
        return LEFT + RIGHT
    rows = [
        "".join(
            "<mtd><mo>⋯</mo></mtd>" if c is None else f"<mtd>{_cell(inner[r, c], where[r, c], exact)}</mtd>"
            for c in _shown(inner.shape[1])
        )
        if r is not None
        else "<mtd><mo>⋮</mo></mtd>" * len(_shown(inner.shape[1]))
        for r in _shown(inner.shape[0])
    ]
    table = "".join(f"<mtr>{row}</mtr>" for row in rows)
    written = f"<mrow>{LEFT}<mtable>{table}</mtable>{RIGHT}</mrow>"
    if not at:
        return written
    named = [
        (letter + operator("=") if letter else "") + number(str(k)) for letter, k in _called(letters, at)
    ]
    return f"<msub>{written}<mrow>{operator(',').join(named)}</mrow></msub>"


def _called(letters: Sequence[str], at: Sequence[int]) -> list[tuple[str, int]]:
    """The places with the letters of their axes, where these are known."""
    return list(zip((*letters, *[""] * len(at)), at, strict=False))


def _shown(length: int) -> list[int | None]:
    """The places that are shown, None for those that are left out."""
    found: list[int | None] = list(places(length))
    return found if len(found) == length else [*found[:-1], None, found[-1]]


def _cell(value: Any, place: Any, exact: bool) -> str:
    return f'<mn data-p="{int(place)}">{figure(float(value), exact=exact)}</mn>'
