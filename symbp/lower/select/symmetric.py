"""Recognises products of a matrix with itself: `Σ_n w[n]·x[n,i]·x[n,j]` is the same for (i, j) and (j, i).

Enters: a `BilinearSum`, the extents of its indices. Leaves: the operand that stands there twice and the
weight, or None. Must not know: targets, what the weight's sign is, why the product is there.

Gram matrices, covariances, Gauss–Newton matrices and the Hessians of generalised linear models are such sums.
With w ≥ 0 the sum is ZᵀZ of Z = √w·X, which BLAS computes in half the operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Expr, Guard, Index, free_indices, product
from symbp.lower.select.contraction import BilinearSum, Side


@dataclass(frozen=True)
class SymmetricProduct:
    """`Σ_summed weight · side[rows] · side[columns]`; `weight` depends on batch and summed indices only."""

    side: Side
    weight: Expr
    columns: Mapping[Index, Index]  # row ↦ column

    @property
    def mirrored(self) -> tuple[Index, ...]:
        """The indices of the same array as the right operand."""
        return tuple(self.columns.get(i, i) for i in self.side.indices)


def symmetric_product(split: BilinearSum, extents: Mapping[Index, Expr]) -> SymmetricProduct | None:
    """The operand and the weight of a product that is symmetric in rows and columns, or None."""
    if len(split.rows) != len(split.columns) or not split.rows:
        return None
    columns = dict(zip(split.rows, split.columns, strict=True))
    if any(sympy.expand(extents[row] - extents[column]) != 0 for row, column in columns.items()):
        return None
    left, left_weight = _parted(split.left.body, split.rows)
    right, right_weight = _parted(split.right.body, split.columns)
    weight = product((*left_weight, *right_weight))
    if weight.atoms(Guard) or product(left).xreplace(columns) != product(right):
        return None
    whole = split.left if split.left.array is not None or not left_weight else split.right
    side = whole if whole is split.left else _turned(split.right, columns)
    if side.body != product(left):
        side = Side(product(left), side.indices)
    return SymmetricProduct(side, weight, columns)


def _parted(body: Expr, own: Iterable[Index]) -> tuple[list[Expr], list[Expr]]:
    """The factors that depend on some of the indices, and the others."""
    inside: list[Expr] = []
    outside: list[Expr] = []
    for factor in sympy.Mul.make_args(body):
        (inside if free_indices(factor) & set(own) else outside).append(factor)
    return inside, outside


def _turned(side: Side, columns: Mapping[Index, Index]) -> Side:
    """The right operand as a left one."""
    rows = {column: row for row, column in columns.items()}
    array = None if side.array is None else side.array.xreplace(rows)
    return Side(side.body.xreplace(rows), tuple(rows.get(i, i) for i in side.indices), array)
