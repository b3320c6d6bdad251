"""Algebra on one expression that ends soon, however long the expression is."""

from __future__ import annotations

import sympy

from symbp.derive.rules.algebra import MOST_PRODUCTS, expand, multiplied_out, products_of
from symbp.ir.expr import Access, Guard, Index

i = Index("i")
a, b, c, d = (Access(name, i) for name in "abcd")


def test_products_over_sums_are_multiplied_out() -> None:
    assert expand((a + b) * (c + d)) == a * c + a * d + b * c + b * d
    assert expand((a + b) ** 2 / c) == a**2 / c + 2 * a * b / c + b**2 / c


def test_the_terms_of_a_product_are_counted_before_it_is_multiplied_out() -> None:
    assert products_of((a + b) * (c + d)) == 4
    assert products_of((a + b + c) ** 2) == 6
    assert products_of(a * sympy.exp(b * (c + d))) == 1


def test_what_gets_too_long_stays() -> None:
    """A power of a quotient, differentiated twice, has products of a dozen sums."""
    long = sympy.Mul(*[a * k + b * c**k + d for k in range(1, 30)])
    assert products_of(long) > MOST_PRODUCTS
    assert expand(long) == long
    assert expand(a / (b + long) + c * (a + b)) == a / (b + long) + c * (a + b)


def test_what_is_multiplied_out_is_what_sympy_makes_of_it() -> None:
    """Whether something is there to be multiplied out is seen before SymPy is asked: below lines, too."""
    bodies = (
        a * b, a / (1 + sympy.exp(-b)), a / (2 * (1 + sympy.exp(-b))), a / (b * (c + d)), (a + b) ** -2,
        sympy.sqrt(a + b) * c, (a + b) ** sympy.Rational(3, 2), sympy.exp(a * (b + c)),
        a * sympy.tanh(b) ** 2,
        sympy.Mul(2, a + b, evaluate=False), a * (b + c) + d / (b * (1 + c)), 1 / (a + b) + 1 / ((a + b) * c),
        Guard("<", a * (b + c), 0) * d, sympy.exp(-a) / (b + c), a / (b + c) / (c + d),
    )  # fmt: skip
    for body in bodies:
        whole = sympy.expand(body, power_exp=False, power_base=False, log=False, func=False, trig=False)
        assert multiplied_out(body) == whole, body
