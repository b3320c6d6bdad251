"""The command line of a module that was asked for no more than to train.

Enters: arguments. Leaves: a file of parameters, lines on the console. Must not know: the network.
"""

from __future__ import annotations

import argparse
import glob
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


def main(arguments: list[str] | None = None) -> int:
    """Trains and saves the parameters, also up to Ctrl-C (status 130); returns the exit status."""

    def told(record: dict[str, Any]) -> None:
        print("  ".join(f"{name} {value:.6g}" for name, value in record.items()), file=sys.stderr)

    p = argparse.ArgumentParser(description=f"Trains the network {NAME}. Options show their defaults.")
    p.add_argument("verb", choices=["train"])
    p.add_argument("--data", type=Path, required=True, metavar="FILE.npz", help=f"arrays {', '.join(INPUTS)}")
    p.add_argument("--validation", type=Path, metavar="FILE.npz", help="data to evaluate after each epoch")
    p.add_argument("-o", "--out", type=Path, default=Path("params.npz"), metavar="params.npz")
    for name, value in {"epochs": 20, "batch_size": 32, "seed": 0, **HYPER}.items():
        p.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, metavar=str(value))
    o = p.parse_args(arguments)
    try:
        for old in o.out.parent.resolve(strict=True).glob(f"{glob.escape(o.out.name)}.[0-9]*.part"):
            old.unlink(missing_ok=True)  # of who was killed; who writes it writes it again
        data, held = (path and _archive(path, INPUTS) for path in (o.data, o.validation))
        state = _begin(o.seed, data)
        state.hyper.update({name: getattr(o, name) for name in HYPER})
        try:
            done = fit(state, data, epochs=o.epochs, batch_size=o.batch_size, validation=held, callback=told)
            stopped = 130 if "interrupted" in done[-1] else 0
        except NotFinite as failure:
            print(f"stopped: {failure}", file=sys.stderr)
            stopped = 1
        if state.step:  # else nothing is trained that would be worth another file's place
            save(o.out, state)
    except (DataError, OSError, MemoryError, KeyboardInterrupt) as failure:
        print(f"error: {str(failure) or 'interrupted'}", file=sys.stderr)
        return 2
    return stopped
