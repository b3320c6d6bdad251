"""Recognises matrix products: sums over a product of two dense operands.

Enters: an equation. Leaves: `Split`, the two operands, the grouping of the indices, and the factor that
does not depend on what is summed; or None. Must not know: targets, or anything but the equation's form.

A factor that mentions no summed index leaves the sum. What remains falls into two operands by index sets:
factors whose indices are contained in another's join it, so that `Σ_k W[j,k]·(p[n,k] − y[n,k])/N` is
`(p − y)·Wᵀ`, divided by N afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, accesses, free_indices, product
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.lower.program import plain_subscripts


@dataclass(frozen=True)
class Side:
    """An operand: an expression over distinct indices, in the order of its axes."""

    body: Expr
    indices: tuple[Index, ...]

    @property
    def array(self) -> Access | None:
        """The access that this operand is, if it needs no computing."""
        return self.body if isinstance(self.body, Access) and plain_subscripts(self.body) else None


@dataclass(frozen=True)
class Split:
    """`scale · Σ_summed left · right`, with the indices grouped as a matrix product needs them."""

    scale: Expr
    left: Side
    right: Side
    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    summed: tuple[Index, ...]
    columns: tuple[Index, ...]


def split_scale(equation: Equation) -> tuple[Expr, list[Expr]]:
    """The factors of a sum's body without summed indices (multiplied), and the others in a stable order."""
    scale: list[Expr] = []
    inner: list[Expr] = []
    for factor in sympy.Mul.make_args(equation.body):
        outside = not free_indices(factor) & set(equation.reduced)
        # A guard stays inside: what it excludes must not be evaluated.
        (scale if outside and not isinstance(factor, Guard) else inner).append(factor)
    if any(isinstance(factor, Guard) for factor in inner):
        inner += [factor for factor in scale if factor.atoms(Access)]
        scale = [factor for factor in scale if not factor.atoms(Access)]
    return product(scale), sorted(inner, key=expression_text)


def match(equation: Equation) -> Split | None:
    """The matrix product that the equation is, or None."""
    if equation.op != "sum":
        return None
    scale, factors = split_scale(equation)
    sides = _two_sides(factors, equation)
    if sides is None:
        return None
    for left, right in (sides, sides[::-1]):
        split = _grouped(equation, scale, left, right)
        if split is not None:
            return split
    return None


def _two_sides(factors: Sequence[Expr], equation: Equation) -> tuple[Expr, Expr] | None:
    """The factors multiplied into two operands."""
    sets = [free_indices(factor) for factor in factors]
    largest = [s for k, s in enumerate(sets) if not any(s < t for t in sets) and s not in sets[:k]]
    if len(largest) == 2:
        first = [f for f, s in zip(factors, sets, strict=True) if s <= largest[0]]
        second = [f for f, s in zip(factors, sets, strict=True) if not s <= largest[0]]
        return product(first), product(second)
    if len(largest) == 1 and equation.indices:  # a matrix and a vector over what is summed
        summed = frozenset(equation.reduced)
        vector = [f for f, s in zip(factors, sets, strict=True) if s <= summed]
        matrix = [f for f, s in zip(factors, sets, strict=True) if not s <= summed]
        if vector and matrix and frozenset().union(*[free_indices(f) for f in vector]) == summed:
            return product(matrix), product(vector)
    return None


def _grouped(equation: Equation, scale: Expr, left: Expr, right: Expr) -> Split | None:
    """The grouping with `left` giving rows and `right` columns, if the axes' orders allow plain views."""
    in_left, in_right, summed = free_indices(left), free_indices(right), equation.reduced
    plain = equation.indices
    if not set(summed) <= in_left & in_right or set(plain) - in_left - in_right:
        return None
    batch = tuple(i for i in plain if i in in_left and i in in_right)
    rows = tuple(i for i in plain if i in in_left and i not in in_right)
    columns = tuple(i for i in plain if i in in_right and i not in in_left)
    if plain != batch + rows + columns or not rows + columns or (batch and not (rows and columns)):
        return None
    order = _summed_order((left, right), summed)
    sides = [_side(body, batch, free, order) for body, free in ((left, rows), (right, columns))]
    if sides[0] is None or sides[1] is None:
        return None
    return Split(scale, sides[0], sides[1], batch, rows, order, columns)


def _summed_order(bodies: Sequence[Expr], summed: tuple[Index, ...]) -> tuple[Index, ...]:
    for body in bodies:
        subscripts = plain_subscripts(body) if isinstance(body, Access) else None
        if subscripts:
            return tuple(i for i in subscripts if i in summed)
    return summed


def _side(
    body: Expr, batch: tuple[Index, ...], free: tuple[Index, ...], summed: tuple[Index, ...]
) -> Side | None:
    if isinstance(body, IntegerAccess):
        return None
    fitting = (batch + free + summed, batch + summed + free)
    if isinstance(body, Access) and (subscripts := plain_subscripts(body)):
        return Side(body, subscripts) if subscripts in fitting else None
    for access in sorted(
        accesses(body), key=expression_text
    ):  # computed in the layout of what it reads, if that serves
        if plain_subscripts(access) in fitting:
            return Side(body, access.subscripts)
    return Side(body, fitting[0])
