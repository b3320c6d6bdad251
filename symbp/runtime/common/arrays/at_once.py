"""Data in memory: looked through, measured and parted as a whole.

Enters: arrays. Leaves: arrays, numbers. Must not know: where they come from. `by_rows` stands for it where
data may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import _checked
from symbp.runtime.network import INPUTS, Array


def _all_checked(
    data: Mapping[str, Any], sizes: dict[str, int], names: Collection[str] = tuple(INPUTS)
) -> dict[str, Array]:
    """The arrays `names`, those of a training, checked; `sizes` gains the open sizes that they show."""
    return _checked(data, tuple(names), sizes)


def _pieces(array: Array) -> Iterator[Array]:
    """An array in pieces that fit into memory."""
    yield array


def _taken(array: Array, chosen: Array) -> Array:
    """Some rows, in an order."""
    found: Array = array[chosen]
    return found


def _measured(array: Array, measure: str, axes: tuple[int, ...]) -> Array:
    """The mean, or the deviation `std`, along axes."""
    return np.asarray(getattr(array, measure)(axes, dtype=np.float64))
