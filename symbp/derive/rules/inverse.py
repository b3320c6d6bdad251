"""Definitions read backwards: from `p = e/s`, `e = p·s`; so that cancellation finds saved values.

Enters: the forward equations. Leaves: what may be written for a tensor in terms of one that it defines.
Must not know: the backward equations, costs.

Only factors proven non-zero are divided by: positive by their form, for every value of the leaves. What
the definition itself divides by needs no proof: where it is zero, the defined value does not exist either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Index, free_indices, parts_of
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Role, System


@dataclass(frozen=True)
class Inversion:
    """`tensor[indices] = body`, where `body` reads `source`, the later tensor; `of_leaf` if the tensor is
    one, whose reads are free already."""

    indices: tuple[Index, ...]
    body: Expr
    source: str
    of_leaf: bool = False


def inversions(system: System, forward: Sequence[Equation]) -> dict[str, Inversion]:
    """For each tensor that one later map scales by a non-zero factor, its value from that map."""
    signs = Signs(system, forward)
    leaves = {t.name for t in system.leaves if t.role is not Role.HYPER and not t.integer}
    found: dict[str, Inversion] = {}
    for equation in forward:
        if equation.reduction is not None or not equation.body.is_Mul:
            continue
        for factor in sorted(equation.body.args, key=sympy.default_sort_key):
            if not _carries_all(factor, equation) or factor.name in found:
                continue
            rest = equation.body / factor
            if any(access.name == factor.name for access in parts_of(rest, Access)):
                continue
            multiplied = [f for f in sympy.Mul.make_args(rest) if not _divides(f)]
            if rest != 1 and all(signs.positive(f) for f in multiplied):
                own = Access(equation.target, *equation.indices)
                inverse = Inversion(
                    tuple(factor.subscripts), own / rest, equation.target, factor.name in leaves
                )
                found[factor.name] = inverse
                break
    return found


def _divides(factor: Expr) -> bool:
    return bool(factor.is_Pow and not isinstance(factor, sympy.exp) and factor.exp.is_negative)


def _carries_all(factor: Expr, equation: Equation) -> bool:
    """A plain read over exactly the indices of the equation."""
    return (
        isinstance(factor, Access)
        and factor.outside is None
        and len(factor.subscripts) == len(equation.indices)
        and set(factor.subscripts) == set(equation.indices)
    )


def inverted(e: Expr, inversions: Mapping[str, Inversion]) -> Expr:
    """`e` with each tensor that has an inversion replaced by it, as long as there is one."""
    for _ in range(3):
        reads = sorted((a for a in parts_of(e, Access) if a.name in inversions), key=sympy.default_sort_key)
        if not reads:
            break
        replaced = {}
        for access in reads:
            inversion = inversions[access.name]
            replaced[access] = inversion.body.xreplace(
                dict(zip(inversion.indices, access.subscripts, strict=True))
            )
        e = e.xreplace(replaced)
    return e


def repetitions(forward: Sequence[Equation]) -> dict[str, Equation]:
    """The maps that only repeat a tensor along further indices, by the name of what they define."""
    return {
        e.target: e
        for e in forward
        if e.reduction is None
        and isinstance(e.body, Access)
        and e.body.outside is None
        and len(free_indices(e.body)) < len(e.indices)
    }


def scalings(forward: Sequence[Equation]) -> dict[str, Equation]:
    """The maps that are products, by the name of what they define, with what only repeats written out."""
    repeated = repetitions(forward)
    return {
        e.target: e.with_(body=written_out(e.body, repeated))
        for e in forward
        if e.reduction is None and e.body.is_Mul
    }


def written_out(e: Expr, definitions: Mapping[str, Equation]) -> Expr:
    """`e` with each read of a defined tensor replaced by its definition, once."""
    change = {}
    for access in sorted(parts_of(e, Access), key=sympy.default_sort_key):
        definition = definitions.get(access.name)
        if definition is not None and access.outside is None:
            names = dict(zip(definition.indices, access.subscripts, strict=True))
            change[access] = definition.body.xreplace(names)
    return e.xreplace(change)
