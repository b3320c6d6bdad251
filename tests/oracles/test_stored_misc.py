"""Results that optax and micrograd state as literals: cross-entropies, a polynomial loss, two expressions.

A literal can tell half a unit of its last digit. Optax publishes values alone; the gradients there are
compared with the complex step of the equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle_modules import (
    TARGETS,
    arrays,
    by_complex_step,
    loss_and_gradients,
    names,
    outputs,
    published,
    trained,
)

import symbp as bp

FILE = "stored_misc.json"
N, K = bp.dims("N K")


def compare_with_complex_step(net: bp.Network, module: Any, values: dict[str, Any]) -> float:
    """The loss, after its gradients were compared."""
    loss, gradients = loss_and_gradients(module, values)
    for key, expected in by_complex_step(net, values).items():
        np.testing.assert_allclose(gradients[key], expected, rtol=1e-12, atol=1e-15, err_msg=key)
    return loss


@pytest.mark.parametrize("target", TARGETS)
def test_optax_softmax_ce(target: str) -> None:
    case = published(FILE, "optax_softmax_ce")
    z, y = bp.param("logits", (N, K)), bp.target("labels", (N, K))
    each = bp.cross_entropy(z, y, from_logits=True, reduction="none")
    net = bp.Network("optax", loss=each.sum(), outputs={"each": each})
    module, values = trained(net, target), arrays(case["inputs"])
    first, second = outputs(module, values)["each"]
    assert first == pytest.approx(case["expected"]["loss"][0], rel=0, abs=5e-6)  # given to 5 decimals
    assert second == pytest.approx(case["expected"]["loss"][1], rel=0, abs=5e-8)  # given to 7
    compare_with_complex_step(net, module, values)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_polyloss_1(target: str) -> None:
    """Cross-entropy + ε·(1 − Σ y·softmax(z)) of a distribution y; given to 4 decimals."""
    case = published(FILE, "polyloss_1")
    z, y = bp.param("logits", (K,)), bp.target("labels", (K,))
    cross_entropy = bp.cross_entropy(z, y, from_logits=True)
    loss = cross_entropy + case["inputs"]["eps"] * (1 - (y * bp.softmax(z)).sum())
    net = bp.Network("poly", loss=loss)
    values = arrays(case["inputs"])
    found = compare_with_complex_step(net, trained(net, target), values)
    assert found == pytest.approx(case["expected"]["loss"], rel=0, abs=5e-5)


@pytest.mark.parametrize("target", TARGETS)
def test_micrograd_lecture_neuron(target: str) -> None:
    """tanh(w·x + b) in double precision, but of a b that went through float32."""
    case = published(FILE, "micrograd_lecture_neuron")
    x, w, b = bp.param("x", (K,)), bp.param("w", (K,)), bp.param("b", ())
    net = bp.Network("neuron", loss=bp.tanh((w * x).sum() + b))
    values, expected = arrays(case["inputs"]), case["expected"]
    values["b"] = values["b"].astype(np.float32).astype(float)
    o, gradients = loss_and_gradients(trained(net, target), values)
    assert o == pytest.approx(expected["o"], rel=1e-15)
    for key in "xw":
        np.testing.assert_allclose(gradients[key], expected[f"d{key}"], rtol=1e-15, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_micrograd_more_ops(target: str) -> None:
    """Sums that grow by themselves, rectifiers taken and not, a square, a quotient."""
    case = published(FILE, "micrograd_more_ops")
    a, b = bp.param("a", ()), bp.param("b", ())
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c - a
    d = d + d * 2 + bp.relu(b + a)
    d = d + 3 * d + bp.relu(b - a)
    e = c - d
    f = e**2
    net = bp.Network("ops", loss=f / 2 + 10 / f)
    g, gradients = loss_and_gradients(trained(net, target), arrays(case["inputs"]))
    expected = case["expected"]
    assert g == pytest.approx(expected["g"], rel=1e-15)
    for key in "ab":
        assert gradients[key] == pytest.approx(expected[f"d{key}"], rel=1e-15)


def test_every_case_is_compared() -> None:
    compared = {"optax_softmax_ce", "polyloss_1", "micrograd_lecture_neuron", "micrograd_more_ops"}
    assert names(FILE) == compared
