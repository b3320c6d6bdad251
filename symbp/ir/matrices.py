"""The leaves of linear algebra: functions of a whole matrix that no scalar body can express.

Enters: a matrix of elements of any domain, or arrays of matrices. Leaves: its inverse, determinant,
cofactors, logarithm of |determinant|, Cholesky factor, eigenvalues or singular values, with their vectors.
Must not know: systems, derivatives (their adjoints are in `symbp.derive.matrices`).

One elimination serves every domain: rationals and residues stay exact, 50 digits stay 50 digits, the complex
step and dual numbers pass through, because nothing but field operations and square roots is used. Eigenvalues
come from Jacobi's rotations (Golub and Van Loan 2013, sections 8.5 and 8.6.3), which need no more. They have
a derivative where they coincide only in functions that don't tell them apart, and no rotation shows it; what
is infinitely near is therefore added to first order, v·Ṡ·v of each eigenvector, in which the sum over equal
ones doesn't depend on the choice of vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.domains import FLOAT, Domain, Value
from symbp.ir.dual import DualNumber

Array = np.ndarray[Any, Any]
Rows = list[list[Value]]
SWEEPS = 80  # of rotations; ten are more than 50 digits need
SINGULAR = 1e13  # condition from which no digit of an inverse in double precision is worth anything


@dataclass(frozen=True)
class MatrixLeaf:
    """One function of a matrix. `exact` takes m × n elements of a domain, `arrays` an array (…, m, n) of
    floats or complex numbers. `result` names the axes of what both give: as long as a "row" index of the
    matrix runs, or a "column", or one "value" after the other, as many as there are. `square`: m = n."""

    result: tuple[Literal["row", "column", "value"], ...]
    exact: Callable[[Domain, Rows], Any]
    arrays: Callable[[Array], Array]
    square: bool = True


def _inverse(domain: Domain, rows: Rows) -> Rows:
    """Gauss and Jordan's elimination of [M | 1]."""
    n = len(rows)
    work = [[*row, *_unit(domain, n, k)] for k, row in enumerate(rows)]
    for k in range(n):
        _pivot(domain, work, k)
        work[k] = _scaled(work[k], domain.power(work[k][k], Fraction(-1)))
        for other in range(n):
            if other != k:
                work[other] = _less(domain, work[other], work[k], work[other][k])
    return [row[n:] for row in work]


def _det(domain: Domain, rows: Rows) -> Value:
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


def _logdet(domain: Domain, rows: Rows) -> Value:
    det = _det(domain, rows)
    if domain.order(det) < 0:
        det = det * domain.rational(Fraction(-1))
    return domain.apply(sympy.log, [det])


def _cofactors(domain: Domain, rows: Rows) -> Rows:
    """(−1)^(i+j) times the determinant of what is left without row i and column j."""
    signs = [domain.rational(Fraction(1)), domain.rational(Fraction(-1))]

    def minor(i: int, j: int) -> Value:
        return _det(domain, [[*row[:j], *row[j + 1 :]] for k, row in enumerate(rows) if k != i])

    return [[signs[(i + j) % 2] * minor(i, j) for j in range(len(rows))] for i in range(len(rows))]


def _cholesky(domain: Domain, rows: Rows) -> Rows:
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


# --- eigenvalues and singular values
def _eigenvalues(domain: Domain, rows: Rows) -> list[Value]:
    """Those of the symmetric part, from the smallest."""
    near = _first_order(domain, rows)
    if near is None:
        return _jacobi(domain, rows)[0]
    base, at, moved, join = near
    values, vectors = _jacobi(base, at)
    columns = list(zip(*vectors, strict=True))
    return [join(x, _form(base, v, moved, v)) for x, v in zip(values, columns, strict=True)]


def _eigenvectors(domain: Domain, rows: Rows) -> Rows:
    """One in each column, in the order of the eigenvalues."""
    _refuse_first_order(domain, rows)
    return _jacobi(domain, rows)[1]


