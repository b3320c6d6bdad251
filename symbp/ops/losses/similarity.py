"""Losses between embeddings: distances, rankings, contrasts.

Enters: embeddings (N, D) or scores. Leaves: scalars, or with `reduction="none"` a value for each example.
Must not know: derivatives, stable forms. Kinks follow PyTorch's conventions.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes
from symbp.language.node import Hint
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant, option
from symbp.ops.losses.reduction import FAMILY, Reduction, elementwise_loss, reduced, same_axes
from symbp.ops.reductions import logsumexp
from symbp.ops.registry import example, op

PAIR = ("N D", "N D")
MET = "where the margin is just met the derivative is that of falling short of it"


@op(FAMILY, example(*PAIR), example(*PAIR, axis=0))
def cosine_similarity(a: Tensor, b: Tensor, axis: int = -1) -> Tensor:
    """Σ a·b/√(Σ a²·Σ b²) along one axis."""
    same_axes(a, b, "cosine_similarity")
    plain = axes(a.rank)
    over = plain[axis]
    left = [i for i in plain if i is not over]
    products = {}
    for name, body in (
        ("dot", a.at(*plain) * b.at(*plain)), ("aa", a.at(*plain) ** 2), ("bb", b.at(*plain) ** 2)
    ):  # fmt: skip
        products[name] = formula(
            left, Sum(body, over), rule="cosine: inner product", hint=Hint(name), kept=True
        ).at(*left)
    body = products["dot"] / sympy.sqrt(products["aa"] * products["bb"])
    return formula(left, body, rule="cosine similarity", hint=Hint("cos", "bare"), kept=True)


@op(FAMILY, example(*PAIR))
def cosine_distance(a: Tensor, b: Tensor, reduction: Reduction = "mean") -> Tensor:
    """1 − cos(a, b) along the last axis, the mean over the others."""
    similarity = cosine_similarity(a, b)
    lead = axes(similarity.rank)
    count = sympy.Mul(*similarity.shape)
    body = 1 - similarity.at(*lead)
    return reduced(body, lead, count, reduction, "cosine distance", name="cosine_distance")


@op(FAMILY, example("N D", "N D", "N: sign"), analytic=False, kinks=MET)
def cosine_embedding(
    a: Tensor, b: Tensor, y: Tensor, margin: Any = 0, reduction: Reduction = "mean"
) -> Tensor:
    """1 − cos(a, b) where y = 1, max(0, cos(a, b) − margin) where y = −1."""
    edge = constant(margin, "cosine_embedding's margin")
    similarity = cosine_similarity(a, b)
    lead = axes(similarity.rank)
    cosine, sign = similarity.at(*lead), y.at(*lead)
    apart = Guard("<", sign, 0) * where(Guard(">=", cosine, edge), cosine - edge, 0)
    body = Guard(">", sign, 0) * (1 - cosine) + apart
    count = sympy.Mul(*similarity.shape)
    return reduced(body, lead, count, reduction, "cosine embedding loss", name="cosine_embedding")


@op(FAMILY, example(*PAIR))
def pairwise_distance(a: Tensor, b: Tensor, eps: Any = 1e-6) -> Tensor:
    """√Σ (a − b + ε)² along the last axis; ε keeps the derivative at a = b finite (as PyTorch has it)."""
    same_axes(a, b, "pairwise_distance")
    *lead, k = axes(a.rank)
    offset = option(eps, "pairwise_distance's eps", "ε")
    squares = Sum((a.at(*lead, k) - b.at(*lead, k) + offset) ** 2, k)
    return formula(lead, sympy.sqrt(squares), rule="distance", hint=Hint("d"), kept=True)


@op(FAMILY, example("N D", "N D", "N D"), example("N D", "N D", "N D", swap=True), analytic=False, kinks=MET)
def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: Any = 1,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) − d(anchor, negative) + margin) (Schroff, Kalenichenko and Philbin 2015);
    with `swap` the nearer of anchor and positive stands against the negative (Balntas et al. 2016)."""
    edge = constant(margin, "triplet's margin")
    near, far = pairwise_distance(anchor, positive), pairwise_distance(anchor, negative)
    lead = axes(near.rank)
    distance: Expr = far.at(*lead)
    if swap:
        other = pairwise_distance(positive, negative).at(*lead)
        tie = Guard("=", other, distance) * (other + distance) / 2
        distance = Guard("<", distance, other) * distance + Guard("<", other, distance) * other + tie
        nearer = formula(lead, distance, rule="nearer distance", hint=Hint("d"), kept=True)
        distance = nearer.at(*lead)
    short = near.at(*lead) - distance + edge
    body = where(Guard(">=", short, 0), short, 0)
    return reduced(body, lead, sympy.Mul(*near.shape), reduction, "triplet loss", name="triplet")


@op(FAMILY, example("N", "N", "N: sign"), analytic=False, kinks=MET)
def margin_ranking(a: Tensor, b: Tensor, y: Tensor, margin: Any = 0, reduction: Reduction = "mean") -> Tensor:
    """max(0, margin − y·(a − b)) with y = 1 where a should be the larger, else −1."""
    same_axes(a, b, "margin_ranking")
    same_axes(a, y, "margin_ranking")
    edge = constant(margin, "margin_ranking's margin")
    every = axes(a.rank)
    short = edge - y.at(*every) * (a.at(*every) - b.at(*every))
    body = where(Guard(">=", short, 0), short, 0)
    count = sympy.Mul(*a.shape)
    return reduced(body, every, count, reduction, "margin ranking loss", name="margin_ranking")


@op(FAMILY, example("N H", "N H: sign"), analytic=False, kinks=MET)
def hinge_embedding(distance: Tensor, y: Tensor, margin: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """The distance where y = 1, max(0, margin − distance) where y = −1 (Hadsell, Chopra and LeCun 2006)."""
    edge = constant(margin, "hinge_embedding's margin")

    def body(d: Expr, sign: Expr) -> Expr:
        apart = where(Guard(">=", edge - d, 0), edge - d, 0)
        return Guard(">", sign, 0) * d + Guard("<", sign, 0) * apart

    return elementwise_loss(body, distance, y, reduction, "hinge embedding loss", "hinge_embedding")


@op(FAMILY, example(*PAIR), example(*PAIR, temperature=0.5, symmetric=True))
def info_nce(queries: Tensor, keys: Tensor, temperature: Any = 0.1, symmetric: bool = False) -> Tensor:
    """−Σ_n log softmax_m(q_n·k_m/τ)[n]/N: each query finds its own key among all of the batch
    (van den Oord, Li and Vinyals 2018). With `symmetric` also each key its query, the mean of both
    (Radford et al. 2021). Embeddings (N, D); normalise them first for cosines."""
    same_axes(queries, keys, "info_nce")
    n, m, i = Index("n"), Index("m"), Index("i")
    scale = constant(temperature, "info_nce's temperature")
    z = formula(
        [n, m],
        Sum(queries.at(n, i) * keys.at(m, i) / scale, i),
        rule="similarities",
        hint=Hint("z", "bare"),
        kept=True,
    )
    by_row = logsumexp(z, 1).at(n) - z.at(n, n)
    if symmetric:
        by_row = (by_row + logsumexp(z, 0).at(n) - z.at(n, n)) / 2
    return reduced(by_row, [n], queries.shape[0], "mean", "InfoNCE", name="info_nce")
