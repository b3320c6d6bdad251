"""Losses: scalars to be made small, as means over all leading axes.

Enters: predictions and targets. Leaves: scalars. Must not know: derivatives, stable forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Index
from symbp.ir.shapes import Witness
from symbp.language.frames import here
from symbp.language.node import Hint, counted, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, axes, pointwise
from symbp.ops.reductions import logsumexp
from symbp.ops.registry import example, op

FAMILY = "losses"
Joined = tuple[tuple[Witness, Witness], ...]


def averaged(
    body: Expr, over: Sequence[Index], count: Expr, rule: str, *, name: str, joined: Joined = ()
) -> Tensor:
    """The scalar Σ body/count over the given indices."""
    scaled = body / count
    total = Sum(scaled, *over) if over else scaled
    return formula([], total, rule=rule, hint=Hint(name, "bare"), kept=True, joined=joined)


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


@op(FAMILY, example("N H", "N H"), example("N H", "N H", reduction="sum"))
def mse(prediction: Tensor, target: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """Σ (prediction − target)²/n over all elements, or the sum itself.

    Raises ShapeError: different shapes; DeclarationError: another reduction.
    """
    same_axes(prediction, target, "mse")
    if reduction not in ("mean", "sum"):
        raise DeclarationError(f"mse knows reduction='mean' and 'sum', not {reduction!r}", where=here())
    every = axes(prediction.rank)
    count = sympy.Mul(*prediction.shape) if reduction == "mean" else sympy.Integer(1)
    difference = prediction.at(*every) - target.at(*every)
    rule = "mean squared error" if reduction == "mean" else "sum of squared errors"
    return averaged(difference**2, every, count, rule, name="mse")


@op(
    FAMILY,
    example("N K: simplex", "N: labels"),
    example("N K: simplex", "N K: distribution"),
    example("N K", "N: labels", from_logits=True),
    example("N K", "N K: distribution", from_logits=True),
)
def cross_entropy(p: Tensor, y: Tensor, from_logits: bool = False) -> Tensor:
    """−Σ_n log p[n, y[n]]/N of integer labels y, or −Σ_n,k y[n,k]·log p[n,k]/N of distributions y.

    With `from_logits` the first argument is z with p = softmax(z): log p_k = z_k − log Σ_j e^(z_j).
    Raises ShapeError: y is neither one label per row of p nor a distribution of p's shape.
    """
    lead = axes(p.rank)[: p.rank - 1]
    count = sympy.Mul(*p.shape[:-1])
    by_label = y.integer and y.rank == p.rank - 1
    if not by_label and (y.integer or y.rank != p.rank):
        raise ShapeError(
            f"cross_entropy can't pair {display(p)} with {display(y)}",
            where=here(),
            details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (p, y)),
            help='give one label per row, bp.labels("y", (N,), classes=K), or a distribution per row',
        )
    k = axes(p.rank)[-1]
    chosen = y.at(*lead) if by_label else k
    log_p: Expr = p.at(*lead, chosen)
    log_p = log_p - logsumexp(p).at(*lead) if from_logits else sympy.log(log_p)
    if by_label:
        return averaged(-log_p, lead, count, "cross-entropy", name="cross_entropy", joined=_classes(p, y))
    return averaged(-y.at(*lead, k) * log_p, [*lead, k], count, "cross-entropy", name="cross_entropy")


def _classes(p: Tensor, y: Tensor) -> Joined:
    """p's last axis is as long as there are classes, though only labels show it."""
    fact = next(f for f in sorted(y.facts, key=str) if f.kind == "below")
    axis = Witness(p.shape[-1], f"axis {p.rank - 1} of {display(p)}")
    return ((axis, Witness(fact.bound, f"the classes of {display(y)}")),)


@op(
    FAMILY,
    example("N H: probability", "N H: binary"),
    example("N H", "N H: binary", from_logits=True),
)
def binary_cross_entropy(p: Tensor, y: Tensor, from_logits: bool = False) -> Tensor:
    """−Σ (y·log p + (1 − y)·log(1 − p))/n over all elements.

    With `from_logits` the first argument is z with p = σ(z): Σ (log(1 + e^z) − y·z)/n.
    Raises ShapeError: different shapes.
    """
    same_axes(p, y, "binary_cross_entropy")
    every = axes(p.rank)
    prediction, label = p.at(*every), y.at(*every)
    if from_logits:
        loss = sympy.log(1 + sympy.exp(prediction)) - label * prediction
    else:
        loss = -label * sympy.log(prediction) - (1 - label) * sympy.log(1 - prediction)
    return averaged(loss, every, sympy.Mul(*p.shape), "binary cross-entropy", name="binary_cross_entropy")


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