def _singular_values(domain: Domain, rows: Rows) -> list[Value]:
    """From the largest, as many as the matrix has rows, or columns if these are fewer."""
    near = _first_order(domain, rows)
    if near is None:
        return _one_sided(domain, rows)[1]
    base, at, moved, join = near
    left, values, right = _one_sided(base, at)
    pairs = zip(values, zip(*left, strict=True), zip(*right, strict=True), strict=True)
    return [join(x, _form(base, u, moved, v)) for x, u, v in pairs]


def _left_vectors(domain: Domain, rows: Rows) -> Rows:
    """One in each column, in the order of the singular values; 0 beside a singular value 0."""
    _refuse_first_order(domain, rows)
    return _one_sided(domain, rows)[0]


def _right_vectors(domain: Domain, rows: Rows) -> Rows:
    """As the left ones."""
    _refuse_first_order(domain, rows)
    return _one_sided(domain, rows)[2]


def _jacobi(domain: Domain, rows: Rows) -> tuple[list[Value], Rows]:
    """Eigenvalues from the smallest, and eigenvectors in columns, of the symmetric part: rotations until what
    is off the diagonal doesn't count beside it."""
    _refuse_without_order(domain)
    n, half = len(rows), domain.rational(Fraction(1, 2))
    work = [[(rows[i][j] + rows[j][i]) * half for j in range(n)] for i in range(n)]
    vectors = [_unit(domain, n, k) for k in range(n)]
    for _ in range(SWEEPS):
        still = True
        for p in range(n):
            for q in range(p + 1, n):
                off, sides = _magnitude(domain, work[p][q]), (work[p][p], work[q][q])
                if all(_magnitude(domain, x) + off == _magnitude(domain, x) for x in sides):
                    continue
                still = False
                c, s = _rotation(domain, sides[1] - sides[0], work[p][q])
                _rotate(work, p, q, c, s)
                turned = [list(column) for column in zip(*work, strict=True)]
                _rotate(turned, p, q, c, s)
                work = [list(row) for row in zip(*turned, strict=True)]
                _rotate(vectors, p, q, c, s)
        if still:
            break
    order = sorted(range(n), key=lambda k: domain.order(work[k][k]))
    return [work[k][k] for k in order], [[vectors[k][i] for k in order] for i in range(n)]


def _one_sided(domain: Domain, rows: Rows) -> tuple[Rows, list[Value], Rows]:
    """Left vectors, singular values from the largest, and right vectors: columns are rotated until all are
    orthogonal (Hestenes 1958)."""
    _refuse_without_order(domain)
    if len(rows[0]) > len(rows):
        left, values, right = _one_sided(domain, [list(column) for column in zip(*rows, strict=True)])
        return right, values, left
    n = len(rows[0])
    columns = [list(column) for column in zip(*rows, strict=True)]
    right = [_unit(domain, n, k) for k in range(n)]
    for _ in range(SWEEPS):
        still = True
        for p in range(n):
            for q in range(p + 1, n):
                a, b = (_dot(domain, columns[k], columns[k]) for k in (p, q))
                both = _dot(domain, columns[p], columns[q])
                length = _magnitude(domain, domain.power(a * b, Fraction(1, 2)))
                if length + _magnitude(domain, both) == length:
                    continue
                still = False
                c, s = _rotation(domain, b - a, both)
                _rotate(columns, p, q, c, s)
                _rotate(right, p, q, c, s)
        if still:
            break
    lengths = [domain.power(_dot(domain, u, u), Fraction(1, 2)) for u in columns]
    order = sorted(range(n), key=lambda k: -domain.order(lengths[k]))
    zero = domain.rational(Fraction(0))
    scales = [zero if domain.order(x) == 0 else domain.power(x, Fraction(-1)) for x in lengths]
    left = [[columns[k][i] * scales[k] for k in order] for i in range(len(rows))]
    used = [[right[k][i] if domain.order(lengths[k]) else zero for k in order] for i in range(n)]
    return left, [lengths[k] for k in order], used


