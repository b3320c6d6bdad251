"""Compares every derived gradient, Hessian, product with it or Jacobian with numeric and exact derivatives.

Enters: a network. Leaves: a table, or a list in JSON; the exit status is 1 if anything differs.
Must not know: how a gradient is checked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from symbp.cli import check_extremes, check_report, derivatives
from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FAILED, FINE
from symbp.errors import UsageError
from symbp.targets import COMPLETE

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.language import Network

HELP = "symbolic against numeric gradients, per parameter"


def add_arguments(to: Arguments) -> None:
    to.net()
    derivatives.add_arguments(to)
    to.sizes()
    to.add("--target", choices=COMPLETE, help="check the generated code of this target too")
    to.add(
        "--against",
        metavar="FILE.py[:NAME]|FRAMEWORK",
        help="compare a backward pass that somebody wrote (repeatable, or several between commas): a "
        "function loss_and_gradients(params, **data), a forward and a backward, a class, a text of "
        "equations; or what a framework finds on its own: torch, jax, tensorflow",
        action="append",
        default=[],
    )
    to.add(
        "--map",
        metavar="NAME=THEIRS",
        type=renamed,
        action="append",
        default=[],
        help="what that code calls something, such as dW1=grad_w1 (repeatable)",
    )
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of the random point (default: 0)")
    to.add(
        "--curve",
        metavar="FILE.svg",
        help="draw the error of numeric derivatives by their step, for the first parameter (or of --wrt)",
    )
    check_report.add_arguments(to)
    check_extremes.add_argument(to)
    to.force()
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.target import load_target, optimizer

    _refuse_what_excludes(args)
    check_report.refuse_to_overwrite(args)
    if args.extremes:
        return check_extremes.run(args)
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
    report = bp.check(
        target.network,
        derivation=derivation,
        sizes=sizes(args),
        methods=args.methods,
        seed=args.seed,
        module=module,
    )
    check_report.show(args, report)
    if args.curve:
        _draw(args, derivation, target.network.hyper)
    return FINE if report.ok else FAILED


def _refuse_what_excludes(args: argparse.Namespace) -> None:
    """Raises UsageError for an option that would say nothing beside another one."""
    kinds = {"--against": args.against, "--extremes": args.extremes}
    others = {"--methods": args.methods, "--curve": args.curve, "--map": args.map}
    others |= {"--target": args.target} if args.against else {}
    for kind in (name for name, given in kinds.items() if given):
        allowed = ("--map",) if kind == "--against" else ()
        excluded = [
            name for name, given in {**kinds, **others}.items() if given and name not in (kind, *allowed)
        ]
        if excluded:
            raise UsageError(f"{kind} makes no use of {excluded[0]}", help="leave out one of them")
    if args.map and not args.against:
        raise UsageError("--map says what the code of --against calls things", help="give --against, too")


def renamed(text: str) -> tuple[str, str]:
    """`dW1=grad_w1` → ("dW1", "grad_w1")."""
    ours, _, theirs = text.partition("=")
    if not ours.strip() or not theirs.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=THEIRS, such as dW1=grad_w1")
    return ours.strip(), theirs.strip()


def _against(args: argparse.Namespace, net: Network, derivation: Derivation) -> int:
    """The network beside each side that was named."""
    import symbp as bp
    from symbp.api.against import frameworks

    names = [name.strip() for given in args.against for name in given.split(",")]
    together = [name for name in names if frameworks(name)]
    sides = [*([together] if together else []), *(name for name in names if name not in together)]
    reports = [
        bp.check(
            net, derivation=derivation, against=side, map=dict(args.map), sizes=sizes(args), seed=args.seed
        )
        for side in sides
    ]
    check_report.show(args, *reports)
    return FINE if all(report.ok for report in reports) else FAILED


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
