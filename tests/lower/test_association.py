"""The order in which products of several factors are taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.system import System, Tensor
from symbp.lower import Contraction, lower
from symbp.lower.passes.contraction_order import associated

A, B, C, D = sizes("A B C D")
a, b, c, d = indices("a b c d")


def chain(bound: dict[str, int]) -> list[Any]:
    builder = SystemBuilder()
    x, y, z = builder.leaf("x", A, B), builder.leaf("y", B, C), builder.leaf("z", C, D)
    builder.define("r", [a, d], x(a, b) * y(b, c) * z(c, d), "sum", [b, c])
    system = builder.system()
    values = {size: sympy.Integer(bound[size.name]) for size in (A, B, C, D)}
    system = system.with_(
        tensors=tuple(
            type(t)(t.name, tuple(e.xreplace(values) for e in t.shape), t.role) for t in system.tensors
        ),
        equations=tuple(
            e.with_(ranges=tuple(r.xreplace(values) for r in e.ranges)) for e in system.equations
        ),
    )
    return list(lower(system, ["r"]).kernels)


def test_the_sizes_decide_which_product_comes_first() -> None:
    first, second = chain({"A": 2, "B": 50, "C": 50, "D": 50})
    assert isinstance(first, Contraction)
    assert first.reads == ("x", "y")
    assert second.reads == ("r_part", "z")
    first, second = chain({"A": 50, "B": 50, "C": 50, "D": 2})
    assert first.reads == ("y", "z")
    assert second.reads == ("x", "r_part")


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(["a", "b", "c", "d", "ab", "bc", "cd", "ad", "abc", "bd"]), min_size=3, max_size=4
    )
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_each_equation_of_the_parts_is_right(factors: list[str]) -> None:
    """The parts as equations of a system of their own have the value of the sum."""
    builder, size = SystemBuilder(), {"a": A, "b": B, "c": C, "d": D}
    body: Any = 2
    for k, letters in enumerate(factors):
        body *= builder.leaf(f"x{k}", *[size[s] for s in letters])(*indices(" ".join(letters)))
    used = [i for i in (a, b, c, d) if i in body.free_symbols]
    plain = used[:1]
    if len(used) < 2:
        return
    builder.define("r", plain, body, "sum", used[1:])
    system = builder.system()
    shapes: dict[str, Any] = {}
    (equation,) = system.equations

    def buffer(axes: Any) -> str:
        name = f"part{len(shapes)}"
        shapes[name] = tuple(equation.extents[i] for i in axes)
        return name

    parts, rest = associated(equation, (), buffer)
    extra = [Tensor(name, shape) for name, shape in shapes.items()]
    other: System = system.with_(tensors=(*system.tensors, *extra), equations=(*parts, rest))
    rng = np.random.default_rng(0)
    extents = {"A": 2, "B": 3, "C": 2, "D": 3}
    values = {t.name: rng.standard_normal([extents[str(e)] for e in t.shape]) for t in system.leaves}
    expected, found = (np.asarray(evaluate(s, values, extents)["r"], float) for s in (system, other))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
