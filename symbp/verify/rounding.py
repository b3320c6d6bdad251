"""How much of a value at a point is rounding: what a difference may be without meaning anything.

Enters: a function of values, a point. Leaves: bounds on its rounding. Must not know: what is compared.

A value is as uncertain as it is sensitive: leaves moved by a few units in the last place move it by what rounding on
the way may, be it a large loss whose differences are formed or the inverse of a matrix that is nearly singular.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]

UNITS = 8  # in the last place, by which each leaf is moved
MOVES = 2
GROWTH = 30  # rounding on the way adds up to no more than so many times what this moves


def jittered(values: Values, seed: int, epsilon: float = float(np.finfo(float).eps)) -> dict[str, Array]:
    """The values, real ones moved at random by up to some units in the last place; whole numbers stay."""
    rng = np.random.default_rng(seed)

    def moved(array: Array) -> Array:
        if array.dtype.kind in "iub" or not np.size(array):
            return array
        factor = 1 + UNITS * epsilon * rng.uniform(-1, 1, np.shape(array))
        return np.asarray(np.where(array == np.round(array), array, array * factor), array.dtype)

    return {name: moved(np.asarray(array)) for name, array in values.items()}


def rounding(
    evaluate: Callable[[Values], Array], values: Values, epsilon: float = float(np.finfo(float).eps)
) -> Array:
    """A bound on the rounding of each element of a function's value at a point."""
    with np.errstate(all="ignore"):
        here = np.asarray(evaluate(values), float)
        found = [np.abs(evaluate(jittered(values, k + 1, epsilon)) - here) for k in range(MOVES)]
    spread = np.maximum.reduce([np.where(np.isfinite(part), part, np.inf) for part in found])
    return np.asarray(GROWTH * spread / UNITS + GROWTH * epsilon * np.abs(here))
