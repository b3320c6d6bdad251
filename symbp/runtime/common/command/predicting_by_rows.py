"""Outputs for a file of data that may be larger than memory: some examples after the other.

Enters: a state, data, of which no example bears on another's outputs. Leaves: arrays by name. Must not know:
how they are written.
"""

from __future__ import annotations

import math
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from symbp.runtime.common.arrays.by_rows import _all_checked
from symbp.runtime.common.training.calls import predict
from symbp.runtime.common.training.state import State
from symbp.runtime.network import BATCH, FORWARD_INPUTS, INPUTS, Array

_MOST_ROWS, _MOST_NUMBERS = 1024, 2**19  # that are computed together
_IN_MEMORY = 2**28  # bytes up to which an output isn't put aside


def _predicted(state: State, data: dict[str, Any], path: Path) -> dict[str, Array]:
    """The outputs at inference, which go to a path. Large ones lie in a file beside it, which has no name and
    is gone when they are."""
    sizes = dict(state.sizes)
    given = {name: array for name, array in data.items() if name in FORWARD_INPUTS}
    checked = _all_checked(given, sizes, FORWARD_INPUTS)
    rows = {name: array for name, array in checked.items() if INPUTS[name][:1] == (BATCH,)}
    count = sizes[str(BATCH)]
    together = max(1, min(_MOST_ROWS, *(_MOST_NUMBERS // math.prod(a.shape[1:]) for a in rows.values())))
    found: dict[str, _Gathered] = {}
    with ExitStack() as files:
        for start in range(0, count, together):
            part = {name: array[start : start + together] for name, array in rows.items()}
            for name, array in predict(state.params, state.buffers, **{**checked, **part}).items():
                if name not in found:
                    large = count * array[0].nbytes > _IN_MEMORY
                    folder = path.absolute().parent
                    file = files.enter_context(tempfile.TemporaryFile(dir=folder)) if large else None
                    found[name] = _Gathered((count, *array.shape[1:]), array.dtype, file)
                found[name].add(array)
        return {name: gathered.array() for name, gathered in found.items()}


class _Gathered:
    """The rows of an output: in memory or, if they are many, in a file."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], file: IO[bytes] | None) -> None:
        self.shape, self.dtype, self.file = shape, dtype, file
        self.parts: list[Array] = []

    def add(self, rows: Array) -> None:
        """Takes the next rows."""
        if self.file is None:
            self.parts.append(rows.copy())
        else:
            self.file.write(rows.tobytes())

    def array(self) -> Array:
        """All of them."""
        if self.file is None:
            return np.concatenate(self.parts)
        self.file.flush()
        return np.memmap(self.file, self.dtype, "r", 0, self.shape)
