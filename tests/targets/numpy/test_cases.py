"""Terms that belong to single positions, reads that leave at one end: values, and how NumPy's lines read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from target_lines import spelled_out
from target_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Expr, Guard, Index, Mod
from symbp.ir.system import Role
from symbp.targets.numpy.kernels.cases import fixed_by

N, T, H = sizes("N T H")
n, t, j, g = indices("n t j g")
EXTENTS = {"N": 2, "T": 5, "H": 3}


def gates(x: Any, h0: Any) -> Any:
    """Three of four gates, each with a form of its own."""
    forms = [sympy.tanh(x(n, t, j)), x(n, t, j) ** 2, h0(n, j)]
    return sum(Guard("=", g, 2 * k // 2) * form for k, form in enumerate(forms))


CASES = {
    "gates": (
        [n, t, g, j],
        gates,
        {n: N, t: T, g: 4, j: H},
        ["z.fill(0)", "np.multiply(x, x, out=z[:, :, 1])"],
    ),
    "all gates": (
        [g, n, t, j],
        gates,
        {n: N, t: T, g: 3, j: H},
        ["np.tanh(x, out=z[0])", "np.copyto(z[2], h0[:, None, :])"],
    ),
    "last": (
        [n, t, j],
        lambda x, h0: Guard("=", t, T - 1) * h0(n, j) * x(n, 0, j),
        {n: N, t: T, j: H},
        ["z.fill(0)", "np.multiply(h0, x[:, 0], out=z[:, T - 1])"],
    ),
    "forced": (
        [n, t, j],
        lambda x, h0: Guard("<=", T, t + 1) * h0(n, j) * x(n, 0, j),
        {n: N, t: T, j: H},
        ["np.multiply(h0, x[:, 0], out=z[:, T - 1])"],
    ),
    "before": (
        [n, t, j],
        lambda x, h0: 2 * x(n, t - 1, j, outside=h0(n, j)),
        {n: N, t: T, j: H},
        ["np.concatenate((h0[:, None], x[:, : T - 1]), 1, out=z)"],
    ),
    "after": (
        [n, t, j],
        lambda x, h0: 2 * x(n, t + 1, j, outside=h0(0, j)),
        {n: N, t: T, j: H},
        ["np.concatenate((x[:, 1:T], np.broadcast_to(h0[0][None, None], (N, 1, H))), 1, out=z)"],
    ),
}


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bound", [True, False])
def test_each_position_has_its_line(name: str, bound: bool) -> None:
    plain, body, ranges, texts = CASES[name]
    b = SystemBuilder()
    x, h0 = b.leaf("x", N, T, H), b.leaf("h0", N, H)
    b.define("z", plain, body(x, h0), ranges=ranges)
    b.define("loss", [], h0(n, j), "sum", [n, j], role=Role.LOSS)
    system = b.system(loss="loss", outputs=["z"])
    rng = np.random.default_rng(2)
    values = {leaf.name: rng.standard_normal([EXTENTS[str(e)] for e in leaf.shape]) for leaf in system.leaves}
    module = module_for(system, "numpy", bound=EXTENTS if bound else {})
    np.testing.assert_allclose(outputs(module, values)["z"], run(system, values, EXTENTS)["z"], rtol=1e-14)
    loops = module_for(system, "numba", bound=EXTENTS if bound else {})
    found = outputs(loops, values, compiled=False)["z"]
    np.testing.assert_allclose(found, run(system, values, EXTENTS)["z"], rtol=1e-14)
    source = spelled_out(Path(module.__file__ or "").read_text(encoding="utf-8"))
    for text in texts:
        assert text in source


@pytest.mark.parametrize("half", [sympy.Rational(1, 2), sympy.Rational(3, 2)])
def test_half_of_a_bracket_beside_a_whole_one_is_no_integer(half: Expr) -> None:
    """[t = j]/2 + [j < t], as the triangle of a Cholesky factor's adjoint has it."""
    b = SystemBuilder()
    x = b.leaf("x", N, T, T)
    t2 = Index("t2")
    weight = half * Guard("=", t, t2) + Guard("<", t2, t)
    b.define("z", [n, t, t2], weight * x(n, t, t2))
    b.define("loss", [], x(n, t, t2), "sum", [n, t, t2], role=Role.LOSS)
    system = b.system(loss="loss", outputs=["z"])
    values = {"x": np.random.default_rng(1).standard_normal((2, 3, 3))}
    expected = values["x"] * (np.tril(np.ones((3, 3)), -1) + float(half) * np.eye(3))
    np.testing.assert_allclose(outputs(module_for(system, "numpy"), values)["z"], expected, rtol=1e-14)


def test_one_step_has_nothing_before_it() -> None:
    """With one step alone the array is what is outside of it."""
    b = SystemBuilder()
    x, h0 = b.leaf("x", N, T, H), b.leaf("h0", N, H)
    b.define("z", [n, t, j], x(n, t - 1, j, outside=h0(n, j)), ranges={n: N, t: T, j: H})
    b.define("loss", [], h0(n, j), "sum", [n, j], role=Role.LOSS)
    system = b.system(loss="loss", outputs=["z"])
    module = module_for(system, "numpy")
    values = {"x": np.ones((2, 1, 3)), "h0": np.full((2, 3), 7.0)}
    np.testing.assert_array_equal(outputs(module, values)["z"], np.full((2, 1, 3), 7.0))


def test_a_bracket_that_reads_its_index_twice_gives_no_position() -> None:
    assert fixed_by([Guard("=", t, T - 1)], t) == T - 1
    assert fixed_by([Guard("=", t, Mod(t + 1, 3))], t) is None
