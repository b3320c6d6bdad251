"""Random nets, each declared twice: with symbp, and by hand in PyTorch for comparison.

Together the nets use every activation and every loss; depth is 1 to 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import symbp as bp

ACTIVATIONS: dict[str, tuple[Callable[..., Any], bool]] = {  # op, and whether it is analytic
    "tanh": (bp.tanh, True),
    "sigmoid": (bp.sigmoid, True),
    "softplus": (bp.softplus, True),
    "gelu": (bp.gelu, True),
    "gelu_tanh": (lambda x: bp.gelu(x, approximate="tanh"), True),
    "silu": (bp.silu, True),
    "relu": (bp.relu, False),
    "leaky_relu": (bp.leaky_relu, False),
    "sin": (bp.sin, True),
    "atan": (bp.atan, True),
    "softmax": (bp.softmax, True),
    "log_softmax": (bp.log_softmax, True),
}

LOSSES = (
    "cross_entropy",
    "cross_entropy_distribution",
    "cross_entropy_logits",
    "cross_entropy_logits_distribution",
    "binary_cross_entropy",
    "binary_cross_entropy_logits",
    "mse",
    "logsumexp",
)


@dataclass(frozen=True)
class Spec:
    """Widths from the input to the last layer, an activation for each hidden layer, a loss, a penalty."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    penalty: float

    @property
    def analytic(self) -> bool:
        return all(ACTIVATIONS[name][1] for name in self.activations)


def specs(count: int = 20, seed: int = 0) -> list[Spec]:
    """The nets; activations and losses are dealt in turn, so that each occurs."""
    rng = np.random.default_rng(seed)
    names, dealt = list(ACTIVATIONS), 0
    found = []
    for number in range(count):
        depth = number % 6 + 1
        widths = tuple(int(w) for w in rng.integers(2, 7, depth + 1))
        chosen = tuple(names[(dealt + k) % len(names)] for k in range(depth - 1))
        dealt += depth - 1
        penalty = 0.01 if number % 3 == 0 else 0.0
        found.append(Spec(widths, chosen, LOSSES[number % len(LOSSES)], penalty))
    return found


def declare(spec: Spec) -> bp.Network:
    """The net in symbp, with plain integers as widths."""
    n = bp.dim("N")
    last = spec.widths[-1]
    h = bp.input("x", (n, spec.widths[0]))
    weights = []
    for layer, (wide, width) in enumerate(pairwise(spec.widths), start=1):
        w, b = bp.param(f"W{layer}", (wide, width)), bp.param(f"b{layer}", (width,))
        weights.append(w)
        h = h @ w + b
        if layer <= len(spec.activations):
            h = ACTIVATIONS[spec.activations[layer - 1]][0](h)
    loss = _loss(spec, h, n, last)
    if spec.penalty:
        loss = loss + bp.l2_penalty(spec.penalty, *weights)
    return bp.Network("random_net", loss=loss)


def _loss(spec: Spec, z: Any, n: Any, last: int) -> Any:
    if spec.loss in ("cross_entropy", "cross_entropy_logits"):
        y = bp.labels("y", (n,), classes=last)
    elif spec.loss.endswith("distribution"):
        y = bp.target("y", (n, last), facts="sums to one")
    elif spec.loss.startswith("binary"):
        y = bp.target("y", (n, last), facts="binary")
    else:
        y = bp.target("y", (n, last))
    if spec.loss.startswith("cross_entropy"):
        logits = "logits" in spec.loss
        return bp.cross_entropy(z if logits else bp.softmax(z), y, from_logits=logits)
    if spec.loss.startswith("binary"):
        logits = "logits" in spec.loss
        return bp.binary_cross_entropy(z if logits else bp.sigmoid(z), y, from_logits=logits)
    if spec.loss == "mse":
        return bp.mse(z, y)
    return bp.mean(bp.logsumexp(z) * bp.sum(y, axis=-1))


def torch_gradients(spec: Spec, values: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """The gradients of the same net by PyTorch's autograd, from its own layers and losses."""
    import torch
    from torch.nn import functional as F

    functions: dict[str, Callable[[Any], Any]] = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "softplus": lambda x: F.softplus(x, threshold=1e9),
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "relu": torch.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
        "sin": torch.sin,
        "atan": torch.atan,
        "softmax": lambda x: torch.softmax(x, -1),
        "log_softmax": lambda x: torch.log_softmax(x, -1),
    }
    tensors = {name: torch.tensor(value, requires_grad=name[0] in "Wb") for name, value in values.items()}
    h, y = tensors["x"], tensors["y"]
    depth = len(spec.widths) - 1
    for layer in range(1, depth + 1):
        h = h @ tensors[f"W{layer}"] + tensors[f"b{layer}"]
        if layer <= len(spec.activations):
            h = functions[spec.activations[layer - 1]](h)
    loss = {
        "cross_entropy": lambda: F.cross_entropy(h, y),
        "cross_entropy_distribution": lambda: F.cross_entropy(h, y),
        "cross_entropy_logits": lambda: F.cross_entropy(h, y),
        "cross_entropy_logits_distribution": lambda: F.cross_entropy(h, y),
        "binary_cross_entropy": lambda: F.binary_cross_entropy(torch.sigmoid(h), y),
        "binary_cross_entropy_logits": lambda: F.binary_cross_entropy_with_logits(h, y),
        "mse": lambda: F.mse_loss(h, y),
        "logsumexp": lambda: (torch.logsumexp(h, -1) * y.sum(-1)).mean(),
    }[spec.loss]()
    for layer in range(1, depth + 1):
        loss = loss + spec.penalty / 2 * (tensors[f"W{layer}"] ** 2).sum()
    loss.backward()
    return {name: t.grad.numpy() for name, t in tensors.items() if t.grad is not None}
