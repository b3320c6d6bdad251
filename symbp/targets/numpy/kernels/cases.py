"""Equations whose terms belong to single positions along one index, a line for each position.

Enters: statements. Leaves: the same statements at fixed positions. Must not know: how a line is written.

`[g = 0]·a + [g = 1]·b`, the gates of an LSTM beside each other, fills `t[0]` and `t[1]`; `[t = T − 1]·a`
fills `t[T − 1]`, and the rest is 0. A choice over all positions would compute every term at each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Expr, Guard, Index, free_indices, product
from symbp.ir.system import Equation

MANY = 16


def positions(equation: Equation, plain: Sequence[Index]) -> tuple[Index, list[Expr], bool] | None:
    """The index, its positions, and whether these are all of them; None if terms are not apart so."""
    if equation.op not in (None, "sum"):
        return None
    terms = [sympy.Mul.make_args(t) for t in sympy.Add.make_args(equation.body)]
    for index in plain:
        found = [place for factors in terms if (place := fixed_by(factors, index)) is not None]
        if len(found) < len(terms):
            continue
        places: list[Expr] = list(dict.fromkeys(found))
        whole = all(place.is_Integer for place in places)
        if len(places) > (MANY if whole else 1):
            continue
        if any(within(place, equation.extents[index], equation.extents) for place in places):
            continue
        every = whole and sorted(places, key=int) == list(range(len(places)))
        complete = every and sympy.expand(equation.extents[index] - len(places)) == 0
        return index, sorted(places, key=int) if whole else places, complete
    return None


def fixed_by(factors: Sequence[Expr], index: Index) -> Expr | None:
    """The number, or the expression in sizes, that a guard among factors gives an index."""
    for guard in factors:
        if isinstance(guard, Guard) and guard.op == "=" and guard.lhs.is_integer and guard.rhs.is_integer:
            difference = sympy.expand(guard.lhs - guard.rhs)
            slope = difference.coeff(index, 1)
            place = sympy.expand(index - slope * difference)
            if slope in (1, -1) and free_indices(difference) == {index} and not free_indices(place):
                return place
    return None


def at_position(equation: Equation, index: Index, place: Expr) -> Equation:
    """The equation where its index has a value: the terms of other positions are gone."""
    kept = []
    for term in sympy.Add.make_args(equation.body):
        factors = sympy.Mul.make_args(term)
        if fixed_by(factors, index) == place:
            kept.append(product(f.xreplace({index: place}) for f in factors))
    return equation.with_(body=sympy.Add(*kept))
