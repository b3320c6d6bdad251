"""How long axes must be: the room that a read has before it leaves its tensor, for all sizes at once.

Enters: a system. Leaves: lengths, formulas of sizes, that must be 1 or more. Must not know: values of sizes,
who refuses what.

A slice `x[:, 2:9]` of an axis without a number needs 9 elements: shorter data would give a slice of another
length, which is in no formula that was derived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, FloorDiv, Index, IntegerAccess, Mod, Size, free_indices, free_sizes
from symbp.ir.points.reaches import guards_around
from symbp.ir.shapes import bounded_beside
from symbp.ir.sizes.canonical import canonical
from symbp.ir.system import Equation, System

Ends = tuple[Expr, Expr]


def lengths_of_reads(system: System) -> dict[Expr, None]:
    """What must be 1 or more for each read to stay in its tensor that no condition on places keeps there, and
    for what is taken of an axis to be none or more elements; without what holds for all sizes."""
    found: dict[Expr, Expr] = {}
    bound = {Size(name): sympy.Integer(value) for name, value in system.bound.items()}
    unnamed = {size: value for size, value in bound.items() if size.name in system.unnamed}
    for room in (room for equation in system.equations for room in _rooms(equation, system)):
        known = canonical(room.xreplace(bound))
        if free_sizes(known) and not never_negative(known - 1, {}):
            found[canonical(room.xreplace(unnamed))] = known
    return {e: None for e, n in found.items() if not _implied(n, [*found.values()])}


def _implied(length: Expr, others: Sequence[Expr]) -> bool:
    """Whether one of the others is always shorter."""
    return any(other != length and never_negative(length - other, {}) for other in others)


def _rooms(equation: Equation, system: System) -> Iterator[Expr]:
    """What is left of an axis after the last place that is read, and before the first, and one more; and one
    more than what is taken of it."""
    extents = equation.extents
    for access in equation.reads:
        if access.outside is not None or _kept_in(access, equation):
            continue
        guarded = bounded_beside(access, equation)
        for subscript, extent in zip(access.subscripts, system.tensor(access.name).shape, strict=True):
            indices = free_indices(subscript)
            plain = isinstance(subscript, Index) and extents.get(subscript) == extent
            ends = None if plain or indices & guarded else _ends(subscript, extents, system)
            if ends is None:
                continue
            yield from (ends[0] + 1, extent - ends[1])
            if len(indices) == 1 and not subscript.has(FloorDiv, Mod):
                yield from (extents[i] + 1 for i in indices)


def _kept_in(access: Access, equation: Equation) -> bool:
    """Whether each place at which something is read has a condition between integers beside it."""
    around = guards_around(access, equation)
    return all(any(g.lhs.is_integer and g.rhs.is_integer for g in guards) for guards in around)


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
