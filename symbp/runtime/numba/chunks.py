"""Training steps in chunks of the batch: each has its own workspace and gradient, on a thread of its own.

Enters: parameters, data, sizes. Leaves: the loss, and parameters updated. Must not know: the equations.
The number of chunks is part of the state, so that a step doesn't depend on how threads are scheduled.
It stands for `advance`, and its key for that of `keys`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.memory import _held, _Memory, _memory
from symbp.runtime.common.training.state import State
from symbp.runtime.network import CHUNKED, DTYPE, HYPER, OPEN_SIZES, Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _flops, _train_step, _train_step_in_chunks
from symbp.runtime.numba.large import _updated

# Floating-point operations; starting threads costs as much as some hundred thousand.
WORTH_A_CHUNK = 2_000_000


class _Chunks:
    """A workspace for each of several chunks of the batch, their rows, and a gradient for each."""

    def __init__(self, sizes: tuple[int, ...], count: int, parameters: int) -> None:
        first = [c * sizes[0] // count for c in range(count + 1)]
        self.bounds = np.array([first[:-1], first[1:]], np.int64).T.copy()  # (count, 2)
        most = int((self.bounds[:, 1] - self.bounds[:, 0]).max())
        reals, integers, at = _Memory((most, *sizes[1:])).arrays
        self.arrays = np.zeros((count, len(reals)), DTYPE), np.zeros((count, len(integers)), np.int64), at
        self.gradients = np.zeros((count, parameters), DTYPE)
        self.sizes = sizes[1:]


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The rows of the batch in one piece, then the open sizes; what nothing shows is of another stage."""
    return (sizes.get(CHUNKED, 1), *(sizes.get(name, 1) for name in OPEN_SIZES[1:]))


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite,
    or an integer out of its range."""
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    own = (state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper)
    count = _chunk_count(state.threads, sizes)
    _compile()
    if count == 1:
        memory = _memory(sizes, state.workspace)
        loss, finite, moderate = _train_step(*own, *memory.arrays, *data.values(), *memory.sizes)
    else:
        chunks = _in_chunks(state, sizes, count)
        blas = _blas_threads()
        before = blas[0]()
        blas[1](1)  # each chunk is a thread of its own
        try:
            loss, finite, moderate = _train_step_in_chunks(
                *own, chunks.gradients, *chunks.arrays, chunks.bounds, *data.values(), *chunks.sizes
            )
        finally:
            blas[1](before)
    if finite and not moderate:
        finite = _updated(state, own)
    state.step += bool(finite)
    return float(loss), bool(finite)


def _chunk_count(threads: int | None, sizes: Mapping[str, int]) -> int:
    """As many chunks as threads are wanted; if nothing is said, as there are processors with enough to do."""
    rows, *others = _key(sizes)
    if threads is not None:
        return max(1, min(threads, rows))
    worth = int(_flops(*others)) // WORTH_A_CHUNK
    if worth <= 1:  # to ask the system for its processors takes as long as a small step
        return 1
    return max(1, min(os.cpu_count() or 1, rows, worth))


def _in_chunks(state: State, sizes: Mapping[str, int], count: int) -> _Chunks:
    """The workspaces of the chunks, from those that the state keeps if they are there."""
    key = _key(sizes)
    chunks: _Chunks = _held(
        state.workspace, (*key, "chunks", count), lambda: _Chunks(key, count, len(state.params.flat))
    )
    return chunks


@cache
def _blas_threads() -> tuple[Callable[[], int], Callable[[int], Any]]:
    """How many threads the library of matrix products uses, and how to say how many it shall use; nothing
    happens where the library has another form."""
    found = find_spec("scipy")
    folder = Path(found.origin or "" if found else "").parent
    for path in sorted([*folder.parent.glob("scipy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]):
        library = ctypes.CDLL(str(path))
        for prefix in ("scipy_openblas", "openblas"):
            for suffix in ("", "64_"):
                get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                put = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                if get is not None and put is not None:
                    return get, put
    return (lambda: 1), (lambda count: None)
