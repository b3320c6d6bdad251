"""Numbers as people write them: an integer, a short fraction, an exact decimal; roots below the line.

Enters: a rational, the numbers of a product. Leaves: text, numbers. Must not know: notations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import sympy

from symbp.ir.expr import (
    Expr,
)

HALF = sympy.Rational(1, 2)


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


def above_and_below(coefficient: Expr, factors: Iterable[Expr]) -> tuple[list[Expr], list[Expr], list[Expr]]:
    """The numbers of a product above the line and below it, and its other factors. Roots stay where they were
    written: 1/√8 for √2/4, √(2/π) for √2/√π, 1/√(2π) for √2/(2√π)."""
    above, below, others = sympy.Integer(1), sympy.Integer(1), list[Expr]()
    for factor in factors:
        base, exponent = factor.as_base_exp()
        if abs(exponent) != HALF or not (base.is_Integer or base == sympy.pi):
            others.append(factor)
        elif exponent == HALF:
            above *= base
        else:
            below *= base
    over, under = coefficient, 1
    if "/" in decimal(coefficient):
        over, under = sympy.Integer(coefficient.p), int(coefficient.q)
    common = math.gcd(int(above.as_coeff_Mul()[0]), under)
    above, below, under = above / common, below * common, under // common
    if over == above == 1 != below and below.is_Integer:
        below, under = below * under**2, 1
    numbers = [one for one in (over,) if one != 1], [sympy.Integer(one) for one in (under,) if one != 1]
    if above != 1:
        numbers[0].append(_root(above / below))
    elif below != 1:
        numbers[1].append(_root(below))
    return *numbers, others


def _root(radicand: Expr) -> Expr:
    return sympy.Pow(radicand, HALF, evaluate=False)  # SymPy would take √8 apart
