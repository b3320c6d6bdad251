"""What PyTorch says of functions of one element and of gates, with the ops' own option names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
F = torch.nn.functional


def gate(function: Callable[..., Any]) -> Callable[..., Any]:
    def halves(x: Any, axis: int = -1) -> Any:
        a, b = x.chunk(2, axis)
        return function(a) * b

    return halves


def maxout(x: Any, pieces: int = 2) -> Any:
    return x.unflatten(-1, (-1, pieces)).max(-1).values


PLAIN = (
    "exp expm1 log log1p sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc digamma sqrt square "
    "reciprocal abs sign maximum minimum tanh sigmoid floor ceil round atan2 logaddexp xlogy"
)
FUNCTIONAL = (
    "relu relu6 elu selu celu hardtanh hardswish hardshrink softshrink logsigmoid softsign tanhshrink mish "
    "silu leaky_relu gelu"
)
ACTIVATIONS: dict[str, Callable[..., Any]] = (
    {name: getattr(torch, name) for name in PLAIN.split()}
    | {name: getattr(F, name) for name in FUNCTIONAL.split()}
    | {
        "mod": torch.remainder,
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
    }
)
