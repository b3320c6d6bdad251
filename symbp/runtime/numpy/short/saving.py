"""States of a short module in files.

Enters: a state, or a path. Leaves: a file, or a state. Must not know: how a state changes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.network import MOMENTS, NAME, PARAMETERS
from symbp.runtime.numpy.short.core import DataError, State, _checked, init_state
from symbp.runtime.numpy.short.reading import _archive


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    for moment, views in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in views.items()})
    if os.path.exists(path) and not os.path.isfile(path):
        raise DataError(f"{path} is no file that could be replaced")
    part = Path(f"{os.path.realpath(path)}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays, step=state.step, seed=state.seed, network=NAME)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            part.replace(os.path.realpath(path))
            return
    finally:
        part.unlink(missing_ok=True)
    save(path, state)  # a run that begins has tidied up


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote. Raises DataError: a damaged file, or one of another network."""
    arrays = _archive(path)
    if str(arrays.get("network", NAME)) != NAME:
        raise DataError(f"{path} is of the network {arrays['network']}, this one is {NAME}")
    parts = [
        _checked({n.removeprefix(key): a for n, a in arrays.items() if n.startswith(key)}, PARAMETERS, {})[0]
        for key in ("params.", *(f"moments.{moment}." for moment in MOMENTS))
    ]
    step, seed = (arrays.get(name, np.array(0)) for name in ("step", "seed"))
    if any(a.shape != () or a.dtype.kind not in "iu" or a < 0 for a in (step, seed)):
        raise DataError(f"{path} counts neither steps nor seeds: {step}, {seed}")
    state = init_state(parts[0], seed=int(seed))
    state.step = int(step)
    for views, part in zip(state.moments.values(), parts[1:], strict=True):
        for name, array in part.items():
            views[name][...] = array
    return state
