"""Draws a network and beneath it its backward pass, whose arrows carry the local derivatives, as SVG.

Enters: a network. Leaves: the picture on stdout or in a file. Must not know: how a picture is laid out.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli.arguments import Arguments, count
from symbp.cli.status import FINE

HELP = "the network and its backward pass as a picture (SVG)"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--wrt", metavar="A,B", help="differentiate by these tensors (default: the parameters)")
    to.add("--forward", action="store_true", help="the forward pass alone")
    to.add("--unrolled", metavar="STEPS", type=count, help="draw so many steps of a recurrence, not its loop")
    to.output("the picture")


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.target import load_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    by = [name.strip() for name in args.wrt.split(",")] if args.wrt else None
    derivation = bp.derive(load_target(args.net).network, wrt=by)
    shown = derivation.drawing(backward=not args.forward, unrolled=args.unrolled) + "\n"
    if args.output:
        print(f"wrote {write(args.output, shown, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(shown)
    return FINE
