"""The workspaces of a step: made once for given sizes, used again by every step.

Enters: open sizes. Leaves: arrays by name, views of three flat ones. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.keys import _key
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import DTYPE, NEEDED, ONES, OPEN_SIZES, PARAMETERS, POSITIONS, Array, _places


class _Memory:
    """The workspaces for given open sizes: reals, integers, flags, and every array by name. Arrays that are
    not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        _refuse_short(dict(zip(OPEN_SIZES, sizes, strict=False)))
        places, lengths = _places(*sizes), [0, 0, 0]
        starts: dict[str, int] = {}
        for name, (arena, start, shape) in places.items():
            if PARAMETERS and min(shape, default=0) < 0:
                raise DataError(f"{name} would have the shape {shape}: {_SHORT}")
            starts[name] = lengths[arena] if apart else start
            lengths[arena] = max(lengths[arena], starts[name] + math.prod(shape))
        kinds = (DTYPE, np.int64, bool)
        self.arenas: list[Array] = [np.zeros(n, kind) for n, kind in zip(lengths, kinds, strict=True)]
        self.tensors: dict[str, Array] = {}
        for name, (arena, _, shape) in places.items():
            stop = starts[name] + math.prod(shape)
            self.tensors[name] = self.arenas[arena][starts[name] : stop].reshape(shape)
        for name in POSITIONS:
            self.tensors[name][...] = np.arange(len(self.tensors[name]))
        for name in ONES:
            self.tensors[name].fill(1)
        self.arrays = (*self.arenas[:2], np.array(list(starts.values()), np.int64))  # as kernels take them

    @property
    def nbytes(self) -> int:
        """The size of the workspaces."""
        return sum(arena.nbytes for arena in self.arenas)


_SHORT = "an axis of the data is too short for what is read from it, a kernel or a slice"


def _refuse_short(sizes: Mapping[str, int]) -> None:
    """Refuses data without elements, and those of which too little is left for a window or a maximum."""
    if not PARAMETERS:  # an update of none is empty by right
        return
    empty = [name for name, size in sizes.items() if size < 1]
    if empty:  # the rows of a block come first, and are as many as those of the data
        raise DataError(f"the data have no elements along the axis {empty[-1]}")
    for length, value in NEEDED.items():
        if value(sizes) < 1:
            raise DataError(f"{length} is {value(sizes)}: {_SHORT}")


def _held(kept: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is kept under a key, made if it isn't there."""
    if key not in kept:
        if len(kept) >= 4:  # a state sees two batch sizes as a rule: the full one and the last
            kept.clear()
        kept[key] = make()
    return kept[key]


def _memory(sizes: Mapping[str, int], kept: dict[Any, Any] | None = None, *, apart: bool = False) -> _Memory:
    """The workspaces for these sizes, from those kept if they are there."""
    key = _key(sizes)
    return _Memory(key, apart=apart) if kept is None else _held(kept, key, lambda: _Memory(key))
