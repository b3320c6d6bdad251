"""Proofs about subscripts: is an affine expression of indices and sizes never negative?

Enters: quasi-affine expressions and the extents of their indices. Leaves: True when proven, else False.
Must not know: tensors, equations, what the answer is used for.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    Mod,
    free_indices,
    free_sizes,
    parts_of,
)


def never_negative(expr: Expr, extents: Mapping[Index, Expr]) -> bool:
    """Whether `expr` ≥ 0 for all indices in range and all sizes ≥ 1 (sound, not complete).

    Each index takes the end of its range that makes the expression smallest; then every size is written
    as 1 + something and no coefficient may be negative.
    """
    lowest = sympy.expand(expr)
    if parts_of(lowest, Access):
        return False
    for opaque in sorted(lowest.atoms(FloorDiv, Mod), key=sympy.default_sort_key):
        lowest = sympy.expand(_with_quotient_bounds(lowest, opaque, extents))
    for index in sorted(free_indices(lowest), key=lambda i: i.name):
        if index not in extents:
            return False
        slope = sympy.expand(lowest.diff(index))
        if free_indices(slope):
            return False
        if _positive(slope):
            lowest = lowest.xreplace({index: sympy.Integer(0)})
        elif _positive(-slope):
            lowest = sympy.expand(lowest.xreplace({index: extents[index] - 1}))
        else:
            return False
    return _positive(lowest)


def _with_quotient_bounds(expr: Expr, opaque: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """`expr` with a quotient or remainder replaced by the bound that makes `expr` smallest, where known; one
    that stands in another one stays: with the outer one it may grow or fall."""
    slope = expr.coeff(opaque, 1)
    if slope == 0 or sympy.expand(expr - slope * opaque).has(opaque):
        return expr
    if _positive(slope) and (isinstance(opaque, Mod) or never_negative(opaque.args[0], extents)):
        return expr.xreplace({opaque: sympy.Integer(0)})
    if _positive(-slope) and isinstance(opaque, Mod):
        return expr.xreplace({opaque: opaque.args[1] - 1})
    if _positive(-slope):
        greatest = _greatest_quotient(opaque, extents)
        if greatest is not None:
            return expr.xreplace({opaque: greatest})
        multiple = sympy.cancel(slope / opaque.args[1])
        if multiple.is_Integer:  # s·(a // s) ≤ a
            return expr - slope * opaque + multiple * opaque.args[0]
    return expr


def _greatest_quotient(quotient: Expr, extents: Mapping[Index, Expr]) -> Expr | None:
    """The largest value of `a // s` for an affine a and a number s, where it has no remainder in sizes."""
    top, divisor = sympy.expand(quotient.args[0]), quotient.args[1]
    if not divisor.is_Integer or top.atoms(FloorDiv, Mod, Access):
        return None
    for index in sorted(free_indices(top), key=lambda i: i.name):
        slope = sympy.expand(top.diff(index))
        if index not in extents or not slope.is_Integer:
            return None
        top = sympy.expand(top.xreplace({index: extents[index] - 1 if slope > 0 else sympy.Integer(0)}))
    rest, sizes = top.as_coeff_Add()
    whole = sympy.expand(sizes / divisor)
    if any(not term.as_coeff_Mul()[0].is_Integer for term in sympy.Add.make_args(whole)):
        return None
    return whole + sympy.Integer(int(rest) // int(divisor)) if rest.is_Integer else None


def _positive(expr: Expr) -> bool:
    """Whether a polynomial in sizes is ≥ 0 for all sizes ≥ 1."""
    expr = sympy.expand(expr)
    if expr.is_number:
        return bool(expr >= 0)
    sizes = sorted(free_sizes(expr), key=lambda s: s.name)
    if not sizes or expr.free_symbols - set(sizes):
        return False
    shifted = sympy.expand(expr.xreplace({size: size + 1 for size in sizes}))
    if not shifted.is_polynomial(*sizes):
        return False
    return all(c >= 0 for c in sympy.Poly(shifted, *sizes).coeffs())


def simplify_guard(guard: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """1 if the relation between integers holds on the whole range, 0 if nowhere, else the guard itself."""
    if (
        not isinstance(guard, Guard)
        or guard.op != "<="
        or not (guard.lhs.is_integer and guard.rhs.is_integer)
    ):
        return guard
    if never_negative(guard.rhs - guard.lhs, extents):
        return sympy.Integer(1)
    if never_negative(guard.lhs - guard.rhs - 1, extents):
        return sympy.Integer(0)
    return guard


def within(subscript: Expr, extent: Expr, extents: Mapping[Index, Expr]) -> list[Expr]:
    """The guards that keep `subscript` in 0 … extent − 1, without those that always hold."""
    if isinstance(subscript, Index) and sympy.expand(extents.get(subscript, 0) - extent) == 0:
        return []
    guards = (Guard("<=", sympy.Integer(0), subscript), Guard("<", subscript, extent))
    return [g for g in (simplify_guard(guard, extents) for guard in guards) if g != 1]
