"""A step refuses integers that are out of their range: a kernel would read and write memory of others."""

import numpy as np
import pytest

import symbp as bp
from symbp.runtime.numba import functions as kernels
from symbp.runtime.numpy import outside

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


CASES = [([0, 4], None), ([5], None), ([-1], None), ([-100, 3], -100), ([-1], -100), ([-(10**12)], -100)]


@pytest.mark.parametrize(("values", "ignored"), CASES)
def test_what_is_out_of_range(values, ignored, monkeypatch):
    wrong = any(not 0 <= v < 5 and v != ignored for v in values)
    monkeypatch.setattr(outside, "INTEGERS", {"y": ("K", ignored), "free": (None, None)})
    for array in (np.array(values), np.array([values, values])):
        assert bool(kernels._any_outside(array, 5, ignored or 0)) is wrong
        assert outside._any_outside({"y": array, "free": np.array([-7])}, {"K": 5}) is wrong


def test_nothing_is_in_range(monkeypatch):
    monkeypatch.setattr(outside, "INTEGERS", {"y": (5, None)})
    assert not outside._any_outside({"y": np.zeros((0, 3), np.int64)}, {})


@pytest.mark.parametrize("target", TARGETS)
def test_a_step_in_chunks_looks_before_any_of_them_starts(target):
    module = bp.compile(network(), target=target, optimizer=bp.optim.SGD(0.1))
    state = module.init_state(module.init_params(seed=0), threads=2)
    x = np.array([0, 1, 4, 2])
    module.train_step(state, x=x, t=np.ones(4))
    before = state.params.flat.copy()
    x[3] = 10**9
    with pytest.raises(module.DataError, match="x holds 1000000000"):
        module.train_step(state, x=x, t=np.ones(4))
    np.testing.assert_array_equal(state.params.flat, before)
    assert state.step == 1
