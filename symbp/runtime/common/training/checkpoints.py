"""Checkpoints: files from which a training goes on as if it had never ended.

Enters: a state, a path. Leaves: a file, or the state as it was. Must not know: the target that computes.

A checkpoint is what `save` writes, and its course: what it is a training of, and how far it got.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.at_once import _pieces
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.training.saving import _fill, _named, save
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.whole import _read_whole
from symbp.runtime.network import FINGERPRINT, FIT_OPTIONS, NAME, Array


@dataclass
class _Course:
    """How far a training got. The order of the data follows from the seed and the step at which an epoch
    starts."""

    path: str | os.PathLike[str] | None = None
    every: int = 1  # epochs
    every_steps: int = 0
    start: int = 0  # the step at which the epoch began
    batch: int = 0  # of the epoch, the next one
    total: float = 0.0  # the loss over the examples of the epoch so far
    records: list[dict[str, Any]] = field(default_factory=list)
    on: dict[str, Any] = field(default_factory=dict)  # what is trained on
    best: dict[str, Array] = field(default_factory=dict)  # where patience may go back to
    resumed: bool = False
    network: dict[str, Any] = field(default_factory=dict)  # what it is a training of, as it began

    def begin(self, data: Mapping[str, Array], batch_size: int, epochs: int, state: State) -> None:
        """Notes what is trained, and on what; refuses other data than before."""
        if self.path is None and not self.resumed:
            return
        self.network = _network(state)
        found = hashlib.sha256()
        for name, array in data.items():
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            for piece in _pieces(array):
                found.update(piece.reshape(-1).view(np.uint8).data)
        on = {"batch size": batch_size, "data": found.hexdigest()}
        if self.resumed:
            _compare("the checkpoint", self.on, on)
            if len(self.records) > epochs:
                raise DataError(f"the checkpoint has {len(self.records)} epochs, asked for are {epochs}")
        self.on = on

    def ended(self, record: Mapping[str, Any], state: State) -> None:
        """Notes that an epoch is over."""
        loss = record.get("validation_loss")
        least = min((r.get("validation_loss", np.inf) for r in self.records), default=np.inf)
        if "patience" in FIT_OPTIONS and loss is not None and loss < least:
            arrays = _named(state).items()
            self.best = {f"best.{n}": a.copy() for n, a in arrays if not n.startswith("moments.")}
        self.records.append({k: v for k, v in record.items() if k != "interrupted"})
        self.batch, self.total = 0, 0.0

    def write(self, state: State) -> None:
        """Writes a checkpoint, if there is a place for it."""
        if self.path is None:
            return
        course = {name: getattr(self, name) for name in ("start", "batch", "total", "records", "on")}
        course.update(network=self.network or _network(state), best=list(self.best))
        text = np.frombuffer(json.dumps(course).encode(), np.uint8)
        save(self.path, state, course=text, **self.best)


def keep_checkpoints(
    state: State, path: str | os.PathLike[str], every: int = 1, every_steps: int = 0
) -> None:
    """Has the next `fit` write a checkpoint after so many epochs, and after so many steps."""
    if every < 1 or every_steps < 0:
        raise DataError(f"checkpoints every {every} epochs, every {every_steps} steps: from 1 up")
    state.course = state.course or _Course()
    state.course.path, state.course.every, state.course.every_steps = path, every, every_steps


def resume(state: State, path: str | os.PathLike[str]) -> None:
    """Puts a state back to where a checkpoint was written; the next `fit` goes on from there to the epoch
    that it is asked for. The state is one to start that training with: the same seed and hyperparameters."""
    arrays = _read_whole(path)
    if "course" not in arrays:
        raise DataError(f"{path} is no checkpoint; its parameters may be started from")
    into = _named(state)
    course = _Course(resumed=True)
    try:
        kept = json.loads(arrays["course"].astype(np.uint8, casting="no").tobytes())
        network, names = dict(kept["network"]), [str(name) for name in kept["best"]]
        course.start, course.batch, course.total = (
            int(kept["start"]),
            int(kept["batch"]),
            float(kept["total"]),
        )
        course.records, course.on = [dict(record) for record in kept["records"]], dict(kept["on"])
        step = int(arrays["step"])
        _check_records(course.records)
    except Exception as failure:  # whatever it is in place of what was written
        raise DataError(f"{path} has a damaged course ({type(failure).__name__}: {failure})") from failure
    if min(course.start, course.batch, step) < 0 or (course.batch and course.start + course.batch != step):
        raise DataError(f"{path} has a damaged course (step {step})")
    _compare(str(path), network, _network(state))
    best = {f"best.{n}": np.empty_like(a) for n, a in into.items() if not n.startswith("moments.")}
    if names:
        _fill(path, best, arrays)
        course.best = best
    _fill(path, into, arrays)
    state.step, state.course = step, course
    state.columns = str(arrays["columns"]) if "columns" in arrays else state.columns


def start_from(state: State, path: str | os.PathLike[str]) -> list[str]:
    """Takes the parameters and buffers that a file has, under their names or as `save` writes them; returns
    the names of those that it lacks, which stay as they are."""
    into = {n.split(".", 1)[1]: a for n, a in _named(state).items() if not n.startswith("moments.")}
    arrays = _read_whole(path, [f"{kind}{n}" for n in into for kind in ("", "buffers.", "params.")])
    found = {
        name.split(".", 1)[-1]: array.astype(state.params.flat.dtype)
        for name, array in arrays.items()
        if array.dtype.kind in "fiu"
    }
    if not found:
        raise DataError(f"{path} has no parameter of this network: {', '.join(into)}")
    wrong = next((name for name, array in found.items() if not np.isfinite(array).all()), None)
    if wrong:
        raise DataError(f"{path}: {wrong} is not finite")
    _fill(path, {name: array for name, array in into.items() if name in found}, found)
    return [name for name in into if name not in found]


def _network(state: State) -> dict[str, Any]:
    """What a training is of; checkpoints of another one are refused."""
    return {
        "network": NAME,
        **FINGERPRINT,
        "seed": state.seed,
        **{n: float(v) for n, v in state.hyper.items()},
    }


def _check_records(records: list[dict[str, Any]]) -> None:
    """Refuses what are no records of epochs, one after the other."""
    for number, record in enumerate(records, 1):
        numbers = all(isinstance(value, int | float) for value in record.values())
        if not numbers or record["epoch"] != number or not {"loss", "seconds"} <= record.keys():
            raise ValueError(f"record {number} is none of an epoch")


def _compare(what: str, kept: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Refuses a checkpoint by what differs."""
    differ = [f"{n} {str(kept.get(n))[:80]} there, {own[n]} here" for n in own if kept.get(n) != own[n]]
    if differ:
        raise DataError(f"{what} is of another training: {'; '.join(differ)}")
