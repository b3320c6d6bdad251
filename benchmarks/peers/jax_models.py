"""The rows' forward passes in JAX, as its users would write them; loops over time are scans.

Enters: parameters in the form of `LAYOUTS` and data. Leaves: the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax, nn

from benchmarks.layouts import fused_attention, split

Arrays = dict[str, Any]


def _end(a: Any, data: Arrays) -> Any:
    if "t" in data:
        return jnp.mean((a - data["t"]) ** 2)
    return _cross_entropy(a, data["y"])


def _cross_entropy(a: Any, y: Any) -> Any:
    return -jnp.mean(jnp.take_along_axis(nn.log_softmax(a), y[:, None], 1))


def mlp(p: Arrays, data: Arrays, activation: str = "tanh") -> Any:
    """Dense layers W1, b1, W2, …"""
    act, h, depth = getattr(nn, activation), data["x"], len(p) // 2
    for k in range(1, depth + 1):
        h = h @ p[f"W{k}"] + p[f"b{k}"]
        h = act(h) if k < depth else h
    return _end(h, data)


def stack(p: Arrays, data: Arrays) -> Any:
    """Equal dense layers, then a read-out."""
    h = data["x"]
    for k in range((len(p) - 2) // 2):
        h = jnp.tanh(h @ p[f"W.{k}"] + p[f"b.{k}"])
    return _end(h @ p["V"] + p["c"], data)


def _pooled(x: Any, kernel: Any, offset: Any) -> Any:
    z = lax.conv(x, kernel, (1, 1), "VALID") + offset[:, None, None]
    return lax.reduce_window(nn.relu(z), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def lenet(p: Arrays, data: Arrays) -> Any:
    h = _pooled(_pooled(data["x"], p["K1"], p["c1"]), p["K2"], p["c2"])
    return _end(h.reshape(len(h), -1) @ p["W"] + p["b"], data)


def _flat(p: Arrays, *names: str) -> list[Any]:
    """Gates beside each other in one axis."""
    return [p[name].reshape(len(p[name]) if name in "WU" else 1, -1) for name in names]


def _over_time(cell: Callable[..., Any], start: Any, a: Any, p: Arrays, data: Arrays) -> Any:
    carry, _ = lax.scan(cell, start, jnp.swapaxes(a, 0, 1))
    h = carry[0] if isinstance(carry, tuple) else carry
    return _end(h @ p["V"] + p["o"], data)


def rnn(p: Arrays, data: Arrays) -> Any:
    x = data["x"]
    zero = jnp.zeros((len(x), len(p["U"])), x.dtype)

    def cell(h: Any, a: Any) -> Any:
        return jnp.tanh(a + h @ p["U"]), None

    return _over_time(cell, zero, x @ p["W"] + p["b"], p, data)


def lstm(p: Arrays, data: Arrays) -> Any:
    x, (W, U, b) = data["x"], _flat(p, "W", "U", "b")
    zero = jnp.zeros((len(x), len(U)), x.dtype)

    def cell(carry: Any, a: Any) -> Any:
        h, c = carry
        new, into, keep, out = jnp.split(a + h @ U, 4, 1)
        c = nn.sigmoid(keep) * c + nn.sigmoid(into) * jnp.tanh(new)
        return (nn.sigmoid(out) * jnp.tanh(c), c), None

    return _over_time(cell, (zero, zero), x @ W + b, p, data)


def gru(p: Arrays, data: Arrays) -> Any:
    x, (W, U, b, c) = data["x"], _flat(p, "W", "U", "b", "c")
    zero = jnp.zeros((len(x), len(U)), x.dtype)

    def cell(h: Any, a: Any) -> Any:
        own, last = jnp.split(a, 3, 1), jnp.split(h @ U + c, 3, 1)
        reset, update = nn.sigmoid(own[0] + last[0]), nn.sigmoid(own[1] + last[1])
        new = jnp.tanh(own[2] + reset * last[2])
        return new + update * (h - new), None

    return _over_time(cell, zero, x @ W + b, p, data)


def _norm(x: Any, w: Any, b: Any) -> Any:
    centred = x - jnp.mean(x, -1, keepdims=True)
    return centred * lax.rsqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-5) * w + b


def gpt(p: Arrays, data: Arrays, heads: int = 4) -> Any:
    """Pre-norm blocks; query, key and value as one product."""
    N, T = data["tok"].shape
    h = p["We"][data["tok"]] + p["Wp"]
    causal = jnp.tril(jnp.ones((T, T), bool))
    for k in range(sum(name.startswith("wa.") for name in p)):
        y = _norm(h, p[f"wa.{k}"], p[f"oa.{k}"])
        qkv = (y @ p[f"Wqkv.{k}"] + p[f"bqkv.{k}"]).reshape(N, T, 3, heads, -1)
        q, key, v = qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2]
        scores = jnp.einsum("nthe,nshe->nhts", q, key) / q.shape[-1] ** 0.5
        a = nn.softmax(jnp.where(causal, scores, -jnp.inf))
        o = jnp.einsum("nhts,nshe->nthe", a, v).reshape(N, T, -1)
        h = h + o @ p[f"Wo.{k}"] + p[f"bo.{k}"]
        y = _norm(h, p[f"wb.{k}"], p[f"ob.{k}"])
        h = h + nn.gelu(y @ p[f"W1.{k}"] + p[f"b1.{k}"]) @ p[f"W2.{k}"] + p[f"b2.{k}"]
    y = _norm(h, p["wf_f"], p["of_f"])
    return _cross_entropy((y @ p["We"].T).reshape(N * T, -1), data["y"].reshape(-1))


def residual_mlp(p: Arrays, data: Arrays) -> Any:
    """Blocks of layer norm, dense, GELU, dense around a stream."""
    h = data["x"]
    for k in range(sum(name.startswith("w.") for name in p)):
        y = _norm(h, p[f"w.{k}"], p[f"g.{k}"])
        h = h + nn.gelu(y @ p[f"W.{k}"] + p[f"b.{k}"]) @ p[f"U.{k}"] + p[f"c.{k}"]
    return _end(h @ p["V"] + p["o"], data)


def layernorm(p: Arrays, data: Arrays) -> Any:
    return jnp.vdot(_norm(p["x"], p["w"], p["b"]), data["g"])


def softmax(p: Arrays, data: Arrays) -> Any:
    return jnp.vdot(nn.softmax(p["x"]), data["g"])


def gelu(p: Arrays, data: Arrays) -> Any:
    return jnp.vdot(nn.gelu(p["x"]), data["g"])


def attention(p: Arrays, data: Arrays) -> Any:
    scores = jnp.einsum("nhte,nhse->nhts", p["q"], p["k"]) / p["q"].shape[-1] ** 0.5
    return jnp.vdot(jnp.einsum("nhts,nhse->nhte", nn.softmax(scores), p["v"]), data["g"])


def diagonal_lstm(p: Arrays, data: Arrays) -> Any:
    """Cells whose gates have one weight a unit; GradBench's."""
    w, b, extra = p["weight"], p["bias"], p["extra"]

    def cell(carry: Any, s: Any) -> Any:
        x, following = s * extra[0], []
        for k, (h, c) in enumerate(carry):
            read = jnp.stack((x, h, x, h)) * w[k] + b[k]
            forget, into, out = nn.sigmoid(read[:3])
            c = forget * c + into * jnp.tanh(read[3])
            x = out * jnp.tanh(c)
            following.append((x, c))
        return following, x

    _, tops = lax.scan(cell, list(zip(p["hidden"], p["cell"], strict=True)), data["s"])
    e = tops * extra[1] + extra[2]
    e = e - jnp.log(2 + jnp.exp(e).sum(1, keepdims=True))
    return -jnp.mean(data["after"] * e)


MODELS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        mlp, stack, lenet, rnn, lstm, gru, gpt, residual_mlp, layernorm, softmax, gelu, attention,
        diagonal_lstm,
    )
}  # fmt: skip

LAYOUTS = {
    "stack": split("W", "b"),
    "gpt": fused_attention(4),
    "residual_mlp": split("w", "g", "W", "b", "U", "c"),
}
