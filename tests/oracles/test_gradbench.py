"""GradBench's small cases with the outputs of its C++, whose derivatives are written by hand.

GradBench asks for 1e-4 only; the outputs are printed whole, and hand-written derivatives in double precision
deserve 1e-13 of the largest entry, which leaves room for sums that are added in another order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle_mixture import below_diagonal, gaussian_mixture
from oracle_modules import TARGETS, Array, arrays, derivatives, loss_and_gradients, published, trained
from oracle_modules import names as published_names

import symbp as bp

COUNTS = {"lse": 2, "llsq": 2, "det": 2, "gmm": 1, "kmeans": 1, "lstm": 1}


def compare(found: Any, expected: Any, what: str) -> None:
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * abs(expected).max(), err_msg=what)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("tag", ["n5_0_1", "n64_0_1"])
def test_lse(tag: str, target: str) -> None:
    """log Σ exp x."""
    case = published("gradbench/lse.json", tag)
    net = bp.Network("lse", loss=bp.logsumexp(bp.param("x", (bp.dim("D"),))))
    value, gradients = loss_and_gradients(trained(net, target), arrays(case["input"]))
    compare(value, case["expected"]["primal"], "value")
    compare(gradients["x"], case["expected"]["gradient"], "gradient")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("tag", ["n16_m4", "n64_m8"])
def test_llsq(tag: str, target: str) -> None:
    """Σ_i (sign t_i − Σ_j x_j·t_iʲ)²/2: a polynomial fitted to a step at equally spaced t in [−1, 1]."""
    case = published("gradbench/llsq.json", tag)
    N = bp.dim("N", case["input"]["n"])
    i, j = bp.indices("i j")
    x = bp.param("x", (bp.dim("M"),))
    t = bp.define("t", [i], 2 * i / (N - 1) - 1, ranges={i: N})
    curve = bp.define("curve", [i], bp.Sum(x[j] * t[i] ** j, j))
    net = bp.Network("llsq", loss=bp.define("loss", [], bp.Sum((bp.sign(t[i]) - curve[i]) ** 2 / 2, i)))
    value, gradients = loss_and_gradients(trained(net, target), arrays({"x": case["input"]["x"]}))
    compare(value, case["expected"]["primal"], "value")
    compare(gradients["x"], case["expected"]["gradient"], "gradient")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("tag", ["l2", "l3"])
def test_det(tag: str, target: str) -> None:
    """The determinant of a matrix given row by row; there expanded along rows, here a leaf with its rule."""
    case = published("gradbench/det.json", tag)
    size = case["input"]["ell"]
    A = bp.param("A", (size * size,))
    net = bp.Network("det", loss=bp.det(bp.reshape(A, (size, size))))
    value, gradients = loss_and_gradients(trained(net, target), arrays({"A": case["input"]["A"]}))
    compare(value, case["expected"]["primal"], "value")
    compare(gradients["A"], case["expected"]["gradient"], "gradient")


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_gmm(target: str) -> None:
    """The mixture's log-likelihood less the logarithm of the prior."""
    case = published("gradbench/gmm.json", "d2_k3_n5_m0")
    given = case["input"]
    values = arrays({key: given[key] for key in ("x", "alpha", "mu", "q", "l")})
    values |= {"at": below_diagonal(given["d"]), "gamma": given["gamma"], "m": float(given["m"])}
    value, gradients = loss_and_gradients(trained(gaussian_mixture(prior_sign=-1), target), values)
    compare(value, case["expected"]["objective"], "value")
    for key, expected in case["expected"]["jacobian"].items():
        compare(gradients[key], expected, key)


