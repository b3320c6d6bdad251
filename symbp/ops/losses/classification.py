"""Losses of classifiers: of one class among several, of several classes at once, and of segmentations.

Enters: probabilities, logits or scores, and labels. Leaves: scalars, or with `reduction="none"` a value
for each example. Must not know: derivatives, stable forms. Kinks follow PyTorch's conventions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.shapes import Witness
from symbp.ir.system import Fact
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, as_tensor
from symbp.ops.functions import constant, option
from symbp.ops.losses.reduction import FAMILY, Joined, Reduction, elementwise_loss, reduced, same_axes
from symbp.ops.reductions import logsumexp
from symbp.ops.registry import example, op

Weights = Tensor | Sequence[Any] | None
ONE_HALF = sympy.Rational(1, 2)


@op(
    FAMILY,
    example("N K: simplex", "N: labels"),
    example("N K: simplex", "N K: distribution"),
    example("N K", "N: labels", from_logits=True),
    example("N K", "N K: distribution", from_logits=True),
    example("N K", "N: labels", from_logits=True, label_smoothing=0.1),
    example("N K", "N: labels", from_logits=True, ignore_index=2),
    example("N K", "N: labels", from_logits=True, reduction="sum"),
    example("N T K", "N T: labels", from_logits=True),
)
def cross_entropy(
    p: Tensor,
    y: Tensor,
    from_logits: bool = False,
    *,
    label_smoothing: Any = 0,
    weight: Weights = None,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """−Σ_n log p[n, y[n]]/N of integer labels y, or −Σ_n,k y[n,k]·log p[n,k]/N of distributions y.

    With `from_logits` the first argument is z with p = softmax(z): log p_k = z_k − log Σ_j e^(z_j).
    `label_smoothing=ε` mixes the target with the uniform distribution, (1 − ε)·y + ε/K (Szegedy et al.
    2016); `weight` (K,), a tensor or a list, scales each class; rows with the label `ignore_index` count as
    nothing, nor do those that `bp.labels` declares as ignored. The mean is over the rows that count, by their
    weights. Raises ShapeError: y is neither one label per row of p nor a distribution of p's shape;
    DeclarationError: an ignore_index that is no label.
    """
    *lead, k = axes(p.rank)
    scale: Tensor | None = as_tensor(weight)
    by_label = _by_label(p, y, "cross_entropy")
    smoothing = option(label_smoothing, "cross_entropy's label_smoothing")
    total = logsumexp(p).at(*lead) if from_logits else sympy.Integer(0)
    classes = p.shape[-1]

    def surprise(at: Expr) -> Expr:
        """−log p at a class, by the class's weight."""
        log_p = p.at(*lead, at) - total if from_logits else sympy.log(p.at(*lead, at))
        return -log_p if scale is None else -log_p * scale.at(at)

    if not by_label:
        if ignore_index is not None:
            raise DeclarationError("only integer labels can be ignored", where=here())
        body = ((1 - smoothing) * y.at(*lead, k) + smoothing / classes) * surprise(k)
        count = sympy.Mul(*p.shape[:-1])
        return reduced(body, lead, count, reduction, "cross-entropy", name="cross_entropy", over=[k])
    each = (1 - smoothing) * surprise(y.at(*lead))
    if smoothing != 0:
        uniform = formula(lead, Sum(surprise(k) / classes, k), rule="uniform part", hint=Hint("u"), kept=True)
        each = each + smoothing * uniform.at(*lead)
    return _over_labels(each, p, y, reduction, "cross-entropy", "cross_entropy", scale, ignore_index)


