"""Sums over another index: fewer elements, the same value, and only where that is sure."""

from __future__ import annotations

import numpy as np
import pytest

from symbp.derive.rules.reindex import shorter_sums
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import System

M, = sizes("M")  # fmt: skip
a, i, k = indices("a i k")


def windows(subscript: Expr, outside: int | None = 0, factor: Expr = 1) -> System:
    """y[i] = Σ_a g[a]·w[subscript]."""
    b = SystemBuilder()
    g, w = b.leaf("g", 2 * M), b.leaf("w", 3)
    read = w(subscript, outside=outside) if outside is not None else w(subscript)
    b.define("y", [i], factor * g(a) * read, "sum", [a], ranges={i: M, a: 2 * M})
    return b.system()


@pytest.mark.parametrize("subscript", [a - 2 * i + 1, 2 * i - a + 1, a - i, a - 2 * i - 1], ids=str)
@pytest.mark.parametrize("size", [1, 3, 4])
def test_the_kernel_is_summed_over(subscript: Expr, size: int) -> None:
    system = windows(subscript)
    (changed,) = shorter_sums(system.equations[0], system.by_name)
    assert changed.extents[changed.reduced[0]] == 3
    _, values = sample_point(system, seed=3, sizes={"M": size})
    other = system.with_(equations=(changed,))
    found, expected = (run(s, values, {"M": size}, wanted=["y"])["y"] for s in (other, system))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_where_it_is_not_sure_or_no_shorter_nothing_changes() -> None:
    for system in (
        windows(2 * a - i + 1),  # every second element
        windows(a - 2 * i + 1, outside=1),  # outside the kernel there is something
        windows(a - 2 * i + 1, factor=Guard("<=", a, i)),  # another factor has the index
        windows(a - 2 * i + 1, factor=Access("g", 2 * M - 1 - a)),
    ):
        assert shorter_sums(system.equations[0], system.by_name) == []


def test_a_longer_axis_is_not_summed_over() -> None:
    b = SystemBuilder()
    g, w = b.leaf("g", 3), b.leaf("w", 2 * M)
    b.define("y", [i], g(k) * w(2 * i + k - 1, outside=0), "sum", [k], ranges={i: M, k: 3})
    system = b.system()
    assert shorter_sums(system.equations[0], system.by_name) == []


def test_a_read_that_may_leave_another_axis_keeps_its_value_outside() -> None:
    b = SystemBuilder()
    j, c = indices("j c")
    g, w = b.leaf("g", 2 * M, 2 * M), b.leaf("w", 3, 3)
    read = w(a - 2 * i, c - 2 * j, outside=0)
    b.define("y", [i, j], g(a, c) * read, "sum", [a, c], ranges={i: M, j: M, a: 2 * M, c: 2 * M})
    system = b.system()
    (first, _) = shorter_sums(system.defining["y"], system.by_name)
    assert [access.outside for access in first.reads if access.name == "w"] == [0]
    sizes_, values = sample_point(system, 1)
    changed = system.with_(equations=(first,))
    np.testing.assert_allclose(
        run(changed, values, sizes_)["y"], run(system, values, sizes_)["y"], rtol=1e-13
    )
