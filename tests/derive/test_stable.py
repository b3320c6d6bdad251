"""Stabilisation by form: the same values, and no overflow, underflow or NaN far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from symbp.derive import derive
from symbp.derive.stable import stabilise
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.domains import HIGH
from symbp.ir.expr import Guard
from symbp.ir.interpret import evaluate
from symbp.ir.system import Fact, Role, System
from symbp.ir.vector import run

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


CASES = {
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
    stable, steps = stabilise(CASES[name])
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
    stable, steps = stabilise(b.system("L"))
    assert not steps
    assert [str(e) for e in stable.equations] == ["s = Σ_k exp(z[k])", "L = s²"]