@op(
    FAMILY,
    example("N K", "N: labels"),
    example("N K", "N: labels", reduction="sum"),
    example("N K", "N: labels", "K: positive", ignore_index=1),
)
def nll(
    log_p: Tensor,
    y: Tensor,
    weight: Weights = None,
    ignore_index: int | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """−Σ_n log_p[n, y[n]]/N; `weight` (K,) and `ignore_index` as in `cross_entropy`.

    Raises ShapeError: y isn't one label per row.
    """
    _by_label(log_p, y, "nll", only=True)
    scale: Tensor | None = as_tensor(weight)
    chosen = y.at(*axes(y.rank))
    body = -log_p.at(*axes(y.rank), chosen) * (1 if scale is None else scale.at(chosen))
    return _over_labels(body, log_p, y, reduction, "negative log-likelihood", "nll", scale, ignore_index)


def _over_labels(
    each: Expr,
    p: Tensor,
    y: Tensor,
    reduction: Reduction,
    rule: str,
    name: str,
    weight: Tensor | None = None,
    ignore_index: int | None = None,
    over: Sequence[Index] = (),
) -> Tensor:
    """A loss of each row with its label y: rows whose label is ignored count as nothing, and the mean is over
    the rows that count, by the weights of their classes."""
    lead = axes(y.rank)
    chosen = y.at(*lead)
    skipped = [i for i in (_ignored(ignore_index), _bound(y).ignored) if i is not None]
    counts = sympy.Mul(*[Guard("!=", chosen, i) for i in dict.fromkeys(skipped)])
    share: Expr = sympy.Mul(*y.shape)
    if reduction == "mean" and (weight is not None or skipped):
        own = counts if weight is None else counts * weight.at(chosen)
        share = formula([], Sum(own, *lead), rule="what counts", hint=Hint("count", "bare"), kept=True).at()
    joined = classes_agree(p, y, weight)
    return reduced(counts * each, lead, share, reduction, rule, name=name, over=over, joined=joined)


def _by_label(p: Tensor, y: Tensor, what: str, *, only: bool = False) -> bool:
    """Whether y holds one label for each row of p, not a distribution. Raises ShapeError: neither, or a
    distribution where `only` labels will do."""
    by_label = y.integer and y.rank == p.rank - 1
    if by_label or not (only or y.integer or y.rank != p.rank):
        return by_label
    raise ShapeError(
        f"{what} can't pair {display(p)} with {display(y)}",
        where=here(),
        details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (p, y)),
        help='give one label per row, bp.labels("y", (N,), classes=K)'
        + ("" if only else ", or a distribution per row"),
    )


def _ignored(ignore_index: int | None) -> int | None:
    if ignore_index is None:
        return None
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int) or ignore_index < 0:
        raise DeclarationError(
            f"ignore_index can't be {ignore_index!r}: labels are 0, 1, …",
            where=here(),
            help='what is no label is declared: bp.labels("y", (N,), classes=K, ignored=-100)',
        )
    return ignore_index


def _bound(y: Tensor) -> Fact:
    """Below what the labels are."""
    return next(f for f in sorted(y.facts, key=str) if f.kind in ("below", "below or ignored"))


def classes_agree(p: Tensor, y: Tensor, weight: Tensor | None = None) -> Joined:
    """p's last axis is as long as there are classes, and so is their weight, though only labels show it."""
    axis = Witness(p.shape[-1], f"axis {p.rank - 1} of {display(p)}")
    found = [(axis, Witness(_bound(y).bound, f"the classes of {display(y)}"))]
    if weight is not None:
        found += [(axis, Witness(extent, f"axis 0 of {display(weight)}")) for extent in weight.shape]
    return tuple(found)


@op(
    FAMILY,
    example("N H: probability", "N H: binary"),
    example("N H", "N H: binary", from_logits=True),
    example("N H", "N H: binary", from_logits=True, pos_weight=3, reduction="sum"),
)
def binary_cross_entropy(
    p: Tensor,
    y: Tensor,
    from_logits: bool = False,
    *,
    pos_weight: Any = 1,
    reduction: Reduction = "mean",
) -> Tensor:
    """−Σ (y·log p + (1 − y)·log(1 − p))/n over all elements.

    With `from_logits` the first argument is z with p = σ(z): Σ (log(1 + e^z) − y·z)/n. `pos_weight` scales
    the term of the positive label: a number, or a tensor or a list along the last axis. Raises ShapeError:
    different shapes.
    """
    weights = as_tensor(pos_weight)
    beside = [weights] if isinstance(weights, Tensor) else []
    number = sympy.S.One if beside else constant(weights, "binary_cross_entropy's pos_weight")

    def body(e: Expr, label: Expr, scale: Expr = number) -> Expr:
        if not from_logits:
            return -scale * label * sympy.log(e) - (1 - label) * sympy.log(1 - e)
        if scale == 1:
            return sympy.log(1 + sympy.exp(e)) - label * e
        return (1 - label) * e + (1 + (scale - 1) * label) * sympy.log(1 + sympy.exp(-e))

    name = "binary_cross_entropy"
    return elementwise_loss(body, p, y, reduction, "binary cross-entropy", name, beside)


