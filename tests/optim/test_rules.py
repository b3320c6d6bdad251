"""Optimizers: their equations as text, and their numbers against PyTorch's."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.validate import validate


def equations(rule):
    return [str(equation) for equation in rule.system.equations]


def test_the_equations():
    assert equations(bp.optim.SGD(0.1)) == ["theta_next[i] = theta[i] - lr·gradient[i]"]
    assert equations(bp.optim.Momentum(0.1)) == [
        "v_next[i] = beta·v[i] + gradient[i]",
        "theta_next[i] = theta[i] - lr·v_next[i]",
    ]
    assert equations(bp.optim.Adam()) == [
        "m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]",
        "v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]",
        "theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))",
    ]
    assert equations(bp.optim.AdamW())[:2] == equations(bp.optim.Adam())[:2]
    assert equations(bp.optim.AdamW())[2] == (
        "theta_next[i] = (1 - lr·weight_decay)·theta[i] - "
        "lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))"
    )


ALL = [bp.optim.SGD, bp.optim.Momentum, bp.optim.RMSprop, bp.optim.Adam, bp.optim.AdamW]
OPTIONS = {"schedule": bp.optim.schedules.cosine(20, 0.1, warmup=4), "clip_norm": 1.5, "clip_value": 0.9}


@pytest.mark.parametrize(
    "rule", [*(make() for make in ALL), *(make(**OPTIONS) for make in ALL)], ids=lambda r: r.name
)
def test_the_system_is_sound(rule):
    validate(rule.system)
    assert set(rule.system.updates) == {"theta", *rule.moments}
    assert {t.name for t in rule.system.leaves} == {"theta", "gradient", "step", *rule.moments, *rule.hyper}
    assert rule.source


def test_moments_and_values():
    rule = bp.optim.Adam(lr=1e-2, beta1=0.8)
    assert rule.moments == ("m", "v")
    assert rule.hyper == {"lr": 1e-2, "beta1": 0.8, "beta2": 0.999, "eps": 1e-8}


def steps(rule, theta, gradients):
    """The parameter after each gradient, by the reference interpreter."""
    state = {"theta": theta, **{m: np.zeros_like(theta) for m in rule.moments}}
    for count, gradient in enumerate(gradients, start=1):
        values = evaluate(
            rule.system, {**state, **rule.hyper, "gradient": gradient, "step": count}, {"P": theta.size}
        )
        state = {name: values[after].astype(float) for name, after in rule.system.updates.items()}
        yield state["theta"]


PAIRS = {
    "SGD": (bp.optim.SGD(0.1), "SGD", {}),
    "SGD, decay": (bp.optim.SGD(0.1, weight_decay=0.2), "SGD", {"weight_decay": 0.2}),
    "Momentum": (bp.optim.Momentum(0.1, 0.8), "SGD", {"momentum": 0.8}),
    "Nesterov": (bp.optim.Momentum(0.1, 0.8, nesterov=True), "SGD", {"momentum": 0.8, "nesterov": True}),
    "RMSprop": (bp.optim.RMSprop(0.1), "RMSprop", {}),
    "Adam": (bp.optim.Adam(0.1), "Adam", {}),
    "Adam, decay": (bp.optim.Adam(0.1, weight_decay=0.2), "Adam", {"weight_decay": 0.2}),
    "AdamW": (bp.optim.AdamW(0.1, weight_decay=0.3), "AdamW", {"weight_decay": 0.3}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_ten_steps_as_pytorch_takes_them(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    rng = np.random.default_rng(3)
    theta, gradients = rng.normal(size=6), rng.normal(size=(10, 6))
    rule, peer_name, options = PAIRS[name]
    weight = torch.nn.Parameter(torch.tensor(theta))
    peer = getattr(torch.optim, peer_name)([weight], lr=0.1, **options)
    for ours, gradient in zip(steps(rule, theta, gradients), gradients, strict=True):
        weight.grad = torch.tensor(gradient)
        peer.step()
        np.testing.assert_allclose(ours, weight.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(("clip_norm", "clip_value"), [(1.5, None), (100.0, None), (None, 0.7), (1.5, 0.5)])
def test_clipping_as_pytorch_does_it(clip_norm, clip_value):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    rng = np.random.default_rng(4)
    theta, gradients = rng.normal(size=6), rng.normal(size=(10, 6))
    rule = bp.optim.SGD(0.1, clip_norm=clip_norm, clip_value=clip_value)
    weight = torch.nn.Parameter(torch.tensor(theta))
    peer = torch.optim.SGD([weight], lr=0.1)
    for ours, gradient in zip(steps(rule, theta, gradients), gradients, strict=True):
        weight.grad = torch.tensor(gradient)
        if clip_norm:
            torch.nn.utils.clip_grad_norm_([weight], clip_norm)
        if clip_value:
            torch.nn.utils.clip_grad_value_([weight], clip_value)
        peer.step()
        np.testing.assert_allclose(
            ours, weight.detach().numpy(), rtol=2e-6, atol=1e-7
        )  # it adds 1e-6 to the norm


def rates(schedule, count):
    """The learning rate at each step, read off a parameter whose gradient is 1."""
    rule = bp.optim.SGD(1.0, schedule=schedule)
    path = [0.0, *(float(theta[0]) for theta in steps(rule, np.zeros(1), np.ones((count, 1))))]
    return -np.diff(path)


def test_schedules():
    s = bp.optim.schedules
    t = np.arange(1, 31)
    np.testing.assert_allclose(rates(s.constant(), 30), 1)
    np.testing.assert_allclose(rates(s.step_decay(10, 0.5), 30), 0.5 ** ((t - 1) // 10))
    wave = np.where(t < 20, 0.1 + 0.9 * (1 + np.cos(np.pi * t / 20)) / 2, 0.1)
    np.testing.assert_allclose(rates(s.cosine(20, 0.1), 30), wave)
    late = np.where(t < 20, (1 + np.cos(np.pi * (t - 5) / 15)) / 2, 0)
    np.testing.assert_allclose(rates(s.cosine(20, warmup=5), 30), np.where(t < 5, t / 5, late), atol=1e-15)
    line = np.where(t < 20, 1 - (t - 5) / 15, 0)
    np.testing.assert_allclose(rates(s.linear(20, warmup=5), 30), np.where(t < 5, t / 5, line), atol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.optim.SGD(0), "lr must be a positive number, not 0"),
        (lambda: bp.optim.SGD("fast"), "lr must be a positive number, not 'fast'"),
        (lambda: bp.optim.Momentum(beta=1), "beta must be at least 0 and below 1"),
        (lambda: bp.optim.Adam(beta2=-0.1), "beta2 must be at least 0 and below 1"),
        (lambda: bp.optim.Adam(eps=float("nan")), "eps must be a positive number"),
        (lambda: bp.optim.Adam(clip_norm=0), "clip_norm must be a positive number"),
        (lambda: bp.optim.AdamW(weight_decay=-1), "weight_decay must not be negative"),
        (lambda: bp.optim.schedules.cosine(10, warmup=10), "leaves none of 10 for the cosine"),
        (lambda: bp.optim.schedules.step_decay(0), "every must be a positive integer"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)
