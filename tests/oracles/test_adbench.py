"""ADBench's unit tests: the Gaussian mixture, and bundle adjustment with its sparse Jacobian.

ADBench compares to 1e-8. Its results are printed whole, from code in double precision with derivatives by
hand: here 1e-12 of each entry is asked for, and no less than 1e-12, as errors are differences of pixels of
some 500.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from oracle_mixture import below_diagonal, gaussian_mixture
from oracle_modules import TARGETS, Array, derivatives, loss_and_gradients, outputs, trained
from where import oracles

import symbp as bp


def compare(found: Any, expected: Any, what: str) -> None:
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=what)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_gaussian_mixture(target: str) -> None:
    """The log-likelihood plus the logarithm of the prior; q and l stand beside each other in `icf`."""
    case = json.loads(oracles("adbench/gmm_test.json").read_text())
    icf, size = np.asarray(case["icf"]), case["d"]
    values = {
        "x": np.asarray(case["x"]),
        "mu": np.asarray(case["means"]),
        "alpha": np.asarray(case["alphas"]),
    }
    values |= {"q": icf[:, :size], "l": icf[:, size:], "at": below_diagonal(size)}
    values |= {"gamma": case["gamma"], "m": float(case["m"])}
    value, gradients = loss_and_gradients(trained(gaussian_mixture(prior_sign=1), target), values)
    compare(value, case["expected_objective"], "value")
    by_icf = np.concatenate([gradients["q"], gradients["l"]], axis=1)
    flat = np.concatenate([gradients["alpha"], gradients["mu"].ravel(), by_icf.ravel()])
    compare(flat, case["expected_gradient"], "gradient")


def bundle() -> bp.Network:
    """Observation o: a point in the place `point_of[o]`, projected by the camera `camera_of[o]`, weighted.

    A camera is a rotation (3), by Rodrigues' formula, a centre (3), a focal length, a principal point (2) and
    two coefficients of radial distortion (Triggs et al. 2000, Bundle adjustment: a modern synthesis). The
    loss weighs each error and each slack by a given `share`, so its gradients are rows of Jacobians.
    """
    N, M, P = bp.dims("N M P")
    cameras, points, w = bp.param("cameras", (N, 11)), bp.param("points", (M, 3)), bp.param("w", (P,))
    camera_of = bp.tokens("camera_of", (P,), vocabulary=N)
    point_of = bp.tokens("point_of", (P,), vocabulary=M)
    features, share = bp.input("features", (P, 2)), bp.input("share", (P, 3))
    o, a, b = bp.index("o"), bp.index("a", 3), bp.index("b", 2)
    camera, place = bp.embedding(camera_of, cameras), bp.embedding(point_of, points)
    rotation, centre, principal = camera[:, :3], camera[:, 3:6], camera[:, 7:9]
    angle = bp.define("angle", [o], bp.sqrt(bp.Sum(rotation[o, a] ** 2, a)))
    axis = bp.define("axis", [o, a], rotation[o, a] / angle[o])
    away = bp.define("away", [o, a], place[o, a] - centre[o, a])
    first, second = (a + 1) % 3, (a + 2) % 3
    crossed = axis[o, first] * away[o, second] - axis[o, second] * away[o, first]
    crossed = bp.define("crossed", [o, a], crossed)
    along = bp.define("along", [o], bp.Sum(axis[o, a] * away[o, a], a))
    cosine, sine = bp.define("cosine", [o], bp.cos(angle[o])), bp.define("sine", [o], bp.sin(angle[o]))
    turned = away[o, a] * cosine[o] + crossed[o, a] * sine[o] + axis[o, a] * along[o] * (1 - cosine[o])
    turned = bp.define("turned", [o, a], turned)
    across = turned[:, :2]
    plane = bp.define("plane", [o, b], across[o, b] / turned[o, 2])
    radius = bp.define("radius", [o], bp.Sum(plane[o, b] ** 2, b))
    distortion = 1 + camera[o, 9] * radius[o] + camera[o, 10] * radius[o] ** 2
    stretch = bp.define("stretch", [o], camera[o, 6] * distortion)
    image = plane[o, b] * stretch[o] + principal[o, b]
    error = bp.define("error", [o, b], w[o] * (image - features[o, b]))
    slack = bp.define("slack", [o], 1 - w[o] ** 2)
    first_two = share[:, :2]
    weighed = bp.Sum(first_two[o, b] * error[o, b], o, b) + bp.Sum(share[o, 2] * slack[o], o)
    loss = bp.define("loss", [], weighed)
    return bp.Network("bundle", loss=loss, outputs={"error": error, "slack": slack})


def bundle_values(case: dict[str, Any]) -> dict[str, Array]:
    """One camera, point, weight and feature, repeated; observation o sees point o by camera o, in turn."""
    count = case["p"]
    return {
        "cameras": np.tile(case["cam"], (case["n"], 1)),
        "points": np.tile(case["X"], (case["m"], 1)),
        "w": np.full(count, case["w"]),
        "features": np.tile(case["feat"], (count, 1)),
        "camera_of": np.arange(count) % case["n"],
        "point_of": np.arange(count) % case["m"],
        "share": np.zeros((count, 3)),
    }


@pytest.fixture(scope="module", params=[pytest.param(t, marks=pytest.mark.slow) for t in ("numpy", "numba")])
def adjusted(request: pytest.FixtureRequest) -> tuple[Any, Any, dict[str, Any], dict[str, Array]]:
    """The training module, that of the gradients by what each observation reads, the case, its values."""
    case, net = json.loads(oracles("adbench/ba_test.json").read_text()), bundle()
    rows = bp.derive(net, wrt=["camera", "place", "w"])
    training = trained(net, request.param)
    return training, bp.compile(rows, target=request.param), case, bundle_values(case)


def listed(case: dict[str, Any]) -> tuple[Array, Array]:
    """The entries that ADBench lists: of each error by its camera, point and weight (P, 2, 15), of each slack
    by its weight (P)."""
    entries = np.asarray(case["expected_J_vals"])
    assert entries.size == case["nnz"]
    return entries[: -case["p"]].reshape(case["p"], 2, 15), entries[-case["p"] :]


def test_bundle_values(adjusted: Any) -> None:
    training, _, case, values = adjusted
    found = outputs(training, values)
    compare(found["error"].ravel(), case["expected_reproj_err"], "error")
    compare(found["slack"], case["expected_w_err"], "slack")


def test_bundle_jacobian(adjusted: Any) -> None:
    """No two observations share what they read, so two gradients hold all rows: of all first errors, and of
    all second ones; a third those of the slacks."""
    _, rows, case, values = adjusted
    blocks = []
    for row in range(3):
        share = np.zeros((case["p"], 3))
        share[:, row] = 1
        inputs = {**values, "share": share}
        found = rows.derivatives(
            {name: values[name] for name in rows.PARAMETERS},
            **{name: inputs[name] for name in rows.DERIVATIVE_INPUTS},
        )
        blocks.append(np.column_stack([found["camera"], found["place"], found["w"]]))
    of_errors, of_slacks = listed(case)
    compare(np.stack(blocks[:2], axis=1), of_errors, "errors")
    compare(blocks[2][:, -1], of_slacks, "slacks")
    np.testing.assert_array_equal(blocks[2][:, :-1], 0)


def test_bundle_gradients(adjusted: Any) -> None:
    """Gradients by the cameras, points and weights: the published Jacobian's product with the share, rows of
    observations with one camera added up."""
    training, _, case, values = adjusted
    share = np.cos(np.arange(3.0 * case["p"])).reshape(-1, 3)
    _, gradients = loss_and_gradients(training, {**values, "share": share})
    of_errors, of_slacks = listed(case)
    rows = np.einsum("pb,pbj->pj", share[:, :2], of_errors)
    expected = {"cameras": np.zeros((case["n"], 11)), "points": np.zeros((case["m"], 3))}
    np.add.at(expected["cameras"], values["camera_of"], rows[:, :11])
    np.add.at(expected["points"], values["point_of"], rows[:, 11:14])
    expected["w"] = rows[:, 14] + share[:, 2] * of_slacks
    for key, gradient in gradients.items():
        compare(gradient, expected[key], key)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_jacobian_by_the_weights(target: str) -> None:
    """Whole Jacobians, with their zeros: (P, 2, P) of the errors, (P, P) of the slacks."""
    case, net = json.loads(oracles("adbench/ba_test.json").read_text()), bundle()
    values, same = bundle_values(case), np.eye(case["p"])
    of_errors, of_slacks = listed(case)
    expected = {"error": of_errors[:, :, -1, None] * same[:, None], "slack": np.diag(of_slacks)}
    for key, whole in expected.items():
        compare(derivatives(bp.jacobian(net, key, wrt=["w"]), target, values)["w"], whole, key)
