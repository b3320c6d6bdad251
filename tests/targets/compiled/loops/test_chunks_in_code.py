"""Training steps in chunks of the batch: the same step as in one piece, for every kind of equation."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbp as bp
from symbp.api import source

N, T = bp.dims("N T")
D, H, K = bp.dim("D", 3), bp.dim("H", 4), bp.dim("K", 5)


def classifier() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1, W2 = bp.param("W1", (D, H)), bp.param("b1", (H,)), bp.param("W2", (H, K))
    p = bp.softmax(bp.tanh(x @ W1 + b1) @ W2)
    loss = bp.cross_entropy(p, y)
    return bp.Network("plain", loss=loss, outputs={"p": p}, metrics={"accuracy": bp.accuracy(p, y)})


def decayed() -> bp.Network:
    """The penalty's gradient is added when all chunks are done; a penalty alone is no sum over examples."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N, H))
    W, b, c = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("c", (H,))
    z = bp.tanh(x @ W + b)
    loss = bp.mse(z, y) + bp.l2_penalty(0.3, W, c)
    return bp.Network("decayed", loss=loss, outputs={"z": z})


def weight_normed() -> bp.Network:
    """The norms are of no example: every chunk has them."""
    x, y, v = bp.input("x", (N, D)), bp.target("y", (N, H)), bp.param("v", (D, H))
    z = bp.tanh(x @ (v / bp.sqrt(bp.square(v).sum(0))))
    return bp.Network("normed", loss=bp.mse(z, y), outputs={"z": z})


def recurrent() -> bp.Network:
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, H))
    W, U = bp.param("W", (D, H)), bp.param("U", (H, H))
    n, t, i, j = bp.indices("n t i j")
    h = bp.recurrent("h", (N, T, H))
    r = bp.define("r", [n, t, j], bp.Sum(h.at(n, t - 1, i, outside=0) * U[i, j], i), ranges={t: T})
    h = bp.define(h, [n, t, j], bp.tanh(bp.Sum(x[n, t, i] * W[i, j], i) + r[n, t, j]))
    last = bp.define("last", [n, j], h[n, T - 1, j])
    return bp.Network("recurrent", loss=bp.mse(last, y), outputs={"last": last})


def embedded() -> bp.Network:
    """A parameter with a row for each example, between two that all examples share."""
    a, r, b = bp.param("a", (H,)), bp.param("r", (N, D)), bp.param("b", (D, H))
    y = bp.target("y", (N, H))
    z = bp.tanh(r @ b + a)
    return bp.Network("embedded", loss=bp.mse(z, y) + bp.l2_penalty(0.1, b), outputs={"z": z})


def data_for(net: bp.Network, rng: np.random.Generator) -> dict[str, np.ndarray]:
    sizes = {"N": 7, "T": 6} | {str(k): v for k, v in net.system.bound.items()}
    found = {}
    for tensor in net.system.leaves:
        if tensor.role.value in ("input", "target"):
            shape = [int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in tensor.shape]
            found[tensor.name] = rng.integers(0, 5, shape) if tensor.integer else rng.normal(size=shape)
    return found


def trained(module, data, threads, start=None):
    state = module.init_state(module.init_params(3) if start is None else start, threads=threads)
    losses = [module.train_step(state, **data) for _ in range(5)]
    return np.array([*losses, *state.params.flat])


@pytest.mark.slow
@pytest.mark.parametrize("make", [classifier, decayed, weight_normed, recurrent])
def test_chunks_take_the_step_of_the_whole_batch(make) -> None:
    net = make()
    module = bp.compile(net, target="numba", dtype="float64", optimizer=bp.optim.Adam(0.05))
    peer = bp.compile(net, target="numpy", dtype="float64", optimizer=bp.optim.Adam(0.05))
    data = data_for(net, np.random.default_rng(2))
    whole = trained(module, data, 1)
    np.testing.assert_allclose(trained(peer, data, 1), whole, rtol=1e-11, atol=1e-13)
    for threads in (2, 3, 7, 20):
        np.testing.assert_allclose(trained(module, data, threads), whole, rtol=1e-11, atol=1e-13)


@pytest.mark.slow
def test_a_chunk_has_its_rows_of_a_parameter() -> None:
    net, data = embedded(), {"y": np.random.default_rng(2).normal(size=(7, 4))}
    module = bp.compile(net, target="numba", dtype="float64", optimizer=bp.optim.Adam(0.05))
    peer = bp.compile(net, target="numpy", dtype="float64", optimizer=bp.optim.Adam(0.05))
    start = peer.init_params(3, N=7)
    whole = trained(peer, data, 1, start)
    for threads in (1, 2, 3, 7, 20):
        np.testing.assert_allclose(trained(module, data, threads, start), whole, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(module.predict(start)["z"], peer.predict(start)["z"], rtol=1e-12)
    found = module.evaluate(start, **data)["loss"]
    np.testing.assert_allclose(found, peer.evaluate(start, **data)["loss"], rtol=1e-12)


@pytest.mark.slow
def test_predictions_read_rows_of_a_parameter_where_inference_differs() -> None:
    r, b, y = bp.param("r", (N, D)), bp.param("b", (D, H)), bp.target("y", (N, H))
    z = bp.dropout(bp.tanh(r @ b), 0.5)
    net = bp.Network("dropped", loss=bp.mse(z, y), outputs={"z": z})
    module = bp.compile(net, target="numba", dtype="float64", optimizer=bp.optim.SGD(0.1))
    peer = bp.compile(net, target="numpy", dtype="float64", optimizer=bp.optim.SGD(0.1))
    start = peer.init_params(3, N=7)
    for training in (False, True):
        found = module.forward(start, training=training, seed=1)["z"]
        expected = peer.forward(start, training=training, seed=1)["z"]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_chunk_is_given_its_rows_of_a_parameter_and_of_its_gradient() -> None:
    text = source(embedded(), target="numba", dtype="float64", optimizer=bp.optim.SGD(0.1))
    (call,) = re.findall(r"^        _backward\(.*?\)$", text, re.MULTILINE | re.DOTALL)
    assert "r[first:last]" in call
    assert "dr[first:last]" in call
    added = text.split("def _add_gradients")[1].split("def ")[0]
    assert added.count("for i in prange(") == 2  # what lies before the rows, and what lies after them


@pytest.mark.slow
def test_what_needs_the_whole_batch_is_not_split() -> None:
    x, y, g = bp.input("x", (N, D)), bp.target("y", (N, D)), bp.param("g", (D,))
    z = g * (x - x.mean(0)) / bp.sqrt(bp.square(x - x.mean(0)).mean(0) + 1)
    net = bp.Network("centred", loss=bp.mse(z, y))
    assert "def _chunks" not in source(net, target="numba", dtype="float64", optimizer=bp.optim.SGD(0.1))
    split = source(classifier(), target="numba", dtype="float64", optimizer=bp.optim.SGD(0.1))
    assert "for c in prange(len(bounds)):" in split
