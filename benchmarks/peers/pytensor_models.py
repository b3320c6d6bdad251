"""Rows' forward passes in PyTensor, as its users would write them; loops over time are scans.

Enters: parameters in the form of `LAYOUTS` and data. Leaves: the loss. Rows without an entry aren't tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor import scan

from benchmarks.layouts import split

Arrays = dict[str, Any]


def _end(a: Any, data: Arrays) -> Any:
    if "t" in data:
        return pt.mean((a - data["t"]) ** 2)
    log_p = pt.special.log_softmax(a, axis=1)
    return -pt.mean(log_p[pt.arange(a.shape[0]), data["y"]])


def mlp(p: Arrays, data: Arrays, activation: str = "tanh") -> Any:
    """Dense layers W1, b1, W2, …"""
    h, depth = data["x"], len(p) // 2
    for k in range(1, depth + 1):
        h = h @ p[f"W{k}"] + p[f"b{k}"]
        if k < depth:
            h = pt.tanh(h) if activation == "tanh" else pt.maximum(h, 0)
    return _end(h, data)


def stack(p: Arrays, data: Arrays) -> Any:
    """Equal dense layers, then a read-out."""
    h = data["x"]
    for k in range((len(p) - 2) // 2):
        h = pt.tanh(h @ p[f"W.{k}"] + p[f"b.{k}"])
    return _end(h @ p["V"] + p["c"], data)


def _matrices(p: Arrays, gates: int) -> tuple[Any, Any, Any]:
    """W, U, b with all gates beside each other."""
    H = p["U"].shape[0]
    return p["W"].reshape((-1, gates * H)), p["U"].reshape((-1, gates * H)), p["b"].reshape((gates * H,))


def _last(states: Any, p: Arrays, data: Arrays) -> Any:
    return _end(states[-1] @ p["V"] + p["o"], data)


def _zero(data: Arrays, p: Arrays) -> Any:
    return pt.zeros((data["x"].shape[0], p["U"].shape[0]), dtype=data["x"].dtype)


def rnn(p: Arrays, data: Arrays) -> Any:
    a = (data["x"] @ p["W"] + p["b"]).swapaxes(0, 1)
    states = scan(
        lambda a, h, U: pt.tanh(a + h @ U), a, _zero(data, p), [p["U"]], strict=True, return_updates=False
    )
    return _last(states, p, data)


def lstm(p: Arrays, data: Arrays) -> Any:
    W, U, b = _matrices(p, 4)
    H = p["U"].shape[0]

    def cell(a: Any, h: Any, c: Any, U: Any) -> Any:
        z = a + h @ U
        new, into, keep, out = (z[:, k * H : (k + 1) * H] for k in range(4))
        c = pt.sigmoid(keep) * c + pt.sigmoid(into) * pt.tanh(new)
        return pt.sigmoid(out) * pt.tanh(c), c

    a, zero = (data["x"] @ W + b).swapaxes(0, 1), _zero(data, p)
    states, _ = scan(cell, a, [zero, zero], [U], return_updates=False)
    return _last(states, p, data)


def gru(p: Arrays, data: Arrays) -> Any:
    W, U, b = _matrices(p, 3)
    H = p["U"].shape[0]
    offset = p["c"].reshape((3 * H,))

    def cell(a: Any, h: Any, U: Any, offset: Any) -> Any:
        last = h @ U + offset
        reset = pt.sigmoid(a[:, :H] + last[:, :H])
        update = pt.sigmoid(a[:, H : 2 * H] + last[:, H : 2 * H])
        new = pt.tanh(a[:, 2 * H :] + reset * last[:, 2 * H :])
        return new + update * (h - new)

    a = (data["x"] @ W + b).swapaxes(0, 1)
    return _last(scan(cell, a, _zero(data, p), [U, offset], return_updates=False), p, data)


def _norm(x: Any, w: Any, b: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / pt.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * w + b


def _gelu(z: Any) -> Any:
    return 0.5 * z * (1 + pt.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def residual_mlp(p: Arrays, data: Arrays) -> Any:
    """Blocks of layer norm, dense, GELU, dense around a stream."""
    h = data["x"]
    for k in range(sum(name.startswith("w.") for name in p)):
        y = _norm(h, p[f"w.{k}"], p[f"g.{k}"])
        h = h + _gelu(y @ p[f"W.{k}"] + p[f"b.{k}"]) @ p[f"U.{k}"] + p[f"c.{k}"]
    return _end(h @ p["V"] + p["o"], data)


def layernorm(p: Arrays, data: Arrays) -> Any:
    return pt.sum(_norm(p["x"], p["w"], p["b"]) * data["g"])


def softmax(p: Arrays, data: Arrays) -> Any:
    return pt.sum(pt.special.softmax(p["x"], axis=1) * data["g"])


def gelu(p: Arrays, data: Arrays) -> Any:
    return pt.sum(_gelu(p["x"]) * data["g"])


def attention(p: Arrays, data: Arrays) -> Any:
    scores = p["q"] @ p["k"].swapaxes(-1, -2) / pt.sqrt(p["q"].shape[-1]).astype(p["q"].dtype)
    return pt.sum(pt.special.softmax(scores, axis=-1) @ p["v"] * data["g"])


MODELS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (mlp, stack, rnn, lstm, gru, residual_mlp, layernorm, softmax, gelu, attention)
}

LAYOUTS = {"stack": split("W", "b"), "residual_mlp": split("w", "g", "W", "b", "U", "c")}
