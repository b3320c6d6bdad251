"""Very small and very large numbers of a formula as unknowns, while its closed form is sought.

Enters: a joint system. Leaves: the same with a positive leaf in the place of each such number; and back.
Must not know: what a number is for.

An ε of 1e-12 beside values of size 1 is taken for rounding by any evidence in floating point: x/(x + ε)
would be folded to 1. What holds for every positive number holds for this one."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.ir.expr import Access, Expr, parts_of
from symbp.ir.printer import expression_text
from symbp.ir.system import Fact, Role, System, Tensor

SMALL, LARGE = sympy.Rational(1, 10**6), sympy.Integer(10**6)  # numbers beyond these are unknowns


def with_unknowns(system: System) -> tuple[System, Mapping[Expr, Expr]]:
    """The system with leaves, called as the numbers are printed, for its extreme numbers; leaf ↦ number."""
    numbers = {
        n for e in system.equations for body in (e.body, *e.where) for n in parts_of(body, sympy.Rational)
    }
    extreme = sorted((n for n in numbers if n != 0 and not SMALL <= abs(n) <= LARGE), key=abs)
    if not extreme:
        return system, {}
    leaves = {n: Access(expression_text(abs(n))) for n in extreme}
    there = {n: leaf if n > 0 else -leaf for n, leaf in leaves.items()}
    names = dict.fromkeys(leaf.name for leaf in leaves.values())
    positive = frozenset({Fact("positive")})
    tensors = [Tensor(name, (), Role.HYPER, facts=positive) for name in names]
    equations = tuple(e.changed(there) for e in system.equations)
    return (
        system.with_(tensors=(*system.tensors, *tensors), equations=equations),
        {leaf: abs(n) for n, leaf in leaves.items()},
    )


def with_numbers(system: System, leaves: Mapping[Expr, Expr]) -> System:
    """The system with the numbers in the place of their leaves again."""
    if not leaves:
        return system
    names = {leaf.name for leaf in leaves}
    equations = tuple(e.changed(leaves) for e in system.equations)
    return system.with_(tensors=tuple(t for t in system.tensors if t.name not in names), equations=equations)
