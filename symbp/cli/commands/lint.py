"""Says what can be proven of a network: what has no effect, what overflows, how far gradients reach.

Enters: a network. Leaves: problems and notes, as text or JSON; the exit status is 1 if there is a problem.
Must not know: how anything is found.
"""

from __future__ import annotations

import argparse
import json

from symbp.cli.arguments import Arguments
from symbp.cli.status import FAILED, FINE

HELP = "parameters without effect, formulas that overflow, factors of gradients"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of primes and points (default: 0)")
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.cli.target import load_target
    from symbp.explain.document import document
    from symbp.explain.text import PageText
    from symbp.verify.lint import lint

    derivation = bp.derive(load_target(args.net).network)
    found = lint(derivation, seed=args.seed)
    if args.json:
        print(json.dumps(found.json(), indent=2, ensure_ascii=False))
    else:
        print(found.text(PageText(document(derivation).ever)))
    return FINE if found.ok else FAILED
