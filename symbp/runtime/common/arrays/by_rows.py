"""Data that may be larger than memory: arrays in files are looked through piece by piece, and read by rows.

Enters: arrays, in memory or mapped from files. Leaves: the same, not copied; numbers. Must not know: files'
formats. It stands for `at_once`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import _as_dtype, _check_values, _refuse_names
from symbp.runtime.common.arrays.sizes_shown import _settle
from symbp.runtime.network import BATCH, INPUTS, Array

_PIECE = 2**24  # bytes that are looked at together


class _Rows:
    """Some rows of an array that stays in its file, in an order; what is asked for is read."""

    def __init__(self, base: Any, order: Array) -> None:
        self.base, self.order = base, order
        self.shape, self.dtype, self.ndim = (len(order), *base.shape[1:]), base.dtype, base.ndim

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, chosen: Any) -> Any:
        first, rest = (chosen[0], chosen[1:]) if isinstance(chosen, tuple) else (chosen, ())
        found = self.base[self.order[first]]
        return found[(slice(None), *rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.base[self.order], dtype)


def _in_file(value: Any) -> bool:
    return isinstance(value, (np.memmap, _Rows))


def _all_checked(
    data: Mapping[str, Any], sizes: dict[str, int], names: Collection[str] = tuple(INPUTS)
) -> dict[str, Any]:
    """The arrays `names`, those of a training, checked; `sizes` gains the open sizes that they show. What is
    mapped stays in its file, as it is there: steps convert their batches."""
    _refuse_names(data, tuple(names))
    found = {
        name: data[name]
        if _in_file(data[name]) and INPUTS[name][:1] == (BATCH,)
        else _as_dtype(name, data[name])
        for name in names
    }
    _settle(found, INPUTS, sizes)
    for name, array in found.items():
        first = 0
        for piece in _pieces(array):
            _check_values(name, _as_dtype(name, piece), sizes, first)
            first += len(piece) if piece.ndim else 0
    return found


def _pieces(array: Any) -> Iterator[Array]:
    """An array in pieces that fit into memory."""
    if not _in_file(array):
        yield array
        return
    count = max(1, _PIECE // max(1, array.dtype.itemsize * math.prod(array.shape[1:])))
    for start in range(0, len(array), count):
        yield np.ascontiguousarray(array[start : start + count])


def _taken(array: Any, chosen: Array) -> Any:
    """Some rows, in an order; of a mapped array nothing is read."""
    if isinstance(array, _Rows):
        return _Rows(array.base, array.order[chosen])
    return _Rows(array, chosen) if _in_file(array) else array[chosen]


def _measured(array: Any, measure: str, axes: tuple[int, ...]) -> Array:
    """The mean, or the deviation `std`, along axes."""
    if not _in_file(array):
        return np.asarray(getattr(array, measure)(axes, dtype=np.float64))
    count = math.prod(array.shape[axis] for axis in axes)
    mean = sum(piece.sum(axes, dtype=np.float64, keepdims=True) for piece in _pieces(array)) / count
    if measure == "mean":
        return np.asarray(mean).squeeze(axes)
    squares = sum(((piece - mean) ** 2).sum(axes) for piece in _pieces(array))
    return np.asarray(np.sqrt(squares / count))
