"""Fits a module to data: epochs, a log, early stopping.

Enters: options, then a plan (a network, data, how long and how fast) with its training module. Leaves: a
trained state and how it ended. Must not know: what a command prints at its end, how a step is computed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import sizes

if TYPE_CHECKING:
    from symbp.cli.target import Target
    from symbp.data import Data
    from symbp.language import Network
    from symbp.optim.schedules import Schedule

EPOCHS, BATCH_SIZE = 50, 32
BY_CTRL_C = "interrupted"


@dataclass(frozen=True)
class Plan:
    """What to train on what; `options` are those of the module, target and dtype aside. `validation` is what
    the training may look at, `held` what it never sees."""

    net: Network
    train: Data
    validation: Data
    held: Data
    epochs: int
    batch_size: int
    options: Mapping[str, Any]


def examples(data: Mapping[str, Any]) -> int:
    """How many there are."""
    return len(next(iter(data.values())))


def planned(args: argparse.Namespace) -> Plan:
    """The plan that the options make. Raises UsageError, DataError, and what deriving raises."""
    import symbp as bp
    from symbp.cli.data import data_for, sizes_of
    from symbp.cli.target import load_target

    target = load_target(args.net)
    found = data_for(target, args.data, args.text, sizes(args))
    train, held = bp.data.split(found)
    train, validation = bp.data.split(train, seed=1) if args.patience else (train, held)
    epochs = args.epochs or target.epochs or EPOCHS
    batch_size = min(args.batch_size or target.batch_size or BATCH_SIZE, examples(train))
    return Plan(
        target.network,
        train,
        validation,
        held,
        epochs,
        batch_size,
        {
            "optimizer": _update(target, args, epochs * -(-examples(train) // batch_size)),
            "sizes": sizes_of(target.network.system, found, sizes(args)),
            "derivation": bp.derive(target.network),
        },
    )


def _update(target: Target, args: argparse.Namespace, steps: int) -> Any:
    from symbp.cli.target import optimizer

    return optimizer(
        target,
        args.optimizer,
        args.lr,
        schedule=_schedule(args.schedule, args.warmup, steps),
        clip_norm=args.clip_norm,
        clip_value=args.clip_value,
        weight_decay=args.weight_decay,
    )


def _schedule(name: str | None, warmup: int | None, steps: int) -> Schedule | None:
    """The schedule of that name over so many steps; a warm-up alone rises to a constant rate."""
    from symbp.optim import schedules

    if name in ("cosine", "linear"):
        found: Schedule = getattr(schedules, name)(steps, warmup=warmup or 0)
        return found
    if name is None and warmup is None:
        return None
    plain = schedules.step_decay(max(1, steps // 3)) if name == "step" else schedules.constant()
    return plain.after(warmup) if warmup else plain


@dataclass
class Best:
    """The state with the smallest loss on the validation data, and how long ago that was."""

    patience: int
    loss: float = float("inf")
    epoch: int = 0
    kept: dict[str, Any] = field(default_factory=dict)

    def meets(self, record: Mapping[str, Any], state: Any) -> bool:
        """Notes an epoch; whether patience has run out."""
        loss = record.get("validation_loss", float("inf"))
        if loss < self.loss:
            self.loss, self.epoch = loss, record["epoch"]
            self.kept = {
                "params": state.params.copy(),
                "buffers": {n: a.copy() for n, a in state.buffers.items()},
            }
        return bool(record["epoch"] - self.epoch >= self.patience)

    def restore(self, state: Any) -> None:
        """Puts the best parameters and buffers back into the state."""
        for name, array in self.kept.get("params", {}).items():
            state.params[name] = array
        for name, array in self.kept.get("buffers", {}).items():
            state.buffers[name][...] = array


class Log:
    """Records as lines of JSON in a file, each written when it is known; without a path, nothing."""

    def __init__(self, path: str | None) -> None:
        self.path = Path(path) if path else None
        if self.path:
            self.path.write_text("", encoding="utf-8")

    def write(self, record: Mapping[str, Any]) -> None:
        if self.path:
            finite = {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in record.items()}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(finite, ensure_ascii=False) + "\n")


def fit(
    plan: Plan, args: argparse.Namespace, module: ModuleType, watch: Callable[[Mapping[str, Any], Any], None]
) -> tuple[Any, int, str | None]:
    """(trained state, epochs, why it stopped early or None); whatever stops it, the state is good. `watch` is
    shown each epoch's record and the state."""
    from symbp.cli.console import Progress, narrate

    state = module.init_state(module.init_params(args.seed), seed=args.seed)
    best, log = Best(args.patience or plan.epochs + 1), Log(args.log)

    def epoch(record: dict[str, Any]) -> bool:
        progress.epoch(record)
        log.write(record)
        watch(record, state)
        return args.patience is not None and best.meets(record, state)

    with Progress(plan.epochs, examples(plan.train)) as progress:
        try:
            module.fit(
                state,
                plan.train,
                epochs=plan.epochs,
                batch_size=plan.batch_size,
                validation=plan.validation,
                callback=epoch,
            )
        except module.NotFinite as failure:
            narrate(f"symbp train: {failure}")
            log.write({"epoch": len(progress.records) + 1, "stopped": str(failure)})
            return state, len(progress.records), str(failure)
    if best.kept:
        best.restore(state)
        narrate(f"kept the parameters of epoch {best.epoch}, validation loss {best.loss:.4g}")
    ended = progress.records[-1].get("interrupted", False)
    return state, len(progress.records), BY_CTRL_C if ended else None
