"""States of a short module in files.

Enters: a state, or a path. Leaves: a file, or a state. Must not know: how a state changes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.network import NAME, PARAMETERS
from symbp.runtime.numpy.short.core import State, _checked, init_state


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    for moment, views in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in views.items()})
    part = Path(f"{os.fspath(path)}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays, step=state.step, seed=state.seed, network=NAME)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}

    def part(start: str) -> dict[str, Any]:
        found = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
        return _checked(found, PARAMETERS, {})[0]

    state = init_state(part("params."), seed=int(arrays.get("seed", 0)))
    state.step = int(arrays.get("step", 0))
    for moment, views in state.moments.items():
        for name, array in part(f"moments.{moment}.").items():
            views[name][...] = array
    return state
