"""Tries a network's gradients in float32 at extreme points, and names the equations that lose their digits.

Enters: a network. Leaves: a table and findings, or JSON; the exit status is 1 if digits are lost.
Must not know: which points there are, or how a finding is made.
"""

from __future__ import annotations

import argparse
import json

from symbp.cli import derivatives
from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FAILED, FINE


def add_argument(to: Arguments) -> None:
    to.add(
        "--extremes",
        action="store_true",
        help="try the gradients in float32 at extreme points against 50 digits, and name the equations that "
        "lose digits; with --target, in generated code",
    )


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.cli.target import load_target
    from symbp.errors import UsageError

    if args.curve:
        raise UsageError("--curve draws ordinary points", help="leave out --extremes or --curve")
    network = load_target(args.net).network
    report = bp.check_extremes(
        network,
        derivation=derivatives.derivation(args, network),
        sizes=sizes(args),
        seed=args.seed,
        target=args.target,
    )
    print(json.dumps(report.json(), indent=2, ensure_ascii=False) if args.json else report)
    return FINE if report.ok else FAILED
