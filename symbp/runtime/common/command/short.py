"""The command line of a module that was asked for no more than to train.

Enters: arguments. Leaves: a file of parameters, lines on the console. Must not know: the network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.command.begin import _begin
from symbp.runtime.common.reading.loading import _archive
from symbp.runtime.common.steps.refusing import NotFinite
from symbp.runtime.common.training.fit import fit
from symbp.runtime.common.training.saving import save
from symbp.runtime.network import HYPER, INPUTS, NAME


def _report(record: dict[str, Any]) -> None:
    values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
    print(f"epoch {record['epoch']}  {values}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Trains and saves the parameters; returns the exit status."""
    parser = argparse.ArgumentParser(description=f"The network {NAME}: train it and save its parameters.")
    parser.add_argument("verb", choices=["train"])
    parser.add_argument("--data", type=Path, required=True, help=f"an .npz of {', '.join(INPUTS)}")
    parser.add_argument("--validation", type=Path, help="data to evaluate after each epoch")
    parser.add_argument("-o", "--out", type=Path, default=Path("params.npz"))
    for name, value in {"epochs": 20, "batch_size": 32, "seed": 0, **HYPER}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=type(value), default=value)
    options = parser.parse_args(arguments)
    try:
        for left in options.out.parent.resolve(strict=True).glob(f"{options.out.name}.*.part"):
            left.unlink()  # by a process that was killed
        data = _archive(options.data, INPUTS)
        held = _archive(options.validation, INPUTS) if options.validation else None
        state = _begin(options.seed, data)
        state.hyper.update({name: getattr(options, name) for name in HYPER})
        epochs, size, stopped = options.epochs, options.batch_size, 0
        try:
            fit(state, data, epochs=epochs, batch_size=size, validation=held, callback=_report)
        except NotFinite as failure:
            print(f"stopped: {failure}", file=sys.stderr)
            stopped = 1
        save(options.out, state)
    except (DataError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return stopped
