"""How long axes must be: the room that a read has before it leaves its tensor, for all sizes at once.

Enters: a system. Leaves: lengths, formulas of sizes, that must be 1 or more. Must not know: values of sizes,
who refuses what.

A slice `x[:, 2:9]` of an axis without a number needs 9 elements: shorter data would give a slice of another
length, which is in no formula that was derived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import sympy

from symbp.ir.bounds import never_negative
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    Size,
    free_indices,
    free_sizes,
)
from symbp.ir.points.reaches import guards_around
from symbp.ir.sizes.canonical import canonical
from symbp.ir.system import Equation, System

Ends = tuple[Expr, Expr]
MOST_GUARDS = 4  # beside a read, of which each some are added up


def lengths_of_reads(system: System) -> dict[Expr, None]:
    """What must be 1 or more for each read to stay in its tensor, and for what is taken of an axis to be none
    or more elements; without what holds for all sizes."""
    found: dict[Expr, Expr] = {}
    bound = _bound(system)
    unnamed = {size: value for size, value in bound.items() if size.name in system.unnamed}
    for room in (room for e in system.equations for room in (*_rooms(e, system), *_taken(e, system))):
        known = canonical(room.xreplace(bound))
        if free_sizes(known) and not never_negative(known - 1, {}):
            found[canonical(room.xreplace(unnamed))] = known
    return {e: None for e, n in found.items() if not _implied(n, [*found.values()])}


def rooms_under_conditions(system: System) -> dict[Expr, None]:
    """What must be 1 or more for the reads to stay in their tensors that conditions on places keep there, if
    the axes are long enough."""
    found: dict[Expr, None] = {}
    for equation in system.equations:
        for access in equation.reads:
            if access.outside is None and any(guards_around(access, equation)):
                found |= dict.fromkeys(map(canonical, _rooms_of(access, equation, system)))
    return {room: None for room in found if free_sizes(room) and not never_negative(room - 1, {})}


def without_room(system: System) -> tuple[Equation, Access] | None:
    """A read that leaves its tensor whatever the sizes are: labels of five classes in a table of three rows,
    `E[y + 1]` where y may be the last; or none."""
    bound = _bound(system)
    for equation in system.equations:
        if any(not never_negative(canonical(e.xreplace(bound)) - 1, {}) for e in equation.ranges):
            continue  # perhaps there is nothing to be read
        for access in equation.reads:
            if any(guards_around(access, equation)):
                continue  # and perhaps they hold nowhere
            rooms = (canonical(room.xreplace(bound)) for room in _rooms_of(access, equation, system))
            if any(never_negative(-room, {}) for room in rooms):
                return equation, access
    return None


def _bound(system: System) -> dict[Expr, Expr]:
    return {Size(name): sympy.Integer(value) for name, value in system.bound.items()}


def _implied(length: Expr, others: Sequence[Expr]) -> bool:
    """Whether one of the others is always shorter."""
    return any(other != length and never_negative(length - other, {}) for other in others)


def _rooms(equation: Equation, system: System) -> Iterator[Expr]:
    """What is left of an axis after the last place that is read, and before the first, and one more."""
    for access in equation.reads:
        yield from _rooms_of(access, equation, system)


def _taken(equation: Equation, system: System) -> Iterator[Expr]:
    """One more than how many places of an axis are read, where they aren't all of them."""
    for access in equation.reads:
        shape = () if access.outside is not None else system.tensor(access.name).shape
        for subscript, extent in zip(access.subscripts, shape, strict=False):
            indices = free_indices(subscript)
            plain = isinstance(subscript, Index) and equation.extents.get(subscript) == extent
            if not plain and len(indices) == 1 and not subscript.has(FloorDiv, Mod, Access):
                yield from (equation.extents[i] + 1 for i in indices)


