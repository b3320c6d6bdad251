"""Values of another step read back: only where that step is in range, and only what a map computes."""

from __future__ import annotations

import pytest
import sympy

import symbp as bp
from symbp.derive.rules.neighbours import at_other_steps, neighbours
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.system import System

T, N = sizes("T N")
t, n, i = indices("t n i")
ROWS, WIDTH, DEPTH = bp.dim("N"), bp.dim("D", 4), bp.dim("L", 3)


def shifted() -> System:
    """h[t] = tanh(u[t − 1]·w), with x before the first step."""
    b = SystemBuilder()
    u, w, x = b.leaf("u", T, N), b.leaf("w", N), b.leaf("x", N)
    b.define("h", [t, n], sympy.tanh(u(t - 1, n, outside=x(n)) * w(n)), ranges={t: T})
    return b.system()


def read(e: Expr, extents: dict[Index, Expr]) -> Expr:
    system = shifted()
    known = neighbours(system.equations)
    return at_other_steps(e, known, extents, lambda name: system.tensor(name).shape, lambda _: True)


u, w = Access("u", t, n), Access("w", n)
later = Guard("<=", t + 1, T - 1)


def test_a_bracket_keeps_the_other_step_in_range() -> None:
    e = later * (1 - sympy.tanh(u * w) ** 2)
    assert read(e, {t: T, n: N}) == later * (1 - Access("h", t + 1, n) ** 2)


def test_without_it_nothing_is_read() -> None:
    for e in (sympy.tanh(u * w), Guard("<=", 1, t) * sympy.tanh(u * w)):
        assert read(e, {t: T, n: N}) == e


def test_a_shorter_range_keeps_it_too() -> None:
    assert read(sympy.tanh(u * w), {t: T - 1, n: N}) == Access("h", t + 1, n)


def test_another_function_or_another_weight_is_another_value() -> None:
    for e in (later * sympy.sin(u * w), later * sympy.tanh(u), later * sympy.tanh(u * Access("w", t))):
        assert read(e, {t: T, n: N}) == e


@pytest.mark.slow
@pytest.mark.parametrize("gate", [bp.tanh, bp.sigmoid])
def test_a_gated_recurrence_computes_no_function_twice(gate) -> None:
    x = bp.input("x", (ROWS, WIDTH))
    w0, w1 = bp.param("w0", (WIDTH,)), bp.param("w1", (WIDTH,))
    y = bp.nn.Repeat(lambda below: gate(below * w0) * bp.tanh(below * w1), DEPTH)(x)
    derived = bp.derive(bp.Network("gated", loss=(y * y).sum()))
    for equation in derived.backward:
        assert not equation.body.atoms(sympy.tanh, sympy.exp), str(equation)
