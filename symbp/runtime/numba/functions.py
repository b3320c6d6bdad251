"""Functions of one element that overflow as they stand or that Numba lacks, and of one matrix; a module takes
those that it calls.

Enters: numbers, matrices. Leaves: what has the same type. Must not know: where they are called.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array
from symbp.runtime.numba.compiling import exact_kernel, kernel
from symbp.runtime.numba.float64 import _exp, _expm1, _log


@exact_kernel
def _tanh(x: Any) -> Any:
    """tanh(x) by exp(2·x) - 1, which loses nothing near 0; from 20 on it is 1."""
    a = abs(DTYPE(x))
    grown = _expm1(DTYPE(2) * min(a, DTYPE(20)))
    return math.copysign(grown / (grown + DTYPE(2)), DTYPE(x))


@exact_kernel
def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), by the exponential of what is negative."""
    small = _exp(-abs(DTYPE(x)))
    return (DTYPE(1) if x >= 0 else small) / (DTYPE(1) + small)


@exact_kernel
def _log1p(x: Any) -> Any:
    """log(1 + x): what the sum loses is added to first order."""
    grown = DTYPE(1) + DTYPE(x)
    lost = (DTYPE(x) - (grown - DTYPE(1))) / grown
    return _log(grown) + (lost if 0 < grown < np.inf else DTYPE(0))


@exact_kernel
def _softplus(x: Any) -> Any:
    """log(1 + exp(x)) without overflow."""
    return (DTYPE(x) if x > 0 else DTYPE(0)) + _log1p(_exp(-abs(DTYPE(x))))


@exact_kernel
def _log1mexp(x: Any) -> Any:
    """log(1 - exp(x)) for x < 0: near 0 by expm1, far out by log1p."""
    return _log(-_expm1(DTYPE(x))) if x > DTYPE(-0.7) else _log1p(-_exp(DTYPE(x)))


@kernel
def _either(condition: bool, yes: float, no: float) -> float:
    """yes if the condition holds, else no: both are known already, so that there is no branch."""
    return yes if condition else no


@kernel
def _digamma(x: float) -> float:
    """Γ'(x)/Γ(x): reflected to x > 0, raised to x > 8, then Stirling's series."""
    total, y = 0.0, float(x)
    if y <= 0:
        total, y = -math.pi / math.tan(math.pi * (y - round(y))), 1 - y
    while y < 8:
        total -= 1 / y
        y += 1
    s = 1 / (y * y)
    series = s * (
        1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * (691 / 32760 - s / 12)))))
    )
    return total + math.log(y) - 0.5 / y - series


@kernel
def _trigamma(x: float) -> float:
    """The derivative of Γ'(x)/Γ(x): reflected to x > 0, raised to x > 12, then Stirling's series."""
    y, total, sign, reflected = float(x), 0.0, 1.0, 0.0
    if y <= 0:
        root = math.pi / math.sin(math.pi * (y - round(y)))
        y, sign, reflected = 1 - y, -1.0, root * root
    while y < 12:
        total += 1 / (y * y)
        y += 1
    s = 1 / (y * y)
    series = 1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - s * (691 / 2730 - s * 7 / 6)))))
    return reflected + sign * (total + (1 + 0.5 / y + s * series) / y)


@kernel
def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: either makes 0 · value a NaN."""
    total = DTYPE(0)
    for i in range(len(values)):
        total += DTYPE(0) * values[i]
    return bool(total == 0)


@kernel
def _all_moderate(values: Array) -> bool:
    """Whether no value is a NaN, an infinity, or so large that squares of such could overflow in any number
    of steps: the sum of squares, 2⁶⁴ times, is a number."""
    total = DTYPE(0)
    for i in range(len(values)):
        value = DTYPE(2**32) * values[i]
        total += value * value
    return bool(total < DTYPE(np.inf))


@kernel
def _any_outside(values: Array, top: int, ignored: int) -> bool:
    """Whether an integer is neither from 0 to `top` - 1 nor `ignored`: memory of others would be read and
    written at such a place."""
    found = False
    for value in values.flat:
        found |= (value < 0 or value >= top) and value != ignored
    return found


@kernel
def _cholesky(a: Array) -> Array:
    """The lower Cholesky factor of the symmetric part of a; not a number where that has none."""
    symmetric = (a + a.T) * (0 * a[0, 0] + 0.5)
    try:
        return np.linalg.cholesky(symmetric)
    except Exception:
        return np.full_like(symmetric, np.nan)


@kernel
def _inverse(a: Array) -> Array:
    """The inverse; not a number where a matrix is singular, so that a step says which."""
    try:
        return np.linalg.inv(a)
    except Exception:
        return np.full_like(a, np.nan)


@kernel
def _solve(a: Array, b: Array) -> Array:
    """The x with a @ x = b; not a number where a matrix is singular, so that a step says which."""
    try:
        return np.linalg.solve(a, b)
    except Exception:
        return np.full_like(b, np.nan)


@kernel
def _cofactors(a: Array) -> Array:
    """The derivative of the determinant: of singular matrices, too, by products of all singular values but
    one; not a number where a matrix is not finite."""
    out = np.full_like(a, np.nan)
    try:
        u, s, v = np.linalg.svd(a)
        sign = np.sign(np.linalg.det(u) * np.linalg.det(v))
        for k in range(len(s)):
            others = sign
            for other in range(len(s)):
                if other != k:
                    others *= s[other]
            u[:, k] *= others
        out[...] = np.dot(u, v)
    except Exception:
        out[...] = np.nan
    return out


@kernel
def _eigenvalues(a: Array) -> Array:
    """Those of the symmetric part, from the smallest; not a number where a matrix is not finite."""
    symmetric = (a + a.T) * (0 * a[0, 0] + 0.5)
    try:
        return np.linalg.eigvalsh(symmetric)
    except Exception:
        return np.full_like(symmetric[0], np.nan)


@kernel
def _eigenvectors(a: Array) -> Array:
    """One in each column; not a number where a matrix is not finite."""
    symmetric = (a + a.T) * (0 * a[0, 0] + 0.5)
    try:
        return np.linalg.eigh(symmetric)[1]
    except Exception:
        return np.full_like(symmetric, np.nan)


@kernel
def _singular_values(a: Array, count: int) -> Array:
    """From the largest; zeros where there are fewer than `count`."""
    values: Array = _singular(a, count)[1]
    return values


@kernel
def _left_vectors(a: Array, count: int) -> Array:
    """One in each column, in the order of the singular values."""
    vectors: Array = _singular(a, count)[0]
    return vectors


@kernel
def _right_vectors(a: Array, count: int) -> Array:
    """As the left ones."""
    vectors: Array = _singular(a, count)[2]
    return vectors


@kernel
def _singular(a: Array, count: int) -> tuple[Array, Array, Array]:
    """Left vectors, singular values and right vectors, `count` of each; not a number where a matrix is not
    finite."""
    m, n = a.shape
    kept = min(m, n, count)
    left, values, right = (
        np.zeros((m, count), a.dtype),
        np.zeros(count, a.dtype),
        np.zeros((n, count), a.dtype),
    )
    try:
        u, s, v = np.linalg.svd(a, False)
        left[:, :kept] = u[:, :kept]
        values[:kept] = s[:kept]
        right[:, :kept] = v[:kept].T
    except Exception:
        left[...], values[...], right[...] = np.nan, np.nan, np.nan
    return left, values, right


@kernel
def _argsort(a: Array) -> Array:
    """The places from the smallest, equal elements as they stand."""
    return np.argsort(a, kind="mergesort")
