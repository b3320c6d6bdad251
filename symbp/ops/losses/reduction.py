"""What losses share: their reduction over examples, their checks; and the penalty on weights.

Enters: predictions and targets. Leaves: scalars, or with `reduction="none"` a value for each element.
Must not know: derivatives, stable forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Index, free_indices
from symbp.ir.shapes import Witness
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, counted, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, pointwise
from symbp.ops.registry import example, op

FAMILY = "losses"
Joined = tuple[tuple[Witness, Witness], ...]


Reduction = Literal["mean", "sum", "none"]


def reduced(
    body: Expr,
    every: Sequence[Index],
    count: Expr,
    reduction: str,
    rule: str,
    *,
    name: str,
    over: Sequence[Index] = (),
    joined: Joined = (),
    ranges: Mapping[Index, Expr] | None = None,
) -> Tensor:
    """A loss from its body: over the axes `over` a sum always, over `every` a mean by `count`, a sum, or
    nothing, as `reduction` says; `ranges` are those of indices that the body hasn't any more. Raises
    DeclarationError: another reduction."""
    if reduction not in get_args(Reduction):
        raise DeclarationError(
            f"{rule} knows no reduction={reduction!r}", where=here(), help="'mean', 'sum' or 'none'"
        )
    hint = Hint(name, "bare")
    if reduction == "none":
        each = Sum(body, *over) if over else body
        return formula(every, each, rule=rule, hint=hint, kept=True, joined=joined, ranges=ranges)
    scaled = body / count if reduction == "mean" else body
    total = Sum(scaled, *every, *over) if (*every, *over) else scaled
    words = rule if reduction == "mean" else f"{rule}, summed"
    return formula([], total, rule=words, hint=hint, kept=True, joined=joined, ranges=ranges)


def same_axes(a: Tensor, b: Tensor, what: str) -> None:
    """Raises ShapeError unless both have as many axes: nothing is broadcast inside a loss."""
    if a.rank != b.rank:
        raise ShapeError(
            f"{what} goes element by element, but {display(a)} has {counted(a.rank, 'axis', 'axes')} "
            f"and {display(b)} has {b.rank}",
            where=here(),
            details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (a, b)),
            help="give both the same shape: nothing is broadcast inside a loss",
        )


def elementwise_loss(
    body: Callable[..., Expr],
    prediction: Tensor,
    target: Tensor,
    reduction: str,
    rule: str,
    name: str,
    beside: Sequence[Tensor] = (),
) -> Tensor:
    """A loss that is `body` of each element of the prediction and its target, and of the elements of other
    tensors along their last axes.

    Raises ShapeError: different shapes; DeclarationError: another reduction.
    """
    same_axes(prediction, target, name)
    every = axes(prediction.rank)
    count = sympy.Mul(*prediction.shape)
    others = [t.at(*every[len(every) - t.rank :]) for t in beside]
    each = body(prediction.at(*every), target.at(*every), *others)
    extents = dict(zip(every, prediction.shape, strict=True))
    gone = {i: extent for i, extent in extents.items() if i not in free_indices(each)}  # of x beside x itself
    return reduced(each, every, count, reduction, rule, name=name, ranges=gone)


@op(FAMILY, example("", "D H"), example("", "D H", "H"))
def l2_penalty(weight: Any, *parameters: Tensor) -> Tensor:
    """λ/2·Σ w² over all elements of the parameters (Goodfellow, Bengio and Courville 2016, section 7.1.1).

    Its gradient is λ·w, so `weight` is what others call weight decay. It is added to a loss:
    `bp.cross_entropy(p, y) + bp.l2_penalty(1e-4, W1, W2)`. Raises DeclarationError without parameters.
    """
    if not parameters:
        raise DeclarationError("l2_penalty needs the parameters that it is for", where=here())
    squares = []
    for w in parameters:
        every = axes(w.rank)
        body = w.at(*every) ** 2
        total = Sum(body, *every) if every else body
        squares.append(formula([], total, rule="sum of squares", hint=Hint("r", subject=w), kept=True))
    penalty: Tensor = pointwise(
        lambda factor, *sums: factor * sympy.Add(*sums) / 2,
        weight,
        *squares,
        rule="l2 penalty",
        hint=Hint("penalty", "bare"),
    )
    return penalty
