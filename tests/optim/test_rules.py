"""Optimizers: their equations as text, and their numbers against PyTorch's."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.ir.interpret import evaluate
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


@pytest.mark.parametrize(
    "rule", [bp.optim.SGD(), bp.optim.Momentum(), bp.optim.Adam(), bp.optim.AdamW()], ids=lambda r: r.name
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


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Adam", "AdamW"])
def test_ten_steps_as_pytorch_takes_them(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    rng = np.random.default_rng(3)
    theta, gradients = rng.normal(size=6), rng.normal(size=(10, 6))
    rule = {
        "SGD": bp.optim.SGD(0.1),
        "Momentum": bp.optim.Momentum(0.1, 0.8),
        "Adam": bp.optim.Adam(0.1),
        "AdamW": bp.optim.AdamW(0.1, weight_decay=0.2),
    }[name]
    weight = torch.nn.Parameter(torch.tensor(theta))
    peer = {
        "SGD": lambda: torch.optim.SGD([weight], lr=0.1),
        "Momentum": lambda: torch.optim.SGD([weight], lr=0.1, momentum=0.8),
        "Adam": lambda: torch.optim.Adam([weight], lr=0.1),
        "AdamW": lambda: torch.optim.AdamW([weight], lr=0.1, weight_decay=0.2),
    }[name]()
    for ours, gradient in zip(steps(rule, theta, gradients), gradients, strict=True):
        weight.grad = torch.tensor(gradient)
        peer.step()
        np.testing.assert_allclose(ours, weight.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.optim.SGD(0), "lr must be a positive number, not 0"),
        (lambda: bp.optim.SGD("fast"), "lr must be a positive number, not 'fast'"),
        (lambda: bp.optim.Momentum(beta=1), "beta must be at least 0 and below 1"),
        (lambda: bp.optim.Adam(beta2=-0.1), "beta2 must be at least 0 and below 1"),
        (lambda: bp.optim.AdamW(weight_decay=-0.1), "weight_decay must not be negative, not -0.1"),
        (lambda: bp.optim.Adam(eps=float("nan")), "eps must be a positive number"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)
