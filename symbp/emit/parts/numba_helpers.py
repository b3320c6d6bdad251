"""Functions of one element that overflow as they stand or that Numba lacks; only those called are spliced.

Enters: numbers. Leaves: numbers of the same type. Must not know: where they are called.
"""

from __future__ import annotations

import math

import numpy as np

from symbp.emit.parts.compiling import kernel
from symbp.emit.parts.program import Array


@kernel
def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)); the exponential of a large -x is infinite, and its inverse 0."""
    one = x - x + 1 if math.isfinite(x) else 1 + 0 * x
    return one / (one + math.exp(-x))


@kernel
def _softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return max(x, 0 * x) + math.log1p(math.exp(-abs(x)))


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
def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: either makes 0 · value a NaN."""
    total = 0.0
    for i in range(len(values)):
        total += 0 * values[i]
    return total == 0


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
