"""Which derivatives a command is about: gradients, Hessians, products with them, Jacobians.

Enters: the options that commands share. Leaves: a derivation. Must not know: what a command does with it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.language import Network


def add_arguments(to: Arguments) -> None:
    """`--order`, `--hvp` or `--jacobian`, and `--wrt`."""
    kind = to.parser.add_mutually_exclusive_group()
    kind.add_argument("--order", type=int, choices=(1, 2), help="1: gradients; 2: Hessians, too (default: 1)")
    kind.add_argument(
        "--hvp", action="store_true", help="products of the Hessian with vectors v_A, given like data"
    )
    kind.add_argument("--jacobian", metavar="TENSOR", help="derivatives of this tensor, not of the loss")
    to.add("--wrt", metavar="A,B", help="differentiate by these tensors (default: the parameters)")


def asked_for(args: argparse.Namespace) -> bool:
    """Whether any of these options was given."""
    return bool(args.order or args.hvp or args.jacobian or args.wrt)


def derivation(args: argparse.Namespace, net: Network) -> Derivation:
    """The derivation that the options ask for, the gradients by default."""
    import symbp as bp

    by = [name.strip() for name in args.wrt.split(",")] if args.wrt else None
    if args.jacobian:
        return bp.jacobian(net, args.jacobian, wrt=by)
    if args.hvp:
        return bp.hvp(net, wrt=by)
    return bp.derive(net, wrt=by, order=args.order or 1)
