"""How much of a value at a point is rounding: what a difference may be without meaning anything.

Enters: a function of values that is given how to evaluate systems, a point. Leaves: bounds on its rounding.
Must not know: what is compared.

Rounding is measured by doing it at random (Vignes 1993): leaves and the value of every operation are moved
by a unit or two in the last place, and what that does to the result is what rounding does to it, be it a
large loss whose differences are formed, log(1 − p) of a saturated p, or the inverse of a matrix that is
nearly singular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symbp.ir.evaluation.box import Box
from symbp.ir.evaluation.vector import Run, run
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.system import System

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
Evaluate = Callable[[System, Values, Mapping[str, int], Iterable[str]], dict[str, Array]]
"""Tensors wanted of a system at a point, as `symbp.ir.evaluation.vector.run` evaluates them."""

EPSILON = float(np.finfo(float).eps)
UNITS = 2  # in the last place, by which values are moved
TIMES = 2
GROWTH = 10  # what is measured is a sample: the bound is so many times larger


def exactly(
    system: System, values: Values, sizes: Mapping[str, int], wanted: Iterable[str]
) -> dict[str, Array]:
    """Tensors as they are."""
    return run(system, values, sizes, wanted=wanted)


def shaken(seed: int, epsilon: float = EPSILON) -> Evaluate:
    """Tensors as other rounding would have them."""

    def evaluate(
        system: System, values: Values, sizes: Mapping[str, int], wanted: Iterable[str]
    ) -> dict[str, Array]:
        rng = np.random.default_rng(seed)
        moved = {name: _leaf(np.asarray(array), rng, epsilon) for name, array in values.items()}
        point = _Shaken(system, moved, sizes)
        point.rng, point.epsilon = rng, epsilon
        return {name: point.tensor(name) for name in wanted}

    return evaluate


def rounding(function: Callable[[Evaluate], Array], epsilon: float = EPSILON) -> Array:
    """A bound on the rounding of each element of what a function evaluates, infinite where it is unknown."""
    with np.errstate(all="ignore"):
        here = np.asarray(function(exactly), float)
        off = [np.abs(function(shaken(k + 1, epsilon)) - here) for k in range(TIMES)]
    spread = np.maximum.reduce([np.where(np.isfinite(part), part, np.inf) for part in off])
    return np.asarray(GROWTH * (spread + epsilon * np.abs(here)))


class _Box(Box):
    """A box in which the value of every operation is moved; conditions see values as they are."""

    def real(self, e: Expr, mask: Any) -> Any:
        value = super().real(e, mask)
        point = self.run
        assert isinstance(point, _Shaken)
        if point.still or isinstance(e, (Access, Guard)) or not e.args:
            return value
        return _moved(np.asarray(value), point.rng, point.epsilon)

    def _holds(self, e: Guard, mask: Any, nan_passes: bool) -> Any:
        point = self.run
        assert isinstance(point, _Shaken)
        before, point.still = point.still, True
        try:
            return super()._holds(e, mask, nan_passes)
        finally:
            point.still = before


class _Shaken(Run):
    """One point whose operations are moved."""

    box = _Box
    rng: np.random.Generator
    epsilon: float
    still = False


def _leaf(array: Array, rng: np.random.Generator, epsilon: float) -> Array:
    """A leaf moved, but not where it is a whole number."""
    if array.dtype.kind in "iub":
        return array
    return np.where(array == np.round(array.real), array, _moved(array, rng, epsilon))


def _moved(array: Array, rng: np.random.Generator, epsilon: float) -> Array:
    def part(of: Array) -> Array:
        return np.asarray(of * (1 + UNITS * epsilon * rng.uniform(-1, 1, np.shape(of))))

    return part(array.real) + 1j * part(array.imag) if np.iscomplexobj(array) else part(array)
