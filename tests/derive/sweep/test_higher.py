"""Hessians, Hessian-vector products and Jacobians: published forms, and the complex step of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from symbp.derive import Derivation, derive, hvp, jacobian
from symbp.errors import DerivationError
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Fact, Role, System
from symbp.ir.validate import validate

N, D, K, T = sizes("N D K T")
n, i, j, k, t = indices("n i j k t")
P = Role.PARAMETER


def quadratic() -> System:
    b = SystemBuilder()
    a, x = b.leaf("A", N, N), b.leaf("x", N, role=P)
    b.define("L", [], x(i) * a(i, j) * x(j), "sum", [i, j])
    return b.system("L")


def logistic() -> System:
    b = SystemBuilder()
    x, y, w = b.leaf("X", N, D), b.leaf("y", N), b.leaf("w", D, role=P)
    z = b.define("z", [n], x(n, i) * w(i), "sum", [i])
    p = b.define("p", [n], 1 / (1 + sympy.exp(-z(n))), role=Role.OUTPUT)
    b.define("L", [], -(y(n) * sympy.log(p(n)) + (1 - y(n)) * sympy.log(1 - p(n))), "sum", [n])
    return b.system("L", ["p"])


def logsumexp() -> System:
    b = SystemBuilder()
    z = b.leaf("z", K, role=P)
    e = b.define("e", [k], sympy.exp(z(k)))
    s = b.define("s", [], e(k), "sum", [k])
    b.define("p", [k], e(k) / s(), role=Role.OUTPUT)
    b.define("L", [], sympy.log(s()))
    return b.system("L", ["p"])


def two_layers() -> System:
    b = SystemBuilder()
    x, y = b.leaf("x", N, D), b.leaf("y", N, integer=True, facts=[Fact("below", bound=K)])
    w, v = b.leaf("W", D, T, role=P), b.leaf("V", T, K, role=P)
    z = b.define("z", [n, t], x(n, i) * w(i, t), "sum", [i])
    h = b.define("h", [n, t], sympy.tanh(z(n, t)))
    a = b.define("a", [n, k], h(n, t) * v(t, k), "sum", [t])
    e = b.define("e", [n, k], sympy.exp(a(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT)
    b.define("L", [], -sympy.log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    return b.system("L", ["p"])


def recurrence() -> System:
    b = SystemBuilder()
    x, u = b.leaf("x", T, N), b.leaf("U", N, N, role=P)
    h = b.declare("h", T, N)
    a = b.define(
        "a", [t, j], Access("h", t - 1, i, outside=0) * u(i, j), "sum", [i], ranges={t: T, i: N, j: N}
    )
    b.define("h", [t, j], sympy.tanh(a(t, j) + x(t, j)))
    b.define("L", [], h(T - 1, j) ** 2, "sum", [j])
    return b.system("L")


def gather_and_maximum() -> System:
    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P)
    y = b.leaf("y", N, integer=True, facts=[Fact("below", bound=K)])
    m = b.define("m", [n], x(n, k), "max", [k])
    r = b.define("r", [n, k], where(Guard("<", 0, x(n, k)), x(n, k) ** 3, 0))
    b.define("L", [], m(n) ** 2 * x(n, y(n)) + r(n, k), "sum", [n, k])
    return b.system("L")


CASES: dict[str, Callable[[], System]] = {
    "quadratic": quadratic,
    "logistic": logistic,
    "logsumexp": logsumexp,
    "two_layers": two_layers,
    "recurrence": recurrence,
    "gather_and_maximum": gather_and_maximum,
}


QUICK = [
    pytest.param(name, marks=[pytest.mark.slow] * (name in ("two_layers", "recurrence"))) for name in CASES
]
CASES = {name: cache(make) for name, make in CASES.items()}
derived = cache(derive)


def by_complex_step(system: System, values: dict[str, Any], sizes: dict[str, int], of: str, by: str) -> Any:
    """∂ of / ∂ by, entry by entry; axes of `of` first."""
    columns = []
    for entry in range(values[by].size):
        moved = np.array(values[by], dtype=complex)
        moved.flat[entry] += 1e-30j
        columns.append(run(system, {**values, by: moved}, sizes, wanted=[of])[of].imag / 1e-30)
    return np.stack(columns, -1).reshape(*columns[0].shape, *values[by].shape)


def at_a_point(derivation: Derivation) -> tuple[dict[str, int], dict[str, Any], dict[str, Any]]:
    validate(derivation.system)
    sizes, values = sample_point(derivation.system, 4)
    return sizes, values, run(derivation.system, values, sizes)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_hessian_is_the_derivative_of_the_gradient(name: str) -> None:
    system = CASES[name]()
    first, second = derived(system), derived(system, order=2)
    sizes, values, found = at_a_point(second)
    for a, gradient in first.gradients.items():
        for b in first.gradients:
            expected = by_complex_step(first.system, values, sizes, gradient, b)
            np.testing.assert_allclose(found[second.gradients[f"{a},{b}"]], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_hessian_vector_product_is_the_hessian_times_the_vector(name: str) -> None:
    system = CASES[name]()
    second, product = derived(system, order=2), hvp(system)
    sizes, values, found = at_a_point(product)
    whole = run(second.system, values, sizes)
    for a, tensor in product.gradients.items():
        rank = values[a].ndim
        expected = sum(
            np.tensordot(whole[second.gradients[f"{a},{b}"]], values[f"v_{b}"], values[b].ndim)
            for b in product.gradients
        )
        assert rank == found[tensor].ndim
        np.testing.assert_allclose(found[tensor], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "by"), [("two_layers", "p", "W"), ("logsumexp", "p", "z"), ("recurrence", "h", "U")]
)
def test_jacobian(name: str, of: str, by: str) -> None:
    system = CASES[name]()
    derivation = jacobian(system, of, wrt=[by])
    sizes, values, found = at_a_point(derivation)
    expected = by_complex_step(system, values, sizes, of, by)
    np.testing.assert_allclose(found[derivation.gradients[by]], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_published_forms() -> None:
    """xᵀAx: A + Aᵀ; logistic regression: Xᵀ diag(p(1 − p)) X; logsumexp: diag(p) − ppᵀ."""
    published = ("quadratic", "logistic", "logsumexp")
    form = {
        name: " ".join(str(e) for e in found.backward if e.target.startswith("H_"))
        for name in published
        for found in [derived(CASES[name](), order=2)]
    }
    assert form["quadratic"] == "H_x_x[o,i] = A[i,o] + A[o,i]"
    assert form["logistic"] == "H_w_w[o,i] = Σ_n X[n,o]·X[n,i]·(1 - p[n])·p[n]"
    assert form["logsumexp"] == "H_z_z[o,k] = ([k = o] - p[o])·p[k]"


def test_a_tall_jacobian_is_derived_forwards() -> None:
    """From three numbers to many, three tangents are fewer than many adjoints: forward mode."""
    b = SystemBuilder()
    a, c, x = b.leaf("A", N, 3), b.leaf("C", N, N), b.leaf("x", 3, role=P)
    h = b.define("h", [n], a(n, k) * x(k), "sum", [k], ranges={n: N, k: 3})
    s = b.define("s", [n], sympy.sin(h(n)))
    b.define("y", [i], c(i, n) * s(n), "sum", [n])
    tall = jacobian(b.system(), "y", wrt=["x"])
    hidden = [e for e in tall.backward if e.target != tall.gradients["x"]]
    assert all(3 in e.shape for e in hidden if len(e.shape) == 2), [str(e) for e in hidden]


def test_higher_orders_are_refused() -> None:
    with pytest.raises(DerivationError, match="order 3"):
        derive(quadratic(), order=3)
