"""Fifty steps of each optimizer through generated modules, beside PyTorch's on the same network."""

from __future__ import annotations

import contextlib
import functools
import runpy

import numpy as np
import pytest
from shares import usual

import symbp as bp
from symbp.optim.names import OPTIMIZERS

N, D, H = bp.dims("N D H")
SIZES = {"D": 3, "H": 4}
STEPS = 50
RNG = np.random.default_rng(7)
BATCHES = [{"x": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6)} for _ in range(STEPS)]


def network() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b, v = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("v", (H,), bp.optim.initial.normal(0.7))
    return bp.Network("line", loss=bp.mse(bp.tanh(x @ W + b) @ v, y))


NET = network()

# what it is called here, ours, PyTorch's and its settings
CASES = {
    "sgd": (bp.optim.SGD(0.1), "SGD", {"lr": 0.1}),
    "momentum": (bp.optim.Momentum(0.05, 0.8), "SGD", {"lr": 0.05, "momentum": 0.8}),
    "nesterov": (
        bp.optim.Nesterov(0.05, 0.8, weight_decay=0.1),
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ),
    "adagrad": (bp.optim.Adagrad(0.1), "Adagrad", {"lr": 0.1}),
    "adagrad, all": (
        bp.optim.Adagrad(0.1, 0.02, initial_accumulator_value=0.3, weight_decay=0.1),
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.02, "initial_accumulator_value": 0.3, "weight_decay": 0.1},
    ),
    "adadelta": (
        bp.optim.Adadelta(0.7, 0.8, weight_decay=0.1),
        "Adadelta",
        {"lr": 0.7, "rho": 0.8, "weight_decay": 0.1},
    ),
    "rmsprop": (bp.optim.RMSprop(0.01, 0.9), "RMSprop", {"lr": 0.01, "alpha": 0.9}),
    "rmsprop, all": (
        bp.optim.RMSprop(0.01, 0.9, momentum=0.8, centered=True, weight_decay=0.1),
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.8, "centered": True, "weight_decay": 0.1},
    ),
    "adam": (bp.optim.Adam(0.05), "Adam", {"lr": 0.05}),
    "amsgrad": (
        bp.optim.AMSGrad(0.05, 0.8, 0.6, weight_decay=0.1),
        "Adam",
        {"lr": 0.05, "betas": (0.8, 0.6), "amsgrad": True, "weight_decay": 0.1},
    ),
    "adamw": (
        bp.optim.AdamW(0.05, 0.8, 0.6, weight_decay=0.3, amsgrad=True),
        "AdamW",
        {"lr": 0.05, "betas": (0.8, 0.6), "weight_decay": 0.3, "amsgrad": True},
    ),
    "adamax": (
        bp.optim.Adamax(0.05, 0.8, 0.7, weight_decay=0.1),
        "Adamax",
        {"lr": 0.05, "betas": (0.8, 0.7), "weight_decay": 0.1},
    ),
    "nadam": (
        bp.optim.NAdam(0.05, momentum_decay=0.02, weight_decay=0.1),
        "NAdam",
        {"lr": 0.05, "momentum_decay": 0.02, "weight_decay": 0.1},
    ),
    "nadam, decoupled": (
        bp.optim.NAdam(0.05, weight_decay=0.1, decoupled_weight_decay=True),
        "NAdam",
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    "radam": (
        bp.optim.RAdam(0.05, weight_decay=0.1),
        "RAdam",
        {"lr": 0.05, "weight_decay": 0.1},
    ),
    "radam, never long enough": (
        bp.optim.RAdam(0.05, 0.9, 0.6, weight_decay=0.1, decoupled_weight_decay=True),
        "RAdam",
        {"lr": 0.05, "betas": (0.9, 0.6), "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
}


def trained(module, params, batches=BATCHES):
    state = module.init_state(params)
    for batch in batches:
        module.train_step(state, **batch)
    return {name: np.asarray(array) for name, array in state.params.items()}


def by_torch(params, name, settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    with default_double(torch):
        return _by_torch(torch, params, name, settings)


@contextlib.contextmanager
def default_double(torch):
    """NAdam keeps its product of shares in the default kind of number."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _by_torch(torch, params, name, settings):
    p = {k: torch.nn.Parameter(torch.tensor(np.asarray(a, dtype=float))) for k, a in params.items()}
    peer = getattr(torch.optim, name)(list(p.values()), **settings)
    for batch in BATCHES:
        x, y = torch.tensor(batch["x"]), torch.tensor(batch["y"])
        peer.zero_grad()
        ((torch.tanh(x @ p["W"] + p["b"]) @ p["v"] - y) ** 2).mean().backward()
        peer.step()
    return {k: a.detach().numpy() for k, a in p.items()}


def same(found, expected, tolerance=1e-10):
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_as_pytorch_takes_them(name):
    rule, peer, settings = CASES[name]
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=rule, sizes=SIZES)
    params = module.init_params(0)
    same(trained(module, params), by_torch(params, peer, settings))


def lion(params, gradients, lr, beta1, beta2, weight_decay, batches=BATCHES):
    """Algorithm 2 of Chen et al. 2023."""
    m = {name: np.zeros_like(a) for name, a in params.items()}
    for batch in batches:
        g = gradients(params, **batch)[1]
        for k in params:
            update = np.sign(beta1 * m[k] + (1 - beta1) * g[k])
            params = {**params, k: params[k] - lr * (update + weight_decay * params[k])}
            m[k] = beta2 * m[k] + (1 - beta2) * g[k]
    return params


def test_lion_as_its_paper_takes_steps():
    rule = bp.optim.Lion(0.01, 0.8, 0.9, weight_decay=0.2)
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=rule, sizes=SIZES)
    params = {k: np.array(a) for k, a in module.init_params(0).items()}
    same(trained(module, module.init_params(0)), lion(params, module.loss_and_gradients, 0.01, 0.8, 0.9, 0.2))


GIVEN = [{"g": RNG.normal(size=20) * scale} for scale in np.geomspace(1e-3, 10, STEPS)]


def looped(rule, theta):
    """Fifty steps of a Numba module's update as it is written, run as plain Python: no machine code."""
    text = bp.source(NET, target="numba", dtype="float64", optimizer=rule, sizes=SIZES, derivation=derived())
    module = {"__name__": __name__}  # which dataclasses look up
    exec(compile(text, "looped.py", "exec"), module)
    state = module["init_state"](module["init_params"](0))
    state.params.flat[:] = theta
    own = (state.params.flat, state.gradients.flat, *(arena.flat for arena in state.moments.values()))
    for step, batch in enumerate(GIVEN, 1):
        state.gradients.flat[:] = batch["g"]
        module["_update"](*own, step, *state.hyper.values())
    return state.params.flat


@functools.cache
def derived():
    return bp.derive(NET)


@pytest.mark.parametrize("name", [*CASES, "lion"])
def test_the_loop_that_numba_compiles_takes_their_steps(name):
    theta = RNG.normal(size=20)
    if name == "lion":
        expected = lion(
            {"all": theta}, lambda _, g: (0, {"all": g}), 0.01, 0.8, 0.9, 0.2, GIVEN
        )["all"]  # fmt: skip
        np.testing.assert_allclose(
            looped(bp.optim.Lion(0.01, 0.8, 0.9, weight_decay=0.2), theta), expected, rtol=1e-10
        )
        return
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    rule, peer, settings = CASES[name]
    p = torch.nn.Parameter(torch.tensor(theta))
    with default_double(torch):
        update = getattr(torch.optim, peer)([p], **settings)
        for batch in GIVEN:
            p.grad = torch.tensor(batch["g"])
            update.step()
    np.testing.assert_allclose(looped(rule, theta), p.detach().numpy(), rtol=1e-10, atol=1e-10)


COMPILED = {
    "radam": bp.optim.RAdam(0.05, weight_decay=0.1),
    "nadam": bp.optim.NAdam(0.05, schedule=bp.optim.schedules.one_cycle(40)),
    "amsgrad": bp.optim.AMSGrad(0.05, 0.8, 0.6, schedule=bp.optim.schedules.step_decay(10)),
    "lion": bp.optim.Lion(0.01, schedule=bp.optim.schedules.exponential(0.97)),
    "adamax": bp.optim.Adamax(0.05),
    "adadelta": bp.optim.Adadelta(),
    "adagrad": bp.optim.Adagrad(0.1, 0.02),
    "rmsprop": bp.optim.RMSprop(0.01, momentum=0.8, centered=True),
    "nesterov": bp.optim.Nesterov(0.05),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", usual(COMPILED, 1))
def test_numba_takes_the_steps_of_numpy(name):
    made = {"optimizer": COMPILED[name], "dtype": "float64", "sizes": SIZES}
    numpy, numba = (bp.compile(NET, target=target, **made) for target in ("numpy", "numba"))
    params = numpy.init_params(0)
    same(trained(numba, params), trained(numpy, params))


@pytest.mark.slow
@pytest.mark.parametrize("name", usual(reversed(COMPILED), 1))
def test_numba_takes_the_steps_of_numpy_in_single_precision(name):
    made = {"optimizer": COMPILED[name], "dtype": "float32", "sizes": SIZES}
    numpy, numba = (bp.compile(NET, target=target, **made) for target in ("numpy", "numba"))
    params, few = numpy.init_params(0), single(BATCHES[:10])
    same(trained(numba, params, few), trained(numpy, params, few), 2e-4)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("name", usual(COMPILED, 3))
def test_single_precision_stays_near(name):
    made = {"target": "numpy", "optimizer": COMPILED[name], "sizes": SIZES}
    near, exact = (bp.compile(NET, dtype=dtype, **made) for dtype in ("float32", "float64"))
    start = near.init_params(0)
    double = {k: np.asarray(a, float) for k, a in start.items()}
    same(trained(near, start, single(BATCHES[:5])), trained(exact, double, BATCHES[:5]), 2e-4)


def single(batches):
    return [{k: a.astype(np.float32) for k, a in batch.items()} for batch in batches]


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("name", usual(COMPILED, 4))
def test_plain_takes_the_steps_of_numpy(name, tmp_path):
    """All examples in one batch, so that an epoch is a step."""
    made = {"optimizer": COMPILED[name], "sizes": SIZES}
    bp.generate(NET, str(tmp_path / "plain.py"), target="plain", **made)
    plain = runpy.run_path(str(tmp_path / "plain.py"))
    module = bp.compile(NET, target="numpy", dtype="float64", **made)
    start = {k: np.array(a) for k, a in module.init_params(0).items()}
    expected = trained(module, module.init_params(0), BATCHES[:1] * 20)
    same(plain["train"](start, **BATCHES[0], epochs=20), expected)


def test_each_optimizer_is_compared():
    elsewhere = {"LAMB", "Adafactor", "Muon", "LBFGS", "SparseAdam"}  # in the files beside this one
    assert {rule.name for rule, _, _ in CASES.values()} | {"Lion"} | elsewhere == set(OPTIMIZERS)
