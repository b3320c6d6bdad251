"""Compares every derived gradient, Hessian, product with it or Jacobian with numeric and exact derivatives.

Enters: a network. Leaves: a table, or a list in JSON; the exit status is 1 if anything differs.
Must not know: how a gradient is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from symbp.cli import derivatives
from symbp.cli.arguments import TARGETS, Arguments, sizes
from symbp.cli.status import FAILED, FINE

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.language import Network

HELP = "symbolic against numeric gradients, per parameter"


def add_arguments(to: Arguments) -> None:
    to.net()
    derivatives.add_arguments(to)
    to.sizes()
    to.add("--target", choices=TARGETS, help="check the generated code of this target too")
    to.add(
        "--against",
        metavar="FRAMEWORK",
        action="append",
        default=[],
        help="compare with what a framework finds on its own instead: torch, jax, tensorflow (repeatable, or "
        "several between commas)",
    )
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of the random point (default: 0)")
    to.add(
        "--curve",
        metavar="FILE.svg",
        help="draw the error of numeric derivatives by their step, for the first parameter (or of --wrt)",
    )
    to.force()
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.target import load_target, optimizer

    if args.curve:
        refuse_to_overwrite(args.curve, force=args.force)
    target = load_target(args.net)
    derivation = derivatives.derivation(args, target.network)
    if args.against:
        return _against(args, target.network, derivation)
    module = None
    if args.target and derivatives.asked_for(args):
        module = bp.compile(derivation, target=args.target, sizes=sizes(args))
    elif args.target:
        module = bp.compile(
            target.network,
            target=args.target,
            optimizer=optimizer(target, None, None),
            sizes=sizes(args),
            derivation=derivation,
        )
    report = bp.check(target.network, derivation=derivation, sizes=sizes(args), seed=args.seed, module=module)
    print(json.dumps(report.json(), indent=2) if args.json else report)
    if args.curve:
        _draw(args, derivation, target.network.hyper)
    return FINE if report.ok else FAILED


def _against(args: argparse.Namespace, net: Network, derivation: Derivation) -> int:
    """The gradients beside those of frameworks."""
    import symbp as bp

    names = [name.strip() for given in args.against for name in given.split(",")]
    report = bp.check(net, derivation=derivation, sizes=sizes(args), seed=args.seed, against=names)
    print(json.dumps(report.json(), indent=2) if args.json else report)
    if args.json:
        for note in report.notes:
            print(note, file=sys.stderr)
    return FINE if report.ok else FAILED


def _draw(args: argparse.Namespace, derivation: Derivation, hyper: Mapping[str, float]) -> None:
    """The error of numeric derivatives by their step."""
    from symbp.api.files import write
    from symbp.explain.curves import by_step, svg
    from symbp.verify.steps import step_errors

    chosen = {**derivation.system.bound, **sizes(args)}
    found = step_errors(derivation, sizes=chosen, seed=args.seed, hyper=hyper)
    chart = by_step(found.errors, f"∂loss/∂{found.element} of {derivation.name}")
    path = write(args.curve, svg([chart]) + "\n", force=args.force)
    print(f"wrote {path}", file=sys.stderr)