def _rotation(domain: Domain, difference: Value, off: Value) -> tuple[Value, Value]:
    """Cosine and sine of the smaller angle that turns [[a, off], [off, a + difference]] into a diagonal."""
    one = domain.rational(Fraction(1))
    theta = difference * domain.power(off * domain.rational(Fraction(2)), Fraction(-1))
    sign = domain.rational(Fraction(-1 if domain.order(theta) < 0 else 1))
    root = domain.power(theta * theta + one, Fraction(1, 2))
    tangent = sign * domain.power(sign * theta + root, Fraction(-1))
    cosine = domain.power(tangent * tangent + one, Fraction(-1, 2))
    return cosine, tangent * cosine


def _rotate(rows: Rows, p: int, q: int, c: Value, s: Value) -> None:
    """Rows p and q turned into each other."""
    first, second = rows[p], rows[q]
    rows[p] = [c * a - s * b for a, b in zip(first, second, strict=True)]
    rows[q] = [s * a + c * b for a, b in zip(first, second, strict=True)]


def _dot(domain: Domain, u: Sequence[Value], v: Sequence[Value]) -> Value:
    total = domain.rational(Fraction(0))
    for a, b in zip(u, v, strict=True):
        total = total + a * b
    return total


def _form(domain: Domain, u: Sequence[Value], rows: Rows, v: Sequence[Value]) -> Value:
    """uᵀ·M·v."""
    return _dot(domain, u, [_dot(domain, row, v) for row in rows])


FirstOrder = tuple[Domain, Rows, Rows, Callable[[Value, Value], Value]]


def _first_order(domain: Domain, rows: Rows) -> FirstOrder | None:
    """A matrix of dual or complex numbers as one of its base and what moves it; else None."""
    elements = [x for row in rows for x in row]
    if any(isinstance(x, DualNumber) for x in elements):
        base: Domain = domain.base  # type: ignore[attr-defined]
        zero = base.rational(Fraction(0))
        at = [[x.value for x in row] for row in rows]
        return base, at, [[zero if x.tangent is None else x.tangent for x in r] for r in rows], DualNumber
    if all(getattr(x, "imag", 0) == 0 for x in elements) and not isinstance(elements[0], np.complexfloating):
        return None
    base = FLOAT if isinstance(elements[0], np.complexfloating) else domain
    at, moved = [[x.real for x in row] for row in rows], [[x.imag for x in row] for row in rows]
    return base, at, moved, lambda x, step: x + step * 1j


def _refuse_first_order(domain: Domain, rows: Rows) -> None:
    if _first_order(domain, rows) is not None:
        raise EvaluationError("the vectors of an eigenvalue or singular value are not differentiated")


def _refuse_without_order(domain: Domain) -> None:
    if not domain.ordered:
        raise OutsideDomain(f"eigenvalues cannot be evaluated in the domain {domain.name}")


# --- elimination
def _unit(domain: Domain, n: int, k: int) -> list[Value]:
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
    sizes = [_magnitude(domain, work[r][k]) for r in range(k, len(work))]
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


def _magnitude(domain: Domain, value: Value) -> Any:
    order = domain.order(value)
    return abs(order) if domain.ordered else int(int(order) != 0)


# --- arrays
def _inverse_arrays(a: Array) -> Array:
    """NaN where a matrix is singular to rounding: what an inverse of it would hold is noise."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan, a.dtype)
    condition = np.linalg.norm(a, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
    return np.where((condition < SINGULAR)[..., None, None], inverse, np.nan)


def _logdet_arrays(a: Array) -> Array:
    """Analytic in the elements, so that the complex step passes: log(±det)."""
    det = np.linalg.det(a)
    return np.asarray(np.log(np.where(det.real < 0, -det, det)))


def _cholesky_arrays(a: Array) -> Array:
    """NumPy's factor conjugates; this one is analytic, NaN where the matrix is not positive definite."""
    a = (a + a.swapaxes(-1, -2)) / 2
    low = np.zeros_like(a)
    for j in range(a.shape[-1]):
        rest = a[..., j:, j] - (low[..., j:, :j] @ low[..., j, :j, None])[..., 0]
        diagonal = np.where(rest[..., 0].real > 0, rest[..., 0], np.nan)
        low[..., j:, j] = rest / np.sqrt(diagonal)[..., None]
    return low


