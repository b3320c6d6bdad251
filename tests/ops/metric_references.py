"""Metrics from their definitions, counted one by one: what each metric of the registry is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def by_class(p: Any, y: Any) -> list[tuple[Any, Any]]:
    """(rows said to be of a class, rows of it) for each class, as arrays of truth values."""
    if p.shape == y.shape and set(np.unique(y)) <= {0.0, 1.0}:
        columns = [(p, y)] if p.ndim == 1 else [(p[..., k], y[..., k]) for k in range(p.shape[-1])]
        return [((said >= 0.5).ravel(), (true == 1).ravel()) for said, true in columns]
    label = (y if y.ndim < p.ndim else y.argmax(-1)).ravel()
    said = p.argmax(-1).ravel()
    return [(said == k, label == k) for k in range(p.shape[-1])]


def macro(share: Callable[[int, int, int], float]) -> Callable[..., float]:
    """The mean over the classes that there are, in the labels or the predictions, of a share of (TP, FP, FN):
    0 where it divides by 0, as scikit-learn's f1_score(average="macro", zero_division=0)."""

    def metric(p: Any, y: Any) -> float:
        shares = []
        for said, true in by_class(p, y):
            tp = sum(s and t for s, t in zip(said, true, strict=True))
            fp = sum(s and not t for s, t in zip(said, true, strict=True))
            fn = sum(t and not s for s, t in zip(said, true, strict=True))
            if tp + fp + fn:
                shares.append(share(tp, fp, fn))
        return float(np.mean(shares)) if shares else 0.0

    return metric


precision = macro(lambda tp, fp, _: tp / (tp + fp) if tp + fp else 0.0)
recall = macro(lambda tp, _, fn: tp / (tp + fn) if tp + fn else 0.0)
f1 = macro(lambda tp, fp, fn: 2 * tp / (2 * tp + fp + fn))


def auc(p: Any, y: Any) -> float:
    """All pairs of a positive and a negative row, one by one (Hanley and McNeil 1982, section III)."""
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    return float(np.mean(pairs))


def top_k_accuracy(p: Any, y: Any, k: int = 5) -> float:
    rows, labels = p.reshape(-1, p.shape[-1]), y.ravel()
    found = [t in np.argsort(-row, kind="stable")[:k] for row, t in zip(rows, labels, strict=True)]
    return float(np.mean(found))


def perplexity(p: Any, y: Any, from_logits: bool = False) -> float:
    """The geometric mean of the reciprocals of the labels' probabilities, or of the targets' (by its log)."""
    q = np.exp(p) / np.exp(p).sum(-1, keepdims=True) if from_logits else p
    if y.ndim == p.ndim:
        return float(np.prod((1 / q) ** y) ** (1 / len(q)))
    chosen = np.take_along_axis(q, y[..., None], -1)
    return float(np.prod(1 / chosen) ** (1 / chosen.size))


def rmse(prediction: Any, target: Any) -> float:
    return float(np.linalg.norm(prediction - target) / np.sqrt(target.size))


def r2(prediction: Any, target: Any) -> float:
    """1 − residual variance/variance, with the residuals' mean square (Wright 1921), by column."""
    return float(np.mean(1 - ((target - prediction) ** 2).mean(0) / target.var(0)))


METRICS: dict[str, Callable[..., float]] = {
    "precision": precision, "recall": recall, "f1": f1, "auc": auc, "top_k_accuracy": top_k_accuracy,
    "perplexity": perplexity, "rmse": rmse, "r2": r2,
}  # fmt: skip
