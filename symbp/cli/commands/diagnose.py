"""Says why a network doesn't learn: a short training, measured, and the cause by what mends it.

Enters: a network, data, an optimizer. Leaves: measures and findings, as text or JSON, and curves; the exit
status is 1 if something is found. Must not know: how anything is measured or judged.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import Arguments, count, positive, sizes
from symbp.cli.status import FAILED, FINE
from symbp.errors import DataError, UsageError

if TYPE_CHECKING:
    from symbp.api.diagnosis import Diagnosis
    from symbp.cli.target import Target
    from symbp.data import Data

HELP = "why a network doesn't learn: gradients, units, updates by step, the cause, the rate"
LARGEST_BATCH = 64


def add_arguments(to: Arguments) -> None:
    to.net()
    to.sizes()
    to.add("--data", metavar="FILE", help="a .npz of arrays named like the network's inputs, a .npy, a .csv")
    to.add("--target-column", metavar="COLUMN", help="of a .csv: the target (default: the last)")
    to.add("--text", metavar="FILE", help="for networks that read characters: a text in UTF-8")
    to.add("--steps", type=count, metavar="INTEGER", default=40, help="of training (default: 40)")
    to.add("--batch-size", type=count, metavar="INTEGER", help="default: the network's, at most 64")
    to.add(
        "--seed", type=int, default=0, metavar="INTEGER", help="of initial values and batches (default: 0)"
    )
    to.optimizer()
    to.add("--lr", metavar="RATE", type=positive, help="learning rate")
    to.standardise()
    to.update()
    to.add("--no-range-test", action="store_true", help="leave out the range test of the learning rate")
    to.add("--curve", metavar="FILE.svg", help="draw the range test, norms of gradients, updates to weights")
    to.force()
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.console import narrate

    if args.curve:
        refuse_to_overwrite(args.curve, force=args.force)
    found = _diagnosed(args)
    print(json.dumps(found.json(), ensure_ascii=False) if args.json else found.text())
    if args.curve:
        narrate(f"wrote {write(args.curve, found.curve() + chr(10), force=args.force)}")
    return FINE if found.ok else FAILED


def _diagnosed(args: argparse.Namespace) -> Diagnosis:
    """The diagnosis that the options ask for."""
    import symbp as bp
    from symbp.api.diagnosis import diagnose
    from symbp.cli.console import narrate
    from symbp.cli.target import load_target, update

    target = load_target(args.net)
    data, what = _data(target, args)
    network = bp.standardised(target.network) if args.standardise else target.network
    network = bp.standardised_target(network) if args.standardise_target else network
    derivation = bp.derive(network)
    for warning in derivation.warnings:
        narrate(f"warning: {warning}")
    batch = args.batch_size or min(target.batch_size or LARGEST_BATCH // 2, LARGEST_BATCH)
    options: dict[str, Any] = {
        "optimizer": update(target, args, args.steps), "steps": args.steps, "batch_size": batch,
        "seed": args.seed, "range_test": not args.no_range_test, "derivation": derivation, "say": narrate,
    }  # fmt: skip
    given = sizes(args)
    if data is not None:
        from symbp.cli.data import sizes_of

        try:
            known = sizes_of(target.network.system, data, given)
            return diagnose(network, data, sizes=known, what=what, **options)
        except (DataError, UsageError):
            if _is_asked_for(target, args):
                raise
    narrate("no data that fit: the network's own example, or random ones, stand in (--data FILE)")
    return diagnose(network, sizes=given, **options)


def _is_asked_for(target: Target, args: argparse.Namespace) -> bool:
    """Whether the data are named by somebody, not just at hand."""
    return bool(args.data or args.text or target.data)


def _data(target: Target, args: argparse.Namespace) -> tuple[Data | None, str]:
    """(the arrays that there are, what they are); none for a network that no data at hand fit."""
    from symbp.cli.console import narrate
    from symbp.cli.data import found_for

    what = args.data or args.text or ("the network's own data" if target.data else "handwritten digits")
    try:
        found = found_for(target, args.data, args.text, sizes(args), args.target_column)
        if found.said:
            narrate(found.said)
        return found.data, what
    except (DataError, UsageError):
        if _is_asked_for(target, args):
            raise
        return None, ""
