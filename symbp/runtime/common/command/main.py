"""The command line of a generated module: train, evaluate, predict, check.

Enters: arguments. Leaves: results on stdout, progress on stderr; status 0 fine, 1 a check failed, 2 usage,
130 interrupted.
Must not know: the target that computes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.command.predicting import _predicted
from symbp.runtime.common.command.showing import _show
from symbp.runtime.common.command.train import _declare_train, _train
from symbp.runtime.common.reading.archives import _DATA, _column_option, _put, _read
from symbp.runtime.common.training.calls import evaluate
from symbp.runtime.common.training.checking import check_gradients
from symbp.runtime.common.training.saving import load
from symbp.runtime.network import INPUTS, NAME


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _declare_train(verbs.add_parser("train", help="train and save the parameters"))
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help=f"where the outputs go: {_DATA}"
            )
    _column_option(verbs.add_parser("check", help="gradients beside central differences"))
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar=_DATA, help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS), None, options)[0] if options.data else {}
    rows = check_gradients(None, **data)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            mark = "ok" if row["ok"] else "WRONG"
            errors = f"relative {row['max_rel_error']:.1e}  absolute {row['max_abs_error']:.1e}"
            print(f"{row['parameter']:<12} {errors}  {mark}")
    return 0 if all(row["ok"] for row in rows) else 1


def main(arguments: list[str] | None = None) -> int:
    """Runs a verb; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # names may have letters that a console lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data, _ = _read(options.data, tuple(INPUTS), state.columns)
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs = _predicted(state, data, options.out)
            _put(options.out, outputs, state.columns)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError, MemoryError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0
