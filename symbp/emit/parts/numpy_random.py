"""Random elements by counting: element e needs no other, so all are computed at once.

Enters: a flat array and the key of its stream. Leaves: the array filled. Must not know: what it is for.
"""

from __future__ import annotations

import numpy as np

from symbp.emit.parts.program import DTYPE, Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BELOW_ONE = np.nextafter(DTYPE(1), DTYPE(0))


_AT_ONCE = 16384  # elements drawn at a time: what is between stays in the cache, and small


def _words(key: int, first: int, count: int) -> Array:
    """The outputs `first` + 1, `first` + 2, … of SplitMix64 started at the key: 64 random bits each."""
    z = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    z *= _GOLDEN
    z += np.uint64(key)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def _uniform(words: Array) -> Array:
    """The 52 upper bits as the middle of one of 2**52 intervals between 0 and 1."""
    u = (words >> np.uint64(12)).astype(np.float64)
    u += 0.5
    u *= 2.0**-52
    return u


def _draw(out: Array, kind: str, p: float, key: int) -> None:
    """Fills `out` with zeros and ones (1 with probability p), uniform or normal elements."""
    for start in range(0, out.size, _AT_ONCE):
        _draw_some(out[start : start + _AT_ONCE], start, kind, p, key)


def _draw_some(out: Array, first: int, kind: str, p: float, key: int) -> None:
    """Fills `out` with elements `first`, `first` + 1, … of a random tensor."""
    if kind == "bernoulli":
        out[:] = _words(key, first, out.size) < np.uint64(int(p * 2.0**64))
    elif kind == "uniform":
        np.minimum(_uniform(_words(key, first, out.size)), _BELOW_ONE, out=out)
    else:  # Box and Muller (1958), the cosine of each pair
        u = _uniform(_words(key, 2 * first, 2 * out.size))
        np.multiply(np.sqrt(-2 * np.log(u[::2])), np.cos(2 * np.pi * u[1::2]), out=out)
