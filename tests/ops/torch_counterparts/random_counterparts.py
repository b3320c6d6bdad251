"""The random ops in PyTorch's operators, with the random tensor as an argument: PyTorch draws its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def dropout(x: Any, mask: Any, p: float = 0.5, shared: tuple[int, ...] = ()) -> Any:
    for axis in sorted(shared):
        mask = mask.unsqueeze(axis)
    return x * mask / (1 - p)


def alpha_dropout(x: Any, mask: Any, p: float = 0.5) -> Any:
    """Where an element falls to −λα, mean and variance of (0, 1) stay: solved for a and b here."""
    fallen, q = -1.7580993408473766, 1 - p
    mean, variance = p * fallen, q + p * fallen**2 - (p * fallen) ** 2
    return ((x * mask + fallen * (1 - mask)) - mean) / variance**0.5


RANDOM: dict[str, Callable[..., Any]] = {
    "dropout": dropout,
    "alpha_dropout": alpha_dropout,
    "gaussian_noise": lambda x, noise, stddev=0.1: x + stddev * noise,
}
