"""Reads and the ranges of what they read: when a read is in range, and that it needs no outside value then.

Enters: reads, shapes, the extents of indices. Leaves: guards, bodies. Must not know: adjoints, values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Index

Shape = Callable[[str], Sequence[Expr]]


def within_all(access: Access, shape: Sequence[Expr], extents: Mapping[Index, Expr]) -> list[Expr]:
    """The guards of a read in range, axis by axis, without those that always hold."""
    guards: list[Expr] = []
    for subscript, extent in zip(access.subscripts, shape, strict=True):
        guards += within(subscript, extent, extents)
    return guards


def without_outside(e: Expr, shape: Shape, extents: Mapping[Index, Expr]) -> Expr:
    """`e` with no outside value at the reads that never leave their range: `h[t, n | h0[n]]` is `h[t, n]`."""
    inside = {
        access: type(access)(access.name, *access.subscripts)
        for access in sorted(e.atoms(Access), key=sympy.default_sort_key)
        if access.outside is not None and not within_all(access, shape(access.name), extents)
    }
    return e.xreplace(inside) if inside else e
