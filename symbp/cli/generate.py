"""Writes the standalone training module of a network: plain NumPy or Numba, no symbp needed to run it.

Enters: a network, a target, sizes, an optimizer. Leaves: Python source on stdout or in a file.
Must not know: how code is written.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FINE

HELP = "a standalone training module in NumPy or Numba"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.sizes()
    to.code(dtype="float64")
    to.output("the module")


def run(args: argparse.Namespace) -> int:
    from symbp.api import refuse_to_overwrite, source, write
    from symbp.cli.target import load_target, optimizer

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    target = load_target(args.net)
    text = source(
        target.network,
        optimizer=optimizer(target, args.optimizer, args.lr),
        target=args.target,
        dtype=args.dtype,
        sizes=sizes(args),
    )
    if not args.output:
        sys.stdout.write(text)
        return FINE
    path = write(args.output, text, force=args.force)
    print(f"wrote {path}; python {path} --help tells what it does", file=sys.stderr)
    return FINE
