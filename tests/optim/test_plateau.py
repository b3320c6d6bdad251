"""A rate that falls where the loss does no more, beside PyTorch's, and how a training with it goes on."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.errors import UsageError
from symbp.optim import schedules as s

N, D = bp.dim("N"), bp.dim("D", 3)
RNG = np.random.default_rng(2)
DATA = {"x": RNG.normal(size=(12, 3)), "y": RNG.normal(size=12)}
SETTINGS = {"factor": 0.5, "patience": 2, "threshold": 1e-2, "cooldown": 3}


def network() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    return bp.Network("line", loss=bp.mse(x @ w + b, y))


NET = network()


def module_of(target="numpy", **more):
    rule = bp.optim.Adam(0.3, schedule=s.plateau(**SETTINGS, final=0.01))
    return bp.compile(NET, target=target, optimizer=rule, pieces=("checkpoints", "patience"), **more)


def by_torch(losses):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **SETTINGS, min_lr=0.01)
    shares = []
    for loss in losses:
        optimizer.step()
        peer.step(loss)
        shares.append(optimizer.param_groups[0]["lr"])
    return shares


def test_the_share_is_that_of_pytorch():
    module = module_of()
    losses = np.concatenate([np.linspace(3, 1, 8), 1 + 0.02 * RNG.normal(size=52)])
    known, shares = dict(module.FOLLOWED), []
    for loss in losses:
        known = module._follow(float(loss), **known)
        shares.append(known["plateau"])
    np.testing.assert_allclose(shares, by_torch(losses), rtol=1e-15)
    assert shares[0] == 1
    assert shares[-1] == 0.01


def fitted(module, epochs, state=None, **more):
    state = state or module.init_state(module.init_params(0), seed=1)
    history = module.fit(state, DATA, epochs=epochs, batch_size=4, **more)
    return state, [record["loss"] for record in history]


def test_training_follows_the_loss_and_goes_on_from_a_checkpoint(tmp_path):
    """Bit for bit, though the rate had fallen by then."""
    module = module_of()
    whole, losses = fitted(module, 40)
    known = dict(module.FOLLOWED)
    for loss in losses:
        known = module._follow(loss, **known)
    assert whole.hyper["plateau"] == known["plateau"] < 1
    state = module.init_state(module.init_params(0), seed=1)
    module.keep_checkpoints(state, tmp_path / "run.npz")
    early, _ = fitted(module, 25, state)
    assert early.hyper["plateau"] < 1
    again = module.init_state(module.init_params(0), seed=1)
    module.resume(again, tmp_path / "run.npz")
    fitted(module, 40, again)
    np.testing.assert_array_equal(again.params.flat, whole.params.flat)
    assert again.hyper == whole.hyper


def test_the_validation_loss_comes_first_and_a_lean_module_has_it_too():
    rule = bp.optim.SGD(0.1, schedule=s.plateau(0.1, patience=0).after(4))
    module = bp.compile(NET, optimizer=rule, pieces=())
    far = {"x": np.ones((4, 3)), "y": -np.full(4, 50.0)}  # grows worse as training goes on
    state, _ = fitted(module, 3, validation=far)
    assert state.hyper["plateau"] == pytest.approx(0.01)
    assert "best_next = " in source(NET, optimizer=rule)


@pytest.mark.slow
def test_numba_trains_the_same():
    (one, _), (other, _) = fitted(module_of(), 30), fitted(module_of("numba"), 30)
    np.testing.assert_allclose(other.params.flat, one.params.flat, rtol=1e-10)
    assert one.hyper == other.hyper


def test_refused():
    for settings, message in (
        ({"factor": 1}, "factor must be below 1"),
        ({"factor": -0.1}, "factor must be between 0 and 1"),
        ({"patience": -1}, "patience must be an integer from 0 up"),
        ({"cooldown": 1.5}, "cooldown must be an integer from 0 up"),
    ):
        with pytest.raises(UsageError) as error:
            s.plateau(**settings)
        assert message in str(error.value)
