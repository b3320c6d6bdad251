"""The domains of numbers: elementwise functions, refusals, dual numbers."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.closures import Closures
from symbp.ir.evaluation.domains import COMPLEX, EXACT, FLOAT, HIGH, MODULAR
from symbp.ir.evaluation.dual import DUAL, DualNumber, dual, tangent

v = sympy.Symbol("v", real=True)
PRIME = 2_147_483_647
ELEMENTWISE = [
    sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos, sympy.atan, sympy.sinh,
    sympy.cosh, sympy.tanh, sympy.asinh, sympy.atanh, sympy.erf, sympy.erfc, sympy.gamma, sympy.loggamma,
    sympy.digamma, sympy.sqrt, lambda z: z ** sympy.Rational(-3, 2), lambda z: z**3, lambda z: z**-2,
    lambda z: sympy.acosh(1 + z), lambda z: sympy.pi**z + sympy.E, lambda z: z**z,
]  # fmt: skip


def at(expr, domain, point):
    with np.errstate(all="ignore"):
        return Closures(domain).value(sympy.sympify(expr))({"v": domain.lift(point)})


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_elementwise_functions_agree_with_sympy_in_every_analytic_domain(function):
    expr = function(v)
    truth = sympy.N(expr.subs(v, sympy.Rational(3, 8)), 45)
    assert at(expr, FLOAT, 0.375) == pytest.approx(float(truth), rel=1e-14)
    assert at(expr, COMPLEX, 0.375) == pytest.approx(complex(truth), rel=1e-14)
    with mpmath.workdps(50):
        assert abs(at(expr, HIGH, 0.375) - mpmath.mpf(str(truth))) < mpmath.mpf(10) ** -40


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_the_tangent_of_a_dual_number_is_the_complex_step(function):
    expr = function(v)
    step = at(expr, COMPLEX, 0.375 + 1e-25j).imag / 1e-25
    assert float(at(expr, DUAL(HIGH), DualNumber(0.375, 1)).tangent) == pytest.approx(step, rel=1e-13)
    assert at(expr, DUAL(FLOAT), DualNumber(0.375, 1.0)).tangent == pytest.approx(step, rel=1e-12)


def test_float_follows_ieee_at_poles():
    assert at(sympy.log(v), FLOAT, 0.0) == -np.inf
    assert at(1 / v, FLOAT, 0.0) == np.inf
    assert at(sympy.exp(v), FLOAT, 1e4) == np.inf
    assert at(sympy.exp(v), FLOAT, -np.inf) == 0
    assert np.isnan(at(sympy.loggamma(v), FLOAT, -0.5))


@given(a=st.fractions(), b=st.fractions())
def test_rationals_are_exact_and_residues_a_homomorphism(a, b):
    a, b = (Fraction(x.numerator, x.denominator % PRIME or 1) for x in (a, b))
    expr = v**3 - sympy.Rational(2, 7) * v + sympy.Rational(b.numerator, b.denominator)
    exact = at(expr, EXACT, a)
    assert exact == a**3 - Fraction(2, 7) * a + b
    assert at(expr, MODULAR(PRIME), a) == MODULAR(PRIME).rational(exact)


@pytest.mark.parametrize("domain", [EXACT, MODULAR(PRIME), DUAL(EXACT)])
@pytest.mark.parametrize("expr", [sympy.exp(v), sympy.sqrt(v), sympy.pi * v])
def test_what_a_domain_cannot_represent_is_refused_by_name(domain, expr):
    with pytest.raises(OutsideDomain, match=r"exp|1/2|pi") as caught:
        at(expr, domain, 2)
    assert domain.name in str(caught.value) or EXACT.name in str(caught.value)


@pytest.mark.parametrize("expr", [sympy.Abs(v), sympy.Max(v, 0), sympy.sign(v), sympy.Heaviside(v)])
def test_kinks_that_are_not_guards_are_refused(expr):
    with pytest.raises(OutsideDomain, match=f"{type(expr).__name__} has no place"):
        at(expr, FLOAT, 2.0)


def test_division_by_zero_is_an_error_where_there_is_no_infinity():
    for domain in (EXACT, MODULAR(7)):
        with pytest.raises(EvaluationError, match="zero"):
            at(1 / v, domain, 7 if domain.name.endswith("7") else 0)


def test_an_unknown_function_is_refused_by_name():
    with pytest.raises(OutsideDomain, match="mystery"):
        at(sympy.Function("mystery")(v), FLOAT, 1.0)


def test_a_tangent_of_zero_moves_nothing_that_is_infinite():
    """The logarithm of what is excluded is −∞ and stands still; 0·∞ would be no number."""
    still = dual(np.array([mpmath.mpf(0)], dtype=object), np.array([mpmath.mpf(0)], dtype=object))[0]
    duals = DUAL(HIGH)
    found = duals.apply(sympy.log, [still])
    assert found.value == -mpmath.inf
    assert tangent([found * duals.rational(Fraction(2))], HIGH)[0] == 0
