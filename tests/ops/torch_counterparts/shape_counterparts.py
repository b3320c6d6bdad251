"""What PyTorch says of views, products, reductions and linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
F = torch.nn.functional


def cumsum(x: Any, axis: int = -1, exclusive: bool = False, reverse: bool = False) -> Any:
    total = x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis)
    return total - x if exclusive else total


def reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, **more: function(x) if axis is None else function(x, axis, **more)


def extreme(name: str) -> Callable[..., Any]:
    """`max` or `min`, of which PyTorch splits a tie unless it is given one axis."""

    def function(x: Any, axis: int | None = None, **more: Any) -> Any:
        flat = x.flatten() if axis is None else x
        return getattr(flat, name)(0 if axis is None else axis, **more).values

    return function


SHAPES: dict[str, Callable[..., Any]] = {
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
    "cumprod": lambda x, axis=-1, reverse=False: (
        x.flip(axis).cumprod(axis).flip(axis) if reverse else x.cumprod(axis)
    ),
    "diag": lambda x, offset=0: x.diag(offset),
    "tril": lambda x, offset=0: x.tril(offset),
    "triu": lambda x, offset=0: x.triu(offset),
    "bilinear": lambda x, y, w, b=None: F.bilinear(x, y, w, b),
    "low_rank": lambda x, a, b: x @ a @ b,
    "matmul": torch.matmul,
    "outer": torch.outer,
    "einsum": lambda *x, formula: torch.einsum(formula, *x),
    "min": extreme("min"),
    "var": lambda x, axis=None, correction=1, keepdims=False: torch.var(
        x, axis, correction=correction, keepdim=keepdims
    ),
    "std": lambda x, axis=None, correction=1, keepdims=False: torch.std(
        x, axis, correction=correction, keepdim=keepdims
    ),
    "norm": lambda x, axis=None, keepdims=False: torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims),
    "sum": reduced(torch.sum),
    "mean": reduced(torch.mean),
    "prod": reduced(torch.prod),
    "max": extreme("max"),
    "logsumexp": lambda x, axis=-1, keepdims=False: torch.logsumexp(
        x, (0, 1) if axis is None else axis, keepdim=keepdims
    ),
    "sort": lambda x, axis=-1, descending=False: (
        torch.sort(x, dim=axis, descending=descending, stable=True).values
    ),
    "median": lambda x, axis=-1: torch.quantile(x, 0.5, axis),
    "quantile": lambda x, q, axis=-1: torch.quantile(x, q, axis),
    "dense": lambda x, w, b=0: x @ w + b,
    "inverse": torch.linalg.inv,
    "det": torch.linalg.det,
    "logdet": lambda a: torch.linalg.slogdet(a)[1],
    "solve": torch.linalg.solve,
    "cholesky": torch.linalg.cholesky,
    "eigvalsh": lambda a: torch.linalg.eigvalsh((a + a.mT) / 2),
    "svdvals": torch.linalg.svdvals,
    "trace": lambda a: a.diagonal(dim1=-2, dim2=-1).sum(-1),
}
