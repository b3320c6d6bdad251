"""What PyTorch says of the ops that layers are made of: windows, norms, attention, embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
F = torch.nn.functional


def each(names: str) -> dict[str, Callable[..., Any]]:
    return {name: getattr(F, name) for name in names.split()}


def whole(reduce: str) -> Callable[..., Any]:
    return lambda x, keepdim=False: getattr(torch, reduce)(x, tuple(range(2, x.ndim)), keepdim=keepdim)


def global_max(x: Any, keepdim: bool = False) -> Any:
    largest = F.adaptive_max_pool1d(x.flatten(2), 1)
    return largest.reshape(*x.shape[:2], *[1] * (x.ndim - 2)) if keepdim else largest[..., 0]


def alibi(num_heads: int, length: int, keys: int | None = None) -> Any:
    slope = 2.0 ** (-8 * torch.arange(1, num_heads + 1, dtype=torch.float64) / num_heads)
    t, s = torch.arange(length)[:, None], torch.arange(keys or length)
    return slope[:, None, None] * (s - t)


def attention(q: Any, k: Any, v: Any, *mask: Any, softcap: float | None = None, **options: Any) -> Any:
    if softcap is None:
        return F.scaled_dot_product_attention(q, k, v, *mask, **options)
    assert options == {"is_causal": True}
    scores = q @ k.mT / q.shape[-1] ** 0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return (softcap * (scores / softcap).tanh()).masked_fill(later, -torch.inf).softmax(-1) @ v


def layer_norm(x: Any, *scale: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    shape = x.shape[1:] if axis == (1, 2) else x.shape[-1:]
    return F.layer_norm(x, shape, *scale, eps=eps)


def weight_norm(v: Any, g: Any, axis: int = 0) -> Any:
    return torch._weight_norm(v, g.unsqueeze(1 - axis), axis)


def rotary(x: Any, base: float = 10000, interleaved: bool = False, offset: int = 0) -> Any:
    """As complex numbers, each turned by its angle."""
    *_, steps, width = x.shape
    frequency = float(base) ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = (torch.arange(steps, dtype=torch.float64) + offset)[:, None] * frequency
    pairs = x.unflatten(-1, (-1, 2)) if interleaved else x.unflatten(-1, (2, -1)).transpose(-1, -2)
    turned = torch.view_as_real(
        torch.view_as_complex(pairs.contiguous()) * torch.polar(torch.ones_like(angle), angle)
    )
    return (turned if interleaved else turned.transpose(-1, -2)).flatten(-2)


def sinusoidal(length: int, width: int, base: float = 10000) -> Any:
    t, d = torch.arange(length, dtype=torch.float64)[:, None], torch.arange(width)
    angle = t * float(base) ** (-(d - d % 2) / width)
    return torch.where(d % 2 == 0, angle.sin(), angle.cos())


def embedding(tokens: Any, weight: Any, padding_idx: int | None = None) -> Any:
    rows = F.embedding(tokens, weight)
    return rows if padding_idx is None else rows * (tokens != padding_idx)[..., None]


LAYERS: dict[str, Callable[..., Any]] = each(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d "
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
    "lp_pool1d lp_pool2d lp_pool3d interpolate pixel_shuffle pixel_unshuffle "
    "local_response_norm"
) | {
    "global_avg_pool": whole("mean"),
    "global_max_pool": global_max,
    "alibi_bias": alibi,
    "split_heads": lambda x, heads: x.unflatten(-1, (heads, -1)).transpose(-2, -3),
    "merge_heads": lambda x: x.transpose(-2, -3).flatten(-2),
    "scaled_dot_product_attention": attention,
    "embedding": embedding,
    "sinusoidal_positions": sinusoidal,
    "rotary": rotary,
    "layer_norm": layer_norm,
    "rms_norm": lambda x, *w, eps=1e-6: F.rms_norm(x, x.shape[-1:], *w, eps=eps),
    "batch_norm": lambda x, *wb, eps=1e-5: F.batch_norm(x, None, None, *wb, training=True, eps=eps),
    "instance_norm": lambda x, *wb, eps=1e-5: F.instance_norm(x, None, None, *wb, eps=eps),
    "group_norm": lambda x, *wb, num_groups, eps=1e-5: F.group_norm(x, num_groups, *wb, eps=eps),
    "weight_norm": weight_norm,
    "l2_normalize": lambda x, axis=-1, eps=1e-12: F.normalize(x, dim=axis, eps=eps),
}
