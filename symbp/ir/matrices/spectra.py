"""Eigenvalues and singular values with their vectors, by rotations.

Enters: a matrix of elements of any domain that has an order and roots, or arrays of matrices. Leaves: values
and vectors. Must not know: systems, derivatives.

Jacobi's rotations (Golub and Van Loan 2013, sections 8.5 and 8.6.3) need nothing but field operations and
square roots, so that 50 digits stay 50 digits. Eigenvalues have a derivative where they coincide only in
functions that don't tell them apart, and no rotation shows it; what is infinitely near, a tangent or the
complex step, is therefore added to first order, v·Ṡ·v of each eigenvector, of which the sum over equal
eigenvalues doesn't depend on the choice of vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.domains import FLOAT, Domain, Value
from symbp.ir.evaluation.dual import DualNumber
from symbp.ir.matrices.elimination import Array, Rows, magnitude, unit

SWEEPS = 80  # of rotations; ten are more than 50 digits need


def eigenvalues(domain: Domain, rows: Rows) -> list[Value]:
    """Those of the symmetric part, from the smallest."""
    near = _first_order(domain, rows)
    if near is None:
        return _jacobi(domain, rows)[0]
    base, at, moved, join = near
    values, vectors = _jacobi(base, at)
    columns = list(zip(*vectors, strict=True))
    return [join(x, _form(base, v, moved, v)) for x, v in zip(values, columns, strict=True)]


def eigenvectors(domain: Domain, rows: Rows) -> Rows:
    """One in each column, in the order of the eigenvalues."""
    _refuse_first_order(domain, rows)
    return _jacobi(domain, rows)[1]


def singular_values(domain: Domain, rows: Rows) -> list[Value]:
    """From the largest, as many as the matrix has rows, or columns if these are fewer."""
    near = _first_order(domain, rows)
    if near is None:
        return _one_sided(domain, rows)[1]
    base, at, moved, join = near
    left, values, right = _one_sided(base, at)
    pairs = zip(values, zip(*left, strict=True), zip(*right, strict=True), strict=True)
    return [join(x, _form(base, u, moved, v)) for x, u, v in pairs]


def left_vectors(domain: Domain, rows: Rows) -> Rows:
    """One in each column, in the order of the singular values; 0 beside a singular value 0."""
    _refuse_first_order(domain, rows)
    return _one_sided(domain, rows)[0]


def right_vectors(domain: Domain, rows: Rows) -> Rows:
    """As the left ones."""
    _refuse_first_order(domain, rows)
    return _one_sided(domain, rows)[2]


def _jacobi(domain: Domain, rows: Rows) -> tuple[list[Value], Rows]:
    """Eigenvalues from the smallest, and eigenvectors in columns, of the symmetric part: rotations until what
    is off the diagonal doesn't count beside it."""
    _refuse_without_order(domain)
    n, half = len(rows), domain.rational(Fraction(1, 2))
    work = [[(rows[i][j] + rows[j][i]) * half for j in range(n)] for i in range(n)]
    vectors = [unit(domain, n, k) for k in range(n)]
    for _ in range(SWEEPS):
        still = True
        for p in range(n):
            for q in range(p + 1, n):
                off, sides = magnitude(domain, work[p][q]), (work[p][p], work[q][q])
                if all(magnitude(domain, x) + off == magnitude(domain, x) for x in sides):
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
    right = [unit(domain, n, k) for k in range(n)]
    for _ in range(SWEEPS):
        still = True
        for p in range(n):
            for q in range(p + 1, n):
                a, b = (_dot(domain, columns[k], columns[k]) for k in (p, q))
                both = _dot(domain, columns[p], columns[q])
                length = magnitude(domain, domain.power(a * b, Fraction(1, 2)))
                if length + magnitude(domain, both) == length:
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


# --- arrays
def eigen_arrays(a: Array) -> tuple[Array, Array]:
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


def singular_arrays(a: Array) -> tuple[Array, Array, Array]:
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
