"""PyTorch's own recurrent layers, with their weights in their own layout; what they lack step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")


def layer(name: str, gates: int, x: Any, w: Any, u: Any, reverse: bool, **more: Any) -> Any:
    module = getattr(torch.nn, name)(x.shape[-1], u.shape[-1], batch_first=True, dtype=x.dtype, **more)
    hidden = u.shape[-1]

    def run(b: Any, c: Any, state: Any) -> Any:
        zeros = x.new_zeros(gates * hidden)
        flat = {
            "weight_ih_l0": w.reshape(-1, gates * hidden).T,
            "weight_hh_l0": u.reshape(-1, gates * hidden).T,
            "bias_ih_l0": zeros if b is None else b.flatten(),
            "bias_hh_l0": zeros if c is None else c.flatten(),
        }
        along = x.flip(1) if reverse else x
        out, _ = torch.func.functional_call(module, flat, (along, state))
        return out.flip(1) if reverse else out

    return run


def many(state: Any, x: Any) -> Any:
    return state.expand(x.shape[0], -1)[None].contiguous()


def rnn(
    x: Any, w: Any, u: Any, b: Any, h: Any = None, nonlinearity: str = "tanh", reverse: bool = False
) -> Any:
    run = layer("RNN", 1, x, w, u, reverse, nonlinearity=nonlinearity)
    return run(b, None, None if h is None else many(h, x))


def lstm(
    x: Any, w: Any, u: Any, b: Any, h: Any = None, c: Any = None, p: Any = None, reverse: bool = False
) -> Any:
    if p is None:
        state = None if h is None else (many(h, x), many(c, x))
        return layer("LSTM", 4, x, w, u, reverse)(b, None, state)
    h, c, states = many(h, x)[0], many(c, x)[0], []
    for step in x.unbind(1):
        i, f, g, o = (torch.einsum("ni,igj->ngj", step, w) + torch.einsum("ni,igj->ngj", h, u) + b).unbind(1)
        c = (f + p[1] * c).sigmoid() * c + (i + p[0] * c).sigmoid() * g.tanh()
        h = (o + p[2] * c).sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states, 1)


def gru(
    x: Any, w: Any, u: Any, b: Any, c: Any, h: Any = None, reset_after: bool = True, reverse: bool = False
) -> Any:
    if reset_after:
        return layer("GRU", 3, x, w, u, reverse)(b, c, None if h is None else many(h, x))
    h, states = many(h, x)[0], []
    for step in x.unbind(1):
        r, z, n = (torch.einsum("ni,igj->ngj", step, w) + b + c).unbind(1)
        r, z = (r + h @ u[:, 0]).sigmoid(), (z + h @ u[:, 1]).sigmoid()
        h = (1 - z) * (n + (r * h) @ u[:, 2]).tanh() + z * h
        states.append(h)
    return torch.stack(states, 1)


RECURRENT: dict[str, Callable[..., Any]] = {"rnn": rnn, "lstm": lstm, "gru": gru}
