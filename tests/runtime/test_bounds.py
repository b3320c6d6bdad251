"""A step refuses integers that are out of their range: a kernel would read and write memory of others."""

import numpy as np
import pytest

import symbp as bp
from symbp.runtime.numba.outside import _any_outside
from symbp.runtime.numpy.outside import _outside

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]


def network():
    N, V, E = bp.dim("N"), bp.dim("V", 5), bp.dim("E", 3)
    x, t = bp.labels("x", (N,), classes=V), bp.target("t", (N,))
    table, w = bp.param("table", (V, E)), bp.param("w", (E,))
    return bp.Network("looked_up", loss=bp.mse(bp.embedding(x, table) @ w, t))


@pytest.mark.parametrize("target", TARGETS)
def test_a_step_refuses_integers_out_of_range_and_keeps_its_state(target):
    module = bp.compile(network(), target=target, optimizer=bp.optim.SGD(0.1))
    state = module.init_state(module.init_params(seed=0))
    right = {"x": np.array([0, 1, 4]), "t": np.ones(3)}
    module.train_step(state, **right)
    before = {name: value.copy() for name, value in state.params.items()}
    for wrong in (5, -1, 10**12, -(10**12)):
        x = np.array([0, 1, wrong])
        with pytest.raises(module.DataError, match=f"x holds {wrong}; its values must lie from 0 to 4"):
            module.train_step(state, x=x, t=right["t"])
    right["x"][2] = 7  # the same arrays as before, changed in place
    with pytest.raises(module.DataError, match="x holds 7"):
        module.train_step(state, **right)
    for name, value in state.params.items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize(
    "outside", [_outside, lambda v, top, ignored: bool(_any_outside(v, top, ignored or 0))]
)
@pytest.mark.parametrize(
    ("values", "ignored", "wrong"),
    [
        ([0, 4], None, False),
        ([5], None, True),
        ([-1], None, True),
        ([-100, 3], -100, False),
        ([-1], -100, True),
    ],
)
def test_what_is_out_of_range(outside, values, ignored, wrong):
    assert outside(np.array(values), 5, ignored) is wrong
    assert outside(np.array([values, values]), 5, ignored) is wrong


def test_nothing_is_in_range():
    assert not _outside(np.zeros((0, 3), np.int64), 5, None)
