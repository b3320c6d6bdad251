"""What PyTorch says of losses; one that it lacks is written in its operators, from the publication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
F = torch.nn.functional


def mean(reduce: str, each: Any) -> Any:
    return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[reduce]()


def cross_entropy(
    p: Any,
    y: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    z = p if from_logits else p.log()
    if y.is_floating_point():
        return -(y * (z.log_softmax(-1) if from_logits else z)).sum(-1).mean()
    if not from_logits:
        return F.nll_loss(z, y)
    options: dict[str, Any] = {"label_smoothing": label_smoothing, "ignore_index": ignore_index}
    return F.cross_entropy(z.flatten(0, -2), y.flatten(), reduction=reduction, **options)


def nll(z: Any, y: Any, *weight: Any, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Where PyTorch differentiates by the weights of classes, too."""
    if not weight:
        return F.nll_loss(z, y, reduction=reduction)
    rows = y != ignore_index
    own = weight[0][y] * rows
    return -(own * z[torch.arange(len(y)), y]).sum() / own.sum()


def binary_cross_entropy(
    p: Any, y: Any, from_logits: bool = False, pos_weight: float = 1.0, reduction: str = "mean"
) -> Any:
    if from_logits:
        weight = torch.tensor(float(pos_weight), dtype=p.dtype)
        return F.binary_cross_entropy_with_logits(p, y, pos_weight=weight, reduction=reduction)
    return F.binary_cross_entropy(p, y, reduction=reduction)


def focal(z: Any, y: Any, gamma: float = 2, alpha: float | None = 0.25, reduction: str = "mean") -> Any:
    p = z.sigmoid()
    p_t = p * y + (1 - p) * (1 - y)
    each = -((1 - p_t) ** gamma) * p_t.log()
    if alpha is not None:
        each = (alpha * y + (1 - alpha) * (1 - y)) * each
    return mean(reduction, each)


def tversky(p: Any, y: Any, alpha: float = 0.5, beta: float = 0.5, smooth: float = 1) -> Any:
    tp, fp, fn = (p * y).sum(-1), (p * (1 - y)).sum(-1), ((1 - p) * y).sum(-1)
    return (1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)).mean()


def dice(p: Any, y: Any, smooth: float = 1) -> Any:
    return (1 - (2 * (p * y).sum(-1) + smooth) / (p.sum(-1) + y.sum(-1) + smooth)).mean()


def info_nce(q: Any, k: Any, temperature: float = 0.1, symmetric: bool = False) -> Any:
    z, own = q @ k.T / temperature, torch.arange(len(q))
    loss = F.cross_entropy(z, own)
    return (loss + F.cross_entropy(z.T, own)) / 2 if symmetric else loss


def pinball(p: Any, y: Any, q: float = 0.5) -> Any:
    return torch.where(y >= p, q * (y - p), (q - 1) * (y - p)).mean()


def log_cosh(p: Any, y: Any, reduction: str = "mean") -> Any:
    return mean(reduction, (p - y).cosh().log())


def hinge(score: Any, y: Any, margin: float = 1) -> Any:
    return F.relu(margin - y * score).mean()


def kl_normal(m: Any, v: Any) -> Any:
    return ((m**2 + v.exp() - v - 1) / 2).sum(-1).mean()


def poly_loss(p: Any, y: Any, epsilon: float = 1.0) -> Any:
    own = p.gather(1, y[:, None])[:, 0]
    return (-own.log() + epsilon * (1 - own)).mean()


def l2_penalty(weight: Any, *parameters: Any) -> Any:
    return weight / 2 * sum((w**2).sum() for w in parameters)


def selected(name: str) -> Callable[..., Any]:
    return lambda *operands, **options: getattr(F, name)(*operands, **options)


LOSSES: dict[str, Callable[..., Any]] = {
    "mse": selected("mse_loss"),
    "mae": selected("l1_loss"),
    "huber": selected("huber_loss"),
    "smooth_l1": selected("smooth_l1_loss"),
    "log_cosh": log_cosh,
    "pinball": pinball,
    "poisson_nll": lambda x, y, log_input=True: F.poisson_nll_loss(x, y, log_input, eps=0),
    "gaussian_nll": lambda m, y, v, full=False: F.gaussian_nll_loss(m, y, v, full=full),
    "kl_normal": kl_normal,
    "cross_entropy": cross_entropy,
    "nll": nll,
    "binary_cross_entropy": binary_cross_entropy,
    "focal": focal,
    "kl_div": lambda q, p, reduction="batchmean": F.kl_div(q, p, reduction=reduction),
    "hinge": hinge,
    "squared_hinge": lambda s, y: ((1 - y * s).clamp(min=0) ** 2).mean(),
    "multi_margin": selected("multi_margin_loss"),
    "multilabel_soft_margin": selected("multilabel_soft_margin_loss"),
    "poly_loss": poly_loss,
    "tversky": tversky,
    "dice": dice,
    "jaccard": lambda p, y: tversky(p, y, 1, 1),
    "cosine_similarity": lambda a, b, axis=-1: F.cosine_similarity(a, b, axis),
    "cosine_distance": lambda a, b: (1 - F.cosine_similarity(a, b, -1)).mean(),
    "cosine_embedding": selected("cosine_embedding_loss"),
    "pairwise_distance": selected("pairwise_distance"),
    "triplet": lambda *x, swap=False: F.triplet_margin_loss(*x, swap=swap),
    "margin_ranking": selected("margin_ranking_loss"),
    "hinge_embedding": selected("hinge_embedding_loss"),
    "info_nce": info_nce,
    "l2_penalty": l2_penalty,
}