@op(FAMILY, example("N H", "N H: binary"), example("N H", "N H: binary", alpha=None, gamma=3))
def focal(z: Tensor, y: Tensor, gamma: int = 2, alpha: Any = 0.25, reduction: Reduction = "mean") -> Tensor:
    """−α_t·(1 − p_t)^γ·log p_t with p = σ(z), p_t = p where y = 1, else 1 − p; α_t likewise of α
    (Lin et al. 2017, equation 5); `alpha=None` leaves α_t out."""
    power = constant(gamma, "focal's gamma")
    balance = None if alpha is None else constant(alpha, "focal's alpha")

    def body(e: Expr, label: Expr) -> Expr:
        yes, no = 1 / (1 + sympy.exp(-e)), 1 / (1 + sympy.exp(e))
        positive = label * no**power * sympy.log(1 + sympy.exp(-e))
        negative = (1 - label) * yes**power * sympy.log(1 + sympy.exp(e))
        if balance is None:
            return positive + negative
        return balance * positive + (1 - balance) * negative

    return elementwise_loss(body, z, y, reduction, "focal loss", "focal")


@op(FAMILY, example("N K", "N K: distribution"), example("N K", "N K: distribution", reduction="sum"))
def kl_div(log_q: Tensor, p: Tensor, reduction: Reduction = "mean") -> Tensor:
    """KL(p ‖ q) = Σ_k p_k·(log p_k − log q_k), the mean over rows (PyTorch: reduction="batchmean")."""
    same_axes(log_q, p, "kl_div")
    *lead, k = axes(p.rank)
    target = p.at(*lead, k)
    body = where(Guard(">", target, 0), target * sympy.log(target), 0) - target * log_q.at(*lead, k)
    count = sympy.Mul(*p.shape[:-1])
    return reduced(body, lead, count, reduction, "Kullback-Leibler divergence", name="kl", over=[k])


def margin_of(what: str, value: Any) -> Expr:
    return constant(value, f"{what}'s margin")


