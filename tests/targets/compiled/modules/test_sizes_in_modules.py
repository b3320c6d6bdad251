"""Modules find the sizes that stand in formulas only, and check what sizes must obey."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.errors import GenerationError

N, D, V, L = bp.dims("N D V L")
TARGETS = ["numpy", "numba"]


def module(net, target, **sizes):
    return bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes=sizes)


def tail():
    h, y, W = bp.input("h", (N, D)), bp.labels("y", (N,), classes=V), bp.param("W", (D, V - 3))
    n = bp.index("n")
    p = bp.log_softmax(h @ W)
    loss = bp.define("nll", [n], bp.where(y[n] >= 3, -p.at(n, y[n] - 3, outside=0), 0)).sum()
    return bp.Network("tail", loss=loss, outputs={"p": p})


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_size_in_a_formula_is_solved_for(target):
    made = module(tail(), target)
    params, h = made.init_params(0, D=2, V=7), np.ones((3, 2))
    assert params["W"].shape == (2, 4)
    params["W"][...] = 1
    loss, gradients = made.loss_and_gradients(params, h=h, y=np.array([0, 3, 6]))
    assert loss == pytest.approx(2 * np.log(4))
    np.testing.assert_allclose(gradients["W"], [[-0.5, 0.5, 0.5, -0.5]] * 2)
    assert made.forward(params, h=h)["p"].shape == (3, 4)
    assert all(row["ok"] for row in made.check_gradients())
    with pytest.raises(made.DataError, match="must lie from 0 to 6"):
        made.loss_and_gradients(params, h=h, y=np.array([0, 3, 7]))
    with pytest.raises(made.DataError, match="V is open in this module"):
        made.init_params(0, D=2)


def test_derivatives_solve_for_it_too():
    made = bp.compile(bp.derive(tail()))
    found = made.derivatives({"W": np.ones((2, 4))}, h=np.ones((3, 2)), y=np.array([0, 3, 6]))
    np.testing.assert_allclose(found["W"], [[-0.5, 0.5, 0.5, -0.5]] * 2)


@pytest.mark.parametrize("target", TARGETS)
def test_a_multiple_that_does_not_fit(target):
    made = module(bp.Network("net", loss=(bp.param("W", (D, 2 * V)) ** 2).sum()), target)
    assert made.init_params(0, D=2, V=3)["W"].shape == (2, 6)
    with pytest.raises(made.DataError, match=r"W has shape \(2, 5\)"):
        made.loss_and_gradients({"W": np.ones((2, 5))})


def halved(*more):
    W = bp.param("W", (D, V // 2))
    return bp.Network("net", loss=sum(((t**2).sum() for t in more), (bp.input("h", (N, D)) @ W).sum()))


def test_a_half_says_no_size():
    with pytest.raises(GenerationError, match="says the value of the size V") as error:
        module(halved(), "numpy")
    assert "W: (D, V//2)" in str(error.value)
    assert module(halved(), "numpy", V=7).init_params(0, D=2)["W"].shape == (2, 3)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_half_beside_an_array_that_says_it(target):
    made = module(halved(bp.input("b", (V,))), target)
    params, h = made.init_params(0, D=2, V=7), np.ones((3, 2))
    assert params["W"].shape == (2, 3)
    assert np.isfinite(made.loss_and_gradients(params, h=h, b=np.ones(7))[0])
    with pytest.raises(made.DataError, match="axis 1 of W has 3 elements, the data need 2"):
        made.loss_and_gradients(params, h=h, b=np.ones(4))


def skip():
    x = bp.input("x", (N, 1, L))
    up = bp.conv_transpose1d(bp.max_pool1d(x, 2), bp.param("U", (1, 1, 2)), stride=2)
    return bp.Network("skip", loss=(bp.concat(up, x, axis=1) ** 2).sum())


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_condition_is_checked_when_it_runs(target):
    made = module(skip(), target)
    params = {"U": np.ones((1, 1, 2))}
    assert all(row["ok"] for row in made.check_gradients())
    loss, _ = made.loss_and_gradients(params, x=np.ones((2, 1, 8)))
    assert loss == 2 * (8 + 8)
    state = made.init_state(params)
    for call in (made.loss_and_gradients, made.evaluate):
        with pytest.raises(made.DataError, match=r"2·\(L//2\) = L, and these have L = 7"):
            call(params, x=np.ones((2, 1, 7)))
    with pytest.raises(made.DataError, match="L = 9"):
        made.train_step(state, x=np.ones((2, 1, 9)))


@pytest.mark.slow
def test_a_condition_is_checked_where_sizes_are_given():
    with pytest.raises(GenerationError, match=r"the network needs 2·\(L//2\) = L") as error:
        module(skip(), "numpy", L=7)
    assert "6 and 7" in str(error.value)
    assert "CONDITIONS" not in bp.source(skip(), optimizer=bp.optim.SGD(0.1), sizes={"L": 8})
