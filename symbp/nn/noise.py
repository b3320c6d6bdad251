"""Layers that disturb what passes, in training only.

Enters: tensors. Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.ops import random


@dataclass(frozen=True)
class Dropout(Positional):
    """Elements are 0 with probability `p`, the others scaled by 1/(1 − p); along the axes `shared` all have
    one fate. The identity at inference."""

    p: float = 0.5
    shared: tuple[int, ...] = ()

    clear = 1
    torch = ("p",)

    def __call__(self, x: Tensor) -> Tensor:
        return random.dropout(x, self.p, self.shared)


@dataclass(frozen=True)
class AlphaDropout(Positional):
    """Dropout for networks of selu: what is dropped saturates, mean and variance stay."""

    p: float = 0.5

    clear = 1
    torch = ("p",)

    def __call__(self, x: Tensor) -> Tensor:
        return random.alpha_dropout(x, self.p)


@dataclass(frozen=True)
class GaussianNoise(Positional):
    """Normal noise of the given standard deviation added."""

    stddev: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        return random.gaussian_noise(x, self.stddev)
