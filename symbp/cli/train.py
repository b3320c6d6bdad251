"""Trains a network: derives, writes the module, checks its gradients, fits, and tests on held-out data.

Enters: a network, data, how long and how fast. Leaves: the held-out metrics on stdout, parameters in a file.
Must not know: how a gradient is derived, how a step is computed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import Arguments, count, sizes
from symbp.errors import DataError

if TYPE_CHECKING:
    from symbp.language import Network

HELP = "derive, write the module, check its gradients, train, evaluate"
EPOCHS, BATCH_SIZE = 50, 32
CHECK_EXAMPLES = 8  # enough to meet every equation, few enough for numeric differentiation
CHECK_TOLERANCE = 1e-5  # central differences of a float64 module
INTERRUPTED = 130


def add_arguments(to: Arguments) -> None:
    to.net()
    to.code(dtype="float64")
    to.add("--epochs", type=count, metavar="INTEGER", help=f"default: the network's, or {EPOCHS}")
    to.add("--batch-size", type=count, metavar="INTEGER", help=f"default: the network's, or {BATCH_SIZE}")
    to.add(
        "--seed", type=int, default=0, metavar="INTEGER", help="of initial values and shuffling (default: 0)"
    )
    to.add("--data", metavar="FILE.npz", help="arrays named like the network's inputs (default: 8×8 digits)")
    to.add("--out", metavar="PARAMS.npz", help="save the trained parameters")
    to.add("--module", metavar="FILE.py", help="keep the training module")
    to.force()
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api import refuse_to_overwrite
    from symbp.cli.console import Progress, narrate
    from symbp.cli.target import load_target, optimizer

    for path in filter(None, (args.out, args.module)):
        refuse_to_overwrite(path, force=args.force)
    started = time.perf_counter()
    target = load_target(args.net)
    net = target.network
    train, held = bp.data.split(_data(net, args.data))
    rule = optimizer(target, args.optimizer, args.lr)
    epochs = args.epochs or target.epochs or EPOCHS
    batch_size = min(args.batch_size or target.batch_size or BATCH_SIZE, _examples(train))

    derivation = bp.derive(net)
    for warning in derivation.warnings:
        narrate(f"warning: {warning}")
    narrate(f"derived {len(derivation.gradients)} gradients in {derivation.seconds:.2f} s")
    options: dict[str, Any] = {
        "optimizer": rule, "sizes": {**_sizes_of(net, train), **sizes(args)}, "derivation": derivation,
    }  # fmt: skip
    module = _module(net, args, options)
    error = _gradient_error(net, args, options, module, train)
    narrate(f"checked the module's gradients against central differences: largest relative error {error:.1e}")
    if not error <= CHECK_TOLERANCE:
        print(
            f"symbp train: the gradients are wrong: error {error:.1e}; nothing was trained", file=sys.stderr
        )
        return 1

    state = module.init_state(module.init_params(args.seed), seed=args.seed)
    with Progress(epochs) as progress:
        history = module.fit(
            state, train, epochs=epochs, batch_size=batch_size, validation=held, callback=progress.epoch
        )
    result = _result(net, args, module, state, history, held)
    result |= {"gradient_error": error, "seconds": round(time.perf_counter() - started, 3)}
    if args.out or result["interrupted"]:
        result["saved"] = str(_save(module, state, args, net.name))
    _show(result, as_json=args.json)
    return INTERRUPTED if result["interrupted"] else 0


def _data(net: Network, path: str | None) -> dict[str, Any]:
    """The user's arrays, or the digits where the network's inputs are theirs; only what the network reads."""
    import symbp as bp
    from symbp.ir.system import Role

    named = [t.name for t in net.system.with_role(Role.INPUT, Role.TARGET)]
    found = bp.data.load(path) if path else bp.data.digits()
    missing = [name for name in named if name not in found]
    if missing:
        what = f"the data file has no array {missing[0]!r}" if path else "the digits don't fit this network"
        raise DataError(
            what,
            where=path,
            details=(f"the network reads: {', '.join(named)}", f"the data hold: {', '.join(found)}"),
            help="give a file by --data, its arrays named like the network's inputs",
        )
    return {name: found[name] for name in named}


def _examples(data: Mapping[str, Any]) -> int:
    return len(next(iter(data.values())))


def _sizes_of(net: Network, data: Mapping[str, Any]) -> dict[str, int]:
    """Sizes that shape parameters and that the declaration leaves open, read off the data's shapes."""
    from symbp.ir.expr import Size, free_sizes

    system = net.system
    shaping = {s for t in system.parameters for extent in t.shape for s in free_sizes(extent)}
    found: dict[str, int] = {}
    for name, array in data.items():
        for extent, length in zip(system.tensor(name).shape, array.shape, strict=False):
            if isinstance(extent, Size) and extent in shaping and extent.name not in system.bound:
                found[extent.name] = int(length)
    return found


def _module(net: Network, args: argparse.Namespace, options: dict[str, Any]) -> ModuleType:
    """The training module: from the cache, or from the file where the user wants to keep it."""
    import symbp as bp

    options = {**options, "target": args.target, "dtype": args.dtype}
    if args.module:
        bp.generate(net, args.module, force=args.force, **options)
    return bp.compile(net, **options)


def _gradient_error(
    net: Network,
    args: argparse.Namespace,
    options: dict[str, Any],
    module: ModuleType,
    data: Mapping[str, Any],
) -> float:
    """The largest relative error of the module's gradients on a few examples. Differences of float32 losses
    are too coarse, so there the same program is checked in float64."""
    import symbp as bp

    if args.dtype != "float64":
        module = bp.compile(net, target=args.target, dtype="float64", **options)
    few = {name: array[:CHECK_EXAMPLES] for name, array in data.items()}
    report = module.check_gradients(module.init_params(args.seed), **few)
    return max((row["max_rel_error"] for row in report), default=0.0)


def _result(
    net: Network,
    args: argparse.Namespace,
    module: ModuleType,
    state: Any,
    history: list[dict[str, Any]],
    held: Mapping[str, Any],
) -> dict[str, Any]:
    measured = module.evaluate(state.params, state.buffers, **held)
    return {
        "network": net.name,
        "target": args.target,
        "dtype": args.dtype,
        "seed": args.seed,
        "epochs": len(history),
        **{name: float(value) for name, value in measured.items()},
        "held_out": _examples(held),
        "interrupted": bool(getattr(history, "interrupted", False)),
    }


def _save(module: ModuleType, state: Any, args: argparse.Namespace, name: str) -> Path:
    """Saves to --out, or, interrupted without it, to the first free name here."""
    path = Path(args.out) if args.out else Path(f"{name}.interrupted.npz")
    count = 1
    while not args.out and path.exists():
        count += 1
        path = Path(f"{name}.interrupted{count}.npz")
    module.save(path, state)
    return path


def _show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:14}  {f'{value:.4g}' if isinstance(value, float) else value}")
