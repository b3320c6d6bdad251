"""Inverses, determinants, cofactors and Cholesky factors, by elimination.

Enters: a square matrix of elements of any domain, or arrays of matrices. Leaves: its function, exact in the
domain. Must not know: systems, derivatives.

One elimination serves every domain: rationals and residues stay exact, 50 digits stay 50 digits, the complex
step and dual numbers pass through, because nothing but field operations and square roots is used.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError
from symbp.ir.evaluation.domains import Domain, Value

Array = np.ndarray[Any, Any]
Rows = list[list[Value]]
SINGULAR = 1e13  # condition from which no digit of an inverse in double precision is worth anything


def inverse(domain: Domain, rows: Rows) -> Rows:
    """Gauss and Jordan's elimination of [M | 1]."""
    n = len(rows)
    work = [[*row, *unit(domain, n, k)] for k, row in enumerate(rows)]
    for k in range(n):
        _pivot(domain, work, k)
        work[k] = _scaled(work[k], domain.power(work[k][k], Fraction(-1)))
        for other in range(n):
            if other != k:
                work[other] = _less(domain, work[other], work[k], work[other][k])
    return [row[n:] for row in work]


def det(domain: Domain, rows: Rows) -> Value:
    """The product of the pivots of Gauss's elimination, with the sign of the row exchanges."""
    work, n = [list(row) for row in rows], len(rows)
    total = domain.rational(Fraction(1))
    for k in range(n):
        if not _pivot(domain, work, k, singular=True):
            return domain.rational(Fraction(0))
        total = total * work[k][k]
        reciprocal = domain.power(work[k][k], Fraction(-1))
        for other in range(k + 1, n):
            work[other] = _less(domain, work[other], work[k], work[other][k] * reciprocal)
    return total


def logdet(domain: Domain, rows: Rows) -> Value:
    value = det(domain, rows)
    if domain.order(value) < 0:
        value = value * domain.rational(Fraction(-1))
    return domain.apply(sympy.log, [value])


def cofactors(domain: Domain, rows: Rows) -> Rows:
    """(−1)^(i+j) times the determinant of what is left without row i and column j."""
    signs = [domain.rational(Fraction(1)), domain.rational(Fraction(-1))]

    def minor(i: int, j: int) -> Value:
        return det(domain, [[*row[:j], *row[j + 1 :]] for k, row in enumerate(rows) if k != i])

    return [[signs[(i + j) % 2] * minor(i, j) for j in range(len(rows))] for i in range(len(rows))]


def cholesky(domain: Domain, rows: Rows) -> Rows:
    """Column by column, of the symmetric part (M + Mᵀ)/2."""
    n, half, minus = len(rows), domain.rational(Fraction(1, 2)), domain.rational(Fraction(-1))
    low = [[domain.rational(Fraction(0))] * n for _ in range(n)]
    for j in range(n):
        for i in range(j, n):
            rest = (rows[i][j] + rows[j][i]) * half
            for k in range(j):
                rest = rest + minus * low[i][k] * low[j][k]
            if i == j:
                if not domain.order(rest) > 0:
                    raise EvaluationError(
                        "the Cholesky factor of a matrix that is not positive definite",
                        help="add a multiple of the identity, or check how the matrix is made",
                    )
                low[j][j] = domain.power(rest, Fraction(1, 2))
                reciprocal = domain.power(low[j][j], Fraction(-1))
            else:
                low[i][j] = rest * reciprocal
    return low


# --- rows
def unit(domain: Domain, n: int, k: int) -> list[Value]:
    return [domain.rational(Fraction(int(k == j))) for j in range(n)]


def _scaled(row: list[Value], factor: Value) -> list[Value]:
    return [value * factor for value in row]


def _less(domain: Domain, row: list[Value], other: list[Value], factor: Value) -> list[Value]:
    """`row − factor · other`."""
    negative = factor * domain.rational(Fraction(-1))
    return [a + negative * b for a, b in zip(row, other, strict=True)]


def _pivot(domain: Domain, work: Rows, k: int, singular: bool = False) -> bool:
    """Brings the largest element of column k (any but 0 in a domain without an order) into row k; a row that
    moves up changes its sign, so that the determinant stays. False if there is none and that may be."""
    sizes = [magnitude(domain, work[r][k]) for r in range(k, len(work))]
    place = k + max(range(len(sizes)), key=sizes.__getitem__)
    if sizes[place - k] == 0:
        if singular:
            return False
        raise EvaluationError(
            "the inverse of a matrix that is singular",
            help="solutions, and the gradients of determinants, go through the inverse: choose another point",
        )
    if place != k:
        minus = domain.rational(Fraction(-1))
        work[k], work[place] = _scaled(work[place], minus), work[k]
    return True


def magnitude(domain: Domain, value: Value) -> Any:
    order = domain.order(value)
    return abs(order) if domain.ordered else int(int(order) != 0)


# --- arrays
def inverse_arrays(a: Array) -> Array:
    """NaN where a matrix is singular to rounding: what an inverse of it would hold is noise."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan, a.dtype)
    condition = np.linalg.norm(a, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
    return np.where((condition < SINGULAR)[..., None, None], inverse, np.nan)


def logdet_arrays(a: Array) -> Array:
    """Analytic in the elements, so that the complex step passes: log(±det)."""
    det = np.linalg.det(a)
    return np.asarray(np.log(np.where(det.real < 0, -det, det)))


def cholesky_arrays(a: Array) -> Array:
    """NumPy's factor conjugates; this one is analytic, NaN where the matrix is not positive definite."""
    a = (a + a.swapaxes(-1, -2)) / 2
    low = np.zeros_like(a)
    for j in range(a.shape[-1]):
        rest = a[..., j:, j] - (low[..., j:, :j] @ low[..., j, :j, None])[..., 0]
        diagonal = np.where(rest[..., 0].real > 0, rest[..., 0], np.nan)
        low[..., j:, j] = rest / np.sqrt(diagonal)[..., None]
    return low


def cofactors_arrays(a: Array) -> Array:
    """Analytic in the elements."""
    n, out = a.shape[-1], np.ones_like(a)
    for i in range(n):
        rest = np.delete(a, i, -2)
        for j in range(n):
            out[..., i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(rest, j, -1))
    return out
