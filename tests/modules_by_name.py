"""Modules of the target of a name, of derivations that are made without a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from symbp.derive.derivation import Derivation
from symbp.ir.training import Initial, UpdateRule
from symbp.targets import named
from symbp.targets.target import Order


def generate_source(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    update: UpdateRule,
    initial: Mapping[str, Initial],
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
    pieces: Collection[str] | None = None,
) -> str:
    """The source text of a standalone training module; `hyper` gives the network's constants their values,
    `pieces` names what it has beside the default, of the target's own; None those that are usual.

    Raises UsageError (unknown target, dtype or piece), GenerationError (an unknown size, a constant without a
    value), LoweringError (an equation without code).
    """
    chosen = named(target)
    asked = chosen.usual if pieces is None else tuple(sorted(pieces))
    return chosen.source(Order(derivation, update, initial, sizes, hyper or {}, dtype, asked))


def generate_derivatives(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
) -> str:
    """The source text of a module with `derivatives(params, **inputs)`, and `forward` where the network has
    outputs. Raises what `generate_source` raises."""
    return named(target).source(Order(derivation, None, {}, sizes, hyper or {}, dtype))


def plan_of(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    update: UpdateRule,
    initial: Mapping[str, Initial],
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
) -> Any:
    """The `Footprint` of a step of the module that `generate_source` writes for the same arguments."""
    chosen = named(target)
    return chosen.plan(Order(derivation, update, initial, sizes, hyper or {}, dtype, chosen.usual))