def _cofactors_arrays(a: Array) -> Array:
    """Analytic in the elements."""
    n, out = a.shape[-1], np.ones_like(a)
    for i in range(n):
        rest = np.delete(a, i, -2)
        for j in range(n):
            out[..., i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(rest, j, -1))
    return out


def _eigen_arrays(a: Array) -> tuple[Array, Array]:
    """Eigenvalues and vectors of the symmetric part, the values to first order in what is imaginary; NaN
    where a matrix isn't finite."""
    a = (a + a.swapaxes(-1, -2)) / 2
    try:
        values, vectors = np.linalg.eigh(a.real)
    except np.linalg.LinAlgError:
        values, vectors = np.full(a.shape[:-1], np.nan), np.full(a.shape, np.nan)
    if np.iscomplexobj(a):
        values = values + 1j * np.einsum("...ik,...ij,...jk->...k", vectors, a.imag, vectors)
        vectors = np.full_like(a, np.nan) if np.any(a.imag) else vectors.astype(a.dtype)
    return values, vectors


def _singular_arrays(a: Array) -> tuple[Array, Array, Array]:
    """Left vectors, singular values and right vectors, as eigenvalues and vectors above."""
    m, n = a.shape[-2:]
    try:
        left, values, right = np.linalg.svd(a.real, full_matrices=False)
    except np.linalg.LinAlgError:
        left, values = (
            np.full((*a.shape[:-1], min(m, n)), np.nan),
            np.full((*a.shape[:-2], min(m, n)), np.nan),
        )
        right = np.full((*a.shape[:-2], min(m, n), n), np.nan)
    right = right.swapaxes(-1, -2)
    if np.iscomplexobj(a):
        values = values + 1j * np.einsum("...ik,...ij,...jk->...k", left, a.imag, right)
        known = np.nan if np.any(a.imag) else 1
        left, right = (known * left).astype(a.dtype), (known * right).astype(a.dtype)
    return left, values, right


def fitted(value: Array, count: int) -> Array:
    """As many singular values, or vectors, as are asked for: zeros behind the last one there is."""
    missing = count - value.shape[-1]
    if missing > 0:
        return np.pad(value, [(0, 0)] * (value.ndim - 1) + [(0, missing)])
    return np.asarray(value[..., :count])


MATRIX_LEAVES: Mapping[str, MatrixLeaf] = {
    "inverse": MatrixLeaf(("row", "column"), _inverse, _inverse_arrays),
    "det": MatrixLeaf((), _det, lambda a: np.asarray(np.linalg.det(a))),
    "cofactors": MatrixLeaf(("row", "column"), _cofactors, _cofactors_arrays),
    "logdet": MatrixLeaf((), _logdet, _logdet_arrays),
    "cholesky": MatrixLeaf(("row", "column"), _cholesky, _cholesky_arrays),
    "eigenvalues": MatrixLeaf(("row",), _eigenvalues, lambda a: _eigen_arrays(a)[0]),
    "eigenvectors": MatrixLeaf(("row", "column"), _eigenvectors, lambda a: _eigen_arrays(a)[1]),
    "singular_values": MatrixLeaf(("value",), _singular_values, lambda a: _singular_arrays(a)[1], False),
    "left_vectors": MatrixLeaf(("row", "value"), _left_vectors, lambda a: _singular_arrays(a)[0], False),
    "right_vectors": MatrixLeaf(("column", "value"), _right_vectors, lambda a: _singular_arrays(a)[2], False),
}
"""Every leaf by its name, which is also the `op` of its `Reduction`."""
