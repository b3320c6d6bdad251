"""Values that agree at most small samples are not taken for each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy

from symbp.derive.proof.fingerprints import Values
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.points.fitting import random_sizes
from symbp.ir.points.sampling import WIDE, sample_point
from symbp.ir.system import Equation, Fact, System

N, D, H, K = sizes("N D H K")
n, i, j, k = indices("n i j k")
x, y, w = Access("x", n), Access("y", n), Access("w", n)
a, b = Access("a", n, i), Access("b", n, i)
ONE, HALF = sympy.Integer(1), sympy.Rational(1, 2)
Made = tuple[Expr, tuple[Index, ...]]


def over(*axes: Index) -> Callable[[Expr], Made]:
    return lambda body: (body, axes)


row = over(n)


def above(e: Expr, bound: object = 0) -> Expr:
    return Guard("<", sympy.sympify(bound), e)


def magnitude(e: Expr) -> Expr:
    return where(above(e), e, -e)


PAIRS: dict[str, tuple[Made, Made]] = {
    "two masks": (row(above(x)), row(above(y))),
    "masks of correlated values": (row(above(x) * w), row(above(x + y / 50) * w)),
    "a mask and its strict twin": (row(Guard("<=", 0, x) * w), row(above(x) * w)),
    "x where it is positive, and |x|": (row(above(x) * x), row(magnitude(x))),
    "|x| and x": (row(magnitude(x)), row(x)),
    "a threshold that no sample passes, and 0": (row(above(x, 30) * x), row(x * 0)),
    "a clip that no sample reaches, and none": (
        row(where(above(x, 50), 50, x)),
        row(x),
    ),
    "Huber's parts": (
        row(where(above(magnitude(x), 100), 100 * (magnitude(x) - 50), x**2 / 2)),
        row(x**2 / 2),
    ),
    "a leaky slope of 0.01, and none": (
        row(where(above(x), x, sympy.Rational(1, 100) * x)),
        row(above(x) * x),
    ),
    "one branch inside another": (row(above(x) * above(y) * w), row(above(x) * w)),
    "maximum of two, and one of them": (row(where(above(x - y), x, y)), row(x)),
    "a/N and a/D": (row(x / N), row(x / D)),
    "2/N and 1": (row(2 * x / N), row(x)),
    "N/(N - 1) and 2": (row(x * N / (N - 1)), row(2 * x)),
    "D/H and 1": (row(x * D / H), row(x)),
    "4/(N·D) and 2/H": (row(4 * x / (N * D)), row(2 * x / H)),
    "N·D and H·K": (row(x * N * D), row(x * H * K)),
    "N - D and D - H": (row(x * (N - D)), row(x * (D - H))),
    "an ε of 1e-4, and none": (row(x / (magnitude(x) + sympy.Rational(1, 10**4))), row(x / magnitude(x))),
    "a row of a matrix and its column": (over(n, i)(a), over(n, i)(Access("b", n, i))),
    "the label 3, and never": (row(Guard("=", Access("t", n), 3) * x), row(x * 0)),
    "the label 3, and 4": (row(Guard("=", Access("t", n), 3) * x), row(Guard("=", Access("t", n), 4) * x)),
    "any label, and all but the last": (row(x), row(Guard("!=", Access("t", n), 4) * x)),
    "a mask of zeros and ones, and 1": (row(Access("m", n) * x), row(x)),
    "the first positions, and all": (
        over(n, k)(Guard("<=", k, 3) * Access("c", n, k)),
        over(n, k)(Access("c", n, k)),
    ),
}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", PAIRS)
def test_they_are_told_apart(name: str) -> None:
    builder = SystemBuilder()
    for leaf in ("x", "y", "w"):
        builder.leaf(leaf, N)
    builder.leaf("a", N, D)
    builder.leaf("b", N, D)
    builder.leaf("c", N, K)
    builder.leaf("h", H)
    builder.leaf("m", N, facts=[Fact("binary")])
    builder.leaf("t", N, integer=True, facts=[Fact("below", bound=K)])
    for target, (body, axes) in zip(("f", "g"), PAIRS[name], strict=True):
        builder.define(target, axes, body, ranges={n: N})
    builder.define("ends", [n], Access("c", n, 4))  # positions of their own
    system = builder.system(bound={"K": 5})
    values = Values(system)
    f, g = system.defining["f"], system.defining["g"]
    for known, sought in ((f, g), (g, f)):
        searched = Values(system)
        searched.remember(known.target)
        value = searched.tensor(sought.target) if searched.proves(sought) else None
        found = searched.find(value, sought.indices, sought.extents, lambda _: True, lambda: 1.0)
        if found is not None and searched.witnessed(sought, found):
            assert holds_far_out(system, sought, found), f"{sought} was taken for {found}"
    assert values.sizes[0] != values.sizes[1]


def holds_far_out(system: System, sought: Equation, found: Expr) -> bool:
    """Whether a right-hand side has the value that was found for it at far and near points of other sizes."""
    other = sought.with_(body=found)
    for seed, far in enumerate((0.01, 1.0, 1000.0)):
        sizes, values = sample_point(system, seed, sizes=random_sizes(system, 2 * seed, 30), first=WIDE)
        scaled = {t.name: values[t.name] * (1 if t.integer or t.facts else far) for t in system.leaves}
        run = Run(system, scaled, sizes)
        if not np.allclose(run.value(other), run.value(sought), rtol=1e-9):
            return False
    return True
