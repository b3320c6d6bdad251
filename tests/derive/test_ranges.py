"""What the ranges of indices decide of reads and brackets, and what they leave."""

from __future__ import annotations

from symbp.derive.sweep.ranges import within_ranges
from symbp.ir.build import indices, sizes
from symbp.ir.expr import Access, Expr, Guard

T, N = sizes("T N")
t, n = indices("t n")


def settled(e: Expr, extent: Expr = T) -> Expr:
    return within_ranges(e, lambda _: (T,), {t: extent, n: N})


def test_a_read_that_never_leaves_its_range_needs_no_outside_value() -> None:
    always, sometimes = Access("h", t, outside=Access("x", n)), Access("h", t - 1, outside=Access("x", n))
    assert settled(always + sometimes) == Access("h", t) + sometimes
    assert settled(always, T + 1) == always
    assert settled(Access("h", t + 1, outside=0), T - 1) == Access("h", t + 1)


def test_a_bracket_that_always_holds_is_1_and_one_that_never_does_0() -> None:
    x = Access("x", n)
    assert settled(Guard("<=", 0, t) * x + Guard("<=", T, t) * x**2) == x
    left = Guard("<=", 1, t) * x + Guard("<=", t + 2, T) * x
    assert settled(left) == left
    assert settled(Guard("<=", 0, x) * x) == Guard("<=", 0, x) * x
