"""Random elements by counting: element e needs no other, so all are computed at once.

Enters: a flat array and the key of its stream. Leaves: the array filled. Must not know: what it is for.
"""

from __future__ import annotations

import numpy as np

from symbp.emit.parts.program import DTYPE, Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BELOW_ONE = np.nextafter(DTYPE(1), DTYPE(0))


def _words(key: int, count: int) -> Array:
    """The outputs 1, 2, … of SplitMix64 started at the key: 64 random bits each."""
    z = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _uniform(words: Array) -> Array:
    """The 52 upper bits as the middle of one of 2**52 intervals between 0 and 1."""
    return np.asarray(((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _draw(out: Array, kind: str, p: float, key: int) -> None:
    """Fills `out` with zeros and ones (1 with probability p), uniform or normal elements."""
    if kind == "bernoulli":
        out[:] = _words(key, out.size) < np.uint64(int(p * 2.0**64))
    elif kind == "uniform":
        out[:] = _uniform(_words(key, out.size))
        np.minimum(out, _BELOW_ONE, out=out)
    else:  # Box and Muller (1958), the cosine of each pair
        u = _uniform(_words(key, 2 * out.size))
        out[:] = np.sqrt(-2 * np.log(u[::2])) * np.cos(2 * np.pi * u[1::2])
