"""Metrics of classifiers: numbers that are looked at, not differentiated.

Enters: predictions and labels. Leaves: scalars, over all rows at once. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant
from symbp.ops.losses.classification import cross_entropy
from symbp.ops.reductions import argsort
from symbp.ops.registry import example, op

FAMILY = "metrics"
JUMPS = "a count, constant where it doesn't jump"
HALF = sympy.Rational(1, 2)
CLASSES = (
    example("N K", "N: labels"),
    example("N K", "N K: distribution"),
    example("N T K", "N T: labels"),
    example("N: probability", "N: binary"),
    example("N H: probability", "N H: binary"),
)


@op(
    FAMILY,
    example("N K", "N: labels"),
    example("N K", "N K: distribution"),
    example("N: probability", "N: binary"),
    analytic=False,
    kinks=JUMPS,
    differentiable=False,
)
def accuracy(p: Tensor, y: Tensor, threshold: Any = 0.5) -> Tensor:
    """The share of rows whose largest p stands at the label, or, of binary y, where p ≥ threshold iff y = 1.

    y is one integer label per row, a distribution per row (its largest entry is the label), or binary with
    p's shape. Rows with a label that is declared as ignored don't count. For logits instead of
    probabilities, the binary threshold is 0. Raises ShapeError otherwise.
    """
    if _is_binary(p, y):
        return _binary(p, y, threshold)
    of = _Labelled.of(p, y, "accuracy")
    right = Guard("=", of.said.at(*of.lead), of.label.at(*of.lead)) / of.count
    return _scalar(Sum(right, *of.lead) if of.lead else right, "accuracy")


def _binary(p: Tensor, y: Tensor, threshold: Any) -> Tensor:
    every = axes(p.rank)
    said = constant(threshold, "accuracy's threshold")
    says, holds = Guard(">=", p.at(*every), said), Guard(">=", y.at(*every), HALF)
    right = (says * holds + says.complement() * holds.complement()) / sympy.Mul(*p.shape)
    return _scalar(Sum(right, *every) if every else right, "accuracy")


@op(
    FAMILY,
    example("N K", "N: labels"),
    example("N K", "N: labels", k=2),
    example("N T K", "N T: labels", k=3),
    analytic=False,
    kinks=JUMPS,
    differentiable=False,
)
def top_k_accuracy(p: Tensor, y: Tensor, k: int = 5) -> Tensor:
    """The share of rows whose label stands among the k largest p: Σ_n [#{j: p_j after p_y} ≥ K − k]/N.

    After p_y stands what is smaller, and of what is equal the class with the larger number, so that k = 1 is
    `accuracy`; after what is not a number stands nothing. Raises ShapeError: p and y don't fit.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise DeclarationError(f"top_k_accuracy can't look at the first {k!r}: k is 1, 2, …", where=here())
    of = _Labelled.of(p, y, "top_k_accuracy")
    j, label = axes(p.rank)[-1], of.label.at(*of.lead)
    other, own = p.at(*of.lead, j), p.at(*of.lead, label)
    after = Guard("<", other, own) + Guard("=", other, own) * Guard(">", j, label)
    behind = Sum(of.counts * after, j)
    rank = formula(of.lead, behind, rule="classes after the label", hint=Hint("after", "bare"), kept=True)
    hit = of.counts * Guard(">=", rank.at(*of.lead), p.shape[-1] - k) / of.count
    return _scalar(Sum(hit, *of.lead) if of.lead else hit, "top-k accuracy", "top_k_accuracy")


@op(FAMILY, *CLASSES, analytic=False, kinks=JUMPS, differentiable=False)
def precision(p: Tensor, y: Tensor, threshold: Any = 0.5) -> Tensor:
    """TP/(TP + FP) of each class, the mean over classes (macro); 0 for a class that is never predicted.

    Of labels (N,), or a distribution, beside p (N, K), a row's prediction is its largest p. Of binary y, a
    column (the last of several axes) is a class of its own, predicted where p ≥ threshold. Classes that
    neither are there nor are predicted don't count (scikit-learn: average="macro", zero_division=0).
    Raises ShapeError: p and y don't fit.
    """
    return _Counts.of(p, y, threshold, "precision").macro("precision", lambda c: (c.hits, c.predicted))


@op(FAMILY, *CLASSES, analytic=False, kinks=JUMPS, differentiable=False)
def recall(p: Tensor, y: Tensor, threshold: Any = 0.5) -> Tensor:
    """TP/(TP + FN) of each class, the mean over classes (macro), as in `precision`."""
    return _Counts.of(p, y, threshold, "recall").macro("recall", lambda c: (c.hits, c.there))


@op(FAMILY, *CLASSES, analytic=False, kinks=JUMPS, differentiable=False)
def f1(p: Tensor, y: Tensor, threshold: Any = 0.5) -> Tensor:
    """2·TP/(2·TP + FP + FN) of each class, the mean over classes (macro), as in `precision`
    (van Rijsbergen 1979)."""
    return _Counts.of(p, y, threshold, "f1").macro("f1", lambda c: (2 * c.hits, c.predicted + c.there))


@op(
    FAMILY,
    example("N: probability", "N: binary"),
    example("N", "N: binary"),
    analytic=False,
    kinks=JUMPS,
    differentiable=False,
)
def auc(p: Tensor, y: Tensor) -> Tensor:
    """The share of pairs of a positive and a negative row whose p stand in this order, ties half (Hanley and
    McNeil 1982): the area under the ROC curve.

    p and binary y are vectors (N,): of classes, give a column, `bp.auc(p[:, 1], y)`. Counted by ranks, as
    Mann and Whitney's U (1947): Σ ranks of positives − P·(P − 1)/2 pairs, of tied rows once with the
    negative ones first, once last. Without rows of both kinds there is no pair, and it is NaN. Raises
    ShapeError: no vectors.
    """
    if p.rank != 1 or y.rank != 1:
        raise _unpaired(p, y, "auc", "give a score and a binary target for each row, both of shape (N,)")
    n, rows = axes(1)[0], p.shape[0]
    positive = formula([n], Guard(">=", y.at(n), HALF), rule="positive rows", hint=Hint("s"), kept=True)
    ones = _count(Sum(positive.at(n), n), "how many are positive")
    halves = []
    for descending in (False, True):
        kind = argsort(y, 0, descending)
        within = formula([n], p.at(kind.at(n)), rule="scores by kind", hint=Hint("s"), kept=True)
        place = kind.at(argsort(within).at(n))
        halves.append(_count(Sum(n * positive.at(place), n), "ranks of positive rows"))
    pairs = sum(halves, sympy.S.Zero) / 2 - ones * (ones - 1) / 2
    return _scalar(pairs / (ones * (rows - ones)), "area under the ROC curve", "auc")


@op(
    FAMILY,
    example("N K: simplex", "N: labels"),
    example("N K: simplex", "N K: distribution"),
    example("N T K", "N T: labels", from_logits=True),
    differentiable=False,
)
def perplexity(p: Tensor, y: Tensor, from_logits: bool = False) -> Tensor:
    """e^cross_entropy(p, y), over all rows with a label: as many equally likely classes surprise as much."""
    surprise = cross_entropy(p, y, from_logits)
    return _scalar(sympy.exp(surprise.at()), "perplexity")


@dataclass(frozen=True)
class _Labelled:
    """One label for each row of p: what p says, whether a row counts, and how many do."""

    lead: tuple[Index, ...]
    label: Tensor
    said: Tensor
    counts: Expr
    count: Expr

    @classmethod
    def of(cls, p: Tensor, y: Tensor, what: str) -> _Labelled:
        """Raises ShapeError: y is neither one label per row of p nor a distribution of p's shape."""
        lead = tuple(axes(p.rank)[: p.rank - 1])
        several = y.rank > 1 or any(fact.kind == "sums to one" for fact in y.facts)  # no row for each number
        if y.rank == p.rank and several and not y.integer:
            label = y.argmax(-1)
        elif y.integer and y.rank == p.rank - 1:
            label = y
        else:
            raise _unpaired(
                p, y, what,
                'give one label per row, bp.labels("y", (N,), classes=K), or targets of the same shape; '
                'what is 0 or 1 is declared: bp.target("y", (N,), "binary")',
            )  # fmt: skip
        ignored = next((fact.ignored for fact in y.facts if fact.ignored is not None), None)
        if ignored is None:
            return cls(lead, label, p.argmax(-1), sympy.S.One, sympy.Mul(*p.shape[:-1]))
        labelled = Guard("!=", label.at(*lead), ignored)
        return cls(lead, label, p.argmax(-1), labelled, _count(Sum(labelled, *lead), "rows with a label"))


@dataclass(frozen=True)
class _Counts:
    """Of each class (along `own`, over `ranges`) how often it is hit, predicted, there."""

    own: tuple[Index, ...]
    ranges: Mapping[Index, Expr]
    hits: Expr
    predicted: Expr
    there: Expr

    @classmethod
    def of(cls, p: Tensor, y: Tensor, threshold: Any, what: str) -> _Counts:
        if _is_binary(p, y):
            every = axes(p.rank)
            own, over = (every[-1:], every[:-1]) if p.rank > 1 else ((), every)
            says = Guard(">=", p.at(*every), constant(threshold, f"{what}'s threshold"))
            holds = Guard(">=", y.at(*every), HALF)
            counts, ranges = sympy.S.One, dict.fromkeys(own, p.shape[-1])
        else:
            rows = _Labelled.of(p, y, what)
            over, own, counts = list(rows.lead), axes(p.rank)[-1:], rows.counts
            says, holds = (Guard("=", t.at(*over), own[0]) for t in (rows.said, rows.label))
            ranges = {own[0]: p.shape[-1]}

        def of_class(body: Expr, rule: str, name: str) -> Expr:
            total = Sum(counts * body, *over) if over else counts * body
            hint = Hint(name, "bare")
            return formula(own, total, rule=rule, ranges=ranges, hint=hint, kept=True).at(*own)

        return cls(
            tuple(own),
            ranges,
            of_class(says * holds, "rows of a class that are found", "tp"),
            of_class(says, "rows said to be of a class", "predicted"),
            of_class(holds, "rows of a class", "there"),
        )

    def macro(self, name: str, share: Callable[[_Counts], tuple[Expr, Expr]]) -> Tensor:
        """The mean over classes of a share, 0 where nothing is shared; over those that there are, in the
        labels or the predictions."""
        part, whole = share(self)
        met = Guard(">", self.predicted + self.there, HALF)
        each = part / (whole + Guard("<", whole, HALF))  # the part of nothing is 0
        if not self.own:
            return _scalar(each, name)
        classes = formula([], Sum(met, *self.own), rule="classes that are met", ranges=self.ranges,
                          hint=Hint("classes", "bare"), kept=True)  # fmt: skip
        return _scalar(Sum(each / classes.at(), *self.own), name, ranges=self.ranges)


def _is_binary(p: Tensor, y: Tensor) -> bool:
    return y.rank == p.rank and (y.integer or any(f.kind == "binary" for f in y.facts))


def _count(total: Expr, rule: str) -> Expr:
    return formula([], total, rule=rule, hint=Hint("count", "bare"), kept=True).at()


def _scalar(body: Expr, rule: str, name: str = "", ranges: Mapping[Index, Expr] | None = None) -> Tensor:
    return formula([], body, rule=rule, hint=Hint(name or rule, "bare"), kept=True, ranges=ranges)


def _unpaired(p: Tensor, y: Tensor, what: str, help: str) -> ShapeError:
    return ShapeError(
        f"{what} can't pair {display(p)} with {display(y)}",
        where=here(),
        details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (p, y)),
        help=help,
    )
