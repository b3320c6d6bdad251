"""What the search for repairs is made of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy

import symbp as bp
from symbp.derive import adjoints
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access
from symbp.ir.system import System
from symbp.verify.against.repairs.activations import activation
from symbp.verify.against.repairs.agreement import ratio, same, weights
from symbp.verify.against.repairs.constants.monomials import Monomial, Recogniser
from symbp.verify.against.repairs.replay.bench import Bench
from symbp.verify.points import Drawer, Point

SIZES = {"N": (5.0, 7.0), "T": (4.0, 6.0), "H": (3.0, 5.0)}


def test_constants_are_told_by_where_they_change() -> None:
    told = Recogniser(SIZES)
    assert str(told.monomial([5, 7])) == "N"
    assert str(told.monomial([-2 / 20, -2 / 42])) == "-2/(N·T)"
    assert str(told.monomial([3**0.5, 5**0.5])) == "sqrt(H)"
    assert told.monomial([5, 7.1]) is None
    assert told.monomial([5, -7]) is None
    less = Recogniser({**SIZES, "(N - 1)": (4.0, 6.0)})
    assert str(less.monomial([5 / 4 / 3, 7 / 6 / 5])) in ("N/((N - 1)·H)", "N/(T·H)")


def test_sizes_that_never_differ_are_numbers() -> None:
    """6 is N, and 2·H: where no point tells them apart, neither is claimed."""
    told = Recogniser({"N": (6.0, 6.0), "T": (6.5, 6.5), "M": (36.0, 36.0)})
    assert told.monomial([6, 6]) == Monomial(Fraction(6))


def test_a_constant_says_what_undoes_it() -> None:
    form = Monomial(Fraction(2), (("N", Fraction(-1)),))
    assert (str(form), str(form.over())) == ("2/N", "N/2")


def test_agreement_is_of_finite_arrays_of_one_shape() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert same(a, a * (1 + 1e-12))
    assert not same(a, a * (1 + 1e-6))
    assert same(a.astype(np.float32), a * (1 + 1e-6))
    assert not same(a, np.full_like(a, np.inf))
    assert not same(a, a[:1])
    assert ratio(3 * a, a) == 3
    assert ratio(a + 1, a) is None


def test_weights_of_parts_are_found_only_where_elements_tell() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=12), rng.normal(size=12)]
    found = weights(2 * parts[0] - parts[1], parts)
    assert found is not None
    np.testing.assert_allclose(found, [2, -1])
    assert weights(rng.normal(size=12), parts) is None
    assert weights(2 * parts[0], [parts[0], parts[0] + 1e-9 * parts[1]]) is None
    assert weights(parts[0][:3], [p[:3] for p in parts]) is None


N, T, D, H = bp.dims("N T D H")


def recurrent() -> tuple[System, Point]:
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, T, H))
    W, U, b = bp.param("W", (D, 4, H)), bp.param("U", (H, 4, H)), bp.param("b", (4, H))
    h = bp.lstm(x, W, U, b)
    net = bp.Network("states", loss=bp.mse(h, y))
    assert net.system.loss is not None
    system = adjoints(net.system, net.system.loss, ["W", "U", "b"]).system
    point = Drawer(net.system, [net.system.loss]).draw({"N": 3, "T": 4, "D": 5, "H": 2}, 1)
    assert point is not None
    return system, point


def test_recurrences_run_quickly_give_what_the_interpreter_gives() -> None:
    system, point = recurrent()
    bench = Bench(system, "dU", (point,), {})
    looped = sorted(bench.recurrent)
    assert looped
    for name in looped:
        equation = bench.backward[name]
        changed = equation.with_(body=sympy.Rational(1, 2) * equation.body)
        found = bench.changed(0, [changed])
        equations = tuple(changed if e.target == name else e for e in system.equations)
        right = run(system.with_(equations=equations), point.values, point.sizes, wanted=["dU"])["dU"]
        assert found is not None
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-15)


def test_answers_stand_for_what_they_are_answers_of() -> None:
    system, point = recurrent()
    right = Bench(system, "dU", (point,), {}).right(0, "da1")
    doubled = Bench(system, "dU", (point,), {"da1": (2 * right,)})
    np.testing.assert_allclose(doubled.right(0), 2 * Bench(system, "dU", (point,), {}).right(0))


def test_slopes_by_what_an_activation_gives() -> None:
    system = recurrent()[0]
    found = {e.target: activation(e) for e in system.equations}
    gates = [a for a in found.values() if a is not None]
    forms = set()
    for one in gates:
        value = sympy.Symbol("h")
        assert one.by_value is not None
        forms.add(one.by_value.xreplace({Access(one.target, *one.indices): value}))
    value = sympy.Symbol("h")
    assert forms == {1 - value**2, value * (1 - value)}
