"""Quotients of exponentials as functions that cannot overflow: the same values, recognised or left alone."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.derive.rules.brackets import by_cases, cases, either
from symbp.derive.rules.exponentials import hyperbolic_form, logistic_forms, overflows
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Expr, Guard, Index

i = Index("i")
x, y, c = Access("x", i), Access("y", i), Access("c")
exp = sympy.exp

MULTIPLES = {
    "difference over sum": ((exp(x) - exp(-x)) / (exp(x) + exp(-x)), sympy.tanh(x)),
    "one less two sigmas": (1 - 2 / (1 + exp(2 * x)), sympy.tanh(x)),
    "at half the argument": ((exp(x) - 1) / (exp(x) + 1), sympy.tanh(x / 2)),
    "of a difference": ((exp(x - y) - exp(y - x)) / (exp(x - y) + exp(y - x)) * c, c * sympy.tanh(x - y)),
    "squared": ((exp(x) - exp(-x)) ** 2 / (exp(x) + exp(-x)) ** 2, sympy.tanh(x) ** 2),
}  # fmt: skip
OTHERS = [1 / (1 + exp(-x)), exp(x) / (1 + exp(x)) ** 2, (exp(x) - exp(-y)) / (exp(x) + exp(-y)), exp(x) / y]


@pytest.mark.parametrize("name", MULTIPLES)
def test_multiples_of_tanh(name: str) -> None:
    form, expected = MULTIPLES[name]
    assert hyperbolic_form(form) == expected


@pytest.mark.parametrize("form", OTHERS, ids=str)
def test_what_is_no_multiple_of_tanh_stays(form: Expr) -> None:
    assert hyperbolic_form(form) is None


def test_a_sigmoid_is_still_one() -> None:
    forms = logistic_forms(exp(x) / (1 + exp(x)) ** 2)
    assert len(forms) == 2
    assert [overflows(form) for form in forms] == [0, 0]
    assert logistic_forms(1 / (1 + exp(x)) - 1)[0] == -1 / (1 + exp(-x))


def value(e: Expr, at: dict[Expr, float]) -> float:
    """With brackets settled at the point."""
    settled = e.xreplace({g: Guard(g.op, g.lhs.xreplace(at), g.rhs.xreplace(at)) for g in e.atoms(Guard)})
    return float(settled.xreplace(at))


@pytest.mark.parametrize("point", [-1.3, 0.0, 0.7])
def test_cases_settle_brackets_inside_functions(point: float) -> None:
    negative, positive = Guard("<", x, 0), Guard("<=", 0, x)
    size = positive * x - negative * x
    form = (1 - 2 / (1 + exp(-2 * size))) * (positive - negative)
    at = {x: sympy.Float(point)}
    assert not any(f.atoms(Guard) for f in cases(form).atoms(sympy.exp))
    assert value(cases(form), at) == pytest.approx(value(form, at))
    assert by_cases(form, hyperbolic_form) == -sympy.tanh(x)
    np.testing.assert_allclose(value(form, at), -np.tanh(point), atol=1e-15)


def test_either_case_holds() -> None:
    holds = Guard("<", x, 0)
    assert either(holds + holds.complement() + y) == 1 + y
    assert either(holds + Guard("<", y, 0)) == holds + Guard("<", y, 0)


def test_of_a_long_sum_only_what_holds_the_exponential_changes() -> None:
    """The rational algebra of all terms at once would take minutes: each gate of a cell has its own u."""
    gates = [Access("u", i, sympy.Integer(k)) for k in range(6)]
    reads = [Access(letter, i) for letter in "abcdef"]
    slopes = [
        a * b * exp(-u) / (1 + exp(-u)) ** 2 for a, b, u in zip(reads, [*reads[1:], y], gates, strict=True)
    ]
    whole = sympy.Add(*slopes, (1 - sympy.tanh(x) ** 2) * c)
    changed = logistic_forms(whole)[0]
    assert len(set(whole.args) - set(changed.args)) == 1
    at = {e: sympy.Float(0.1 * k - 0.4) for k, e in enumerate([*gates, *reads, x, y, c])}
    assert value(changed, at) == pytest.approx(value(whole, at), rel=1e-14)
    assert hyperbolic_form(whole) is None


@pytest.mark.slow
def test_what_a_sum_of_exponentials_is_divided_by_is_divided_by() -> None:
    """log(π + (1 − π)·exp(−exp(l))), a zero-inflated Poisson's zero: over one denominator, exp(exp(l)) is a
    factor of it."""
    n = bp.dim("N")
    z, rate = bp.param("z", (n,)), bp.param("l", (n,))
    share = bp.sigmoid(z)
    zero = bp.log(share + (1 - share) * bp.exp(-bp.exp(rate)))
    derivation = bp.derive(bp.Network("zero", loss=bp.sum(zero)))  # without a warning
    values = {"z": np.array([-3.0, 0.5, -900.0]), "l": np.array([0.2, 2.0, 7.0])}
    found = run(derivation.system, values, {"N": 3})
    shares = 1 / (1 + np.exp(-values["z"][:2]))
    right = np.log(shares + (1 - shares) * np.exp(-np.exp(values["l"][:2])))
    np.testing.assert_allclose(found["loss"], right.sum() - 900 - np.log1p(np.exp(-900.0)), rtol=1e-12)
