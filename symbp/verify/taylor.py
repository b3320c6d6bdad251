"""Taylor remainders: f(x + h·d) is f(x) + h·g·d to the order of h² if g is the gradient, else of h.

Enters: a derivation, a point. Leaves: a row for each result, with the slope that was measured.
Must not know: how a gradient was found.

In a diagram of logarithms the slope of R(h) = |f(x+h·d) − f(x) − h·g·d| over h is 2 where the gradient is
right and f is curved along d, more where f isn't curved there, and 1 where the gradient is wrong, unless it
is so by too little for the shortest step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.verify.blocks import DerivativeBlock, Directions, contracted
from symbp.verify.directions import RANDOM, random_directions
from symbp.verify.entries import expected_shape, results
from symbp.verify.methods import Numeric
from symbp.verify.numeric import EPSILON, LOST, Array, moved
from symbp.verify.points import Point
from symbp.verify.report import FLOOR, Row, failed, left_out

METHOD = "Taylor remainders"
LEVELS = 8  # steps, each half of the one before
LONGEST = 8.0  # the first, in steps of central differences
SEEN = 20  # a remainder is seen if it is so many times what rounding may make of it
LEAST = 3  # remainders that must be seen for a slope
RIGHT = 1.5  # between 1 and 2


def taylor_rows(
    derivation: Derivation, wanted: Sequence[DerivativeBlock], point: Point, step: float
) -> list[Row]:
    """A row for each result, along one random direction."""
    numeric = Numeric(derivation, point.values, point.sizes, step)
    ours, rng = results(derivation, point.values, point.sizes), np.random.default_rng(point.seed + 1)
    rows = []
    for block in wanted:
        shape = expected_shape(derivation, block, point.sizes)
        if isinstance(ours, str):
            rows.append(failed(block.key, METHOD, ours, point.sizes))
        elif ours[block.key].shape != shape:
            reason = f"its shape is {ours[block.key].shape}, not {shape}"
            rows.append(failed(block.key, METHOD, reason, point.sizes, ours[block.key].size))
        else:
            directions = random_directions(block, numeric.values, rng)
            rows.append(_row(numeric, block, directions, ours[block.key]))
    return rows


def _row(numeric: Numeric, block: DerivativeBlock, directions: Directions, whole: Array) -> Row:
    mine = np.asarray(contracted(whole, block, directions))
    steps = LONGEST * numeric.step * 0.5 ** np.arange(LEVELS)
    try:
        with np.errstate(all="ignore"):
            found = _remainders(numeric, block, directions, mine, steps)
    except SymbpError as failure:  # no value beside this point
        return left_out(block.key, METHOD, failure.what, numeric.sizes, whole.size)
    if not np.isfinite(found).all():
        return left_out(block.key, METHOD, "no value beside the point", numeric.sizes, whole.size)
    slope = slope_of(steps, np.linalg.norm(found, axis=1), SEEN * numeric.rounding(block))
    linear = _linear(steps, found)
    at = int(np.argmax(np.abs(linear)))
    scale = max(float(np.linalg.norm(contracted(whole, block, directions, norm=True))), FLOOR)
    off, value = float(abs(linear[at])), float(mine.flat[at])
    row = Row(
        block.key, METHOD, off, off / scale, True, RIGHT, 0, whole.size, dict(numeric.sizes), RANDOM, value,
        value + float(linear[at]), 1, "no remainder" if slope is None else f"slope {slope:.2f}",
        shape=whole.shape, slope=slope, errors=(off / scale,),
    )  # fmt: skip
    return row if slope is None or slope >= RIGHT else _judged(row, numeric, block, directions, mine)


def _remainders(
    numeric: Numeric, block: DerivativeBlock, directions: Directions, mine: Array, steps: Array
) -> Array:  # (steps, elements of what is differentiated)
    evaluate, along = numeric.differenced(block, directions)
    here = evaluate(numeric.values)
    found = [evaluate(moved(numeric.values, along, step)) - here - step * mine for step in steps]
    return np.asarray(found, float).reshape(len(steps), -1)


def slope_of(steps: Array, remainders: Array, least: float) -> float | None:
    """The slope of remainders over steps, which fall, in a diagram of logarithms: at the short end of those
    that are above what is the `least` seen; None if there are too few."""
    seen = np.flatnonzero(remainders > least)
    if len(seen) < LEAST:
        return None
    last = seen[-LEAST:]
    return float(np.polyfit(np.log(steps[last]), np.log(remainders[last]), 1)[0])


def _linear(steps: Array, remainders: Array) -> Array:
    """What remainders are proportional to h by: R(h)/h extrapolated to h = 0 from the last three steps, a
    polynomial in h: first its linear term goes, then the quadratic one."""
    first, second, third = remainders[-3:] / steps[-3:, None]
    return np.asarray((4 * (2 * third - second) - (2 * second - first)) / 3)


def _judged(row: Row, numeric: Numeric, block: DerivativeBlock, directions: Directions, mine: Array) -> Row:
    """A slope near 1: a wrong gradient, or a kink that the steps reach over."""
    found = numeric.estimate(block, directions)
    if np.any(found.kink) or np.all(found.agrees(mine, LOST * EPSILON * float(np.max(np.abs(mine))))):
        return replace(row, points=0, kinks=1, errors=(), note="the steps reach over a kink")
    return replace(row, ok=False, note=f"slope {row.slope:.2f}, not 2")
