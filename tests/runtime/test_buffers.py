"""A step that would leave an infinity in a buffer is refused, and the state is as it was."""

import numpy as np
import pytest

import symbp as bp

N, D, K = bp.dim("N"), bp.dim("D", 4), bp.dim("K", 3)


@pytest.fixture(scope="module")
def net():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    h = bp.relu(bp.nn.BatchNorm1d()(bp.nn.Dense(5)(x)))
    p = bp.softmax(bp.nn.Dense(3)(h))
    return bp.Network("normed", loss=bp.cross_entropy(p, y), outputs={"p": p})


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_variance_that_overflows_is_kept_out(net, target):
    """The squares of 1e200 overflow, and dividing by their root makes the loss finite again."""
    module = bp.compile(net, optimizer=bp.optim.Adam(1e-2), target=target)
    data = {"x": np.random.default_rng(0).normal(size=(8, 4)), "y": np.zeros(8, np.int64)}
    state = module.init_state(module.init_params(0))
    module.train_step(state, **data)
    buffers = {name: array.copy() for name, array in state.buffers.items()}
    params, moments = state.params.flat.copy(), [m.flat.copy() for m in state.moments.values()]
    far = {**data, "x": np.where(np.arange(4) == 0, 1e200, data["x"])}
    far["x"][0] = 0
    with pytest.raises(module.NotFinite, match="buffer var1 would not be finite"):
        module.train_step(state, **far)
    for name, before in buffers.items():
        np.testing.assert_array_equal(state.buffers[name], before)
    np.testing.assert_array_equal(state.params.flat, params)
    for moment, before in zip(state.moments.values(), moments, strict=True):
        np.testing.assert_array_equal(moment.flat, before)
    module.train_step(state, **data)
    assert state.step == 2
