"""`symbp train --report`: what a training leaves for its page.

Enters: a plan, its module, each epoch's record and state. Leaves: one HTML file, written when all is known.
Must not know: how the page looks, how a step is computed.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from symbp.cli.fitting import Plan, examples

FEW = 512  # training examples over which norms are measured


class Recorder:
    """Notes each epoch; without a path, nothing."""

    def __init__(self, plan: Plan, args: argparse.Namespace, module: ModuleType) -> None:
        self.plan, self.args, self.module = plan, args, module
        self.records: list[Mapping[str, Any]] = []
        self.norms: dict[str, list[float]] = {}
        self.few = {name: array[:FEW] for name, array in plan.train.items()}

    def epoch(self, record: Mapping[str, Any], state: Any, earlier: bool = False) -> None:
        """An epoch has ended: notes the norms of the gradients where it did. Those of an epoch before a
        checkpoint (`earlier`) nobody knows any more."""
        self.records.append(dict(record))
        if not self.args.report or earlier:
            return
        _, gradients = self.module.loss_and_gradients(
            state.params, state.buffers, seed=self.args.seed, **self.few
        )
        for name, gradient in gradients.items():
            norm = float((gradient.astype(float) ** 2).sum() ** 0.5)
            self.norms.setdefault(name, []).append(norm)

    def write(self, result: Mapping[str, Any], state: Any) -> Path | None:
        """The page, if one was asked for."""
        if not self.args.report:
            return None
        from symbp.api.files import write
        from symbp.explain.training import Training, judged, page

        plan = self.plan
        outputs = self.module.predict(state.params, state.buffers, **plan.held)
        found, notes = judged(plan.net.system, outputs, plan.held, plan.read.classes)
        training = Training(
            plan.net.name,
            _settings(plan, self.args, self.module),
            result,
            self.records,
            self.norms,
            examples(self.few),
            found,
            notes,
        )
        return write(self.args.report, page(training), force=self.args.force)


def _settings(plan: Plan, args: argparse.Namespace, module: ModuleType) -> dict[str, str]:
    """All that one needs to train the same again; files by name alone."""
    rule = plan.options["optimizer"]
    rates = ", ".join(f"{name}={getattr(value, 'name', value)}" for name, value in rule.settings.items())
    source = args.data or args.text
    found = {
        "network": args.net if not Path(args.net).suffix else Path(args.net).name,
        "parameters": f"{sum(values.size for values in module.init_params(args.seed).values()):,}",
        "sizes": ", ".join(f"{n}={value}" for n, value in {**plan.net.system.bound, **module.SIZES}.items()),
        "optimizer": f"{rule.name}({rates})",
        "epochs at most": str(plan.epochs),
        "batch size": str(plan.batch_size),
        "seed": str(args.seed),
        "inputs": "standardised by the training part" if args.standardise else "as they are",
        "data": Path(source).name if source else "the network's own, or the digits",
        "examples": f"{examples(plan.train):,} trained on, {examples(plan.held):,} held out",
        "target": args.target,
        "dtype": args.dtype,
        "versions": ", ".join(_versions(args.target)),
    }
    if args.standardise_target:
        found["target in the loss"] = "standardised by the training part"
    if args.class_weights:
        asked = args.class_weights
        found["class weights"] = asked if isinstance(asked, str) else ", ".join(map(str, asked))
    if args.patience:
        found["patience"] = f"{args.patience} epochs, on {examples(plan.validation):,} examples"
    return found


def _versions(target: str) -> list[str]:
    import symbp
    from symbp.targets import named

    found = [f"Python {platform.python_version()}", f"symbp {symbp.__version__}"]
    for package in dict.fromkeys(("numpy", "sympy", *named(target).needs)):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # importable all the same, as from a folder
            found.append(package)
    return found
