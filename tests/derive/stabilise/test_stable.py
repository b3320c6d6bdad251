"""Stabilisation by form: the same values, and no overflow, underflow or NaN far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.derive import derive
from symbp.derive.rules.exponentials import complement_form, overflows
from symbp.derive.rules.forms import best_form
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Guard
from symbp.ir.system import Fact, Role, System

N, K = sizes("N K")
n, k, i = indices("n k i")
P = Role.PARAMETER
LABELS = [Fact("below", bound=K)]


def cross_entropy(*, logits: bool, simplex: bool) -> System:
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=P)
    e = b.define("e", [n, k], sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    log_p: Any
    if logits:
        lse = b.define("lse", [n], sympy.log(s(n)))
        log_p = lambda row, column: z(row, column) - lse(row)  # noqa: E731
    else:
        p = b.define("p", [n, k], e(n, k) / s(n))
        log_p = lambda row, column: sympy.log(p(row, column))  # noqa: E731
    if simplex:
        y = b.leaf("y", N, K, role=Role.TARGET, facts=[Fact("sums to one", 1)])
        b.define("L", [], -y(n, k) * log_p(n, k) / N, "sum", [n, k])
    else:
        y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=LABELS)
        b.define("L", [], -log_p(n, y(n)) / N, "sum", [n], ranges={n: N})
    return b.system("L")


def binary(*, logits: bool) -> System:
    b = SystemBuilder()
    z, y = b.leaf("z", N, K, role=P), b.leaf("y", N, K, role=Role.TARGET, facts=[Fact("binary")])
    if logits:
        body = sympy.log(1 + sympy.exp(z(n, k))) - y(n, k) * z(n, k)
    else:
        p = b.define("p", [n, k], 1 / (1 + sympy.exp(-z(n, k))))
        body = -y(n, k) * sympy.log(p(n, k)) - (1 - y(n, k)) * sympy.log(1 - p(n, k))
    b.define("L", [], body / N, "sum", [n, k])
    return b.system("L")


def masked_softmax() -> System:
    """Causal rows, each with at least one element."""
    b = SystemBuilder()
    z, g = b.leaf("z", N, N, role=P), b.leaf("g", N, N)
    e = b.define("e", [n, i], Guard("<=", i, n) * sympy.exp(z(n, i)))
    s = b.define("s", [n], e(n, i), "sum", [i])
    p = b.define("p", [n, i], e(n, i) / s(n))
    b.define("L", [], g(n, i) * p(n, i), "sum", [n, i])
    return b.system("L")


def mixture() -> System:
    """Labels under shares of distributions: all their products may be too small for a number."""
    b = SystemBuilder()
    z, w = b.leaf("z", N, N, role=P), b.leaf("w", N, N, K)
    y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=LABELS)
    e = b.define("e", [n, i], sympy.exp(z(n, i)))
    s = b.define("s", [n], e(n, i), "sum", [i])
    g = b.define("g", [n, i], e(n, i) / s(n))
    f = b.define("f", [n, i, k], sympy.exp(w(n, i, k)))
    t = b.define("t", [n, i], f(n, i, k), "sum", [k])
    q = b.define("q", [n, i, k], f(n, i, k) / t(n, i))
    p = b.define("p", [n, k], g(n, i) * q(n, i, k), "sum", [i])
    b.define("L", [], -sympy.log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    return b.system("L", outputs=["p"])


CASES = {
    "mixture": mixture(),
    "cross-entropy, labels": cross_entropy(logits=False, simplex=False),
    "cross-entropy, distribution": cross_entropy(logits=False, simplex=True),
    "cross-entropy from logits, labels": cross_entropy(logits=True, simplex=False),
    "cross-entropy from logits, distribution": cross_entropy(logits=True, simplex=True),
    "binary cross-entropy": binary(logits=False),
    "binary cross-entropy from logits": binary(logits=True),
    "masked softmax": masked_softmax(),
}


def leaves(system: System, scale: float) -> tuple[dict[str, int], dict[str, Any]]:
    sizes = {"N": 3, "K": 4}
    rng = np.random.default_rng(2)
    values: dict[str, Any] = {}
    for tensor in system.leaves:
        shape = tuple(sizes[str(extent)] for extent in tensor.shape)
        if tensor.integer:
            values[tensor.name] = rng.integers(0, 4, shape)
        elif tensor.fact("sums to one"):
            values[tensor.name] = np.full(shape, 0.25)
        elif tensor.fact("binary"):
            values[tensor.name] = rng.integers(0, 2, shape).astype(float)
        else:
            values[tensor.name] = scale * rng.uniform(-1, 1, shape)
    return sizes, values


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e4, 1e9])
@pytest.mark.parametrize("name", CASES)
def test_far_out_values_are_finite_and_right(name: str, scale: float) -> None:
    derivation = derive(CASES[name])
    sizes, values = leaves(CASES[name], scale)
    with np.errstate(over="ignore"):  # inside 1/(1 + exp(u)) and log(1 + exp(u)), which emitted code spells
        found = run(derivation.system, values, sizes, wanted=["dz"])["dz"]
    expected = evaluate(derivation.system, values, sizes, HIGH, wanted=["dz"])["dz"]
    assert np.all(np.isfinite(found))
    np.testing.assert_allclose(found, expected.astype(float), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_values_are_unchanged_and_each_rewrite_is_a_step(name: str) -> None:
    stable, steps, _ = stabilise(CASES[name])
    sizes, values = leaves(CASES[name], 1.0)
    before = evaluate(CASES[name], values, sizes, HIGH, wanted=["L"])["L"].item()
    after = evaluate(stable, values, sizes, HIGH, wanted=["L"])["L"].item()
    assert abs(before - after) < 1e-45 * abs(before)
    assert bool(steps) == (stable.equations != CASES[name].equations)


def test_a_sum_that_is_read_as_it_is_keeps_its_form() -> None:
    b = SystemBuilder()
    z = b.leaf("z", K, role=P)
    s = b.define("s", [], sympy.exp(z(k)), "sum", [k])
    b.define("L", [], s() ** 2)
    stable, steps, _ = stabilise(b.system("L"))
    assert not steps
    assert [str(e) for e in stable.equations] == ["s = Σ_k exp(z[k])", "L = s²"]


# --- the gradient's form
FUNCTIONS: dict[str, Any] = {
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "sigmoid, as a quotient": lambda x: sympy.exp(x) / (1 + sympy.exp(x)),
    "tanh, as a quotient": lambda x: (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x)),
    "log-sigmoid": lambda x: -sympy.log(1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "silu": lambda x: x / (1 + sympy.exp(-x)),
    "mish": lambda x: x * sympy.tanh(sympy.log(1 + sympy.exp(x))),
    "log cosh": lambda x: sympy.log(sympy.cosh(x)),
    "sech": lambda x: 1 / sympy.cosh(x),
    "bell": lambda x: sympy.exp(-(x**2)),
    "focal": lambda x: (1 - 1 / (1 + sympy.exp(-x))) ** 2 * sympy.log(1 + sympy.exp(-x)),
}


def of_function(name: str, *, saved: bool) -> System:
    b = SystemBuilder()
    z, g = b.leaf("z", N, K, role=P), b.leaf("g", N, K)
    value = FUNCTIONS[name](z(n, k))
    h = b.define("h", [n, k], value)(n, k) if saved else value
    b.define("L", [], g(n, k) * h / N, "sum", [n, k])
    return b.system("L")


def unsafe(system: System) -> list[str]:
    """The equations with exponentials that may overflow: not shifted by a maximum, not protected."""
    maxima = {e.target for e in system.equations if e.constant}
    found = []
    for equation in system.equations:
        shifted = {
            e: sympy.Integer(1)
            for e in equation.body.atoms(sympy.exp)
            if any(-a in sympy.Add.make_args(e.args[0]) for a in e.atoms(Access) if a.name in maxima)
        }
        if overflows(equation.body.xreplace(shifted)):
            found.append(str(equation))
    return found


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_rewrite_brings_an_unsafe_shape_back(name: str, saved: bool) -> None:
    assert unsafe(derive(of_function(name, saved=saved)).system) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_losses_are_safe_in_every_equation(name: str) -> None:
    assert unsafe(derive(CASES[name]).system) == []
    assert unsafe(derive(CASES[name], order=2).system) == []


PIECES = (
    lambda u: 1 / (1 + sympy.exp(u)),
    lambda u: 1 / (1 + sympy.exp(-u)),
    lambda u: sympy.log(1 + sympy.exp(u)),
    lambda u: sympy.tanh(u),
    lambda u: sympy.exp(-(u**2)),
    lambda u: u,
    lambda u: 1 - 1 / (1 + sympy.exp(-u)),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 6), min_size=1, max_size=3), st.integers(-2, 2)), max_size=3)
)
def test_a_safe_body_stays_safe(terms: list[tuple[list[int], int]]) -> None:
    """Whatever is cheapest: exp(x)/(1 + exp(x)) has fewer operations than many safe forms of its value."""
    u = Access("z", n)
    body = sympy.Add(*[c * sympy.Mul(*[PIECES[i](u) for i in chosen]) for chosen, c in terms])
    assert overflows(body) == 0
    assert overflows(best_form(body, {n: N})[0]) == 0
    assert overflows(complement_form(body)) == 0


def test_what_may_be_0_has_its_limit() -> None:
    """x·log x and the norm of a row, at 0 and far out; both derivatives are 0 at 0."""
    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P, facts=[Fact("nonnegative")])
    logarithm = b.define("l", [n, k], sympy.log(x(n, k)))
    h = b.define("h", [n], x(n, k) * logarithm(n, k), "sum", [k])
    q = b.define("q", [n], x(n, k) ** 2, "sum", [k])
    r = b.define("r", [n], sympy.sqrt(q(n)))
    b.define("L", [], h(n) + r(n), "sum", [n])
    derivation = derive(b.system("L"))
    assert {"x log x at 0", "root at 0"} <= {step.rule for step in derivation.steps}
    point = np.array([[0.0, 0, 0], [0, 3e4, 4e4], [1, 2, 2]])
    found = run(derivation.system, {"x": point}, {"N": 3, "K": 3}, wanted=["L", "dx"])
    positive = np.where(point > 0, point, 1)
    norms = np.sqrt((point**2).sum(1, keepdims=True))
    expected = np.where(point > 0, 1 + np.log(positive) + point / np.maximum(norms, 1e-300), 0)
    np.testing.assert_allclose(found["dx"], expected, rtol=1e-12)
    np.testing.assert_allclose(found["L"], (positive * np.log(positive)).sum() + norms.sum(), rtol=1e-12)


def test_a_root_that_divides_and_one_above_0_keep_their_form() -> None:
    b = SystemBuilder()
    x, eps = b.leaf("x", N, K, role=P), b.leaf("eps", facts=[Fact("positive")])
    q = b.define("q", [n], x(n, k) ** 2, "sum", [k])
    r = b.define("r", [n], sympy.sqrt(q(n)))
    c = b.define("c", [n], sympy.sqrt(q(n) + eps()))
    b.define("L", [], x(n, k) / r(n) + c(n), "sum", [n, k])
    assert stabilise(b.system("L"))[1] == ()


@pytest.mark.slow
@pytest.mark.parametrize("power", [2, sympy.Rational(1, 2), -1], ids=str)
def test_a_power_of_a_logarithm_keeps_its_base(power: Any) -> None:
    """Σ p·(−log p)^a: the variance of surprise; (log p)² is no 2^(log p)."""
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=P)
    e = b.define("e", [n, k], sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n))
    b.define("L", [], p(n, k) * (-sympy.log(p(n, k))) ** power, "sum", [n, k])
    derivation = derive(b.system("L"))  # a doubtful form would warn
    near = np.array([[0.3, -0.2, 0.9]])
    share = np.exp(near) / np.exp(near).sum()
    found = evaluate(derivation.system, {"z": near}, {"N": 1, "K": 3})
    assert found["L"] == pytest.approx(np.sum(share * (-np.log(share)) ** float(power)), rel=1e-13)
    far = evaluate(derivation.system, {"z": np.array([[0.0, 900.0, 901.0]])}, {"N": 1, "K": 3})
    assert all(np.isfinite(far[name]).all() for name in ("L", derivation.gradients["z"]))
