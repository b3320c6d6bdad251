"""Affine forms of subscripts, and quotients and remainders that ranges decide."""

from __future__ import annotations

from itertools import product
from typing import Any

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.ir.affine import affine, settled
from symbp.ir.bounds import within
from symbp.ir.build import indices, sizes
from symbp.ir.expr import Access, FloorDiv, Guard, Mod

i, j, k = indices("i j k")
N, W = sizes("N W")


def test_ends_of_an_affine_form() -> None:
    form = affine(2 * i - j + N - 1)
    assert form is not None
    assert form.weights == {i: 2, j: -1}
    assert form.offset == N - 1
    extents = {i: N, j: sympy.Integer(3)}
    assert form.least(extents) == N - 3
    assert form.greatest(extents) == 3 * N - 3


def test_indices_that_count_as_numbers_go_into_the_offset() -> None:
    form = affine(i + 3 * k, frozenset({k}))
    assert form is not None
    assert form.offset == 3 * k
    assert affine(i * k) is None
    assert affine(FloorDiv(i, 2)) is None
    assert affine(W * i) is None  # the step of a view must be a number


def test_digits_of_a_number_are_found() -> None:
    extents = {i: N, j: W}
    assert settled(FloorDiv(W * i + j, W), extents) == i
    assert settled(Mod(W * i + j, W), extents) == j
    assert settled(Guard("=", Mod(W * i + j, W), k), extents) == Guard("=", j, k)
    assert settled(Access("x", FloorDiv(W * i + j, W), j), extents) == Access("x", i, j)


@st.composite
def bodies(draw: Any, depth: int = 2) -> Any:
    if depth == 0 or draw(st.booleans()):
        weights = draw(st.tuples(*[st.integers(-9, 9)] * 3))
        return weights[0] * i + weights[1] * j + weights[2]
    inner, divisor = draw(bodies(depth - 1)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from([FloorDiv, Mod]))
    return kind(inner, sympy.Integer(divisor)) * draw(st.integers(1, 3)) + draw(bodies(0))


def value(e: Any, at: dict[Any, int]) -> int:
    """The meaning, by Python's own integers."""
    if isinstance(e, (FloorDiv, Mod)):
        a, b = (value(arg, at) for arg in e.args)
        return a // b if isinstance(e, FloorDiv) else a % b
    if e.is_Add:
        return sum(value(arg, at) for arg in e.args)
    if e.is_Mul:
        result = 1
        for arg in e.args:
            result *= value(arg, at)
        return result
    return int(at.get(e, e))


@given(bodies(), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_settling_keeps_the_value(body: Any, first: int, second: int) -> None:
    body = sympy.sympify(body)
    found = settled(body, {i: sympy.Integer(first), j: sympy.Integer(second)})
    for a, b in product(range(first), range(second)):
        assert value(found, {i: a, j: b}) == value(body, {i: a, j: b})


def test_quotients_are_bounded_from_above() -> None:
    extents = {i: 2 * N, j: sympy.Integer(7)}
    assert within(FloorDiv(i, 2), N, extents) == []
    assert within(FloorDiv(j, 2), sympy.Integer(4), extents) == []
    assert within(FloorDiv(j, 2), sympy.Integer(3), extents) != []
    assert within(FloorDiv(i + 1, 2), N, extents) != []  # (2N − 1 + 1) // 2 is N
    assert within(FloorDiv(i, 3), N, extents) != []
