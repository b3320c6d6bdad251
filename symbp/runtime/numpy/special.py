"""Special functions of arrays that NumPy lacks, to the last digit of float64; modules take those they call.

Enters: arrays. Leaves: arrays of the same dtype. Must not know: where they are called.
"""

from __future__ import annotations

import math

import numpy as np

from symbp.runtime.network import DTYPE, Array
from symbp.runtime.numpy.functions import _where


def _ratio(t: Array, top: tuple[float, ...], bottom: tuple[float, ...]) -> Array:
    """A quotient of polynomials, the highest coefficient first; that of the bottom is 1."""
    p, q = t * top[0], t.copy()
    for a, b in zip(top[1:-1], bottom[:-1], strict=True):
        p, q = (p + a) * t, (q + b) * t
    return np.asarray((p + top[-1]) / (q + bottom[-1]))


def _erf_near(x: Array) -> Array:
    """erf where |x| < 0.46875 (Cody 1969, Rational Chebyshev approximations for the error function)."""
    top = (
        1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
        3.20937758913846947e3,
    )  # fmt: skip
    bottom = (2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
    return np.asarray(x * _ratio(np.square(np.clip(x, -0.46875, 0.46875)), top, bottom))


def _erfc_far(y: Array) -> Array:
    """erfc where y >= 0.46875 (Cody 1969); exp(-y²) with a square that is exact, and the rest of it."""
    top = (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    )  # fmt: skip
    bottom = (
        1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    )  # fmt: skip
    middle = _ratio(np.clip(y, 0.46875, 4), top, bottom)
    top_far = (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    )  # fmt: skip
    bottom_far = (
        2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    )  # fmt: skip
    large = np.maximum(y, 4)
    s = 1 / np.square(large)
    tail = (1 / math.sqrt(math.pi) - s * _ratio(s, top_far, bottom_far)) / large
    near = np.floor(16 * np.minimum(y, 64)) / 16
    return np.asarray(np.exp(-near * near) * np.exp((near - y) * (near + y)) * _where(y <= 4, middle, tail))


def _erf(x: Array) -> Array:
    """The error function."""
    y = np.abs(x)
    return _where(y < 0.46875, _erf_near(x), np.copysign(1 - _erfc_far(y), x))


def _erfc(x: Array) -> Array:
    """1 - erf(x), accurate where it is small."""
    y = np.abs(x)
    far = _erfc_far(y)
    return _where(y < 0.46875, 1 - _erf_near(x), _where(x < 0, 2 - far, far))


def _gamma_near(x: Array) -> Array:
    """Γ where 0 < x <= 12: from 1 to 2 by Cody's rational approximation (Cody 1976, An overview of software
    development for special functions), elsewhere by Γ(x + 1) = x Γ(x)."""
    top = (
        -1.71618513886549492533811e0, 2.47656508055759199108314e1, -3.79804256470945635097577e2,
        6.29331155312818442661052e2, 8.66966202790413211295064e2, -3.14512729688483675254357e4,
        -3.61444134186911729807069e4, 6.64561438202405440627855e4,
    )  # fmt: skip
    bottom = (
        -3.08402300119738975254353e1, 3.15350626979604161529144e2, -1.01515636749021914166146e3,
        -3.10777167157231109440444e3, 2.25381184209801510330112e4, 4.75584627752788110767815e3,
        -1.34659959864969306392456e5, -1.15132259675553483497211e5,
    )  # fmt: skip
    factor, y = np.where(x < 1, 1 / x, 1.0), np.where(x < 1, x + 1, x)
    for _ in range(10):
        above = y >= 2
        y = np.where(above, y - 1, y)
        factor = np.where(above, factor * y, factor)
    z = y - 1
    p, q = 0 * z, 0 * z + 1
    for a, b in zip(top, bottom, strict=True):
        p, q = (p + a) * z, q * z + b
    return np.asarray(factor * (p / q + 1))


def _stirling(x: Array) -> Array:
    """log Γ(x) - (x - 1/2) log x + x - log √(2π) where x >= 12 (Abramowitz and Stegun 1964, 6.1.40)."""
    s = 1 / (x * x)
    series = 1 / 12 - s * (
        1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s / 156))))
    )
    return np.asarray(series / x)


def _sine_of_pi(x: Array) -> Array:
    """sin(πx), exactly 0 where x is an integer."""
    n = np.round(x)
    return np.asarray(np.where(n % 2 == 0, 1.0, -1.0) * np.sin(math.pi * (x - n)))


def _gamma(x: Array) -> Array:
    """The gamma function; left of 1/2 by reflection."""
    x = np.asarray(x, np.float64)
    left = x < 0.5
    y = np.where(left, 1 - x, x)
    far = np.clip(y, 12, 180)
    root = far ** (0.5 * far - 0.25)
    large = math.sqrt(2 * math.pi) * root * np.exp(-far) * root * np.exp(_stirling(far))
    value = np.where(y < 12, _gamma_near(np.minimum(y, 12)), large)
    return np.asarray(np.where(left, math.pi / (_sine_of_pi(x) * value), value), DTYPE)


def _loggamma(x: Array) -> Array:
    """log |Γ(x)|; left of 1/2 by reflection."""
    x = np.asarray(x, np.float64)
    left = x < 0.5
    y = np.where(left, 1 - x, x)
    far = np.maximum(y, 12)
    large = (far - 0.5) * np.log(far) - far + 0.5 * math.log(2 * math.pi) + _stirling(far)
    value = np.where(y < 12, np.log(_gamma_near(np.minimum(y, 12))), large)
    return np.asarray(np.where(left, np.log(math.pi / np.abs(_sine_of_pi(x))) - value, value), DTYPE)


def _digamma(x: Array) -> Array:
    """Γ'(x)/Γ(x): reflected to x > 0, raised to x > 8, then Stirling's series."""
    x = np.asarray(x, np.float64)
    low = x <= 0
    y = np.where(low, 1 - x, x)
    total = np.where(low, -math.pi / np.tan(math.pi * np.where(low, x - np.round(x), 0.25)), 0.0)
    for _ in range(8):
        total = total - np.where(y < 8, 1 / y, 0.0)
        y = np.where(y < 8, y + 1, y)
    s = 1 / (y * y)
    series = s * (
        1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * (691 / 32760 - s / 12)))))
    )
    return np.asarray(total + np.log(y) - 0.5 / y - series, DTYPE)


def _trigamma(x: Array) -> Array:
    """The derivative of Γ'(x)/Γ(x): reflected to x > 0, raised to x > 12, then Stirling's series."""
    x = np.asarray(x, np.float64)
    low = x <= 0
    y = np.where(low, 1 - x, x)
    reflected, total = (math.pi / _sine_of_pi(np.where(low, x, 0.5))) ** 2, np.zeros_like(y)
    for _ in range(12):
        total = total + np.where(y < 12, 1 / (y * y), 0.0)
        y = np.where(y < 12, y + 1, y)
    s = 1 / (y * y)
    series = 1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - s * (691 / 2730 - s * 7 / 6)))))
    value = total + (1 + 0.5 / y + s * series) / y
    return np.asarray(np.where(low, reflected - value, value), DTYPE)
