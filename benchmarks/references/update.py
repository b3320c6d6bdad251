"""Flat parameters, and their update in place: SGD, Adam, AdamW.

Enters: named arrays. Leaves: one flat array with a view for each name, and functions that update it.

Competent because the update is one pass over one flat array in blocks that stay in the cache (`BLOCK`
elements of each operand), with the bias corrections folded into two scalars, and `out=` throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
BLOCK = 1 << 14  # of five operands in float32: 320 KB, inside the second-level cache


class Arena:
    """Named arrays as views of one flat array."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.flat: Array = np.concatenate([np.ravel(a) for a in arrays.values()])
        self.views: dict[str, Array] = {}
        start = 0
        for name, array in arrays.items():
            self.views[name] = self.flat[start : start + array.size].reshape(array.shape)
            start += array.size

    def __getitem__(self, name: str) -> Array:
        return self.views[name]

    def zeros(self) -> Arena:
        """Another arena with the same names and shapes."""
        return Arena({name: np.zeros_like(view) for name, view in self.views.items()})


Update = Callable[[], None]


@dataclass(frozen=True)
class SGD:
    """θ ← θ − lr·g."""

    lr: float

    def bind(self, theta: Array, gradient: Array) -> Update:
        """The update of one flat array by another, both of which stay where they are."""
        scratch = np.empty(min(BLOCK, theta.size), theta.dtype)

        def update() -> None:
            for start in range(0, theta.size, BLOCK):
                block = theta[start : start + BLOCK]
                s = scratch[: block.size]
                np.multiply(gradient[start : start + BLOCK], self.lr, out=s)
                block -= s

        return update


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma, Ba 2015); with `decay` AdamW (Loshchilov and Hutter 2019), θ ← θ − lr·decay·θ first."""

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    decay: float = 0.0

    def bind(self, theta: Array, gradient: Array) -> Update:
        """The update of one flat array by another, both of which stay where they are."""
        m, v = np.zeros_like(theta), np.zeros_like(theta)
        scratch = np.empty(min(BLOCK, theta.size), theta.dtype)
        count = 0

        def update() -> None:
            nonlocal count
            count += 1
            # m̂/(√v̂ + ε) = rate·m/(√v + ε√c₂): the corrections cost two scalars
            root = math.sqrt(1 - self.beta2**count)
            rate, floor = self.lr * root / (1 - self.beta1**count), self.eps * root
            for start in range(0, theta.size, BLOCK):
                part = slice(start, start + BLOCK)
                self._block(theta[part], gradient[part], m[part], v[part], scratch, rate, floor)

        return update

    def _block(
        self, theta: Array, g: Array, m: Array, v: Array, scratch: Array, rate: float, floor: float
    ) -> None:
        s = scratch[: theta.size]
        np.multiply(g, 1 - self.beta1, out=s)
        m *= self.beta1
        m += s
        np.multiply(g, g, out=s)
        s *= 1 - self.beta2
        v *= self.beta2
        v += s
        np.sqrt(v, out=s)
        s += floor
        np.divide(m, s, out=s)
        s *= rate
        if self.decay:
            theta *= 1 - self.lr * self.decay
        theta -= s


Rule = SGD | Adam


class Reference:
    """What all references have; `compute` is the forward and the backward pass."""

    def __init__(self, params: Mapping[str, Array], rule: Rule) -> None:
        self.params = Arena(params)
        self.gradients = self.params.zeros()
        self.update = rule.bind(self.params.flat, self.gradients.flat)

    def __call__(self) -> float:
        loss = self.compute()
        self.update()
        return loss

    def compute(self) -> float:
        """The loss; fills `gradients`."""
        raise NotImplementedError

    def named(self, arena: Arena) -> dict[str, Array]:
        """The arrays under the names of the row; a reference that stores them otherwise overrides this."""
        return arena.views
