"""What PyTorch says of each op: the same function of tensors, with the op's own option names.

`COUNTERPARTS` is built once PyTorch is there; an op that PyTorch lacks is written out in its operators, from
the publication that the op's docstring names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layer_counterparts import layer_counterparts
from random_counterparts import random_counterparts
from sequence_counterparts import sequence_counterparts


def counterparts() -> dict[str, Callable[..., Any]]:
    import torch
    import torch.nn.functional as F

    def mean(reduce: str, each: Any) -> Any:
        return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[reduce]()

    def gate(function: Callable[..., Any]) -> Callable[..., Any]:
        def halves(x: Any, axis: int = -1) -> Any:
            a, b = x.chunk(2, axis)
            return function(a) * b

        return halves

    def maxout(x: Any, pieces: int = 2) -> Any:
        return x.unflatten(-1, (-1, pieces)).max(-1).values

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

    def cumsum(x: Any, axis: int = -1, exclusive: bool = False, reverse: bool = False) -> Any:
        total = x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis)
        return total - x if exclusive else total

    def info_nce(q: Any, k: Any, temperature: float = 0.1, symmetric: bool = False) -> Any:
        z, own = q @ k.T / temperature, torch.arange(len(q))
        loss = F.cross_entropy(z, own)
        return (loss + F.cross_entropy(z.T, own)) / 2 if symmetric else loss

    def pinball(p: Any, y: Any, q: float = 0.5) -> Any:
        return torch.maximum(q * (y - p), (q - 1) * (y - p)).mean()

    def log_cosh(p: Any, y: Any, reduction: str = "mean") -> Any:
        return mean(reduction, (p - y).cosh().log())

    def hinge(score: Any, y: Any, margin: float = 1) -> Any:
        return (margin - y * score).clamp(min=0).mean()

    def kl_normal(m: Any, v: Any) -> Any:
        return ((m**2 + v.exp() - v - 1) / 2).sum(-1).mean()

    def poly_loss(p: Any, y: Any, epsilon: float = 1.0) -> Any:
        own = p.gather(1, y[:, None])[:, 0]
        return (-own.log() + epsilon * (1 - own)).mean()

    def l2_penalty(weight: Any, *parameters: Any) -> Any:
        return weight / 2 * sum((w**2).sum() for w in parameters)

    def reduced(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, axis=None: function(x) if axis is None else function(x, axis)

    def largest(x: Any, axis: int | None = None) -> Any:
        return x.flatten().max(0).values if axis is None else x.max(axis).values

    def selected(name: str) -> Callable[..., Any]:
        return lambda *operands, **options: getattr(F, name)(*operands, **options)

    plain = (
        "exp log sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc digamma sqrt square "
        "reciprocal abs sign maximum minimum tanh sigmoid matmul"
    )
    same = "relu relu6 elu selu celu hardtanh hardswish hardshrink softshrink logsigmoid softsign"
    same += " tanhshrink mish silu leaky_relu prelu gelu"
    own: dict[str, Callable[..., Any]] = {
        "loggamma": torch.lgamma,
        "power": torch.pow,
        "clamp": lambda x, low=None, high=None: torch.clamp(x, low, high),
        "linear": lambda x: x,
        "softplus": lambda x, beta=1: F.softplus(x, beta, threshold=1e9),
        "threshold": lambda x, threshold=0, value=0: F.threshold(x, threshold, value),
        "prelu": lambda x, a: torch.where(x > 0, x, a * x),
        "hardsigmoid": lambda x: F.relu6(x + 3) / 6,  # F.hardsigmoid's 1/6 is a float32
        "squared_relu": lambda x: F.relu(x) ** 2,
        "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
        "snake": lambda x, a=1: x + torch.sin(a * x) ** 2 / a,
        "softmax": lambda z, axis=-1: z.softmax(axis),
        "softmin": lambda z, axis=-1: F.softmin(z, axis),
        "log_softmax": lambda z, axis=-1: z.log_softmax(axis),
        "glu": lambda x, axis=-1: F.glu(x, axis),
        "swiglu": gate(F.silu),
        "geglu": gate(F.gelu),
        "reglu": gate(F.relu),
        "maxout": maxout,
        "flatten": lambda x: x.flatten(1),
        "reshape": lambda x, shape: x.reshape([len(x) if e == "N" else e for e in shape]),
        "permute": lambda x, order: x.permute(order),
        "transpose": lambda x, a=-2, b=-1: x.transpose(a, b),
        "unsqueeze": lambda x, axis: x.unsqueeze(axis),
        "squeeze": lambda x, axis: x.squeeze(axis),
        "expand": lambda x, shape: x.expand([e if isinstance(e, int) else -1 for e in shape]),
        "concat": lambda *xs, axis=-1: torch.cat(xs, axis),
        "stack": lambda *xs, axis=0: torch.stack(xs, axis),
        "pad": lambda x, widths, value=0: F.pad(x, [w for p in widths[::-1] for w in p], value=value),
        "flip": lambda x, axis: x.flip(axis),
        "roll": lambda x, shift, axis: x.roll(shift, axis),
        "tile": lambda x, times, axis: torch.cat([x] * times, axis),
        "repeat": lambda x, times, axis: x.repeat_interleave(times, axis),
        "take": lambda x, at, axis=0: x.index_select(axis, at),
        "pick": lambda x, at: x[torch.arange(len(at)), at],
        "cumsum": cumsum,
        "tril": lambda x, offset=0: x.tril(offset),
        "triu": lambda x, offset=0: x.triu(offset),
        "bilinear": lambda x, y, w, b=None: F.bilinear(x, y, w, b),
        "low_rank": lambda x, a, b: x @ a @ b,
        "outer": torch.outer,
        "einsum": lambda *x, formula: torch.einsum(formula, *x),
        "min": lambda x, axis=None: x.flatten().min(0).values if axis is None else x.min(axis).values,
        "var": lambda x, axis=None, correction=1: torch.var(x, axis, correction=correction),
        "std": lambda x, axis=None, correction=1: torch.std(x, axis, correction=correction),
        "norm": lambda x, axis=None: torch.linalg.vector_norm(x, dim=axis),
        "sum": reduced(torch.sum),
        "mean": reduced(torch.mean),
        "prod": reduced(torch.prod),
        "max": largest,
        "logsumexp": lambda x, axis=-1: torch.logsumexp(x, (0, 1) if axis is None else axis),
        "dense": lambda x, w, b=0: x @ w + b,
        "inverse": torch.linalg.inv,
        "det": torch.linalg.det,
        "logdet": lambda a: torch.linalg.slogdet(a)[1],
        "solve": torch.linalg.solve,
        "cholesky": torch.linalg.cholesky,
        "trace": lambda a: a.diagonal(dim1=-2, dim2=-1).sum(-1),
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
        "nll": selected("nll_loss"),
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
    return (
        {name: getattr(torch, name) for name in plain.split()}
        | {name: getattr(F, name) for name in same.split()}
        | own
        | layer_counterparts()
        | random_counterparts()
        | sequence_counterparts()
    )
