"""How far a point is from kinks and ties: where two branches meet, or two elements share a maximum.

Enters: a system, values of its leaves, sizes. Leaves: a distance. Must not know: what the point is used for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symbp.ir.bounds import within
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Expr, Guard, accesses, parts_of
from symbp.ir.system import Equation, System

Array = np.ndarray[Any, Any]


def kink_margin(
    system: System,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    wanted: Iterable[str] | None = None,
) -> float:
    """The smallest distance of any real guard from its kink, and of any maximum from a tie; ∞ if none. With
    `wanted` only of what these tensors rest on: a metric may stand at a kink."""
    point = Run(system, values, sizes)
    margin = np.inf
    shapes = {t.name: t.shape for t in system.tensors}
    needed = system.resting(wanted) if wanted is not None else system.by_name.keys()
    for equation in (e for e in system.equations if e.target in needed):
        for guard in sorted(parts_of(equation.body, Guard), key=str):
            if not (guard.lhs.is_integer and guard.rhs.is_integer):
                inside = in_range(equation, (guard,), shapes)
                distance = _where(point, equation, inside, guard.lhs - guard.rhs)
                margin = min(margin, float(np.min(np.abs(distance), initial=np.inf)))
        if equation.op == "max" and not equation.constant:
            margin = min(margin, _gap(point, equation))
    return margin


def in_range(equation: Equation, guards: Sequence[Guard], shapes: Mapping[str, tuple[Expr, ...]]) -> Expr:
    """The conditions under which what the guards read is in its tensor; elsewhere nobody asks them."""
    return sympy.Mul(
        *[
            guard
            for access in accesses(sympy.Mul(*guards))
            if access.outside is None
            for subscript, extent in zip(access.subscripts, shapes[access.name], strict=True)
            for guard in within(subscript, extent, equation.extents)
        ]
    )


def _gap(point: Run, equation: Equation) -> float:
    """The smallest distance between the largest and the second largest element of a maximum."""
    value = _where(point, equation, sympy.Mul(*equation.where), equation.body)
    flat = value.reshape(*value.shape[: len(equation.indices)], -1)
    if flat.shape[-1] < 2:
        return np.inf
    ordered = np.sort(flat, axis=-1)
    known = ordered[np.isfinite(ordered[..., -2])]
    return float(np.min(known[..., -1] - known[..., -2], initial=np.inf))


def _where(point: Run, equation: Equation, condition: Expr, body: Expr) -> Array:
    """An expression over all indices of an equation where a condition holds, −∞ elsewhere."""

    def over(e: Expr) -> Array:
        return np.real(point.value(Equation("_", equation.all_indices, e, None, (), equation.ranges)))

    if condition == 1:
        return over(body)
    return np.where(over(condition) != 0, over(sympy.Mul(condition, body)), -np.inf)
