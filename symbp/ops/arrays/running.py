"""Sums and products of all that came before, along an axis.

Enters: tensors. Leaves: tensors of the same shape. Must not know: derivatives.
"""

from __future__ import annotations

from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes, axis_numbers
from symbp.language.node import Hint
from symbp.language.notation import Sum, formula
from symbp.language.recurrence import define_announced, recurrent
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "shapes"


@op(
    FAMILY,
    example("N H"),
    example("N H D", axis=1),
    example("N H", exclusive=True),
    example("N H", axis=0, reverse=True),
)
def cumsum(x: Tensor, axis: int = -1, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """The sum of all elements up to each one along an axis; `exclusive` without that one, `reverse` from the
    end."""
    plain, (position,) = axes(x.rank), axis_numbers(x, axis)
    added, own = Index("q"), plain[position]
    there: list[Expr] = [added if k == position else i for k, i in enumerate(plain)]
    first, last = (own, added) if reverse else (added, own)
    body = Sum(Guard("<" if exclusive else "<=", first, last) * x.at(*there), added)
    ranges = {own: x.shape[position], added: x.shape[position]}
    return formula(plain, body, ranges=ranges, rule="running sum", kept=True)


@op(FAMILY, example("N H"), example("N H D", axis=1), example("N H", axis=0, reverse=True))
def cumprod(x: Tensor, axis: int = -1, reverse: bool = False) -> Tensor:
    """The product of all elements up to each one along an axis, `reverse` from the end: each the one before
    it times its own, so that neither it nor its derivative divides."""
    plain, (position,) = axes(x.rank), axis_numbers(x, axis)
    step = 1 if reverse else -1
    before: list[Expr] = [i + step if k == position else i for k, i in enumerate(plain)]
    product = recurrent(None, x.shape, hint=Hint("q"))
    body = product.at(*before, outside=1) * x.at(*plain)
    return define_announced(product, plain, body, rule="running product")
