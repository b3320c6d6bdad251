"""What data are like before a unit is asked: near a mean, and smooth as pictures are.

Enters: weights, and the shape of an example. Leaves: a penalty and its gradient, derived as everything is.
Must not know: networks, units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from symbp import ops
from symbp.api import compile as compiled
from symbp.api import derive
from symbp.language import Network, hyper, input
from symbp.language.sizes import dims
from symbp.saliency.response import Array

ROUND = 1e-6  # under the root of a step's length, so that it has a slope where the picture is flat


@dataclass(frozen=True)
class Prior:
    """`decay/2·‖x − mean‖²` and `smooth` times the total variation of x as a picture (rows, columns), with
    anything in front; entries stay between `low` and `high`."""

    mean: Array
    picture: tuple[int, ...]
    decay: float = 0.0
    smooth: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    @cached_property
    def network(self) -> Network:
        """The penalty as a loss of the picture."""
        P, R, C = dims("P R C")
        x, mean = input("x", (P, R, C)), input("mean", (P, R, C))
        decay, smooth = hyper("decay", self.decay), hyper("smooth", self.smooth)
        off = x - mean
        down, along = x[:, 1:, :] - x[:, :-1, :], x[:, :, 1:] - x[:, :, :-1]
        steps = ops.sum(ops.sqrt(down * down + ROUND)) + ops.sum(ops.sqrt(along * along + ROUND))
        penalty = decay / 2 * ops.sum(off * off) + smooth * steps
        return Network("prior", loss=penalty, outputs={"penalty": penalty})

    @cached_property
    def _module(self) -> ModuleType:
        return compiled(derive(self.network, wrt=["x"]))

    def penalty(self, x: Array) -> float:
        """What is taken off an activation."""
        return float(self._module.forward({}, **self._given(x))["penalty"])

    def gradient(self, x: Array) -> Array:
        """The penalty's gradient, shaped as x."""
        found: Array = np.asarray(self._module.derivatives({}, **self._given(x))["x"])
        return found.reshape(x.shape)

    def within(self, x: Array) -> Array:
        """The nearest array whose entries are within the range."""
        return np.clip(x, self.low, self.high)

    def _given(self, x: Array) -> dict[str, Any]:
        shape = (-1, *self.picture[-2:])
        return {"x": x.reshape(shape), "mean": self.mean.reshape(shape)}
