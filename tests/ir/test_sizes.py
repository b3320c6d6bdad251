"""Arithmetic of sizes: the canonical form keeps the value, equal means equal at all sizes, conditions say all
that is needed for what was made equal to be equal."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbp.ir.expr import FloorDiv, Mod, Size
from symbp.ir.sizes.canonical import canonical, difference, never_same, same_extent, solved_for
from symbp.ir.sizes.formula import formulas
from symbp.ir.sizes.obeying import obeyed, obeying
from symbp.ir.sizes.relations import Relations

H, W, K = (Size(name) for name in "HWK")
SIZES = (H, W, K)
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def values():
    return st.lists(st.integers(1, 12), min_size=len(SIZES), max_size=len(SIZES)).map(
        lambda found: {s: sympy.Integer(v) for s, v in zip(SIZES, found, strict=True)}
    )


POINTS = st.lists(values(), min_size=6, max_size=6)
DIVISORS = st.sampled_from([1, 2, 3, 4, 6, H, K, 2 * K, H * K, K + 1])


def larger(parts):
    return st.one_of(
        st.tuples(parts, parts).map(lambda ab: ab[0] + ab[1]),
        st.tuples(parts, parts).map(lambda ab: ab[0] - ab[1]),
        st.tuples(parts, st.sampled_from([2, 3, -1, H, K])).map(lambda ab: ab[0] * ab[1]),
        st.tuples(parts, DIVISORS).map(lambda ab: FloorDiv(ab[0], ab[1])),
        st.tuples(parts, DIVISORS).map(lambda ab: Mod(ab[0], ab[1])),
    )


LEAVES = st.one_of(st.sampled_from(SIZES), st.integers(-4, 6).map(sympy.Integer))
EXTENTS = st.recursive(LEAVES, larger, max_leaves=8)


def convolved(extent):
    """What convolutions, pooling and their transposes make of an extent."""
    options = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.booleans())

    def one(given_):
        before, (kernel, stride, padding, transposed) = given_
        if transposed:
            return (before - 1) * stride - 2 * padding + kernel
        return FloorDiv(before + 2 * padding - kernel, sympy.Integer(stride)) + 1

    return st.recursive(extent, lambda inner: st.tuples(inner, options).map(one), max_leaves=4)


@pytest.mark.slow
@SLOW
@given(EXTENTS, POINTS)
def test_the_canonical_form_keeps_the_value(extent, points):
    form = canonical(extent)
    assert canonical(form) == form
    for point in points:
        assert form.xreplace(point) == extent.xreplace(point)


@pytest.mark.slow
@SLOW
@given(EXTENTS, EXTENTS, POINTS)
def test_what_is_shown_holds_at_all_sizes(one, other, points):
    pairs = [(one, other), (one, one + difference(other, other)), (one + other, other + one)]
    for a, b in pairs:
        for point in points:
            equal = a.xreplace(point) == b.xreplace(point)
            assert equal or not same_extent(a, b)
            assert not (equal and never_same(a, b))


@pytest.mark.slow
@SLOW
@given(convolved(st.sampled_from([H, W])), convolved(st.sampled_from([H, W])), POINTS)
def test_layers_that_are_shown_to_fit_do(one, other, points):
    if same_extent(one, other):
        assert all(one.xreplace(point) == other.xreplace(point) for point in points)
    if never_same(one, other):
        assert all(one.xreplace(point) != other.xreplace(point) for point in points)


def test_laws():
    laws = [
        (H - 3 + 1, H - 2),
        (FloorDiv(2 * H, 2), H),
        (FloorDiv(H + 2 - 3, sympy.Integer(1)) + 1, H),
        (FloorDiv(H - 2, 2) + 1, FloorDiv(H, 2)),
        (FloorDiv(FloorDiv(H, 2), 2), FloorDiv(H, 4)),
        (FloorDiv(FloorDiv(H - 1, 2) + 1 - 1, 2) + 1, FloorDiv(H + 3, 4)),
        (FloorDiv(K * H, K), H),
        (FloorDiv(6 * H + 3, 4), H + FloorDiv(H + FloorDiv(sympy.Integer(3), sympy.Integer(2)), 2)),
        (FloorDiv(H - 1, H), sympy.S.Zero),
        (Mod(2 * H + 1, 2), sympy.S.One),
    ]
    for one, other in laws:
        assert same_extent(one, other), (one, other)
    assert not same_extent(2 * FloorDiv(H, 2), H)  # 17 → 8 → 16
    assert not never_same(2 * FloorDiv(H, 2), H)
    assert never_same(H + 1, H)
    assert str(canonical(FloorDiv(H - K + 2, sympy.Integer(2)))) == "((H - K)//2) + 1"


def test_a_size_is_solved_for_where_it_has_one_value():
    assert solved_for(H - 3, H) == (1, -3)
    assert solved_for(2 * H * W + K, H) == (2 * W, K)
    assert solved_for(FloorDiv(2 * H + 6, 2), H) == (1, 3)
    assert solved_for(FloorDiv(H, 2), H) is None
    assert solved_for(H**2, H) is None


def test_halves_that_fit_make_a_size_even():
    known = Relations()
    assert known.equate(2 * FloorDiv(H, 2), H)
    assert known.left() == ((2 * FloorDiv(H, 2), H),)
    assert known.find(2 * (FloorDiv(H - 2, 2) + 1)) == H
    assert known.gap(FloorDiv(H + 1, 2), FloorDiv(H, 2)) == 0
    assert known.equate(4 * FloorDiv(H, 4), H)
    assert known.left() == ((4 * FloorDiv(H, 4), H),)  # 4 divides it: so does 2


def test_what_can_not_be_equal():
    assert not Relations().equate(2 * FloorDiv(H - 1, 2), H)
    assert not Relations().equate(2 * W, sympy.Integer(5))
    assert not Relations().equate(W, FloorDiv(W - 2, 2) + 1)  # an axis that is half as long as it is
    assert not Relations().equate(H * W, -W)
    assert Relations().equate(W, FloorDiv(H - 2, 2) + 1)


def test_what_is_said_of_a_multiple_holds_for_what_was_stated_before():
    known = Relations()
    for pair in ((W, FloorDiv(W, 2) + 1), (FloorDiv(W - 2, 2) + 1, 2 * FloorDiv(W - 1, 2) + 1)):
        assert known.equate(*pair)
        assert known.gap(*pair) == 0


def test_a_size_that_is_a_formula_needs_no_condition():
    known = Relations()
    assert known.equate(FloorDiv(H, 2), W, [W])
    assert known.left() == ()
    assert known.find(2 * W) == 2 * FloorDiv(H, 2)


def test_multiples_of_two_sizes_that_agree_are_one():
    known = Relations()
    for pair in ((8 * FloorDiv(H, 8), H), (2 * FloorDiv(W, 2), W)):
        assert known.equate(*pair)
    assert known.equate(2 * FloorDiv(FloorDiv(H, 8), 2), FloorDiv(H, 8))
    assert known.equate(FloorDiv(H, 8), FloorDiv(W, 2))
    assert known.gap(H, 4 * W) == 0


@pytest.mark.slow
@SLOW
@given(
    st.lists(st.tuples(convolved(st.sampled_from(SIZES)), convolved(st.sampled_from(SIZES))), max_size=4),
    st.lists(values(), min_size=4, max_size=4),
    st.booleans(),
)
def test_conditions_say_all_that_makes_extents_equal(pairs, points, freely):
    known, equated = Relations(), []
    for one, other in pairs:
        if not known.equate(one, other, (W, H) if freely else ()):
            break
        assert known.gap(one, other) == 0
        assert known.find(one) == known.find(other)
        equated.append((one, other))
    else:
        left = formulas(known.left())
        for point in points:
            given_ = obeying({s.name: int(v) for s, v in point.items()}, left)
            if not obeyed(left, given_):
                continue
            sizes = {s: sympy.Integer(given_[s.name]) for s in SIZES}
            for one, other in equated:
                a, b = (known.replaced(e).xreplace(sizes) for e in (one, other))
                assert a == b
                assert known.find(one).xreplace(sizes) == a


def test_sizes_near_others_obey():
    pairs = formulas(((8 * FloorDiv(H, 8), H), (FloorDiv(W, 2), sympy.Integer(5))))
    assert obeying({"H": 3, "W": 4, "K": 5}, pairs) == {"H": 8, "W": 10, "K": 5}
    assert obeying({"H": 3, "W": 10, "K": 5}, pairs, fixed=("H",)) == {"H": 3, "W": 10, "K": 5}
