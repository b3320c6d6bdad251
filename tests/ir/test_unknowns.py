"""Residues with unknowns: what they keep of functions, and what they don't."""

from fractions import Fraction

import pytest
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.closures import Closures
from symbp.ir.evaluation.unknowns import UNKNOWNS

P = 2305843009213693951
D = UNKNOWNS(P, 1)
x, y = sympy.symbols("x y", real=True)


def value(e, at=(3, 7)):
    point = {"x": D.lift(Fraction(at[0])), "y": D.lift(Fraction(at[1]))}
    return Closures(D).value(e)(point).value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (sympy.exp(-x), 1 / sympy.exp(x)),
        (sympy.log(1 / x), -sympy.log(x)),
        (sympy.tanh(x - y), -sympy.tanh(y - x)),
        (sympy.cos(x - y), sympy.cos(y - x)),
        (sympy.exp(x * (x + y)), sympy.exp(x**2 + x * y)),
        (1 - 1 / (1 + sympy.exp(-x)), 1 / (1 + sympy.exp(x))),
        (1 / sympy.sqrt(x), sympy.sqrt(1 / x)),
        (sympy.sqrt(sympy.pi) * x, x * sympy.sqrt(sympy.pi)),
    ],
)
def test_equal(one, other):
    assert value(one) == value(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sympy.exp(x) * sympy.exp(2 * y), sympy.Function("exp2")(x)),
        (x + y, x - y),
        (sympy.exp(x), sympy.exp(y)),
        (sympy.exp(x), sympy.tanh(x)),
        (sympy.cosh(x) ** 2 - sympy.sinh(x) ** 2, sympy.Integer(1)),
    ],
)
def test_not_told_to_be_equal(one, other):
    assert value(one) != value(other)


def test_values_at_0_and_1():
    assert value(sympy.exp(x), (0, 0)) == value(sympy.cos(x), (0, 0)) == 1
    assert value(sympy.tanh(x), (0, 0)) == value(sympy.log(x), (1, 1)) == 0
    assert value(sympy.sqrt(x), (1, 1)) == 1


def test_what_has_no_value_is_refused():
    with pytest.raises(EvaluationError):
        value(1 / x, (0, 0))
    with pytest.raises(OutsideDomain):
        D.constant(sympy.oo)


def test_minus_infinity():
    """The logarithm of 0, the maximum of nothing: it stays, its exponential is 0, its sign is not asked."""
    lowest, five = D.constant(-sympy.oo), D.lift(Fraction(5))
    assert Closures(D).value(sympy.log(x))({"x": D.lift(Fraction(0))}) == lowest
    assert lowest + five == five + lowest == lowest + lowest == lowest
    assert five != lowest
    assert D.apply(sympy.exp, [lowest]) == D.lift(Fraction(0))
    assert D.lift(Fraction(1)) * lowest == lowest
    for undecided in (lambda: five * lowest, lambda: lowest * five, lambda: lowest**2):
        with pytest.raises(OutsideDomain):
            undecided()
