"""What is said when a training goes wrong, and that nothing is said when it goes well."""

import numpy as np
import pytest

import symbp as bp
from symbp.cli.watching import Watch

SIZES = {"D": 3, "H": 6, "K": 4}


def network(activation=bp.relu):
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    h = bp.dropout(activation(x @ W1 + b1), 0.25)
    return bp.Network("net", loss=bp.cross_entropy(bp.softmax(h @ W2 + b2), y))


def images():
    N, F, K = bp.dims("N F K")
    x, y = bp.input("x", (N, 1, 6, 6)), bp.labels("y", (N,), classes=K)
    C, c = bp.param("C", (F, 1, 3, 3)), bp.param("c", (F,))
    h = bp.relu(bp.conv2d(x, C, c))
    V = bp.param("V", (F, K))
    return bp.Network("net", loss=bp.cross_entropy(bp.softmax(h.mean((2, 3)) @ V), y))


def watched(net, sizes, **shapes):
    """(watch, module, warnings) on random data."""
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), sizes=sizes)
    rng = np.random.default_rng(0)
    data = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    count = len(next(iter(data.values())))
    data["y"] = rng.integers(0, 4, count)
    said = []
    return Watch(net.system, module, data, said.append), module, said


@pytest.mark.slow
def test_a_usual_start_is_not_worth_a_word():
    watch, module, said = watched(network(), SIZES, x=(40, 3))
    watch.start(module.init_params(0))
    state = module.init_state(module.init_params(0))
    for epoch, loss in enumerate([1.4, 1.2, 1.3, 0.9], start=1):
        watch.epoch({"epoch": epoch, "loss": loss}, state)
    assert said == []


@pytest.mark.slow
def test_a_first_loss_that_chance_would_beat():
    watch, module, said = watched(network(), SIZES, x=(40, 3))
    params = module.init_params(0)
    params["W2"] *= 30
    watch.start(params)
    assert len(said) == 1
    assert "where chance gives 1.386 (ln 4)" in said[0]


def test_no_classes_no_chance():
    N, D = bp.dims("N D")
    x, y = bp.input("x", (N, D)), bp.target("t", (N,))
    net = bp.Network("net", loss=bp.mse(x @ bp.param("w", (D,)), y))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), sizes={"D": 2})
    said = []
    watch = Watch(net.system, module, {"x": np.ones((5, 2)), "t": np.zeros(5)}, said.append)
    watch.start({"w": np.full(2, 1e6)})
    assert said == []


@pytest.mark.slow
def test_divergence_is_said_once():
    watch, module, said = watched(network(bp.tanh), SIZES, x=(40, 3))
    state = module.init_state(module.init_params(0))
    for epoch, loss in enumerate([1.0, 0.5, 1.4, 2.0, 9.0], start=1):
        watch.epoch({"epoch": epoch, "loss": loss}, state)
    assert len(said) == 1
    assert "epoch 4: the loss grows, 2 after 0.5" in said[0]


def test_dead_units_are_counted_and_said_once():
    watch, module, said = watched(network(), SIZES, x=(40, 3))
    state = module.init_state(module.init_params(0))
    state.params["b1"][[1, 4]] = -100
    for epoch in (1, 2):
        watch.epoch({"epoch": epoch, "loss": 1.0}, state)
    assert len(said) == 1
    assert "2 of 6 units" in said[0]
    assert "are dead" in said[0]


@pytest.mark.slow
def test_dead_channels_of_a_convolution():
    watch, module, said = watched(images(), {"F": 5, "K": 4}, x=(30, 1, 6, 6))
    state = module.init_state(module.init_params(0))
    state.params["c"][3] = -100
    watch.epoch({"epoch": 1, "loss": 1.0}, state)
    assert "1 of 5 units" in said[0]


@pytest.mark.slow
@pytest.mark.parametrize("activation", [bp.tanh, bp.gelu, bp.leaky_relu])
def test_units_that_cannot_die(activation):
    watch, module, said = watched(network(activation), SIZES, x=(40, 3))
    state = module.init_state(module.init_params(0))
    state.params["b1"][:] = -3
    watch.epoch({"epoch": 1, "loss": 1.0}, state)
    assert said == []
