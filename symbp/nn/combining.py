"""Layers made of layers: residual connections, repetition over depth, a flat view.

Enters: layers. Leaves: a layer. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbp.language.repeat import repeat
from symbp.language.sizes import as_size
from symbp.language.tensor import Tensor
from symbp.nn.layers import Layer, check_layers
from symbp.ops.shapes import flatten


@dataclass(frozen=True)
class Flatten:
    """The axes from `start` to `end` as one, row by row."""

    start: int = 1
    end: int = -1

    def __call__(self, x: Tensor) -> Tensor:
        return flatten(x, self.start, self.end)


@dataclass(frozen=True, init=False)
class Residual:
    """x + layers(x) (He et al. 2016): `Residual(LayerNorm(), Dense(64))`."""

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        check_layers(layers)
        object.__setattr__(self, "layers", layers)

    def __call__(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        result: Tensor = x + y
        return result


@dataclass(frozen=True)
class Repeat:
    """The block `count` times, each time with parameters of its own, as one recurrence over the layer index:
    W of the block becomes `W[l,i,j]`, and the text of the equations does not grow with the depth."""

    block: Layer
    count: Any

    def __post_init__(self) -> None:
        check_layers((self.block,))
        as_size(self.count)

    def __call__(self, x: Tensor) -> Tensor:
        return repeat(self.block, x, self.count)
