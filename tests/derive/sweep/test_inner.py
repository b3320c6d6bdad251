"""Derivatives inside a declaration: what they are replaced by, in order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symbp.derive import derive, eliminate, hvp, jacobian
from symbp.errors import InvalidSystem
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Role, System
from symbp.ir.validate import validate

N, D, H, T = sizes("N D H T")
n, i, j, t = indices("n i j t")
P = Role.PARAMETER


def penalty() -> System:
    """Σ_n (‖∂u/∂x_n‖² − 1)², u of one hidden layer."""
    b = SystemBuilder()
    x, w, v = b.leaf("x", N, D), b.leaf("w", D, H, role=P), b.leaf("v", H, role=P)
    z = b.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    h = b.define("h", [n, j], sympy.tanh(z(n, j)))
    b.define("u", [n], h(n, j) * v(j), "sum", [j])
    g = b.declare("g", N, D)
    s = b.define("s", [n], g(n, i) ** 2, "sum", [i])
    b.define("L", [], (s(n) - 1) ** 2, "sum", [n])
    return b.system("L").with_(derivatives={"g": ("u", "x")})


def recurrent() -> System:
    """A loss of ∂(Σ h)/∂x through a recurrence whose every step is summed up."""
    b = SystemBuilder()
    x, a = b.leaf("x", T, N), b.leaf("a", N, role=P)
    b.declare("h", T, N)
    b.define("h", [t, i], sympy.sin(a(i) * Access("h", t - 1, i, outside=0) + x(t, i)), ranges={t: T, i: N})
    g = b.declare("g", T, N)
    b.define("L", [], g(t, i) ** 2, "sum", [t, i])
    return b.system("L").with_(derivatives={"g": ("h", "x")})


def maximum() -> System:
    """A loss of the derivative of a squared maximum."""
    b = SystemBuilder()
    x, w = b.leaf("x", N, D), b.leaf("w", D, role=P)
    m = b.define("m", [n], x(n, i) * w(i), "max", [i])
    b.define("u", [n], m(n) ** 2)
    g = b.declare("g", N, D)
    b.define("L", [], g(n, i) ** 2, "sum", [n, i])
    return b.system("L").with_(derivatives={"g": ("u", "x")})


CASES = {"penalty": penalty, "recurrent": recurrent, "maximum": maximum}


@pytest.mark.parametrize("name", CASES)
def test_the_tensor_holds_the_derivative_of_the_sum(name: str) -> None:
    declared = CASES[name]()
    validate(declared)
    system = eliminate(declared)
    validate(system)
    assert not system.derivatives
    of, by = declared.derivatives["g"]
    chosen, values = sample_point(system, 3)
    found = run(system, values, chosen)["g"]
    for entry in range(values[by].size):
        moved = np.array(values[by], dtype=complex)
        moved.flat[entry] += 1e-30j
        total = run(system, {**values, by: moved}, chosen, wanted=[of])[of].sum()
        assert found.flat[entry] == pytest.approx(total.imag / 1e-30, rel=1e-9, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_differentiated_through_it(name: str) -> None:
    derivation = derive(CASES[name]())
    validate(derivation.system)
    chosen, values = sample_point(derivation.declared, 5)
    found = run(derivation.system, values, chosen)
    for parameter, gradient in derivation.gradients.items():
        for entry in range(values[parameter].size):
            moved = np.array(values[parameter], dtype=complex)
            moved.flat[entry] += 1e-30j
            loss = run(derivation.declared, {**values, parameter: moved}, chosen, wanted=["L"])["L"]
            assert found[gradient].flat[entry] == pytest.approx(loss.imag / 1e-30, rel=1e-9, abs=1e-12)


def test_the_inner_derivative_is_short_and_named() -> None:
    forward = [str(e) for e in eliminate(penalty()).equations]
    assert forward[3:5] == [
        "du_dz[n,j] = (1 - h[n,j]²)·v[j]",
        "g[n,i] = Σ_j du_dz[n,j]·w[i,j]",
    ]


def test_derivatives_of_derivatives_have_short_names() -> None:
    """Of a derivative, or of its sum: `d2u`, whatever the tensors between are called."""
    b = SystemBuilder()
    x, w, v = b.leaf("x", N, D), b.leaf("w", D, H, role=P), b.leaf("v", H, role=P)
    z = b.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    h = b.define("h", [n, j], sympy.tanh(z(n, j)))
    b.define("u", [n], h(n, j) * v(j), "sum", [j])
    first, second = b.declare("ux", N, D), b.declare("uxx", N, D)
    b.define("total", [n], first(n, i), "sum", [i])
    b.define("L", [], second(n, i) ** 2, "sum", [n, i])
    system = eliminate(b.system("L").with_(derivatives={"ux": ("u", "x"), "uxx": ("total", "x")}))
    assert [e.target for e in system.equations] == [
        "z", "h", "u", "du_dz", "ux", "total", "d2u_ddz", "d2u_dz", "uxx", "L",
    ]  # fmt: skip
    assert str(system.defining["d2u_dz"]) == "d2u_dz[n,j] = -2·d2u_ddz[n,j]·du_dz[n,j]·h[n,j]"


def test_a_system_without_is_left_alone() -> None:
    system = eliminate(penalty())
    assert eliminate(system) is system


def test_a_derivative_of_a_derivative() -> None:
    """u = x³: u′ = 3x², u″ = 6x."""
    b = SystemBuilder()
    x, w = b.leaf("x", N), b.leaf("w", role=P)
    b.define("u", [n], w() * x(n) ** 3)
    b.declare("u1", N)
    second = b.declare("u2", N)
    b.define("L", [], second(n) ** 2, "sum", [n])
    system = eliminate(b.system("L").with_(derivatives={"u1": ("u", "x"), "u2": ("u1", "x")}))
    assert str(system.defining["u2"]) == "u2[n] = 6·w·x[n]"
    values = {"x": np.array([1.0, -2.0]), "w": np.array(0.5)}
    np.testing.assert_allclose(run(system, values, {"N": 2})["L"], 45.0, rtol=1e-15)


@pytest.mark.slow
def test_by_all_parameters_too() -> None:
    for derivation in (derive(penalty()), hvp(penalty())):
        validate(derivation.system)
        assert not derivation.declared.derivatives
        assert derivation.steps[0].rule == "derivative in the declaration"


@pytest.mark.slow
def test_every_way_of_deriving_eliminates_first() -> None:
    system = penalty()
    mixed = jacobian(system, "g", wrt=["v"])
    for derivation in (derive(system, order=2, wrt=["v"]), hvp(system, wrt=["v"]), mixed):
        validate(derivation.system)
        validate(derivation.declared)
        assert not derivation.declared.derivatives
    assert mixed.steps[0].rule == "derivative in the declaration"
    chosen, values = sample_point(eliminate(system), 2)
    found = run(mixed.system, values, chosen)[mixed.gradients["v"]]
    moved = np.array(values["v"], dtype=complex)
    moved[1] += 1e-30j
    expected = run(mixed.declared, {**values, "v": moved}, chosen, wanted=["g"])["g"].imag / 1e-30
    np.testing.assert_allclose(found[..., 1], expected, rtol=1e-9, atol=1e-12)


def test_what_is_no_derivative_is_refused() -> None:
    system = penalty()
    for wrong, message in (
        ({"g": ("u", "v")}, "another shape"),
        ({"g": ("L", "x")}, "rests on g"),
        ({"u": ("z", "x"), "g": ("u", "x")}, "has an equation"),
        ({}, "has no equation"),
        ({"g": ("nothing", "x")}, "no tensor is named 'nothing'"),
    ):
        with pytest.raises(InvalidSystem, match=message):
            validate(system.with_(derivatives=wrong))
