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
    print("  ".join(f"{name} {value:.6g}" for name, value in record.items()), file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Trains and saves the parameters, also up to Ctrl-C (status 130); returns the exit status."""
    parser = argparse.ArgumentParser(description=f"Trains the network {NAME}. Options show their defaults.")
    add = parser.add_argument
    add("verb", choices=["train"])
    add("--data", type=Path, required=True, metavar="FILE.npz", help=f"an .npz of {', '.join(INPUTS)}")
    add("--validation", type=Path, metavar="FILE.npz", help="data to evaluate after each epoch")
    add("-o", "--out", type=Path, default=Path("params.npz"), metavar="params.npz")
    for name, value in {"epochs": 20, "batch_size": 32, "seed": 0, **HYPER}.items():
        add(f"--{name.replace('_', '-')}", type=type(value), default=value, metavar=str(value))
    options = parser.parse_args(arguments)
    try:
        for left in options.out.parent.resolve(strict=True).glob(f"{options.out.name}.*.part"):
            left.unlink()  # by a process that was killed
        data, held = (path and _archive(path, INPUTS) for path in (options.data, options.validation))
        state = _begin(options.seed, data)
        state.hyper.update({name: getattr(options, name) for name in HYPER})
        epochs, size = options.epochs, options.batch_size
        try:
            done = fit(state, data, epochs=epochs, batch_size=size, validation=held, callback=_report)
            stopped = 130 if "interrupted" in done[-1] else 0
        except NotFinite as failure:
            print(f"stopped: {failure}", file=sys.stderr)
            stopped = 1
        save(options.out, state)
    except (DataError, OSError, MemoryError, KeyboardInterrupt) as failure:
        print(f"error: {str(failure) or 'interrupted'}", file=sys.stderr)
        return 2
    return stopped
