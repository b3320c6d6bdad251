"""Sums over windows: guards folded into reads, digits joined, indices exchanged for positions."""

from __future__ import annotations

from typing import Any

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, FloorDiv, Guard, IntegerAccess, Mod
from symbp.ir.system import Equation, Fact, Role, System
from symbp.lower.select.windows import absorbed, banded, fewest_terms, simplified

N, M, K = sizes("N M K")
n, i, k, a, d, j = indices("n i k a d j")


def equation(plain: list[Any], body: Any, over: list[Any], ranges: dict[Any, Any]) -> tuple[Equation, Any]:
    b = SystemBuilder()
    b.leaf("x", N, 2 * M)
    b.leaf("g", N, M)
    b.leaf("w", 3)
    b.leaf("u", N, 24)
    b.leaf("y", N, integer=True, role=Role.TARGET, facts=[Fact("below", bound=M)])
    b.define("r", plain, body, "sum" if over else None, over, ranges=ranges)
    system: System = b.system()
    return system.equations[0], {t.name: t.shape for t in system.tensors}


def test_guards_that_keep_reads_in_range_become_their_outside_value() -> None:
    body = Guard("<=", k, a) * Guard("<", a - k, M) * Access("g", n, a - k) * Access("w", k)
    one, shapes = equation([n, a], body, [k], {n: N, a: M + 2, k: 3})
    assert absorbed(one, shapes).body == Access("g", n, a - k, outside=0) * Access("w", k)


def test_a_guard_that_protects_another_read_stays() -> None:
    inside = Guard("<=", a + 2, M)
    other = Guard("<", Access("g", 0, a + 1), 0)
    for more in (other, sympy.exp(Access("g", n, a + 1)), Access("u", n, IntegerAccess("y", a + 1))):
        one, shapes = equation([a], inside * Access("g", n, a + 1) * more, [n], {n: N, a: M})
        if "y" in shapes and not isinstance(more, (Guard, sympy.exp)):
            shapes = {**shapes, "y": (M,)}
        assert absorbed(one, shapes).body == one.body


def test_digits_that_guards_fix_one_by_one_are_fixed_together() -> None:
    parts = Guard("=", d, FloorDiv(k, 12)) * Guard("=", i, FloorDiv(Mod(k, 12), 4)) * Guard("=", j, Mod(k, 4))
    one, _ = equation([n, d, i, j], parts * Access("u", n, k), [k], {n: N, d: 2, i: 3, j: 4, k: 24})
    assert simplified(one).body == Guard("=", k, 12 * d + 4 * i + j) * Access("u", n, k)


def test_relations_that_bounds_of_integers_decide_are_gone() -> None:
    body = Guard("<=", 0, IntegerAccess("y", n)) * Guard("<", IntegerAccess("y", n), M) * Access("g", n, i)
    one, _ = equation([n], body, [i], {n: N, i: M})
    assert simplified(one, {"y": M}).body == Access("g", n, i)
    assert simplified(one).body == body


def test_what_a_range_leaves_of_a_relation_is_an_equality() -> None:
    one, _ = equation([n], Guard("<=", M, i + 1) * Access("g", n, i), [i], {n: N, i: M})
    assert simplified(one).body == Guard("=", M, i + 1) * Access("g", n, i)


def test_a_short_array_that_a_long_sum_moves_over_is_summed_itself() -> None:
    """`Σ_a x[a]·w[a − 2i + 1]` is a sum over the three elements of w."""
    body = Access("x", n, a) * Access("w", a - 2 * i + 1, outside=0)
    one, shapes = equation([n, i], body, [a], {n: N, a: 2 * M, i: M})
    found, places = fewest_terms(one, {}, shapes)
    (position,) = found.reduced
    assert found.extents[position] == 3
    assert not places
    assert found.body == Access("x", n, 2 * i + position - 1, outside=0) * Access("w", position)


def test_a_strided_adjoint_adds_its_terms_at_places() -> None:
    body = Access("g", n, i) * Access("w", a - 2 * i + 1, outside=0)
    one, shapes = equation([n, a], body, [i], {n: N, a: 2 * M, i: M})
    found, places = fewest_terms(one, {}, shapes)
    (position,) = (p for p in found.reduced if p != i)
    assert places == {a: 2 * i + position - 1}
    assert found.body == Access("g", n, i) * Access("w", position)


def test_a_band_is_a_sum_over_the_positions_in_it() -> None:
    body = Guard("<=", 2 * i, a + 1) * Guard("<=", a, 2 * i + 1) * Access("g", n, i)
    one, _ = equation([n, a], body, [i], {n: N, a: 2 * M, i: M})
    found, places = banded(one, {})
    (position,) = (p for p in found.reduced if p != i)
    assert found.extents[position] == 3
    assert sympy.expand(places[a] - 2 * i - position + 1) in (0, 2 - 2 * position)  # from either end
    assert found.body == Access("g", n, i)


def test_what_would_not_become_shorter_stays() -> None:
    body = Access("g", n, a - k, outside=0) * Access("w", k)
    one, shapes = equation([n, a], body, [k], {n: N, a: M, k: 3})
    assert fewest_terms(one, {}, shapes) == (one, {})