def _rooms_of(access: Access, equation: Equation, system: System) -> Iterator[Expr]:
    if access.outside is not None:
        return
    around: frozenset[tuple[Guard, ...]] | None = None
    for subscript, extent in zip(access.subscripts, system.tensor(access.name).shape, strict=True):
        if isinstance(subscript, Index) and equation.extents.get(subscript) == extent:
            continue
        around = guards_around(access, equation) if around is None else around
        for guards in around:
            yield from _rooms_beside(guards, subscript, extent, equation.extents, system)


def _rooms_beside(
    guards: Sequence[Guard], subscript: Expr, extent: Expr, extents: Mapping[Index, Expr], system: System
) -> Iterator[Expr]:
    """The room at each end of an axis where guards hold. Of lhs ≤ rhs follows s ≤ s + (rhs − lhs), and so of
    several: where one of these bounds is within the axis, the guards keep the read there. Where they might in
    another way, or the ends of s aren't known to be reached, nothing is said."""
    asked = [g for g in guards if g.lhs.is_integer and g.rhs.is_integer]
    if len(asked) > MOST_GUARDS or any(g.op not in ("<=", "=") for g in asked):
        return
    steps = [g.rhs - g.lhs for g in asked] + [g.lhs - g.rhs for g in asked if g.op == "="]
    sums = [sympy.Add(*some) for k in range(len(steps) + 1) for some in combinations(steps, k)]
    above = [_ends(sympy.expand(subscript + s), extents, system) for s in sums]
    below = [_ends(sympy.expand(subscript - s), extents, system) for s in sums]
    if above[0] is None or not (_are_differences(subscript, steps) if asked else _is_monotone(subscript)):
        return
    for rooms in (
        {canonical(extent - ends[1]) for ends in above if ends is not None},
        {canonical(ends[0] + 1) for ends in below if ends is not None},
    ):
        if not any(never_negative(room - 1, {}) for room in rooms):
            widest = [r for r in rooms if all(never_negative(r - other, {}) for other in rooms)]
            yield from widest[:1]


def _is_monotone(subscript: Expr) -> bool:
    """Whether it is made of what varies by itself, each once: then it takes the values at both ends."""
    return not subscript.has(Mod) and all(n == 1 for n in _varying(subscript).values())


def _varying(e: Expr) -> Counter[Expr]:
    """The indices and integers of an expression, with how often each stands there."""
    if isinstance(e, (Index, IntegerAccess)):
        return Counter([e])
    return sum(map(_varying, e.args), Counter[Expr]())


def _are_differences(subscript: Expr, steps: Sequence[Expr]) -> bool:
    """Whether each index stands alone, once or not at all: then no bound but these follows."""
    return all(
        not e.has(FloorDiv, Mod) and all(abs(sympy.expand(e).coeff(i)) == 1 for i in free_indices(e))
        for e in (subscript, *steps)
    )


def _ends(e: Expr, extents: Mapping[Index, Expr], system: System) -> Ends | None:
    """The least and the largest value of a subscript, as formulas of sizes; None where they aren't known."""
    if isinstance(e, Index):
        return (sympy.Integer(0), extents[e] - 1) if e in extents else None
    if isinstance(e, IntegerAccess):
        below = system.tensor(e.name).fact("below")
        return None if below is None or below.bound is None else (sympy.Integer(0), below.bound - 1)
    if not free_indices(e) and not e.has(Access):
        return e, e
    parts = [_ends(arg, extents, system) for arg in e.args]
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    if e.is_Add:
        return sympy.Add(*(low for low, _ in known)), sympy.Add(*(high for _, high in known))
    if e.is_Mul and len(known) == 2 and e.args[0].is_Integer:
        low, high = (e.args[0] * end for end in known[1])
        return (low, high) if e.args[0] > 0 else (high, low)
    if isinstance(e, FloorDiv) and e.args[1].is_positive and not free_indices(e.args[1]):
        low, high = (FloorDiv(end, e.args[1]) for end in known[0])
        return low, high
    if isinstance(e, Mod) and not free_indices(e.args[1]):
        return sympy.Integer(0), e.args[1] - 1
    return None
