"""Rationals as people write them: an integer, a short fraction, or an exact decimal.

Enters: a rational. Leaves: text. Must not know: notations.
"""

from __future__ import annotations

import sympy

from symbp.ir.expr import (
    Expr,
)


def decimal(value: Expr) -> str:
    """A rational as people write it: an integer, a short fraction, or an exact decimal such as 0.044715."""
    if value.q == 1:
        return str(value.p)
    twos_and_fives = value.q
    for prime in (2, 5):
        while twos_and_fives % prime == 0:
            twos_and_fives //= prime
    if twos_and_fives != 1 or value.q <= 16:
        return f"{value.p}/{value.q}"
    digits = max(_exponent(value.q, 2), _exponent(value.q, 5))
    scaled = abs(value.p) * 10**digits // value.q
    text = f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}d}"
    if abs(value) < sympy.Rational(1, 1000):
        text = f"{scaled}e-{digits}"
    return f"-{text}" if value.is_negative else text


def _exponent(number: int, prime: int) -> int:
    count = 0
    while number % prime == 0:
        number //= prime
        count += 1
    return count
