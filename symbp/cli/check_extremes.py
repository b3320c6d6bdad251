"""Tries a network's gradients in float32 at extreme points, and names the equations that lose their digits.

Enters: a network. Leaves: a table and findings, or JSON; the exit status is 1 if digits are lost.
Must not know: which points there are, or how a finding is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from symbp.cli import check_report, derivatives
from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FAILED, FINE

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.language import Network


def add_argument(to: Arguments) -> None:
    to.add(
        "--extremes",
        action="store_true",
        help="try the gradients in float32 at extreme points against 50 digits, and name the equations that "
        "lose digits; with --target, in generated code",
    )


def compiled(
    net: Network, derivation: Derivation, target: str, given: Mapping[str, int]
) -> tuple[ModuleType, dict[str, int]]:
    """A module of float32 for the small sizes at which extremes are tried, and these."""
    import symbp as bp
    from symbp.verify.extremes import small_sizes

    chosen, system = small_sizes(derivation, given), derivation.system.with_(bound={})
    module = bp.compile(
        net,
        optimizer=bp.optim.SGD(0.1),
        target=target,
        dtype="float32",
        sizes={name: chosen[name] for name in system.sizes},
        derivation=replace(derivation, system=system),
    )
    return module, chosen


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.cli.target import load_target

    network = load_target(args.net).network
    derivation, chosen, module = derivatives.derivation(args, network), sizes(args), None
    if args.target:
        module, chosen = compiled(network, derivation, args.target, chosen)
    report = bp.check_extremes(network, derivation=derivation, sizes=chosen, seed=args.seed, module=module)
    check_report.show(args, report)
    return FINE if report.ok else FAILED
