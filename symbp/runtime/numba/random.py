"""Random elements by counting: element e needs no other, so any part can be drawn by itself.

Enters: a flat array and the key of its stream. Leaves: the array filled. Must not know: what it is for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array
from symbp.runtime.numba.compiling import _compile, kernel

_GOLDEN, _FIRST = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SECOND, _BELOW_ONE = np.uint64(0x94D049BB133111EB), np.nextafter(DTYPE(1), DTYPE(0))


@kernel
def _word(key: Any, count: int) -> Any:
    """The output `count` of SplitMix64 started at the key: 64 random bits."""
    z = key + np.uint64(count) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@kernel
def _uniform(word: Any) -> float:
    """The 52 upper bits as the middle of one of 2**52 intervals between 0 and 1."""
    return (float(word >> np.uint64(12)) + 0.5) * 2.0**-52


@kernel
def _draw_bernoulli(out: Array, key: Any, threshold: Any) -> None:
    for i in range(len(out)):
        out[i] = _word(key, i + 1) < threshold


@kernel
def _draw_uniform(out: Array, key: Any) -> None:
    for i in range(len(out)):
        out[i] = min(DTYPE(_uniform(_word(key, i + 1))), _BELOW_ONE)


@kernel
def _draw_normal(out: Array, key: Any) -> None:
    """The cosine of each pair, by Box and Muller (1958)."""
    for i in range(len(out)):
        radius, turn = _uniform(_word(key, 2 * i + 1)), _uniform(_word(key, 2 * i + 2))
        out[i] = math.sqrt(-2 * math.log(radius)) * math.cos(2 * math.pi * turn)


@np.errstate(over="ignore")  # 64 bits wrap around, compiled or not
def _draw(out: Array, kind: str, p: float, key: int, kept: dict[Any, Array]) -> None:
    """Fills `out` with zeros and ones (1 with probability p), uniform or normal elements."""
    _compile()
    if kind == "bernoulli":
        _draw_bernoulli(out, np.uint64(key), np.uint64(int(p * 2.0**64)))
    elif kind == "uniform":
        _draw_uniform(out, np.uint64(key))
    else:
        _draw_normal(out, np.uint64(key))
