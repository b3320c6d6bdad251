"""Equations in float32, whole arrays at a time, each operation rounded as generated code rounds it.

Enters: a system, values of its leaves, sizes; values that tensors are held at. Leaves: arrays of float32.
Must not know: which values are extreme, or what is made of a result.

It is the vector interpreter with another arithmetic. As in every target, log(1 + exp u), log(1 − exp u),
log(1 + u) and exp(u) − 1 are functions of their own, a common number of a sum is a factor (c·a − c·b is c·(a
− b)), and the terms of a sum are added in the order of the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import sympy

from symbp.codegen.spelling.terms import added_in_order, content
from symbp.ir.evaluation.box import Array, Box, Mask
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.system import System

F = np.float32
ROUNDING = 2.0**-23


def in_float32(
    system: System,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    wanted: Iterable[str],
    held: Mapping[str, Any] | None = None,
    *,
    shaken: bool = False,
) -> dict[str, Array]:
    """The tensors wanted. What is `held` has these values, whatever its equation says. `shaken` rounds each
    value another way, by chance: what is right then is right in every order of its operations."""
    held = held or {}
    left = tuple(e for e in system.equations if e.target not in held)
    point = _Single(system.with_(equations=left), {**values, **held}, sizes)
    point.rng = np.random.default_rng(0) if shaken else None
    with np.errstate(all="ignore"):
        return {name: point.tensor(name) for name in wanted}


class _Box(Box):
    """A box in which every value is rounded to float32."""

    def _real(self, e: Expr, mask: Mask) -> Array:
        value = self._own(e, mask)
        if value is None:
            value = super()._real(e, mask)
        point = self.run
        assert isinstance(point, _Single)
        if point.rng is not None and e.args and not isinstance(e, (Access, Guard)):
            value = value * (1 + ROUNDING * point.rng.uniform(-1, 1, np.shape(value)))
        return np.asarray(value).astype(F) if np.ndim(value) else F(value)

    def _own(self, e: Expr, mask: Mask) -> Array | None:
        """What has a function of its own in code, or an order of its own."""
        if e.is_Add:
            return self._sum(e, mask)
        if isinstance(e, sympy.log) and e.args[0].is_Add:
            grown = e.args[0] - 1
            if isinstance(grown, sympy.exp):
                return np.logaddexp(F(0), self.real(grown.args[0], mask))
            if isinstance(-grown, sympy.exp):
                return _log1mexp(self.real((-grown).args[0], mask))
            if e.args[0].as_coeff_Add()[0] == 1:
                return np.log1p(self.real(grown, mask))
        return None

    def _sum(self, e: Expr, mask: Mask) -> Array:
        number = e.as_coeff_Add()[0]
        if number == -1 and isinstance(e + 1, sympy.exp):
            return np.expm1(self.real((e + 1).args[0], mask))
        if number == 1 and isinstance(1 - e, sympy.exp):
            return -np.expm1(self.real((1 - e).args[0], mask))
        common, rest = content(e)
        if common != 1:
            return F(common.p / common.q) * self.real(rest, mask)
        return reduce(add, [self.real(term, mask) for term in added_in_order(e)])


class _Single(Run):
    """One point in float32."""

    box = _Box
    rng: np.random.Generator | None = None

    def __init__(self, system: System, values: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        super().__init__(system, values, sizes)
        self.dtype = F  # type: ignore[assignment]

    def _leaf(self, name: str) -> Array:
        array = super()._leaf(name)
        return array if self.system.tensor(name).integer else array.astype(F)

    def _evaluate(self, equation: Any, fixed: Mapping[int, int]) -> Array:
        array = super()._evaluate(equation, fixed)
        return array if array.dtype.kind in "iub" else array.astype(F)


def _log1mexp(x: Array) -> Array:
    """log(1 − exp(x)) for x < 0: near 0 by expm1, far out by log1p."""
    near = np.asarray(x) > F(-0.7)
    inner = np.where(near, -np.expm1(x), -np.exp(x))
    return np.where(near, np.log(np.where(near, inner, 1)), np.log1p(np.where(near, 0, inner)))
