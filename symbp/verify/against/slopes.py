"""The derivative of any function along a direction, by differences whose step adapts itself.

Enters: a function of named arrays, where, in which direction. Leaves: the derivative, how far it may be off,
and whether there is a kink. Must not know: what the function computes.

Central differences at steps that halve, extrapolated to step 0 (Ridders 1982); the entry of the table counts
that its neighbours agree with best. A jump J of the slope at the point leaves |f(x+h) − 2f(x) + f(x−h)|/h
near J however small h is, where of a smooth function it halves with h: then no difference says anything. One
that is near is avoided by shorter steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Values = Mapping[str, Any]
Scalar = Callable[[Values], float]

STARTS = (0.05, 5e-3, 3e-4, 2e-5)  # first steps, relative to the size of what moves
HALVINGS = 7
EPSILON = float(np.finfo(float).eps)
ALIKE = 1e-9
NOISE = 8  # units in the last place by which a value may be off


@dataclass(frozen=True)
class Slope:
    """A derivative, and a bound on its error, infinite where nothing can be said; whether that is because of
    a kink."""

    value: float
    error: float
    kink: bool = False


def derivative_along(
    function: Scalar, at: Values, direction: Mapping[str, Array], epsilon: float = EPSILON
) -> Slope:
    """The derivative of a function of named arrays along a direction; `epsilon` is that of its numbers."""
    size = max((float(np.max(np.abs(part), initial=0.0)) for part in direction.values()), default=0.0)
    if not size:
        return Slope(0.0, 0.0)
    length = max((float(np.max(np.abs(at[name]), initial=0.0)) for name in direction), default=0.0)
    unit = min(max(length, 0.1), 1e6) / size
    before: Slope | None = None
    kink = False
    for start in STARTS:
        table = _Table(function, at, direction, start * unit, epsilon)
        if not table.finite:
            continue
        found, kink = table.slope(), table.is_rough()
        if before is not None and not kink and _agree(before, found):
            return min(before, found, key=lambda slope: slope.error)
        before = None if kink else found
    return Slope(np.nan if before is None else before.value, np.inf, kink or before is not None)


def _agree(one: Slope, other: Slope) -> bool:
    """Whether differences of longer and of shorter steps say the same: many small kinks in reach of the long
    ones look smooth."""
    size = max(abs(one.value), abs(other.value))
    return abs(one.value - other.value) <= 10 * (one.error + other.error) + ALIKE * size


class _Table:
    """Differences at steps that halve from a first one."""

    def __init__(
        self, function: Scalar, at: Values, direction: Mapping[str, Array], start: float, epsilon: float
    ) -> None:
        self.steps = [start / 2**k for k in range(HALVINGS)]
        with np.errstate(all="ignore"):
            self.here = float(function(at))
            ahead = np.array([float(function(moved(at, direction, h))) for h in self.steps])
            behind = np.array([float(function(moved(at, direction, -h))) for h in self.steps])
        self.finite = bool(np.isfinite([self.here, *ahead, *behind]).all())
        h = np.array(self.steps)
        self.first = (ahead - behind) / (2 * h)
        self.second = np.abs(ahead - 2 * self.here + behind) / h
        size = max(abs(self.here), float(np.max(np.abs(ahead), initial=0.0)), 1e-300)
        self.noise = NOISE * epsilon * size / h

    def slope(self) -> Slope:
        """The extrapolated difference that its neighbours agree with best."""
        column, best = list(self.first), Slope(float(self.first[0]), np.inf)
        for order in range(1, HALVINGS):
            factor = 4.0**order
            new = [(factor * b - a) / (factor - 1) for a, b in pairwise(column)]
            for k, value in enumerate(new):
                error = max(abs(value - column[k]), abs(value - column[k + 1])) + self.noise[k + order]
                if error < best.error:
                    best = Slope(float(value), float(error))
            column = new
        return best

    def is_rough(self) -> bool:
        """Whether second differences don't shrink with the step, beyond rounding: a kink in reach."""
        clear = self.second - 4 * self.noise
        scale = max(float(np.max(np.abs(self.first))), float(np.max(self.second)))
        for k in range(HALVINGS - 2):
            if clear[k + 2] > 0.45 * self.second[k] and clear[k + 2] > 1e-6 * scale:
                return True
        return False


def moved(values: Values, direction: Mapping[str, Array], by: float) -> dict[str, Any]:
    """The values, those of the direction moved along it."""
    return {**values, **{name: np.asarray(values[name] + by * part) for name, part in direction.items()}}