@op(FAMILY, example("N H", "N H: sign"), analytic=False, kinks="derivative 0 where the margin is just met")
def hinge(score: Tensor, y: Tensor, margin: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """max(0, margin − y·score) of labels y = ±1 (Cortes and Vapnik 1995)."""
    edge = margin_of("hinge", margin)
    return elementwise_loss(
        lambda s, sign: where(Guard(">", edge - sign * s, 0), edge - sign * s, 0),
        score, y, reduction, "hinge loss", "hinge",
    )  # fmt: skip


@op(
    FAMILY,
    example("N H", "N H: sign"),
    analytic=False,
    kinks="its second derivative jumps where the margin is just met",
)
def squared_hinge(score: Tensor, y: Tensor, margin: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """max(0, margin − y·score)² of labels y = ±1."""
    edge = margin_of("squared_hinge", margin)
    return elementwise_loss(
        lambda s, sign: where(Guard(">", edge - sign * s, 0), (edge - sign * s) ** 2, 0),
        score, y, reduction, "squared hinge loss", "squared_hinge",
    )  # fmt: skip


@op(
    FAMILY,
    example("N K", "N: labels"),
    analytic=False,
    kinks="derivative 0 where the margin is just met",
)
def multi_margin(score: Tensor, y: Tensor, margin: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """Σ_{k ≠ y} max(0, margin − score_y + score_k)/K (Crammer and Singer 2001)."""
    edge = margin_of("multi_margin", margin)
    _by_label(score, y, "multi_margin", only=True)
    *lead, k = axes(score.rank)
    chosen = y.at(*lead)
    short = edge - score.at(*lead, chosen) + score.at(*lead, k)
    body = Guard("!=", k, chosen) * where(Guard(">", short, 0), short, 0) / score.shape[-1]
    return _over_labels(body, score, y, reduction, "multi-class margin loss", "margin", over=[k])


@op(FAMILY, example("N K", "N K: binary"))
def multilabel_soft_margin(z: Tensor, y: Tensor, reduction: Reduction = "mean") -> Tensor:
    """−Σ_k (y_k·log σ(z_k) + (1 − y_k)·log σ(−z_k))/K, the mean over rows."""
    same_axes(z, y, "multilabel_soft_margin")
    *lead, k = axes(z.rank)
    e, label = z.at(*lead, k), y.at(*lead, k)
    body = (sympy.log(1 + sympy.exp(e)) - label * e) / z.shape[-1]
    count = sympy.Mul(*z.shape[:-1])
    return reduced(body, lead, count, reduction, "soft margin loss", name="soft_margin", over=[k])


@op(FAMILY, example("N K: simplex", "N: labels"))
def poly_loss(p: Tensor, y: Tensor, epsilon: Any = 1.0, reduction: Reduction = "mean") -> Tensor:
    """−log p_y + ε·(1 − p_y): cross-entropy with its first polynomial coefficient raised by ε
    (Leng et al. 2022, equation 3)."""
    _by_label(p, y, "poly_loss", only=True)
    lead = axes(y.rank)
    of_label = p.at(*lead, y.at(*lead))
    body = -sympy.log(of_label) + constant(epsilon, "poly_loss's epsilon") * (1 - of_label)
    return _over_labels(body, p, y, reduction, "poly loss", "poly_loss")


@op(FAMILY, example("N H: probability", "N H: binary"))
def tversky(
    p: Tensor, y: Tensor, alpha: Any = 0.5, beta: Any = 0.5, smooth: Any = 1, reduction: Reduction = "mean"
) -> Tensor:
    """1 − (TP + s)/(TP + α·FP + β·FN + s) of each example, over all axes but the first, with TP = Σ p·y,
    FP = Σ p·(1 − y), FN = Σ (1 − p)·y (Salehi, Erdogmus and Gholipour 2017)."""
    same_axes(p, y, "tversky")
    first, *rest = axes(p.rank)
    a, b = constant(alpha, "tversky's alpha"), constant(beta, "tversky's beta")
    e, label = p.at(first, *rest), y.at(first, *rest)
    hits = formula([first], Sum(e * label, *rest), rule="overlap", hint=Hint("tp", "bare"), kept=True)
    size = formula([first], Sum(a * e + b * label, *rest), rule="sizes", hint=Hint("area", "bare"), kept=True)
    extra = constant(smooth, "tversky's smooth")
    overlap = hits.at(first)
    body = 1 - (overlap + extra) / ((1 - a - b) * overlap + size.at(first) + extra)
    return reduced(body, [first], p.shape[0], reduction, "Tversky loss", name="tversky")


@op(FAMILY, example("N H: probability", "N H: binary"))
def dice(p: Tensor, y: Tensor, smooth: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """1 − (2·Σ p·y + s)/(Σ p + Σ y + s) of each example (Milletari, Navab and Ahmadi 2016)."""
    extra = constant(smooth, "dice's smooth") / 2
    result: Tensor = tversky(p, y, ONE_HALF, ONE_HALF, extra, reduction)
    return result


@op(FAMILY, example("N H: probability", "N H: binary"))
def jaccard(p: Tensor, y: Tensor, smooth: Any = 1, reduction: Reduction = "mean") -> Tensor:
    """1 − (Σ p·y + s)/(Σ p + Σ y − Σ p·y + s) of each example."""
    result: Tensor = tversky(p, y, 1, 1, smooth, reduction)
    return result
