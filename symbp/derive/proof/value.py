"""The value of an expression at the points of a search, and what searches by value ask of it.

Enters: arrays. Leaves: a value with what neither a factor nor the order of its axes changes.
Must not know: which expression has the value.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symbp.ir.expr import Expr


class Value(tuple[NDArray[np.float64], ...]):
    """One array a point, axes in the order of the indices asked for; what searches ask is computed once."""

    @cached_property
    def largest(self) -> float:
        """The largest absolute value."""
        return max((float(np.max(np.abs(v), initial=0.0)) for v in self), default=0.0)

    @cached_property
    def is_constant(self) -> bool:
        """Whether it is one number at each point."""
        return all(np.ptp(v) <= 1e-10 * abs(v.flat[0]) for v in self if v.size)

    @cached_property
    def invariants(self) -> list[tuple[float, ...]]:
        """What neither a factor nor the order of axes changes, rounded; both ways where rounding may cut
        between."""
        found: list[float] = []
        for v in self:
            peak = float(np.max(np.abs(v), initial=0.0))
            if v.size == 0 or not np.isfinite(peak):
                return []
            if peak == 0:  # wholly excluded at this point; the others may tell
                found += [0.0, 0.0]
                continue
            unit = np.ravel(v, order="K") / peak
            square = unit * unit
            found += [abs(float(square @ unit)), float(np.sum(square))]
        if not any(found):
            return []
        rounded = [round(x, 5) for x in found]
        other = [round(r + (5e-6 if x > r else -5e-6), 5) for x, r in zip(found, rounded, strict=True)]
        near = [r if abs(abs(x - r) - 5e-6) > 1e-7 else o
                for x, r, o in zip(found, rounded, other, strict=True)]  # fmt: skip
        return list(dict.fromkeys([tuple(rounded), tuple(near)]))


def orders(shape: Sequence[Expr], wanted: Sequence[Expr]) -> Iterator[tuple[int, ...]]:
    """The orders in which axes of one shape are those of another."""
    places = [[k for k, n in enumerate(shape) if n == m] for m in wanted]
    for order in itertools.product(*places):
        if len(set(order)) == len(shape):
            yield order
