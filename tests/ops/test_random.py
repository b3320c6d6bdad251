"""Dropout and noise: identities at inference, what they keep on average, errors."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError
from symbp.ir.evaluation.vector import run
from symbp.ir.points.random import drawn

N, H, C = bp.dims("N H C")
OPS = {
    "dropout": lambda x: bp.dropout(x, 0.3),
    "alpha_dropout": lambda x: bp.alpha_dropout(x, 0.3),
    "gaussian_noise": lambda x: bp.gaussian_noise(x, 0.3),
}
LAYERS = {
    "dropout": bp.nn.Dropout(0.3),
    "alpha_dropout": bp.nn.AlphaDropout(0.3),
    "gaussian_noise": bp.nn.GaussianNoise(0.3),
}


def outputs(apply, x):
    """In training, with the generator's values, and at inference."""
    leaf = bp.input("x", (N, H))
    y = apply(leaf)
    system = bp.Network("net", loss=y.sum(), outputs={"y": y}).system
    (random,) = system.random
    values = {"x": x, **drawn({random.name: random.draw}, {random.name: x.shape}, seed=4)}
    found = run(system, values, dict(zip("NH", x.shape, strict=True)))
    return found["y"], found[system.inference["y"]], values[random.name]


@pytest.mark.parametrize("apply", [*OPS.values(), *LAYERS.values()], ids=[*OPS, *LAYERS])
def test_mean_and_variance_in_training_and_identity_at_inference(apply):
    """Alpha dropout keeps mean 0 and variance 1; dropout keeps the mean; noise adds 0.09 to the variance."""
    x = np.random.default_rng(0).standard_normal((200, 100))
    y, at_inference, _ = outputs(apply, x)
    assert np.array_equal(at_inference, x)
    kind = next(n for n, a in (*OPS.items(), *LAYERS.items()) if a is apply)
    variance = {"dropout": 1 / 0.7, "alpha_dropout": 1.0, "gaussian_noise": 1.09}[kind]
    assert abs(y.mean()) < 5 * np.sqrt(variance / y.size)
    assert abs(y.var() - variance) < 5 * 3 * variance / np.sqrt(y.size)


def test_dropout_zeroes_and_scales():
    x = np.random.default_rng(0).standard_normal((20, 10))
    y, _, mask = outputs(OPS["dropout"], x)
    assert set(np.unique(mask)) == {0.0, 1.0}
    np.testing.assert_allclose(y, np.where(mask == 1, x / 0.7, 0), rtol=1e-15)


def test_shared_axes_have_one_fate():
    x = bp.input("x", (N, C, H, H))
    net = bp.Network("net", loss=bp.dropout(x, 0.5, shared=(2, 3)).sum())
    assert [str(extent) for extent in net.system.random[0].shape] == ["N", "C"]


@pytest.mark.parametrize("op", [bp.dropout, bp.alpha_dropout])
def test_no_dropping_draws_nothing(op):
    x = bp.input("x", (N, H))
    assert op(x, 0) is x


@pytest.mark.parametrize("p", [1, 1.5, -0.1, "half", None])
@pytest.mark.parametrize("op", [bp.dropout, bp.alpha_dropout])
def test_probabilities_that_are_none_are_refused(op, p):
    with pytest.raises(DeclarationError, match="the probability of dropping can't be"):
        op(bp.input("x", (N, H)), p)


def test_a_negative_deviation_is_refused():
    with pytest.raises(DeclarationError, match="the standard deviation of noise can't be -1"):
        bp.gaussian_noise(bp.input("x", (N, H)), -1)


def test_layers_with_dropout_in_a_row():
    net = bp.nn.Sequential(
        bp.nn.Dropout(0.2), bp.nn.Dense(8, activation="relu"), bp.nn.Dropout(0.5), bp.nn.Dense(3)
    ).classifier(inputs=5)
    assert [t.draw.p for t in net.system.random] == [0.8, 0.5]
    assert net.system.inference == {"loss": "loss_infer", "p": "p_infer"}
    assert not {t.name for t in net.system.random} & net.system.ancestors("accuracy")
