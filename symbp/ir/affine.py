"""Affine and mixed-radix subscripts: their terms, their ends, and quotients that the ranges decide.

Enters: subscripts and the extents of their indices. Leaves: `Affine` forms, simpler expressions.
Must not know: tensors, equations, what a subscript is used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, FloorDiv, Index, Mod, free_indices, parts_of


@dataclass(frozen=True)
class Affine:
    """`offset + Σ weight·index`: integer weights, none of them 0; the offset holds numbers, sizes, and the
    indices that count as numbers."""

    offset: Expr
    weights: Mapping[Index, int]

    def least(self, extents: Mapping[Index, Expr]) -> Expr:
        """The smallest value over the ranges of the indices."""
        return sympy.expand(self.offset + sum(w * (extents[i] - 1) for i, w in self.weights.items() if w < 0))

    def greatest(self, extents: Mapping[Index, Expr]) -> Expr:
        """The largest value over the ranges of the indices."""
        return sympy.expand(self.offset + sum(w * (extents[i] - 1) for i, w in self.weights.items() if w > 0))


def affine(subscript: Expr, numbers: frozenset[Index] = frozenset()) -> Affine | None:
    """The affine form of a subscript, or None; the indices in `numbers` count as numbers."""
    expanded = sympy.expand(subscript)
    if expanded.atoms(Access, FloorDiv, Mod):
        return None
    weights: dict[Index, int] = {}
    for index in sorted(free_indices(expanded) - numbers, key=lambda i: i.name):
        weight = expanded.coeff(index, 1)
        if not weight.is_Integer:
            return None
        weights[index] = int(weight)
    offset = sympy.expand(expanded - sum(w * i for i, w in weights.items()))
    return None if free_indices(offset) - numbers else Affine(offset, weights)


def settled(expr: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """The expression with the quotients and remainders simplified that the ranges decide: `(16·d + k) // 16`
    is d and `(16·d + k) % 16` is k while k < 16."""
    if not expr.atoms(FloorDiv, Mod):
        return expr
    args = [settled(arg, extents) for arg in expr.args]
    changed = expr.func(*args) if args != list(expr.args) else expr
    return _decided(changed, extents) if isinstance(changed, (FloorDiv, Mod)) else changed


def _decided(e: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """A quotient or a remainder without the multiples of its divisor, gone where the rest is below it."""
    dividend, divisor = sympy.expand(e.args[0]), e.args[1]
    whole, rest = sympy.Integer(0), sympy.Integer(0)
    for coefficient, variables in _grouped(dividend):
        quotient = sympy.cancel(coefficient / divisor) * variables
        multiple = quotient.is_integer and sympy.fraction(quotient)[1] == 1
        whole, rest = (whole + quotient, rest) if multiple else (whole, rest + coefficient * variables)
    below = never_negative(rest, extents) and never_negative(divisor - 1 - rest, extents)
    if isinstance(e, FloorDiv):
        return sympy.expand(whole) if below else sympy.expand(whole + FloorDiv(rest, divisor))
    return rest if below else Mod(rest, divisor)


def _grouped(e: Expr) -> list[tuple[Expr, Expr]]:
    """A sum as coefficients in sizes, each with what varies: `a·b·i + c·i + j` as (a·b + c, i), (1, j)."""
    groups: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(e):
        constant, variables = term.as_independent(*free_indices(term), *parts_of(term, Access), as_Add=False)
        groups[variables] = groups.get(variables, sympy.Integer(0)) + constant
    return [(coefficient, variables) for variables, coefficient in groups.items()]
