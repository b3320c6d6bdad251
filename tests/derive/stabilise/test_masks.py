"""Masks by −∞, chosen or added: a softmax excludes what they mask, and a row that is wholly masked is 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp

N, K = bp.dims("N K")
Z = np.array([[0.3, -1.0, 2.0, 0.5], [1.0, 1.0, -2.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
OPEN = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]])
ADDED = np.where(OPEN > 0, 0.0, -np.inf)
G = np.arange(12.0).reshape(3, 4)


def softmax(z: Any, kept: Any) -> Any:
    e = np.where(kept, np.exp(z), 0)
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)


def expected(z: Any, kept: Any, g: Any) -> Any:
    p = softmax(z, kept)
    return p * (g - (p * g).sum(-1, keepdims=True))


def computed(loss: bp.Tensor, params: dict[str, Any], **data: Any) -> dict[str, Any]:
    derivation = bp.derive(bp.Network("n", loss=loss))
    assert bp.check(bp.Network("n", loss=loss), derivation=derivation).ok
    found: dict[str, Any] = bp.compile(derivation).derivatives(params, **data)
    return found


def declared() -> tuple[bp.Tensor, bp.Tensor, bp.Tensor]:
    return bp.param("z", (N, K)), bp.input("m", (N, K)), bp.input("g", (N, K))


@pytest.mark.slow
@pytest.mark.parametrize("infinite", [-np.inf, float("-inf"), np.float64("-inf")])
def test_a_choice_of_minus_infinity(infinite: float) -> None:
    z, m, g = declared()
    found = computed((bp.softmax(bp.where(m > 0, z, infinite)) * g).sum(), {"z": Z}, m=OPEN, g=G)
    np.testing.assert_allclose(found["z"], expected(Z, OPEN > 0, G), atol=1e-15)


@pytest.mark.slow
def test_conditions_that_are_joined() -> None:
    z, m, g = declared()
    held = OPEN * 2.0 - np.array([[0], [0], [3]])
    for condition, kept in (
        ((m > 0) & (z < 1.5), (held > 0) & (Z < 1.5)),
        ((m > 0) | (z > 0.25), (held > 0) | (Z > 0.25)),
        (~((m <= 0) | (z > 1.5)), (held > 0) & (Z < 1.5)),
    ):
        found = computed((bp.softmax(bp.where(condition, z, -np.inf)) * g).sum(), {"z": Z}, m=held, g=G)
        np.testing.assert_allclose(found["z"], expected(Z, kept, G), atol=1e-15)


@pytest.mark.slow
def test_an_added_mask_is_seen() -> None:
    z, m, g = declared()
    found = computed((bp.softmax(z + m) * g).sum(), {"z": Z}, m=ADDED, g=G)
    np.testing.assert_allclose(found["z"], expected(Z, OPEN > 0, G), atol=1e-15)


@pytest.mark.slow
def test_an_added_mask_through_names_and_a_scale() -> None:
    z, m, g = declared()
    scores = 0.5 * z + m
    found = computed((bp.softmax(scores) * g).sum(), {"z": Z}, m=ADDED, g=G)
    np.testing.assert_allclose(found["z"], expected(Z / 2, OPEN > 0, G) / 2, atol=1e-15)


@pytest.mark.slow
def test_a_declared_mask() -> None:
    z, g = bp.param("z", (N, K)), bp.input("g", (N, K))
    m = bp.input("m", (K,), facts="mask")
    found = computed((bp.softmax(z + m) * g).sum(), {"z": Z}, m=ADDED[0], g=G)
    np.testing.assert_allclose(found["z"], expected(Z, OPEN[:1] > 0, G), atol=1e-15)


@pytest.mark.slow
def test_logits_that_are_masked_before_a_cross_entropy() -> None:
    z, m, y = bp.param("z", (N, K)), bp.input("m", (N, K)), bp.labels("y", (N,), classes=K)
    kept, labels = ADDED[:2], np.array([2, 1])
    right = (softmax(Z[:2], kept == 0) - np.eye(4)[labels]) / 2
    for loss in (bp.cross_entropy(z + m, y, from_logits=True), bp.cross_entropy(bp.softmax(z + m), y)):
        np.testing.assert_allclose(computed(loss, {"z": Z[:2]}, m=kept, y=labels)["z"], right, atol=1e-15)


@pytest.mark.slow
def test_logsumexp_of_nothing() -> None:
    z, m, _ = declared()
    found = computed(bp.logsumexp(bp.where(m > 0, z, -np.inf)).sum(), {"z": Z}, m=OPEN)
    np.testing.assert_allclose(found["z"], softmax(Z, OPEN > 0), atol=1e-15)


@pytest.mark.slow
def test_a_maximum_of_what_is_left() -> None:
    z, m, _ = declared()
    found = computed(bp.where(m > 0, z, -np.inf).max(1).sum(), {"z": Z[:2]}, m=OPEN[:2])
    np.testing.assert_array_equal(found["z"], [[0, 0, 1, 0], [0, 1, 0, 0]])


@pytest.mark.slow
def test_data_that_are_no_mask_must_be_finite() -> None:
    z, m, g = declared()
    module = bp.compile(bp.derive(bp.Network("n", loss=(bp.softmax(z * m) * g).sum())))
    with pytest.raises(module.DataError, match="m holds -inf"):
        module.derivatives({"z": Z}, m=ADDED, g=G)
    module = bp.compile(bp.derive(bp.Network("n", loss=(bp.softmax(z + m) * g).sum())))
    with pytest.raises(module.DataError, match="m holds inf"):
        module.derivatives({"z": Z}, m=-ADDED, g=G)
    with pytest.raises(module.DataError, match="g holds -inf"):
        module.derivatives({"z": Z}, m=ADDED, g=ADDED)


@pytest.mark.slow
def test_what_is_added_elsewhere_is_no_mask() -> None:
    x, b = bp.input("x", (N, K)), bp.param("b", (K,))
    for loss in (bp.softplus(x + b).sum(), bp.sigmoid(x + b).sum(), (bp.softmax(bp.tanh(x + b)) ** 2).sum()):
        system = bp.derive(bp.Network("n", loss=loss)).system
        assert not system.tensor("x").facts


@pytest.mark.slow
def test_a_training_module_takes_masks() -> None:
    z, m, g = declared()
    net = bp.Network("n", loss=(bp.softmax(z + m) * g).sum())
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    loss, found = module.loss_and_gradients({"z": Z}, m=ADDED, g=G)
    np.testing.assert_allclose(found["z"], expected(Z, OPEN > 0, G), atol=1e-15)
    assert loss == pytest.approx((softmax(Z, OPEN > 0) * G).sum())
    assert all(row["ok"] for row in module.check_gradients({"z": Z}, m=ADDED, g=G))
