"""Fits a module to data: epochs, a log, early stopping.

Enters: options, then a plan (a network, data, how long and how fast) with its training module. Leaves: a
trained state and how it ended. Must not know: what a command prints at its end, how a step is computed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import sizes
from symbp.errors import DataError, UsageError

if TYPE_CHECKING:
    from symbp.cli.data import Found
    from symbp.data import Data
    from symbp.ir.system import System
    from symbp.language import Network

EPOCHS, BATCH_SIZE = 50, 32
BY_CTRL_C = "interrupted"


@dataclass(frozen=True)
class Plan:
    """What to train on what; `options` are those of the module, target and dtype aside. `validation` is what
    the training may look at, `held` what it never sees; `read` is all that was read, and how."""

    net: Network
    train: Data
    validation: Data
    held: Data
    epochs: int
    batch_size: int
    options: Mapping[str, Any]
    read: Found
    pieces: tuple[str, ...] = ()  # of a module that is kept

    @property
    def columns(self) -> str:
        """How those of a table were read, as modules keep it."""
        return self.read.columns


def examples(data: Mapping[str, Any]) -> int:
    """How many there are."""
    return len(next(iter(data.values())))


def counts_examples(system: System) -> bool:
    """Whether an axis of the data counts examples, which are shuffled and of which some are held out."""
    from symbp.ir.axes.examples import examples as counted_by

    return counted_by(system, [name for name in system.sizes if name not in system.bound]) is not None


def planned(args: argparse.Namespace) -> Plan:
    """The plan that the options make. Raises UsageError, DataError, and what deriving raises."""
    import symbp as bp
    from symbp.cli import balance, parts
    from symbp.cli.console import narrate
    from symbp.cli.data import found_for, sizes_of
    from symbp.cli.target import load_target, update

    parts.refuse_contradictions(args)
    target = load_target(args.net)
    read = found_for(
        target, args.data, args.text, sizes(args), args.target_column, args.split_column, args.drop
    )
    if read.said:
        narrate(read.said)
    labels = balance.labels_of(target.network.system)
    counted = counts_examples(target.network.system)
    part = parts.split(args, read, labels, counted=counted)
    if not counted:
        narrate("the data are one example: every step takes all of them, and nothing is held out")
    if labels:
        narrate(balance.told(labels, part.train, read.classes.get(labels, ())))
    network = bp.restarted(target.network, dict(args.start)) if args.start else target.network
    network = bp.standardised(network) if args.standardise else network
    network = bp.standardised_target(network) if args.standardise_target else network
    shown = sizes_of(target.network.system, read.data, sizes(args))
    if args.class_weights:
        network = balance.weighted(network, args.class_weights, part.train, shown)
    epochs = args.epochs or target.epochs or EPOCHS
    count = examples(part.train) if counted else 1
    batch_size = min(args.batch_size or target.batch_size or BATCH_SIZE, count)
    return Plan(
        network,
        part.train,
        part.validation,
        part.held,
        epochs,
        batch_size,
        {
            "optimizer": update(target, args, epochs * -(-count // batch_size)),
            "sizes": shown,
            "derivation": bp.derive(network),
            "pieces": ("checkpoints", "mapped", "patience"),  # the same text, whatever is asked of it
        },
        read,
        tuple(_kept_with(args, read)),
    )


def _kept_with(args: argparse.Namespace, read: Found) -> Iterator[str]:
    """The pieces of a module that the user keeps, by what was asked of its training."""
    given = vars(args)
    yield from (name for name in ("log", "patience") if given.get(name))
    if any(given.get(name) for name in ("checkpoint", "resume", "params")):
        yield "checkpoints"
    if read.columns:
        yield "texts" if args.text else "tables"
    if read.mapped:
        yield "mapped"


class Log:
    """Records as lines of JSON in a file, each written when it is known; without a path, nothing."""

    def __init__(self, path: str | None) -> None:
        self.path = Path(path) if path else None
        if self.path:
            from symbp.api.files import write

            write(self.path, "", force=True)

    def write(self, record: Mapping[str, Any]) -> None:
        if self.path:
            from symbp.cli.console import narrate

            finite = {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in record.items()}
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(finite, ensure_ascii=False) + "\n")
            except OSError as error:
                narrate(f"the log {self.path} can't be written any more, training goes on: {error.strerror}")
                self.path = None


def buffers(plan: Plan, module: ModuleType) -> Any:
    """The buffers as training starts: where inputs are standardised, by the training part; None otherwise."""
    return module.fitted_buffers(**plan.train) if hasattr(module, "fitted_buffers") else None


def _prepare(args: argparse.Namespace, module: ModuleType, state: Any) -> None:
    """A state that goes on from a checkpoint or starts from given parameters, and is kept in checkpoints."""
    from symbp.cli.console import narrate
    from symbp.interchange import load_npz

    if args.resume and args.params:
        raise UsageError("--resume goes on with the parameters of a checkpoint", help="leave --params out")
    try:
        if args.resume:
            module.resume(state, args.resume)
            narrate(f"goes on from {args.resume}, step {state.step}")
        if args.params:
            fresh = module.start_from(state, args.params)
            narrate(f"starts from {args.params}" + (f"; anew: {', '.join(fresh)}" if fresh else ""))
            lost = [name for name in load_npz(args.params).buffers if name not in state.buffers]
            if lost:
                narrate(f"warning: it has {', '.join(lost)}, too, which this training has no place for; "
                        "where inputs were standardised, standardise them again: --standardise")  # fmt: skip
    except (module.DataError, OSError) as failure:
        raise DataError(str(failure)) from None
    if args.checkpoint or args.resume:
        module.keep_checkpoints(state, args.checkpoint or args.resume, args.every, args.every_steps)


def fit(
    plan: Plan,
    args: argparse.Namespace,
    module: ModuleType,
    watch: Callable[[Mapping[str, Any], Any, bool], None],
) -> tuple[Any, int, str | None]:
    """(trained state, epochs, why it stopped early or None); whatever stops it, the state is good. `watch` is
    shown each epoch's record, the state, and whether the epoch was before a checkpoint."""
    from symbp.cli.console import Progress, narrate

    state = module.init_state(module.init_params(args.seed), buffers(plan, module), seed=args.seed)
    state.columns = plan.columns
    _prepare(args, module, state)
    before = len(state.course.records) if args.resume else 0
    log = Log(args.log)
    more = {"patience": args.patience} if args.patience else {}

    def epoch(record: dict[str, Any]) -> None:
        progress.epoch(record)
        log.write(record)
        watch(record, state, record["epoch"] <= before)

    what = "held-out" if plan.validation is plan.held else "validation"
    what = "whole" if plan.held is plan.train else what
    with Progress(plan.epochs, examples(plan.train), what) as progress:
        try:
            history = module.fit(
                state,
                plan.train,
                epochs=plan.epochs,
                batch_size=plan.batch_size,
                validation=plan.validation,
                callback=epoch,
                **more,
            )
        except module.NotFinite as failure:
            narrate(f"symbp train: {failure}")
            log.write({"epoch": len(progress.records) + 1, "stopped": str(failure)})
            return state, len(progress.records), str(failure)
        except OSError as failure:
            raise DataError(str(failure), where=args.checkpoint or args.resume) from None
    for record in history:
        if record.get("best"):
            narrate(f"kept the parameters of epoch {record['epoch']}, loss {record['validation_loss']:.4g}")
    ended = history[-1].get("interrupted", False)
    return state, len(progress.records), BY_CTRL_C if ended else None
