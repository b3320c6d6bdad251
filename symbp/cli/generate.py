"""Writes the standalone training module of a network, or one that computes derivatives: plain NumPy or Numba,
no symbp needed to run it.

Enters: a network, a target, sizes, an optimizer. Leaves: Python source on stdout or in a file.
Must not know: how code is written.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from symbp.cli import derivatives
from symbp.cli.arguments import PIECES, Arguments, count, sizes
from symbp.cli.status import FINE

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.ir.training import UpdateRule
    from symbp.language import Network

HELP = "a standalone module in NumPy or Numba, to train or to compute derivatives"


def add_arguments(to: Arguments) -> None:
    to.net()
    derivatives.add_arguments(to)
    to.sizes()
    to.code(dtype="float64")
    to.update()
    to.add("--steps", metavar="COUNT", type=count, help="over how many steps the schedule runs")
    to.standardise()
    to.add(
        "--with",
        dest="pieces",
        metavar="PIECE",
        nargs="+",
        choices=PIECES,
        default=[],
        help=f"what its training offers beside the essential: {', '.join(PIECES)}",
    )
    to.output("the module")


def run(args: argparse.Namespace) -> int:
    from symbp.api import refuse_to_overwrite, source, write
    from symbp.cli.target import load_target, update
    from symbp.language import standardised

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    target = load_target(args.net)
    network = standardised(target.network) if args.standardise else target.network
    rule: UpdateRule | None
    if derivatives.asked_for(args):
        subject: Network | Derivation = derivatives.derivation(args, network)
        rule = update(target, args, args.steps) if args.optimizer or args.lr else None
    else:
        subject, rule = network, update(target, args, args.steps)
    text = source(
        subject, optimizer=rule, target=args.target, dtype=args.dtype, sizes=sizes(args), pieces=args.pieces
    )
    if not args.output:
        sys.stdout.write(text)
        return FINE
    path = write(args.output, text, force=args.force)
    print(f"wrote {path}; python {path} --help tells what it does", file=sys.stderr)
    return FINE
