"""A state as a file.

Enters: a state, or a path. Leaves: a file, or a state. Must not know: the target that computes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.training.state import State, init_state
from symbp.runtime.common.training.whole import _read_whole, _write_whole
from symbp.runtime.network import NAME, Array


def _named(state: State) -> dict[str, Array]:
    """What training changes, by the names that files have for it."""
    moments = {
        f"moments.{moment}.{n}": a for moment, arena in state.moments.items() for n, a in arena.items()
    }
    params = {f"params.{name}": array for name, array in state.params.items()}
    return params | {f"buffers.{name}": array for name, array in state.buffers.items()} | moments


def save(path: str | os.PathLike[str], state: State, **more: Any) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    known = {"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)}
    columns = {"columns": np.array(state.columns)} if state.columns else {}
    _write_whole(path, {**_named(state), **known, **columns, **more})


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote; a file of parameters alone leaves the moments zero."""
    arrays = _read_whole(path)
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    if str(arrays.get("network", NAME)) != NAME:
        raise DataError(f"{path} is of the network {str(arrays['network'])[:80]}, not of {NAME}")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    try:
        state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
        state.step, state.columns = int(arrays.get("step", 0)), str(arrays.get("columns", ""))
        if not (0 <= state.step < 2**62 and state.seed >= 0):
            raise ValueError(f"step {state.step}, seed {state.seed}")
    except (TypeError, ValueError) as failure:
        raise DataError(f"{path}: {failure}") from None
    moments = {name: array for name, array in _named(state).items() if name.startswith("moments.")}
    if any(name in arrays for name in moments):
        _fill(path, moments, arrays)
    return state


def _fill(path: str | os.PathLike[str], into: dict[str, Array], arrays: dict[str, Array]) -> None:
    """Copies arrays of a file; each must be there, and be of the same shape and kind."""
    for name, array in into.items():
        if name not in arrays:
            raise DataError(f"{path} has no {name}")
        found = arrays[name]
        if (found.shape, found.dtype) != (array.shape, array.dtype):
            raise DataError(
                f"{path}: {name} has shape {found.shape} of {found.dtype}, "
                f"this training needs {array.shape} of {array.dtype}"
            )
    for name, array in into.items():
        array[...] = arrays[name]
