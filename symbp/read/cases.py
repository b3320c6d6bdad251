"""One equation for each case: a sum of brackets that exclude each other along an axis of the target.

Enters: an equation. Leaves: its cases, each with subscripts that are fixed or a condition on one.
Must not know: letters, symbols, formats.

[l = 0]·A + [l = 1]·B over an axis of two is A at 0 and B at 1: the four gates of a recurrence that are one
tensor. [k = K − 1]·A + [k < K − 1]·B is A at the end and B before it, [s % 2 = 0]·A + [s % 2 = 1]·B is A at
even places and B at odd ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from symbp.ir.expr import Expr, Guard, Index, Mod
from symbp.ir.system import Equation

MOST = 8  # equations for one


@dataclass(frozen=True)
class Case:
    """An equation where some of its target's subscripts are `fixed`, or where a `condition` on one holds."""

    equation: Equation
    fixed: Mapping[Index, Expr] = field(default_factory=dict)
    condition: Guard | None = None


def cases(equation: Equation) -> tuple[Case, ...]:
    """The equation in its cases; as it is, where it has none."""
    if equation.op is None and equation.body.is_Add:
        for index in equation.indices:
            found = _along(equation, index, equation.extents[index])
            if found:
                return found
    return (Case(equation),)


def _along(equation: Equation, index: Index, extent: Expr) -> tuple[Case, ...]:
    """The cases along one axis: every term has exactly one bracket of the index, and each place has one."""
    by_guard: dict[Guard, list[Expr]] = {}
    for term in equation.body.args:
        guards = [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard) and _is_of(f, index)]
        if len(guards) != 1:
            return ()
        rest = [f for f in sympy.Mul.make_args(term) if f is not guards[0]]
        by_guard.setdefault(guards[0], []).append(sympy.Mul(*rest))
    if not 1 < len(by_guard) <= MOST:
        return ()
    bodies = {guard: sympy.Add(*terms) for guard, terms in by_guard.items()}
    places = {g: place for g in bodies if (place := _place(g, index)) is not None}
    if extent.is_Integer and len(places) == len(bodies) and all(p.is_Integer for p in places.values()):
        if {int(p) for p in places.values()} != set(range(int(extent))):
            return ()
        ordered = sorted(bodies, key=lambda g: int(places[g]))
        return tuple(_fixed(equation, index, places[g], bodies[g]) for g in ordered)
    return _at_an_end(equation, index, bodies, places) or _either_way(equation, bodies)


def opposite(guard: Guard) -> Expr:
    """The bracket of what holds where this one's condition doesn't."""
    other = guard.complement()
    if isinstance(other, Guard) and other.op == "!=":
        for parity, place in ((other.lhs, other.rhs), (other.rhs, other.lhs)):
            if isinstance(parity, Mod) and parity.args[1] == 2 and place in (0, 1):
                return Guard("=", parity, 1 - place)
    return other


def _either_way(equation: Equation, bodies: Mapping[Guard, Expr]) -> tuple[Case, ...]:
    """One case where a condition holds, the other where it doesn't."""
    if len(bodies) != 2:
        return ()
    one, other = bodies
    if opposite(one) != other:
        return ()
    return tuple(Case(equation.with_(body=bodies[guard]), condition=guard) for guard in bodies)


def _at_an_end(
    equation: Equation, index: Index, bodies: Mapping[Guard, Expr], places: Mapping[Guard, Expr]
) -> tuple[Case, ...]:
    """One case at the first or the last place, the other everywhere else."""
    extent = equation.extents[index]
    if len(bodies) != 2 or len(places) != 1:
        return ()
    (one,) = places
    (other,) = (g for g in bodies if g is not one)
    place = places[one]
    first = place == 0 and other == Guard("<=", sympy.Integer(1), index)
    last = place == extent - 1 and other == Guard("<=", index + 2, extent)
    if not first and not last:
        return ()
    ends = _fixed(equation, index, place, bodies[one])
    between = Case(equation.with_(body=bodies[other]), condition=other)
    return (ends, between) if first else (between, ends)


def _fixed(equation: Equation, index: Index, place: Expr, body: Expr) -> Case:
    return Case(equation.with_(body=body.xreplace({index: place})), {index: place})


def _is_of(guard: Guard, index: Index) -> bool:
    """Whether a bracket is about one index and sizes only."""
    symbols = guard.free_symbols
    return (
        index in symbols
        and not any(isinstance(s, Index) and s != index for s in symbols)
        and not any(a.args for a in guard.atoms(sympy.Function) if not isinstance(a, Mod))
    )


def _place(guard: Guard, index: Index) -> Expr | None:
    """The one place at which the bracket holds, if it is an equality."""
    if guard.op != "=":
        return None
    difference = sympy.expand(guard.lhs - guard.rhs)
    coefficient = difference.coeff(index)
    if coefficient not in (1, -1) or (difference - coefficient * index).has(index):
        return None
    return sympy.expand(index - coefficient * difference)
