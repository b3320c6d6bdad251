"""Says whether a student's formula is right: by proof, whatever its form.

Enters: a network, answers as text. Leaves: a verdict on each, as text or JSON; the exit status is 1 if one is
wrong, 2 if one can't be read or decided. Must not know: the grammar of answers, or how they are judged.
"""

from __future__ import annotations

import argparse
import json
import sys

from symbp.cli.arguments import Arguments
from symbp.cli.status import FAILED, FINE, USAGE

HELP = "whether a formula for a gradient is right, and if not, the likely slip"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add(
        "--answer",
        action="append",
        required=True,
        metavar="EQUATION",
        help="such as 'dW2 = h.T @ (p - y)/N'; may be given several times",
    )
    to.add("--wrt", metavar="A,B", help="differentiate by these tensors (default: the parameters)")
    to.add("--seconds", type=float, default=20.0, metavar="NUMBER", help="for each answer (default: 20)")
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.read.grammar.answers import refuse

    for answer in args.answer:
        refuse(answer)  # before anything is loaded or derived
    import symbp as bp
    from symbp.cli.target import load_target

    by = [name.strip() for name in args.wrt.split(",")] if args.wrt else None
    derivation = bp.derive(load_target(args.net).network, wrt=by)
    verdicts = [derivation.grade(answer, seconds=args.seconds) for answer in args.answer]
    if args.json:
        found = [verdict.json() for verdict in verdicts]
        print(json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(str, verdicts)))
    if any(verdict.right is None for verdict in verdicts):
        print("symbp grade: not every answer could be decided", file=sys.stderr)
        return USAGE
    return FINE if all(verdict.right for verdict in verdicts) else FAILED
