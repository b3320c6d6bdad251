"""Shows what a training step takes: each kernel's operations and bytes, and where every tensor lies.

Enters: a network, a target, sizes. Leaves: text or one JSON object on stdout.
Must not know: how memory is planned or work is counted.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FINE

HELP = "operations, bytes and workspace of a training step, as formulas in the sizes"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.sizes()
    to.code(dtype="float64")
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.api import plan
    from symbp.cli.target import load_target, optimizer

    target = load_target(args.net)
    found = plan(
        target.network,
        optimizer=optimizer(target, args.optimizer, args.lr),
        target=args.target,
        dtype=args.dtype,
        sizes=sizes(args),
    )
    sys.stdout.write((found.json() if args.json else str(found)) + "\n")
    return FINE
