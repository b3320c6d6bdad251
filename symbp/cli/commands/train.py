"""Trains a network: derives, writes the module, checks its gradients, fits, and tests on held-out data.

Enters: a network, data, how long and how fast. Leaves: the held-out metrics on stdout, parameters in a file.
Must not know: how a gradient is derived, how a step is computed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

from symbp.cli import parts
from symbp.cli.arguments import KEPT, Arguments, count
from symbp.cli.balance import weights
from symbp.cli.fitting import BATCH_SIZE, BY_CTRL_C, EPOCHS, Plan, buffers, examples, fit, planned
from symbp.cli.status import FAILED, FINE, INTERRUPTED
from symbp.errors import DataError

HELP = "derive, write the module, check its gradients, train, evaluate"
CHECK_EXAMPLES = 8  # enough to meet every equation, few enough for numeric differentiation
OFF_THE_START = 0.01


def add_arguments(to: Arguments) -> None:
    add_module_arguments(to, "numpy")
    to.add(
        "--seed", type=int, default=0, metavar="INTEGER", help="of initial values and shuffling (default: 0)"
    )
    to.add("--log", metavar="FILE.jsonl", help="write each epoch's record as a line of JSON")
    to.add("--curve", metavar="FILE.svg", help="draw loss and metrics by epoch")
    to.add(
        "--report",
        metavar="FILE.html",
        help="write a page: curves, gradients, confusion matrix or residuals, settings",
    )
    to.add("--checkpoint", metavar="FILE.npz", help="keep checkpoints in this file")
    to.add("--every", metavar="EPOCHS", type=count, default=1, help="how often to write one (default: 1)")
    to.add("--every-steps", metavar="STEPS", type=count, default=0, help="write some within epochs, too")
    to.add("--resume", metavar="FILE.npz", help="go on from a checkpoint, bit for bit, and keep it there")
    to.add("--params", metavar="FILE.npz", help="start from given parameters, or from a part of them")
    to.add("--out", metavar="PARAMS.npz", help="save the trained parameters")
    to.add("--module", metavar="FILE.py", help="keep the training module")
    to.force()
    to.json()


def add_module_arguments(to: Arguments, target: str) -> None:
    """What the module depends on: the network, its update, and the data, whose number and shapes count."""
    to.net()
    to.sizes()
    to.code(dtype="float64", target=target)
    to.add("--epochs", type=count, metavar="INTEGER", help=f"default: the network's, or {EPOCHS}")
    to.add("--batch-size", type=count, metavar="INTEGER", help=f"default: the network's, or {BATCH_SIZE}")
    to.add(
        "--data",
        metavar="FILE",
        help="a .npz of arrays named like the network's inputs, a folder of .npy, a .npy, a .csv, "
        "or a folder of images in a folder for each class",
    )
    to.add(
        "--target-column",
        metavar="COLUMN",
        help="of a .csv: the column that is the target (default: the last)",
    )
    to.add(
        "--drop",
        metavar="COLUMN",
        action="append",
        default=[],
        help="of a .csv: a column that isn't read, such as a date or a number of the row (repeatable)",
    )
    to.add("--text", metavar="FILE", help="for networks that read characters: a text in UTF-8")
    parts.add_arguments(to)
    to.add(
        "--class-weights",
        metavar="balanced|A,B,…",
        type=weights,
        help="how much a row counts in the loss, by its class: each class the same in all, or these numbers",
    )
    to.standardise()
    to.start()
    to.update()
    to.add("--patience", metavar="EPOCHS", type=count, help="stop when so many have not improved")


def run(args: argparse.Namespace) -> int:
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.console import narrate
    from symbp.cli.training_report import Recorder
    from symbp.cli.watching import Watch

    kept = args.checkpoint if args.checkpoint != args.resume else None
    for path in filter(None, (args.out, args.module, args.log, args.curve, args.report, kept)):
        refuse_to_overwrite(path, force=args.force)
    started = time.perf_counter()
    plan = planned(args)
    derivation = plan.options["derivation"]
    for warning in derivation.warnings:
        narrate(f"warning: {warning}")
    narrate(f"derived {len(derivation.gradients)} gradients in {derivation.seconds:.2f} s")
    module = module_of(plan, args, args.module)
    narrate(f"wrote the training module {args.module or module.__file__}")
    try:
        report = gradient_check(plan, args, module, args.seed)
        error = max((row["max_rel_error"] for row in report if _told(row)), default=0.0)
        narrate(f"checked the module's gradients against central differences: relative error {error:.1e}")
        wrong = [row["parameter"] for row in report if not row["ok"]]
        if wrong:
            narrate(f"symbp train: the gradients of {', '.join(wrong)} are wrong; nothing was trained")
            return FAILED
        watch = Watch(plan.net.system, module, plan.train, narrate, buffers(plan, module))
        watch.start(module.init_params(args.seed))
        recorder = Recorder(plan, args, module)

        def epoch(record: Mapping[str, Any], state: Any, earlier: bool) -> None:
            recorder.epoch(record, state, earlier)
            if not earlier:
                watch.epoch(record, state)

        state, epochs, stopped = fit(plan, args, module, epoch)
        result = {
            "network": plan.net.name, "target": args.target, "dtype": args.dtype, "seed": args.seed,
            "epochs": epochs, "held_out": 0 if plan.held is plan.train else examples(plan.held),
            **_measured(plan, module, state),
            "gradient_error": error, "seconds": round(time.perf_counter() - started, 3),
        }  # fmt: skip
    except module.DataError as failure:
        raise DataError(str(failure), where=args.data or args.text) from None
    if stopped:
        result["stopped"] = stopped
    if args.out or stopped:
        result["saved"] = str(_save(plan, args, module, state))
    if args.curve and recorder.records:
        _draw(args, plan.net.name, recorder.records)
    if page := recorder.write(result, state):
        narrate(f"wrote {page}")
    _show(result, as_json=args.json)
    return {None: FINE, BY_CTRL_C: INTERRUPTED}.get(stopped, FAILED)


def module_of(plan: Plan, args: argparse.Namespace, keep: str | None = None) -> ModuleType:
    """The training module: from the cache, and in the file where the user wants to keep it."""
    import symbp as bp

    options = {**plan.options, "target": args.target, "dtype": args.dtype}
    if keep:
        pieces = (*KEPT, *plan.pieces)
        bp.generate(plan.net, keep, force=args.force, **{**options, "pieces": pieces})
    return bp.compile(plan.net, **options)


def gradient_check(
    plan: Plan, args: argparse.Namespace, module: ModuleType, seed: int = 0
) -> list[dict[str, Any]]:
    """The module's own check on a few examples, a little off the start: there rectifiers with an offset of 0
    stand at their kink wherever the input is 0. Differences of float32 losses are coarse, so there the same
    program is checked in float64."""
    import numpy as np

    import symbp as bp

    if args.dtype != "float64":
        module = bp.compile(plan.net, **{**plan.options, "target": args.target, "dtype": "float64"})
    params = module.init_params(seed)
    start = buffers(plan, module)
    if not plan.read.mapped:  # those are looked at piece by piece, by `fit`
        module.evaluate(params, start, **plan.train)  # refuses wrong data as they are, not as a sample
    draw = np.random.default_rng(seed)
    for name, values in params.items():
        if name not in module.FACTS:  # what is known of a parameter must stay so
            values += OFF_THE_START * draw.standard_normal(values.shape)
    few = {name: array[:CHECK_EXAMPLES] for name, array in plan.train.items()}
    report: list[dict[str, Any]] = module.check_gradients(params, start, **few)
    return report


def _told(row: Mapping[str, Any]) -> bool:
    """Whether a relative error says something: beside a gradient that is 0, as that of an offset before a
    batch norm is, all numbers are roundings."""
    return not row["ok"] or max(abs(row["value"]), abs(row["expected"])) > row["rounding"]


def _measured(plan: Plan, module: ModuleType, state: Any) -> dict[str, float]:
    """Loss and metrics on the held-out part."""
    measured = module.evaluate(state.params, state.buffers, **plan.held)
    return {name: float(value) for name, value in measured.items()}


def _save(plan: Plan, args: argparse.Namespace, module: ModuleType, state: Any) -> Path:
    """Saves to --out, or, stopped without it, to the first free name in this folder."""
    from symbp.api.files import failed
    from symbp.cli.console import narrate

    path, count = Path(args.out or f"{plan.net.name}.stopped.npz"), 1
    while not args.out and path.exists():
        count += 1
        path = Path(f"{plan.net.name}.stopped{count}.npz")
    try:
        module.save(path, state)
    except OSError as error:  # what was trained isn't lost for that
        rescued = Path(tempfile.gettempdir()) / f"{path.stem}.{os.getpid()}.npz"
        module.save(rescued, state)
        narrate(f"the parameters are in {rescued}")
        raise failed(path, error) from error
    return path


def _draw(args: argparse.Namespace, network: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Loss and metrics by epoch as a picture."""
    from symbp.api.files import write
    from symbp.cli.console import narrate
    from symbp.explain.curves import by_epoch, svg

    picture = svg(by_epoch(records, network)) + "\n"
    narrate(f"wrote {write(args.curve, picture, force=args.force)}")


def _show(result: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        finite = {n: None if isinstance(v, float) and not isfinite(v) else v for n, v in result.items()}
        print(json.dumps(finite, ensure_ascii=False))  # JSON has no NaN
        return
    for name, value in result.items():
        print(f"{name:14}  {f'{value:.4g}' if isinstance(value, float) else value}")
