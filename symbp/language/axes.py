"""Axes by number, and reductions over them.

Enters: nodes, numbers of axes. Leaves: positions from 0; nodes of the same kind. Must not know: operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import sympy

from symbp.errors import ShapeError
from symbp.ir.expr import Expr, Index
from symbp.ir.shapes import Witness
from symbp.ir.system import ReductionOp
from symbp.language.naming.frames import here
from symbp.language.node import Node, counted, display
from symbp.language.sizes import as_size

N = TypeVar("N", bound=Node)


def axes(count: int, letter: str = "a") -> list[Index]:
    """Indices for the axes of an op; a network gives them their final letters."""
    return [Index(f"{letter}{k}") for k in range(count)]


def axis_numbers(tensor: Node, axis: int | Sequence[int] | None) -> tuple[int, ...]:
    """The axes as positions from 0, in order. Raises ShapeError: no such axis, or one named twice."""
    if axis is None:
        return tuple(range(tensor.rank))
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    found = {k % tensor.rank for k in wanted if -tensor.rank <= k < tensor.rank}
    if len(found) != len(wanted):
        raise ShapeError(
            f"{display(tensor)} has {counted(tensor.rank, 'axis', 'axes')}: no axis={axis}, or one twice",
            where=here(),
            details=(f"shape: ({', '.join(map(str, tensor.shape))})",),
        )
    return tuple(sorted(found))


def reduce_axes(
    tensor: N,
    op: ReductionOp,
    axis: int | Sequence[int] | None,
    *,
    rule: str,
    scale: Expr = sympy.S.One,
    **more: Any,
) -> N:
    """The reduction over the given axes of `scale` times the elements."""
    over = axis_numbers(tensor, axis)
    every = axes(tensor.rank)
    plain = [i for k, i in enumerate(every) if k not in over]
    body = tensor.at(*every) * scale
    if not over:
        return tensor.defined(plain, body, rule=rule, **more)
    return tensor.defined(plain, body, op, [every[k] for k in over], rule=rule, kept=True, **more)


def with_axes(reduced: N, of: N, axis: int | Sequence[int] | None, keepdims: bool = True) -> N:
    """What is left of a reduction of `of`, with an axis of 1 element for each one that was reduced over, if
    `keepdims` says so: it broadcasts against `of` again."""
    over = axis_numbers(of, axis)
    if not (keepdims and over):
        return reduced
    every = axes(of.rank)
    left = [i for k, i in enumerate(every) if k not in over]
    single = {every[k]: as_size(1) for k in over}
    return reduced.defined(every, reduced.at(*left), ranges=single, rule="kept axes")


def one_for_each(at: Node, x: Node, axis: int) -> tuple[tuple[Witness, Witness], ...]:
    """The axis has an element for each of the places that are declared."""
    bounds = [f.bound for f in sorted(at.facts, key=str) if f.kind == "below"]
    own = Witness(x.shape[axis], f"axis {axis} of {display(x)}")
    return tuple((own, Witness(bound, f"the bound of {display(at)}")) for bound in bounds)
