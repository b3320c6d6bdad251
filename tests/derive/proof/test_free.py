"""Free conditions: drawn by what they compare, true to what conditions imply of each other."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.derive.proof.free import DECIDED, FREE, FreeConditions, Kinds, Pairs
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Guard
from symbp.ir.system import Fact, System

N, D = sizes("N D")
n, i = indices("n i")
x, y = Access("x", n), Access("y", n)
VALUES = np.random.default_rng(0).normal(size=400)


def system() -> System:
    b = SystemBuilder()
    b.leaf("x", N)
    b.leaf("y", N)
    b.leaf("m", N, facts=[Fact("binary")])
    b.leaf("t", N, integer=True)
    b.define("count", [], Access("m", n), "sum", [n])
    b.define("h", [n], Guard("<", 0, x) * x)
    return b.system()


def conditions(seed: int = 0, *, ties: bool = False) -> FreeConditions:
    return FreeConditions(Kinds(system()), seed, ties=ties)


reals = st.floats(-1e3, 1e3).filter(lambda v: v == 0 or abs(v) > 1e-6)


@pytest.mark.slow
@given(value=reals, seed=st.integers(0, 1000), ties=st.booleans())
@settings(max_examples=200, deadline=None)
def test_signs_are_odd_and_conditions_exclude_each_other(value: float, seed: int, ties: bool) -> None:
    drawn = conditions(seed, ties=ties)
    one, other = np.array([value]), np.array([0.0])
    above = bool(drawn.holds(Guard("<", 0, x), other, one)[0])
    below = bool(drawn.holds(Guard("<", x, 0), one, other)[0])
    same = bool(
        drawn.holds(Guard("=", x, 0), *((one, other) if Guard("=", x, 0).lhs == x else (other, one)))[0]
    )
    at_most = bool(drawn.holds(Guard("<=", x, 0), one, other)[0])
    assert above + below + same == 1
    assert at_most == (not above)
    assert (value != 0) or same


def test_a_value_of_zero_is_not_above_zero_and_relu_keeps_its_mask() -> None:
    drawn = conditions(3, ties=True)
    run = Run(system(), {"x": VALUES, "y": VALUES, "m": VALUES > 0, "t": VALUES > 0}, {"N": 400}, drawn)
    h = run.tensor("h")
    mask = drawn.holds(Guard("<", 0, x), 0.0, VALUES)
    assert np.array_equal(drawn.holds(Guard("<", 0, Access("h", n)), 0.0, h), mask)
    assert 100 < np.sum(mask) < 300


def test_rounding_changes_nothing_and_different_values_are_independent() -> None:
    drawn = conditions(5)
    guard = Guard("<", 0, x)
    one = drawn.holds(guard, 0.0, VALUES)
    rounded = drawn.holds(guard, 0.0, VALUES * (1 + 3e-16))
    assert np.array_equal(one, rounded)
    for factor in (1.1, 2.0, 3.0, 10.0):  # correlated with x in every real sample
        agreement = np.mean(one == drawn.holds(guard, 0.0, factor * VALUES))
        assert 0.4 < agreement < 0.6
    others = [np.mean(one == conditions(seed).holds(guard, 0.0, VALUES)) for seed in range(6, 12)]
    assert all(0.4 < agreement < 0.6 for agreement in others)


def test_a_threshold_that_no_sample_passes_is_passed() -> None:
    drawn = conditions(7)
    beyond = drawn.holds(Guard("<", 1000, x), 1000.0, VALUES)
    assert 0.4 < np.mean(beyond) < 0.6


def test_which_conditions_are_drawn() -> None:
    kinds = Kinds(system())
    m, t, count = Access("m", n), Access("t", n), Access("count")
    assert kinds.of(Guard("<", 0, x)) == FREE
    assert kinds.of(Guard("<", y, x**3)) == FREE
    decided = [
        Guard("=", m, 1),
        Guard("<", 0, count),
        Guard("<", sympy.Rational(1, 2), m + count),
        Guard("<", 0, sympy.exp(x)),
        Guard("<", 0, x**2),
        Guard("<", -sympy.oo, x),
        Guard("<", sympy.Rational(1, 2), t),
        Guard("<=", n, i),
    ]
    assert [kinds.of(guard) for guard in decided] == [DECIDED] * len(decided)


def test_what_is_never_negative_is_0_only_where_all_that_it_adds_up_is() -> None:
    drawn = conditions(1, ties=True)
    assert np.all(drawn.holds(Guard("<", 0, x**2), 0.0, VALUES**2))
    assert not np.any(drawn.holds(Guard("<", 0, x**2), 0.0, 0 * VALUES))


def test_infinities_are_as_they_are() -> None:
    drawn = conditions(2)
    sides = np.array([-np.inf, np.inf, 1.0])
    assert list(drawn.holds(Guard("<", 0, x), 0.0, sides)[:2]) == [False, True]
    order = drawn.order(np.array([-np.inf, 3.0, np.inf]))
    assert order[0] == -np.inf
    assert order[2] == np.inf


def test_a_maximum_is_one_of_its_elements_and_any_of_them() -> None:
    b = SystemBuilder()
    z = b.leaf("z", N, D)
    b.define("top", [n], z(n, i), "max", [i])
    b.define("place", [n], z(n, i), "argmax", [i])
    values = np.random.default_rng(4).normal(size=(300, 3))
    run = Run(b.system(), {"z": values}, {"N": 300, "D": 3}, FreeConditions(Kinds(b.system()), 4))
    top, place = run.tensor("top"), run.tensor("place")
    assert np.array_equal(top, values[np.arange(300), place])
    counts = np.bincount(place, minlength=3)
    assert np.all(counts > 60)


@pytest.mark.parametrize(("other", "told"), [(0.5 * VALUES, True), (VALUES * (1 + 1e-15), True)])
def test_pairs_of_conditions(other: np.ndarray, told: bool) -> None:
    """Two different conditions are seen to disagree; equal ones need not be."""
    drawn, pairs = conditions(9), Pairs()
    drawn.holds(Guard("<", 0, x), 0.0, VALUES)
    drawn.holds(Guard("<", 0, y), 0.0, other)
    pairs.look(drawn)
    assert pairs.all_told == told


def test_pairs_that_never_disagreed_stay_open() -> None:
    drawn, pairs = conditions(9), Pairs()
    one = np.array([0.3])
    drawn.seen = {Guard("<", 0, x): (one, np.array([1])), Guard("<", 0, y): (2 * one, np.array([1]))}
    pairs.look(drawn)
    assert not pairs.all_told
    drawn.seen = {Guard("<", 0, x): (one, np.array([1])), Guard("<", 0, y): (2 * one, np.array([-1]))}
    pairs.look(drawn)
    assert pairs.all_told
