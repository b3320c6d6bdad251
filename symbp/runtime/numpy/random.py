"""Random elements by counting: element e needs no other, so all are computed at once.

Enters: a flat array and the key of its stream. Leaves: the array filled. Must not know: what it is for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BELOW_ONE = np.nextafter(DTYPE(1), DTYPE(0))
_AT_ONCE = 16384  # elements drawn at a time: what is between stays in the cache, and small


def _words(key: int, first: int, between: Array) -> Array:
    """The outputs `first` + 1, `first` + 2, … of SplitMix64 started at the key: 64 random bits each."""
    z: Array
    counted, z, shifted = between
    np.add(counted, np.uint64(first + 1), out=z)
    np.multiply(z, _GOLDEN, out=z)
    np.add(z, np.uint64(key), out=z)
    for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        np.right_shift(z, np.uint64(bits), out=shifted)
        np.bitwise_xor(z, shifted, out=z)
        np.multiply(z, np.uint64(factor), out=z)
    return z


def _uniform(key: int, first: int, between: Array) -> Array:
    """The 52 upper bits as the middle of one of 2**52 intervals between 0 and 1."""
    z = _words(key, first, between)
    u: Array = between[2].view(np.float64)
    np.right_shift(z, np.uint64(12), out=z)
    np.copyto(u, z)
    u += 0.5
    u *= 2.0**-52
    return u


def _draw(out: Array, kind: str, p: float, key: int, kept: dict[Any, Array]) -> None:
    """Fills `out` with zeros and ones (1 with probability p), uniform or normal elements; what is between
    them and their count lies in `kept`."""
    if "between" not in kept:
        kept["between"] = np.empty((3, 2 * _AT_ONCE), np.uint64)
        kept["between"][0] = np.arange(2 * _AT_ONCE, dtype=np.uint64)
    for start in range(0, out.size, _AT_ONCE):
        _draw_some(out[start : start + _AT_ONCE], start, kind, p, key, kept["between"])


def _draw_some(out: Array, first: int, kind: str, p: float, key: int, between: Array) -> None:
    """Fills `out` with elements `first`, `first` + 1, … of a random tensor."""
    count = out.size
    if kind == "bernoulli":
        np.less(_words(key, first, between[:, :count]), np.uint64(int(p * 2.0**64)), out=out)
    elif kind == "uniform":
        np.minimum(_uniform(key, first, between[:, :count]), _BELOW_ONE, out=out)
    else:  # Box and Muller (1958), the cosine of each pair
        u = _uniform(key, 2 * first, between[:, : 2 * count])
        radius, angle = between[1].view(np.float64)[: 2 * count].reshape(2, count)
        np.log(u[::2], out=radius)
        np.multiply(-2, radius, out=radius)
        np.sqrt(radius, out=radius)
        np.multiply(2 * np.pi, u[1::2], out=angle)
        np.cos(angle, out=angle)
        np.multiply(radius, angle, out=out)
