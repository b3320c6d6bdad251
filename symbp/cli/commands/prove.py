"""Proves each step of a network's derivation again, exactly where that can be, else in 50 digits.

Enters: a network. Leaves: a verdict for each step and for the whole, as text or JSON; the exit status is 1 if
anything isn't proven. Must not know: how a step is proven.
"""

from __future__ import annotations

import argparse
import json
import sys

from symbp.cli.arguments import Arguments
from symbp.cli.status import FAILED, FINE

HELP = "each step of the derivation, proven again"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--wrt", metavar="A,B", help="differentiate by these tensors (default: the parameters)")
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of primes and points (default: 0)")
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.cli.target import load_target
    from symbp.verify.proofs import prove

    by = [name.strip() for name in args.wrt.split(",")] if args.wrt else None
    proofs = prove(bp.derive(load_target(args.net).network, wrt=by), seed=args.seed)
    print(json.dumps(proofs.json(), indent=2, ensure_ascii=False) if args.json else proofs)
    if not proofs.ok:
        print(proofs.summary(), file=sys.stderr)
    return FINE if proofs.ok else FAILED
