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
from symbp.cli.arguments import OF_PLAIN, PIECES, Arguments, count, sizes
from symbp.cli.balance import numbers
from symbp.cli.status import FAILED, FINE
from symbp.targets import TARGETS

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.ir.training import UpdateRule
    from symbp.language import Network

HELP = "a standalone module in NumPy or Numba, to train or to compute derivatives"


def add_arguments(to: Arguments) -> None:
    to.net()
    derivatives.add_arguments(to)
    to.sizes()
    to.code(dtype="float64", targets=TARGETS)
    to.update()
    to.add("--steps", metavar="COUNT", type=count, help="over how many steps the schedule runs")
    to.standardise()
    to.start()
    to.add(
        "--class-weights",
        metavar="A,B,…",
        type=numbers,
        help="how much a row counts in the loss, by its class",
    )
    to.add(
        "--with",
        dest="pieces",
        metavar="PIECE",
        nargs="+",
        choices=("nothing", *dict.fromkeys((*PIECES, *OF_PLAIN)), "all"),
        default=[],
        help=f"what it has beside steps: {', '.join(PIECES)}, the first five also unasked but for `nothing`; "
        f"`all` of them; of plain: {', '.join(OF_PLAIN)}",
    )
    to.add(
        "--dump",
        metavar="PASS",
        nargs="?",
        const="",
        help="print the state after that pass of the target, or after each, in place of the module",
    )
    to.add(
        "--bisect",
        action="store_true",
        help="execute the state after each pass on random data, and name the first that changes a value",
    )
    to.output("the module")


def run(args: argparse.Namespace) -> int:
    from symbp.api import source
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.target import load_target, update
    from symbp.language import class_weighted, restarted, standardised, standardised_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    target = load_target(args.net)
    network = restarted(target.network, dict(args.start)) if args.start else target.network
    network = standardised(network) if args.standardise else network
    network = standardised_target(network) if args.standardise_target else network
    network = class_weighted(network, args.class_weights) if args.class_weights else network
    rule: UpdateRule | None
    if derivatives.asked_for(args):
        subject: Network | Derivation = derivatives.derivation(args, network)
        rule = update(target, args, args.steps) if args.optimizer or args.lr else None
    else:
        subject, rule = network, update(target, args, args.steps)
    if args.bisect or args.dump is not None:
        return _passes(args, subject, rule)
    text = source(
        subject, optimizer=rule, target=args.target, dtype=args.dtype, sizes=sizes(args), pieces=args.pieces
    )
    if not args.output:
        sys.stdout.write(text)
        return FINE
    path = write(args.output, text, force=args.force)
    runs = 'if __name__ == "__main__":' in text
    print(f"wrote {path}" + (f"; python {path} --help tells what it does" if runs else ""), file=sys.stderr)
    return FINE


def _passes(args: argparse.Namespace, subject: Network | Derivation, rule: UpdateRule | None) -> int:
    """Prints the states that the target's passes lead through, or how far each is from the right values."""
    from symbp.api import order
    from symbp.targets import named
    from symbp.targets.bisect import bisect, suspects

    chosen = named(args.target)
    asked = order(subject, optimizer=rule, dtype=args.dtype, sizes=sizes(args), pieces=args.pieces)
    if not args.bisect:
        sys.stdout.write(chosen.dump(asked, args.dump or None))
        return FINE
    found = bisect(chosen, asked)
    print("\n".join(map(str, found)))
    blamed = suspects(found)
    what = "the pass" if len(blamed) == 1 else "one of the passes"
    print(f"{what} {', '.join(blamed)} changes a value" if blamed else "no pass changes a value")
    return FAILED if blamed else FINE
