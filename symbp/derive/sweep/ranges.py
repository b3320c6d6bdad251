"""Reads and brackets beside the ranges of indices: what is in range, and what the ranges decide.

Enters: reads, shapes, the extents of indices. Leaves: guards, bodies. Must not know: adjoints, values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from symbp.ir.bounds import simplify_guard, within
from symbp.ir.expr import Access, Expr, Guard, Index, parts_of

Shape = Callable[[str], Sequence[Expr]]


def within_all(access: Access, shape: Sequence[Expr], extents: Mapping[Index, Expr]) -> list[Expr]:
    """The guards of a read in range, axis by axis, without those that always hold."""
    guards: list[Expr] = []
    for subscript, extent in zip(access.subscripts, shape, strict=True):
        guards += within(subscript, extent, extents)
    return guards


def within_ranges(e: Expr, shape: Shape, extents: Mapping[Index, Expr]) -> Expr:
    """`e` without what the ranges decide: no outside value at reads that never leave their range,
    `h[t, n | h0[n]]`, and no bracket that always holds, `[t ≥ 0]`."""
    decided: dict[Expr, Expr] = {
        access: type(access)(access.name, *access.subscripts)
        for access in sorted(parts_of(e, Access), key=sympy.default_sort_key)
        if access.outside is not None and not within_all(access, shape(access.name), extents)
    }
    for guard in sorted(parts_of(e, Guard), key=sympy.default_sort_key):
        if not parts_of(guard, Access) and (known := simplify_guard(guard, extents)) in (0, 1):
            decided[guard] = known
    return e.xreplace(decided) if decided else e
