"""Sums under a guard that fixes an index: read where it says, or add where it says, without a loop over it.

Enters: an equation, the indices that loops around it fix. Leaves: the same sum with fewer indices, and the
places `{index: position}` at which its terms are added. Must not know: targets, or why the guard is there.

`Σ_k [k = y[n]]·z[n,k]` reads `z[n,y[n]]`; `Σ_n,t [v = tok[n,t]]·dx[n,t,j]` adds `dx[n,t,j]` to row
`tok[n,t]`. Either costs what it selects, not the product with a matrix of zeros and ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Expr, Guard, Index, free_indices, product
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation


def selected(equation: Equation) -> Equation:
    """The equation without the summed indices that a guard fixes: `[k = e]` reads at e, if e is in range."""
    while True:
        found = _fixing(equation, equation.reduced) if equation.op == "sum" else None
        if found is None:
            return equation
        guard, index, position = found
        rest = _without(equation.body, guard).xreplace({index: position})
        inside = within(position, equation.extents[index], equation.extents)
        kept = tuple(i for i in equation.all_indices if i != index)
        assert equation.reduction is not None
        reduced = tuple(i for i in equation.reduced if i != index)
        equation = equation.with_(
            body=sympy.Mul(rest, *inside),
            ranges=tuple(equation.extents[i] for i in kept),
            reduction=replace(equation.reduction, indices=reduced) if reduced else None,
        )


def scattered(equation: Equation, fixed: Collection[Index] = ()) -> tuple[Equation, dict[Index, Expr]]:
    """The equation without the guards that say where a term goes, and these places by plain index."""
    at: dict[Index, Expr] = {}
    while equation.op == "sum":
        among = [i for i in equation.indices if i not in fixed and i not in at]
        found = _fixing(equation, among, frozenset(equation.reduced))
        if found is None:
            break
        guard, index, position = found
        # A place must not depend on another index that is itself given by a place.
        if any(index in free_indices(e) for e in at.values()) or free_indices(position) & at.keys():
            break
        at[index] = position
        equation = equation.with_(body=_without(equation.body, guard).xreplace({index: position}))
    return equation, at


def terms_of(equation: Equation, places: Mapping[Index, Expr]) -> tuple[Equation, tuple[Index, ...]]:
    """The terms that are added at places, as an equation of their own, and what it sums over. Its axes are
    those of the target; what the places depend on stands where the first of them does, in two parts: what
    other reads move over, then the positions of the reads that place them."""
    depends = [i for i in equation.reduced if any(i in free_indices(e) for e in places.values())]
    own = [i for i in equation.indices if i not in places]
    first = min(k for k, i in enumerate(equation.indices) if i in places)
    ahead = [i for i in equation.indices[:first] if i in own]
    axes = (*ahead, *depends, *(i for i in own if i not in ahead))
    summed = tuple(i for i in equation.reduced if i not in depends)
    reduction = replace(equation.reduction, indices=summed) if equation.reduction and summed else None
    terms = equation.with_(
        indices=axes,
        reduction=reduction,
        ranges=tuple(equation.extents[i] for i in (*axes, *summed)),
    )
    return terms, summed


def _fixing(
    equation: Equation, among: Collection[Index], through: frozenset[Index] | None = None
) -> tuple[Guard, Index, Expr] | None:
    """The first guard `[index = position]` for one of some indices, the position depending on `through`."""
    guards = [g for g in sympy.Mul.make_args(equation.body) if isinstance(g, Guard) and g.op == "="]
    for guard in sorted(guards, key=expression_text):
        if not (guard.lhs.is_integer and guard.rhs.is_integer):
            continue
        difference = sympy.expand(guard.lhs - guard.rhs)
        for index in among:
            position = _solved(difference, index)
            if position is not None and (through is None or free_indices(position) & through):
                return guard, index, position
    return None


def _solved(difference: Expr, index: Index) -> Expr | None:
    """The value of the index at which the difference is 0, if it stands there once, alone, with factor ±1."""
    slope = difference.coeff(index, 1)
    rest = sympy.expand(difference - slope * index)
    if slope not in (1, -1) or index in free_indices(rest):
        return None
    return sympy.expand(-slope * rest)


def _without(body: Expr, guard: Guard) -> Expr:
    return product(f for f in sympy.Mul.make_args(body) if f != guard)
