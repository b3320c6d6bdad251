"""Random tensors: how their elements are distributed, and the generator that gives them, as a reference.

Enters: a seed, a step, the number of a tensor, its shape. Leaves: its elements, a pure function of these.
Must not know: networks, targets.

The generator counts instead of remembering: element e of a tensor is the (e + 1)-th output of SplitMix64
(Steele, Lea and Flood 2014, figure 17) started at a key that is mixed from seed, step and tensor. So any part
of a tensor can be drawn by itself, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15  # 2⁶⁴/φ, odd
MASK = 2**64 - 1

Kind = Literal["bernoulli", "uniform", "normal"]


@dataclass(frozen=True)
class Draw:
    """How each element is drawn, all independent: `bernoulli` is 1 with probability `p`, else 0; `uniform`
    lies between 0 and 1, never at either; `normal` has mean 0 and variance 1."""

    kind: Kind
    p: float = 0.5

    def __str__(self) -> str:
        return f"bernoulli({self.p:g})" if self.kind == "bernoulli" else self.kind


def mixed(z: int) -> int:
    """SplitMix64's bijection of 64 bits."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def key(seed: int, step: int, tensor: int) -> int:
    """Where the stream of one tensor in one step starts."""
    start = 0
    for part in (seed, step, tensor):
        start = mixed((start + part + GOLDEN) & MASK)
    return start


def word(start: int, counter: int) -> int:
    """64 random bits."""
    return mixed((start + (counter + 1) * GOLDEN) & MASK)


def uniform(bits: int) -> float:
    """The 52 upper bits as the middle of one of 2⁵² intervals between 0 and 1."""
    return ((bits >> 12) + 0.5) * 2.0**-52


def element(draw: Draw, start: int, counter: int) -> float:
    """One element. A normal one is Box and Muller's cosine of two words (1958)."""
    if draw.kind == "bernoulli":
        return float(word(start, counter) < threshold(draw.p))
    if draw.kind == "uniform":
        return uniform(word(start, counter))
    radius, turn = uniform(word(start, 2 * counter)), uniform(word(start, 2 * counter + 1))
    return math.sqrt(-2 * math.log(radius)) * math.cos(2 * math.pi * turn)


def threshold(p: float) -> int:
    """A word below it occurs with probability p, 0 < p < 1."""
    return int(p * 2.0**64)


def drawn(
    draws: Mapping[str, Draw], shapes: Mapping[str, Sequence[int]], *, seed: int = 0, step: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Every random tensor of a system at one step; their order numbers them, from 0."""
    found = {}
    for number, (name, draw) in enumerate(draws.items()):
        start, shape = key(seed, step, number), tuple(shapes[name])
        elements = [element(draw, start, counter) for counter in range(math.prod(shape))]
        found[name] = np.array(elements).reshape(shape)
    return found
