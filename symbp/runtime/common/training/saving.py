"""A state as a file.

Enters: a state, or a path. Leaves: a file, or a state. Must not know: the target that computes.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.training.state import State, init_state
from symbp.runtime.network import NAME


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    arrays.update({f"buffers.{name}": array for name, array in state.buffers.items()})
    for moment, arena in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in arena.items()})
    arrays.update({"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)})
    if state.columns:
        arrays["columns"] = np.array(state.columns)
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
    state.step, state.columns = int(arrays.get("step", 0)), str(arrays.get("columns", ""))
    for moment, arena in state.moments.items():
        for name in arena:
            if f"moments.{moment}.{name}" in arrays:
                arena[name] = arrays[f"moments.{moment}.{name}"]
    return state
