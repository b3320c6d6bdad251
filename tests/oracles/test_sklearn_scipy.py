"""The gradients that scikit-learn and SciPy have written by hand: losses, small networks, Rosenbrock.

Theirs are of double precision and printed whole, so all agree to a few units in the last place of what is
added up: 1e-14 of the value.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracle_modules import (
    TARGETS,
    arrays,
    derivatives,
    loss_and_gradients,
    names,
    outputs,
    published,
    trained,
)

import symbp as bp

FILE = "sklearn_scipy.json"
N, K = bp.dims("N K")
WHOLE = {"rtol": 1e-14, "atol": 1e-15}
LOSSES = {"loss_half_poisson": bp.poisson_nll, "loss_half_binomial": bp.binary_cross_entropy}


def of_raw(name: str) -> bp.Network:
    """A loss for each raw prediction, and their sum."""
    raw, y = bp.param("raw", (N,)), bp.target("y", (N,))
    options = {"from_logits": True} if name == "loss_half_binomial" else {}
    each = LOSSES[name](raw, y, reduction="none", **options)
    return bp.Network(name, loss=each.sum(), outputs={"each": each})


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradient_and_curvature(name: str, target: str) -> None:
    case, net = published(FILE, name), of_raw(name)
    values, expected = arrays(case["inputs"]), arrays(case["expected"])
    module = trained(net, target)
    np.testing.assert_allclose(outputs(module, values)["each"], expected["loss"], **WHOLE)
    loss, gradients = loss_and_gradients(module, values)
    assert loss == pytest.approx(expected["loss"].sum(), rel=1e-14)
    np.testing.assert_allclose(gradients["raw"], expected["gradient"], **WHOLE)
    hessian = derivatives(bp.hessian(net), target, values)["raw,raw"]
    np.testing.assert_allclose(hessian, np.diag(expected["hessian_diag"]), **WHOLE)


@pytest.mark.parametrize("target", TARGETS)
def test_loss_half_multinomial(target: str) -> None:
    case = published(FILE, "loss_half_multinomial")
    values, expected = arrays(case["inputs"]), arrays(case["expected"])
    raw, y = bp.param("raw", (N, K)), bp.labels("y", (N,), classes=K)
    each = bp.cross_entropy(raw, y, from_logits=True, reduction="none")
    module = trained(bp.Network("multinomial", loss=each.sum(), outputs={"each": each}), target)
    values["y"] = values["y"].astype(np.int64)
    np.testing.assert_allclose(outputs(module, values)["each"], expected["loss"], **WHOLE)
    _, gradients = loss_and_gradients(module, values)
    np.testing.assert_allclose(gradients["raw"], expected["gradient"], **WHOLE)


def mlp(name: str, widths: list[int], alpha: float) -> bp.Network:
    """Three dense layers with weights W0, W1, W2 and offsets b0, b1, b2; the penalty falls with N."""
    activation = bp.tanh if name == "mlp_clf_tanh" else bp.relu
    weights = [bp.param(f"W{k}", widths[k : k + 2]) for k in range(3)]
    h = bp.input("X", (N, widths[0]))
    for k, W in enumerate(weights):
        z = h @ W + bp.param(f"b{k}", (widths[k + 1],))
        h = activation(z) if k < 2 else z
    if name == "mlp_clf_tanh":
        loss = bp.cross_entropy(h, bp.labels("y", (N,), classes=widths[-1]), from_logits=True)
    else:
        loss = bp.mse(h, bp.target("y", (N, widths[-1]))) / 2
    return bp.Network(name, loss=loss + bp.l2_penalty(alpha, *weights) / N)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["mlp_clf_tanh", "mlp_reg_relu"])
def test_mlp(name: str, target: str) -> None:
    """Their gradient is one vector: those of all weights, then those of all offsets."""
    case = published(FILE, name)
    given = case["inputs"]
    layers = arrays({f"W{k}": w for k, w in enumerate(given["coefs"])})
    layers |= arrays({f"b{k}": b for k, b in enumerate(given["intercepts"])})
    widths = [layers["W0"].shape[0], *(layers[f"b{k}"].size for k in range(3))]
    values = layers | arrays({key: given[key] for key in ("X", "y")})
    loss, gradients = loss_and_gradients(trained(mlp(name, widths, given["alpha"]), target), values)
    assert loss == pytest.approx(case["expected"]["loss"], rel=1e-14)
    flat = np.concatenate([gradients[key].ravel() for key in layers])
    np.testing.assert_allclose(flat, case["expected"]["gradient"], **WHOLE)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_rosenbrock(target: str) -> None:
    """Σ 100·(x[i+1] − x[i]²)² + (1 − x[i])²: a shifted subscript, differentiated twice."""
    case = published(FILE, "rosenbrock")
    values, expected = arrays(case["inputs"]), arrays(case["expected"])
    D = bp.dim("D", values["x"].size)
    x, i = bp.param("x", (D,)), bp.index("i")
    each = 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    loss = bp.define("loss", [], bp.Sum(each, i, where=i < D - 1))
    net = bp.Network("rosenbrock", loss=loss)
    found, gradients = loss_and_gradients(trained(net, target), values)
    assert found == pytest.approx(float(expected["f"]), rel=1e-14)
    np.testing.assert_allclose(gradients["x"], expected["gradient"], **WHOLE)
    hessian = derivatives(bp.hessian(net), target, values)["x,x"]
    np.testing.assert_allclose(hessian, expected["hessian"], **WHOLE)


def test_every_case_is_compared() -> None:
    compared = {*LOSSES, "loss_half_multinomial", "mlp_clf_tanh", "mlp_reg_relu", "rosenbrock"}
    assert names(FILE) == compared
