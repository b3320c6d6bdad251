"""What SymPy's own derivatives of sums, matrices and piecewise functions get wrong, derived right here.

`Sum.diff` confuses a summed index with a free one of its name; matrix derivatives of two norms or two layers
come out ill-shaped, and that of log Σ exp minus a linear term as zero; `Max(x, 0)` has a second derivative
with delta functions in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.derive import Derivation, derive
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Role, System
from symbp.verify import check_derivation

N, K = sizes("N K")
i, j, k = indices("i j k")
P = Role.PARAMETER
STRANGERS = (sympy.DiracDelta, sympy.Heaviside, sympy.Derivative, sympy.Subs, sympy.Piecewise, sympy.sign)


def values_at(derivation: Derivation, **arrays: Any) -> dict[str, Any]:
    """Every result, by its key."""
    shapes = {t.name: t.shape for t in derivation.system.leaves}
    known = {e.name: n for name, a in arrays.items() for e, n in zip(shapes[name], a.shape, strict=True)}
    found = run(derivation.system, arrays, known, wanted=list(derivation.gradients.values()))
    return {key: found[tensor] for key, tensor in derivation.gradients.items()}


def has_no_strangers(derivation: Derivation) -> bool:
    return not any(e.body.has(*STRANGERS) for e in derivation.system.equations)


def test_a_summed_index_is_not_captured_by_the_free_one() -> None:
    """Σ_i x_i·(Σ_i x_i²), the inner sum under the same letter: the gradient is s + 2·x_i·Σ_k x_k."""
    b = SystemBuilder()
    x = b.leaf("x", N, role=P)
    s = b.define("s", [], x(i) ** 2, "sum", [i])
    b.define("L", [], x(i) * s(), "sum", [i])
    derivation = derive(b.system("L"))
    x_ = np.array([1.5, -2.0, 0.25, 3.0])
    (gradient,) = values_at(derivation, x=x_).values()
    np.testing.assert_allclose(gradient, (x_**2).sum() + 2 * x_ * x_.sum(), rtol=1e-14)
    assert check_derivation(derivation).ok


@pytest.mark.parametrize("letter", ["i", "j"])
def test_a_loss_that_reuses_the_gradients_letter(letter: str) -> None:
    """Σ_i Σ_j x_i·A_ij·x_j by x, with either letter in front: (A + Aᵀ)·x."""
    b = SystemBuilder()
    x, a = b.leaf("x", N, role=P), b.leaf("A", N, N)
    first, second = (i, j) if letter == "i" else (j, i)
    b.define("L", [], x(first) * a(first, second) * x(second), "sum", [first, second])
    derivation = derive(b.system("L"))
    rng = np.random.default_rng(0)
    x_, a_ = rng.normal(size=4), rng.normal(size=(4, 4))
    np.testing.assert_allclose(values_at(derivation, x=x_, A=a_)["x"], (a_ + a_.T) @ x_, rtol=1e-13)


def two_norms() -> System:
    n, m, d = bp.dims("n m d")
    a, c, x = bp.input("A", (n, d)), bp.input("C", (m, d)), bp.param("x", (d,))
    return bp.Network("norms", loss=bp.norm(a @ x) + bp.norm(c @ x)).system


@pytest.mark.slow
def test_the_sum_of_two_norms() -> None:
    """AᵀAx/‖Ax‖ + CᵀCx/‖Cx‖; a norm at 0 adds nothing."""
    derivation = derive(two_norms())
    rng = np.random.default_rng(1)
    a, c, x = rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), rng.normal(size=2)
    expected = a.T @ a @ x / np.linalg.norm(a @ x) + c.T @ c @ x / np.linalg.norm(c @ x)
    np.testing.assert_allclose(values_at(derivation, A=a, C=c, x=x)["x"], expected, rtol=1e-13)
    alone = c.T @ c @ x / np.linalg.norm(c @ x)
    np.testing.assert_allclose(values_at(derivation, A=0 * a, C=c, x=x)["x"], alone, rtol=1e-13)
    assert values_at(derivation, A=a, C=c, x=0 * x)["x"].tolist() == [0, 0]
    assert check_derivation(derivation).ok


@pytest.mark.slow
def test_two_tanh_layers() -> None:
    """Gradients of the shapes of the parameters, and right."""
    n, d, h, o = bp.dims("n d h o")
    x, y = bp.input("x", (n, d)), bp.target("y", (n, o))
    w, v = bp.param("W", (d, h)), bp.param("V", (h, o))
    net = bp.Network("layers", loss=((bp.tanh(bp.tanh(x @ w) @ v) - y) ** 2).sum())
    derivation = derive(net.system)
    for name, tensor in derivation.gradients.items():
        assert derivation.system.tensor(tensor).shape == net.system.tensor(name).shape
    assert check_derivation(derivation).ok
    x_, y_ = np.full((1, 1), 0.5), np.full((1, 1), 0.1)
    found = values_at(derivation, x=x_, y=y_, W=np.full((1, 1), 0.3), V=np.full((1, 1), 0.7))
    h_ = np.tanh(0.15)
    o_ = np.tanh(0.7 * h_)
    assert found["V"].item() == pytest.approx(2 * (o_ - 0.1) * (1 - o_**2) * h_, rel=1e-14)
    by_w = 2 * (o_ - 0.1) * (1 - o_**2) * 0.7 * (1 - h_**2) * 0.5
    assert found["W"].item() == pytest.approx(by_w, rel=1e-14)


@pytest.mark.slow
def test_log_of_summed_exponentials_minus_a_linear_term() -> None:
    """softmax(x) − y, for any y; not 0."""
    b = SystemBuilder()
    x, y = b.leaf("x", K, role=P), b.leaf("y", K)
    s = b.define("s", [], sympy.exp(x(k)), "sum", [k])
    t = b.define("t", [], x(k) * y(k), "sum", [k])
    b.define("L", [], sympy.log(s()) - t())
    derivation = derive(b.system("L"), order=2)
    x_, y_ = np.array([0.5, -1.0, 2.0]), np.array([0.2, 0.3, -0.4])
    p = np.exp(x_) / np.exp(x_).sum()
    found = values_at(derivation, x=x_, y=y_)
    np.testing.assert_allclose(found["x"], p - y_, rtol=1e-14)
    np.testing.assert_allclose(found["x,x"], np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-15)
    assert check_derivation(derivation).ok


def kinked(body: Any) -> Derivation:
    """The second derivatives of Σ c·f(x)."""
    n = bp.dim("n")
    x, c = bp.param("x", (n,)), bp.input("c", (n,))
    return derive(bp.Network("kinked", loss=(c * body(x)).sum()).system, order=2)


POINTS = np.array([-1.5, 0.0, 2.0])
WEIGHTS = np.array([0.3, 0.5, 0.7])


def test_the_second_derivative_of_relu_is_zero_everywhere() -> None:
    derivation = kinked(bp.relu)
    assert has_no_strangers(derivation)
    found = values_at(derivation, x=POINTS, c=WEIGHTS)
    assert found["x"].tolist() == [0, 0, 0.7]
    assert not found["x,x"].any()
    assert str(derivation["x,x"].equation).endswith("= 0")


def test_the_second_derivative_of_a_squared_relu_is_a_step() -> None:
    derivation = kinked(lambda x: bp.relu(x) ** 2 / 2)
    assert has_no_strangers(derivation)
    found = values_at(derivation, x=POINTS, c=WEIGHTS)
    np.testing.assert_allclose(found["x,x"], np.diag([0, 0, 0.7]), rtol=1e-15)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("tied", [False, True])
def test_the_second_derivative_of_a_maximum(tied: bool) -> None:
    """Of m²/2 with m = max_k x_k: eᵀe at the first maximum, nothing for moving it."""
    b = SystemBuilder()
    x = b.leaf("x", K, role=P)
    m = b.define("m", [], x(k), "max", [k])
    b.define("L", [], m() ** 2 / 2)
    derivation = derive(b.system("L"), order=2)
    assert has_no_strangers(derivation)
    x_ = np.array([-1.0, 3.0, 3.0 if tied else 1.0])
    found = values_at(derivation, x=x_)
    np.testing.assert_allclose(found["x"], [0, 3, 0])
    np.testing.assert_allclose(found["x,x"], np.diag([0, 1, 0]))
    b = SystemBuilder()  # and of m itself: zero
    x = b.leaf("x", K, role=P)
    b.define("L", [], x(k), "max", [k])
    plain = values_at(derive(b.system("L"), order=2), x=x_)
    assert not plain["x,x"].any()


def test_the_maximum_of_two_tensors_has_no_delta_at_a_tie() -> None:
    n = bp.dim("n")
    x, y = bp.param("x", (n,)), bp.input("y", (n,))
    derivation = derive(bp.Network("two", loss=(bp.maximum(x, y) ** 2).sum()).system, order=2)
    assert has_no_strangers(derivation)
    found = values_at(derivation, x=POINTS, y=np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(found["x"], [0, 0, 4])
    assert np.isfinite(found["x,x"]).all()
    assert found["x,x"][2, 2] == 2


def test_reads_of_one_tensor_under_different_names_are_one_variable() -> None:
    """x_i·x_j summed over both is (Σ x)²: its gradient counts both reads."""
    b = SystemBuilder()
    x = b.leaf("x", N, role=P)
    b.define("L", [], x(i) * Access("x", j), "sum", [i, j])
    derivation = derive(b.system("L"))
    sizes_, values = sample_point(derivation.system, 2)
    found = run(derivation.system, values, sizes_, wanted=["dx"])["dx"]
    np.testing.assert_allclose(found, 2 * values["x"].sum(), rtol=1e-13)
