"""The command `train`.

Enters: options. Leaves: parameters in a file, results on stdout, progress on stderr. Must not know: the
target that computes.

Tables say what it has when asked for: `TRAIN_OPTIONS` declare options, `FIT_OPTIONS` names those that `fit`
takes, `PREPARE` change the state by options, and `REPORTS` make from options and data a function that is told
of each epoch.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.arrays.sizes_shown import _settle, _sizes_in
from symbp.runtime.common.command.showing import _show
from symbp.runtime.common.reading.archives import _column_option
from symbp.runtime.common.reading.parts import _parts, _parts_options
from symbp.runtime.common.steps.refusing import NotFinite
from symbp.runtime.common.training.fit import fit
from symbp.runtime.common.training.saving import save
from symbp.runtime.common.training.starting import _fresh_state
from symbp.runtime.common.training.state import State
from symbp.runtime.network import (
    FIT_OPTIONS,
    HYPER,
    INPUTS,
    PARAMETERS,
    PREPARE,
    REPORTS,
    SIZES,
    TRAIN_OPTIONS,
    Array,
)

_COUNTS = {
    "epochs": (20, "passes over the data"),
    "batch-size": (32, "examples in a step"),
    "seed": (0, "of initial values and shuffling"),
}


def _declare_train(train: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    for option, (usual, text) in _COUNTS.items():
        told = f"{text} (default: {usual})"
        train.add_argument(f"--{option}", type=int, default=usual, metavar="INTEGER", help=told)
    for name, value in HYPER.items():
        option, told = name.replace("_", "-"), f"of the update (default: {value})"
        train.add_argument(
            f"--{option}", dest=f"hyper_{name}", type=float, default=value, metavar="NUMBER", help=told
        )
    _parts_options(train)
    _column_option(train)
    for declare in TRAIN_OPTIONS:
        declare(train)
    train.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("params.npz"),
        help="where the parameters go (default: params.npz)",
    )


def _train(options: argparse.Namespace) -> int:
    """Trains and saves, also what was trained until a step was not finite."""
    _refuse_place(options.out)
    data, validation, columns = _parts(options)
    state = _fresh_state(options.seed, data, _open_sizes(data))
    state.columns = columns
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})
    options.held, options.go_on = validation, ""
    for prepare in PREPARE:
        prepare(options, state)
    settings: dict[str, Any] = {name: getattr(options, name) for name in FIT_OPTIONS}
    reports = [make(options, data) for make in REPORTS]

    def report(record: dict[str, Any]) -> None:
        for tell in reports:
            tell(record)

    status, stopped = 0, None
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            callback=report,
            **settings,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    trained = bool(state.step or not stopped)  # else it isn't worth another file's place
    if trained:
        options.out, status = _saved(state, options.out, status)
    last = history[-1] if history else {}
    if last.get("interrupted"):
        status = status or 130
        print(f"interrupted: {options.out} has the parameters so far{options.go_on}", file=sys.stderr)
    result = {
        "epochs": len(history),
        "steps": state.step,
        "params": str(options.out) if trained else None,
        **last,
    }
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _saved(state: State, path: Path, status: int) -> tuple[Path, int]:
    """Writes what was trained; where the place fails in the end (a disk is full), in the folder for temporary
    files. The place, and the exit status."""
    try:
        save(path, state)
    except OSError as failure:
        rescued = Path(tempfile.gettempdir()) / f"{path.stem}.{os.getpid()}.npz"
        save(rescued, state)
        print(f"error: {path} can't be written: {failure}; the parameters are in {rescued}", file=sys.stderr)
        return rescued, 2
    return path, status


def _refuse_place(path: Path) -> None:
    """Refuses a place where nothing could be written in the end, before anything is trained."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else f"would be in {folder}, where no folder is"
        raise DataError(f"{path} {what}: name another file for the parameters (--out)")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise DataError(f"{path} can't be written: there is no permission")


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown = dict(SIZES)
    _settle(data, INPUTS, shown)
    return {name: shown[name] for name in _sizes_in(PARAMETERS) if name in shown and name not in SIZES}