def kmeans() -> bp.Network:
    """Σ_i min_k Σ_d (p[i,d] − c[k,d])², the cost of Lloyd's algorithm."""
    N, K, D = bp.dims("N K D")
    i, k, d = bp.indices("i k d")
    p, c = bp.input("points", (N, D)), bp.param("centroids", (K, D))
    distance = bp.define("distance", [i, k], bp.Sum((p[i, d] - c[k, d]) ** 2, d))
    return bp.Network("kmeans", loss=bp.min(distance, axis=1).sum())


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_kmeans(target: str) -> None:
    """Newton's direction, gradient over the diagonal of the Hessian, which has nothing beside it; once from
    the whole Hessian, once from its product with ones."""
    case, net = published("gradbench/kmeans.json", "k3_n20_d2"), kmeans()
    values, expected = arrays(case["input"]), case["expected"]
    cost, gradients = loss_and_gradients(trained(net, target), values)
    compare(cost, expected["cost"], "value")
    compare(gradients["centroids"], expected["my_gradient"], "gradient")
    diagonal = np.asarray(expected["my_hessian_diag"])
    hessian = derivatives(bp.hessian(net), target, values)["centroids,centroids"]
    np.testing.assert_array_equal(hessian.reshape(diagonal.size, -1), np.diag(diagonal.ravel()))
    ones = {"v_centroids": np.ones_like(diagonal)}
    product = derivatives(bp.hvp(net), target, values | ones)["centroids"]
    np.testing.assert_array_equal(product, diagonal)
    compare(gradients["centroids"] / product, expected["dir"], "direction")


def diagonal_lstm() -> bp.Network:
    """Gates with one weight a unit, on the layer below and on the step before in turn; the mean loss of
    predicting bits: log(2 + Σ exp p) − p of those that are set."""
    L, T, B = bp.dims("L T B")
    l, t, j = bp.indices("l t j")  # noqa: E741
    g = bp.index("g", 4)
    s, after = bp.input("s", (T, B)), bp.input("after", (T, B))
    weight, bias = bp.param("weight", (L, 4, B)), bp.param("bias", (L, 4, B))
    extra, hidden, first = bp.param("extra", (3, B)), bp.param("hidden", (L, B)), bp.param("cell", (L, B))
    h, memory = bp.recurrent("h", (L, T, B)), bp.recurrent("memory", (L, T, B))
    read = bp.equal(g % 2, 0)
    below, before = h.at(l - 1, t, j, outside=s[t, j] * extra[0, j]), h.at(l, t - 1, j, outside=hidden[l, j])
    a = bp.define("a", [l, t, g, j], bp.where(read, below, before) * weight[l, g, j] + bias[l, g, j], {t: T})
    forget, into, out = (
        bp.define(name, [l, t, j], bp.sigmoid(a[l, t, q, j]))
        for q, name in enumerate(("forget", "into", "out"))
    )
    new = bp.define("new", [l, t, j], bp.tanh(a[l, t, 3, j]))
    kept = memory.at(l, t - 1, j, outside=first[l, j]) * forget[l, t, j]
    memory = bp.define(memory, [l, t, j], kept + into[l, t, j] * new[l, t, j])
    h = bp.define(h, [l, t, j], out[l, t, j] * bp.tanh(memory[l, t, j]))
    p = bp.define("p", [t, j], h[L - 1, t, j] * extra[1, j] + extra[2, j])
    total = bp.define("total", [t], bp.log(2 + bp.Sum(bp.exp(p[t, j]), j)))
    each = after[t, j] * (total[t] - p[t, j]) / (T * B)
    return bp.Network("diagonal_lstm", loss=bp.define("loss", [], bp.Sum(each, t, j)))


def lstm_values(given: dict[str, Any]) -> dict[str, Array]:
    """Rows of `main_params` are in turn weights and biases of a layer, its four gates beside each other;
    rows of `state` in turn hidden and cell; each step predicts the next."""
    main, state, sequence = (np.asarray(given[key], float) for key in ("main_params", "state", "sequence"))
    units = state.shape[1]
    parts = main.reshape(-1, 2, 4, units)
    values = {"weight": parts[:, 0], "bias": parts[:, 1], "extra": np.asarray(given["extra_params"])}
    values |= {"hidden": state[::2], "cell": state[1::2]}
    return values | {"s": sequence[:-1], "after": sequence[1:]}


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_lstm(target: str) -> None:
    """Diagonal weights, the normaliser log(2 + Σ exp); one vector of all derivatives by the parameters."""
    case = published("gradbench/lstm.json", "l2_c12")
    values = lstm_values(case["input"])
    value, gradients = loss_and_gradients(trained(diagonal_lstm(), target), values)
    compare(value, case["expected"]["objective"], "value")
    main = np.stack([gradients["weight"], gradients["bias"]], axis=1)
    flat = np.concatenate([main.ravel(), gradients["extra"].ravel()])
    compare(flat, case["expected"]["jacobian"], "gradient")


@pytest.mark.parametrize("family", COUNTS)
def test_every_case_is_compared(family: str) -> None:
    assert len(published_names(f"gradbench/{family}.json")) == COUNTS[family]
