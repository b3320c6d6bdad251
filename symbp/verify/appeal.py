"""The last word on a difference in floating point: both sides once more in 50 digits, at the same point.

Enters: a derivation, a point, a result and directions. Leaves: both sides, or None where that would take too
long. Must not know: how a gradient was found. Where the declaration as written loses its digits (log(1 − p)
of a saturated p), the numeric methods lose them, too, and a right result differs from theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.evaluation.domains import HIGH, Domain, Residue
from symbp.ir.evaluation.dual import DUAL, dual, tangent
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import System
from symbp.verify.blocks import DerivativeBlock, Directions, contracted
from symbp.verify.numeric import Values

Array = np.ndarray[Any, Any]
MOST_WORK = 60_000  # elements of the boxes of indices, in the declared system: some seconds


class Appeal:
    """One point, exactly as its floats have it."""

    def __init__(self, derivation: Derivation, values: Values, sizes: Mapping[str, int]) -> None:
        self.derivation, self.sizes = derivation, sizes
        self.values = {name: _exactly(np.asarray(array)) for name, array in values.items()}
        self._ours: dict[str, Array] | None = None

    @property
    def is_affordable(self) -> bool:
        return work(self.derivation.declared, self.sizes) <= MOST_WORK

    def sides(self, block: DerivativeBlock, directions: Directions) -> tuple[Array, Array] | None:
        """(the result along the directions, the same by dual numbers), of the size of what is
        differentiated."""
        if not self.is_affordable:
            return None
        try:
            return self._mine(block, directions), self._theirs(block, directions)
        except SymbpError:
            return None

    def _mine(self, block: DerivativeBlock, directions: Directions) -> Array:
        if self._ours is None:
            wanted = list(self.derivation.gradients.values())
            self._ours = evaluate(self.derivation.system, self.values, self.sizes, HIGH, wanted=wanted)
        exact = tuple({name: _exactly(part) for name, part in direction.items()} for direction in directions)
        return _floats(contracted(self._ours[block.tensor], block, exact))

    def _theirs(self, block: DerivativeBlock, directions: Directions) -> Array:
        moved = dict(self.values)
        domains: list[Domain] = [HIGH]
        names = {name for direction in directions for name in direction}
        for direction in reversed(directions):
            for name in sorted(names):
                still = np.full(np.shape(self.values[name]), Fraction(0))
                part = _exactly(direction[name]) if name in direction else still
                moved[name] = dual(moved[name], part)
            domains.append(DUAL(domains[-1]))
        found = evaluate(self.derivation.declared, moved, self.sizes, domains[-1], wanted=[block.of])[
            block.of
        ]
        for below in reversed(domains[:-1]):
            found = tangent(found, below)
        return _floats(found)


def has_lost_digits(derivation: Derivation, of: str, values: Values, sizes: Mapping[str, int]) -> bool:
    """Whether the declaration as written and its stabilised form have different values: rounding has eaten
    digits."""
    if of not in derivation.system.by_name:
        return False
    with np.errstate(all="ignore"):
        one, other = (
            np.asarray(run(system, values, sizes, wanted=[of])[of], float)
            for system in (derivation.declared, derivation.system)
        )
    scale = float(np.max(np.abs(one), initial=0.0))
    return not bool(np.max(np.abs(one - other), initial=0.0) <= 1e-12 * scale)


def _exactly(array: Array) -> Array:
    """Each float as the fraction that it is."""
    if array.dtype.kind in "iub":
        return array
    out = np.empty(array.shape, dtype=object)
    for at in np.ndindex(array.shape):
        out[at] = Fraction(float(array[at]))
    return out


def _floats(array: Any) -> Array:
    flat = np.asarray(array, dtype=object)
    return np.array([as_float(x) for x in flat.ravel()]).reshape(flat.shape)


def as_float(value: Any) -> float:
    """A number as a float; NaN where it is complex, the root of a negative number, say. A residue is what
    stands for it from 0 on."""
    if isinstance(value, Residue):
        return float(value.value)
    try:
        return float(value)
    except TypeError:
        return float("nan")


def work(system: System, sizes: Mapping[str, int]) -> int:
    """The elements of the boxes of all equations."""
    return sum(prod(evaluate_size(e, sizes) for e in equation.ranges) for equation in system.equations)
