"""Functions read back from the branch that they made: only under its bracket, and without new divisors."""

from __future__ import annotations

import sympy

from symbp.derive.rules.branches import branches, read_back
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.system import System

N, D = sizes("N D")
n, d, i, j = indices("n d i j")
exp = sympy.exp


def elu(slope: object) -> System:
    """y = x where x > 0, else slope·(exp(x) − 1)."""
    b = SystemBuilder()
    x, alpha = b.leaf("x", N, D), b.leaf("alpha")
    scale = alpha() if slope == "alpha" else sympy.sympify(slope)
    b.define("y", [n, d], where(Guard("<", 0, x(n, d)), x(n, d), scale * (exp(x(n, d)) - 1)))
    return b.system()


def back(system: System, e: Expr) -> Expr:
    return read_back(e, branches(system, system.equations), lambda _: True)


x, alpha = Access("x", i, j), Access("alpha")
below, above = Guard("<=", x, 0), Guard("<", 0, x)


def test_under_the_bracket() -> None:
    y = Access("y", i, j)
    assert sympy.expand(back(elu("alpha"), below * alpha * exp(x)) - below * (y + alpha)) == 0
    assert sympy.expand(back(elu(2), below * exp(x)) - below * (y / 2 + 1)) == 0


def test_not_elsewhere() -> None:
    for e in (alpha * exp(x), above * alpha * exp(x), below * alpha * exp(2 * x)):
        assert back(elu("alpha"), e) == e


def test_nothing_is_divided_by_that_may_be_zero() -> None:
    assert back(elu("alpha"), below * exp(x)) == below * exp(x)


def test_a_branch_that_another_overlaps_is_not_read() -> None:
    b = SystemBuilder()
    read = b.leaf("x", N, D)
    b.define("y", [n, d], Guard("<=", read(n, d), 0) * exp(read(n, d)) + Guard("<", read(n, d), 1))
    assert back(b.system(), below * exp(x)) == below * exp(x)
