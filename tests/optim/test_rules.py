"""Optimizers: their equations as text, and their numbers against PyTorch's."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.validate import validate
from symbp.optim.names import OPTIMIZERS


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


def test_conditions_are_guards_and_a_product_over_steps_is_a_moment():
    assert equations(bp.optim.AMSGrad())[2] == (
        "v_max_next[i] = [v_max[i] < v_next[i]]·v_next[i] + [v_next[i] ≤ v_max[i]]·v_max[i]"
    )
    assert equations(bp.optim.Lion())[2] == "theta_next[i] = theta[i] - lr·([c[i] > 0] - [c[i] < 0])"
    assert equations(bp.optim.NAdam())[2:5] == [
        "mu = (1 - 0.96^(momentum_decay·step)/2)·beta1",
        "mu_after = (1 - 0.96^((1 + step)·momentum_decay)/2)·beta1",
        "s_next[i] = 1 + mu·s[i] - mu",
    ]
    assert "plain = [rho ≤ 5]" in equations(bp.optim.RAdam())


ALL = [getattr(bp.optim, name) for name in OPTIMIZERS]
OPTIONS = {"schedule": bp.optim.schedules.cosine(20, 0.1, warmup=4), "clip_norm": 1.5, "clip_value": 0.9}


@pytest.mark.parametrize(
    "rule", [*(make() for make in ALL), *(make(**OPTIONS) for make in ALL)], ids=lambda r: r.name
)
def test_the_system_is_sound(rule):
    kept = set[str]()
    for system in rule.systems.values():
        validate(system)
        own = set(system.updates) - {"theta"}
        shared = {"g_scale", "rate"} & {t.name for t in system.leaves}  # what is computed once for all
        assert {t.name for t in system.leaves} == {"theta", "gradient", "step", *own, *rule.hyper, *shared}
        kept |= own
    assert kept == set(rule.moments)
    assert rule.source


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_registry_and_the_settings_make_the_rule_again(name):
    rule = getattr(bp.optim, name)(**OPTIONS, weight_decay=0.25)
    again = getattr(bp.optim, rule.name)(**rule.settings)
    assert rule.name == name
    assert (equations(again), again.hyper) == (equations(rule), rule.hyper)


@pytest.mark.parametrize(
    "rule",
    [
        bp.optim.Momentum(nesterov=True),
        bp.optim.Adagrad(0.1, 0.2, initial_accumulator_value=0.3),
        bp.optim.RMSprop(momentum=0.5, centered=True),
        bp.optim.Adam(amsgrad=True),
        bp.optim.AdamW(weight_decay=0, amsgrad=True),
        bp.optim.NAdam(weight_decay=0.1, decoupled_weight_decay=True),
        bp.optim.RAdam(weight_decay=0.1, decoupled_weight_decay=True),
    ],
    ids=lambda rule: rule.name,
)
def test_options_are_among_the_settings(rule):
    assert equations(getattr(bp.optim, rule.name)(**rule.settings)) == equations(rule)


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
        (lambda: bp.optim.Nesterov(beta=1.5), "beta must be at least 0 and below 1"),
        (lambda: bp.optim.Adagrad(lr_decay=-1), "lr_decay must not be negative, not -1"),
        (lambda: bp.optim.Adagrad(initial_accumulator_value=-1), "initial_accumulator_value must not be"),
        (lambda: bp.optim.Adadelta(rho=1), "rho must be at least 0 and below 1"),
        (lambda: bp.optim.RMSprop(momentum=1), "momentum must be at least 0 and below 1"),
        (lambda: bp.optim.NAdam(momentum_decay=-1), "momentum_decay must not be negative"),
        (lambda: bp.optim.RAdam(weight_decay=-1), "weight_decay must not be negative"),
        (lambda: bp.optim.Lion(0), "lr must be a positive number"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)
