"""The command line of a generated module: train, evaluate, predict, check.

Enters: arguments. Leaves: results on stdout, progress on stderr; status 0 fine, 1 a check failed, 2 usage.
Must not know: the target that computes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from symbp.emit.parts.arrays import DataError, _settle
from symbp.emit.parts.checking import check_gradients
from symbp.emit.parts.program import HYPER, INPUTS, NAME, PARAMETERS, SIZES, SOLVED, Array
from symbp.emit.parts.standardising import fitted_buffers
from symbp.emit.parts.state import NotFinite, evaluate, init_params, init_state, load, predict, save
from symbp.emit.parts.training import fit


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    train = verbs.add_parser("train", help="train and save the parameters")
    train.add_argument("--epochs", type=int, default=20)
    train.add_argument("--batch-size", type=int, default=32)
    train.add_argument("--seed", type=int, default=0)
    for name, value in HYPER.items():
        train.add_argument(f"--{name.replace('_', '-')}", dest=f"hyper_{name}", type=float, default=value)
    train.add_argument(
        "--validation", type=Path, metavar="FILE.npz", help="data to evaluate after each epoch"
    )
    # <patience>
    train.add_argument(
        "--patience",
        type=int,
        metavar="EPOCHS",
        help="stop when so many have not improved the validation loss",
    )
    # </patience>
    # <log>
    train.add_argument("--log", type=Path, metavar="FILE.jsonl", help="each epoch's record as a line of JSON")
    # </log>
    train.add_argument("-o", "--out", type=Path, default=Path("params.npz"), help="where the parameters go")
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help="where the outputs go"
            )
    verbs.add_parser("check", help="gradients beside central differences")
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar="FILE.npz", help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in names if name in file.files}


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown: dict[str, int] = {}
    for name, array in data.items():
        for extent, value in zip(INPUTS[name], array.shape, strict=False):
            if isinstance(extent, str):
                shown[extent] = value
    # <formulas>
    _settle(data, INPUTS, shown := {**SIZES, **shown})
    # </formulas>
    shaping = {e for shape in PARAMETERS.values() for e in shape if isinstance(e, str)}
    # <formulas>
    shaping |= {size for size, (name, _, _) in SOLVED.items() if name in PARAMETERS}
    # </formulas>
    return {name: value for name, value in shown.items() if name in shaping and name not in SIZES}


# <live>
def _live(record: dict[str, Any], epochs: int, examples: int) -> None:
    """One line that tells of the epochs so far and the time left; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return
    left = (epochs - record["epoch"]) * record["seconds"]
    values = "  ".join(f"{k} {v:.4g}" for k, v in record.items() if k != "seconds" and isinstance(v, float))
    speed = f"{examples / max(record['seconds'], 1e-9):,.0f} examples/s"
    line = f"epoch {record['epoch']}/{epochs}  {values}  {speed}  {left // 60:.0f}:{left % 60:02.0f} left"
    print(f"\r\033[K{line}", end="" if left else "\n", file=sys.stderr, flush=True)


# </live>
# <log>
def _log(path: Path, record: dict[str, Any]) -> None:
    """One line of JSON at the end of a file; JSON has no NaN."""
    finite = {k: v if not isinstance(v, float) or np.isfinite(v) else None for k, v in record.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite) + "\n")


# </log>
def _train(options: argparse.Namespace) -> int:
    data = _read(options.data, tuple(INPUTS))
    validation = _read(options.validation, tuple(INPUTS)) if options.validation else None
    state = init_state(init_params(options.seed, **_open_sizes(data)), seed=options.seed)
    # <standardised>
    state.buffers.update(fitted_buffers(**data))
    # </standardised>
    # <log>
    if options.log:
        options.log.write_text("", encoding="utf-8")
    # </log>
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})

    def report(record: dict[str, Any]) -> None:
        # <log>
        if options.log:
            _log(options.log, record)
        # </log>
        # <live>
        _live(record, options.epochs, len(next(iter(data.values()))))
        # </live>
        # <plain>
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)
        # </plain>

    status, stopped = 0, None
    history: list[dict[str, Any]] = []
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            # <patience>
            patience=options.patience,
            # </patience>
            callback=report,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    save(options.out, state)
    last = history[-1] if history else {}
    result = {"epochs": len(history), "steps": state.step, "params": str(options.out), **last}
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS)) if options.data else {}
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
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data = _read(options.data, tuple(INPUTS))
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs: dict[str, Any] = predict(state.params, state.buffers, **data)
            with options.out.open("wb") as file:
                np.savez(file, **outputs)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0
