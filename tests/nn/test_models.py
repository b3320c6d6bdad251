"""Layers and models: the networks that they declare."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError, UsageError
from symbp.ir.evaluation.interpret import evaluate

N, D = bp.dims("N D")


def leaves(net):
    return {t.name: ", ".join(map(str, t.shape)) for t in net.system.leaves}


def test_a_classifier():
    net = bp.nn.Sequential(bp.nn.Dense(32, activation="tanh"), bp.nn.Dense(10)).classifier(inputs=64)
    assert leaves(net) == {
        "x": "N, D", "y": "N", "W1": "D, H1", "b1": "H1", "W2": "H1, K", "b2": "K"
    }  # fmt: skip
    assert net.system.bound == {"D": 64, "H1": 32, "K": 10}
    assert [str(e) for e in net.system.equations] == [
        "z1[n,j] = Σ_i x[n,i]·W1[i,j]",
        "h1[n,j] = tanh(z1[n,j] + b1[j])",
        "z2[n,k] = Σ_j h1[n,j]·W2[j,k]",
        "a2[n,k] = z2[n,k] + b2[k]",
        "e_p[n,k] = exp(a2[n,k])",
        "s_p[n] = Σ_k e_p[n,k]",
        "p[n,k] = e_p[n,k]/s_p[n]",
        "loss = Σ_n (-log(p[n,y[n]])/N)",
        "c_accuracy[n] = argmax_k p[n,k]",
        "accuracy = Σ_n [c_accuracy[n] = y[n]]/N",
    ]


def test_a_regressor():
    net = bp.nn.Sequential(bp.nn.Dense(5, activation="relu"), bp.nn.Dense(2)).regressor(inputs=3)
    rng = np.random.default_rng(0)
    values = {
        "x": rng.normal(size=(4, 3)), "y": rng.normal(size=(4, 2)), "W1": rng.normal(size=(3, 5)),
        "b1": rng.normal(size=5), "W2": rng.normal(size=(5, 2)), "b2": rng.normal(size=2),
    }  # fmt: skip
    got = evaluate(net.system, values, {"N": 4})
    hidden = np.maximum(values["x"] @ values["W1"] + values["b1"], 0)
    prediction = hidden @ values["W2"] + values["b2"]
    np.testing.assert_allclose(got["prediction"].astype(float), prediction, rtol=1e-12)
    np.testing.assert_allclose(float(got["loss"]), ((prediction - values["y"]) ** 2).mean(), rtol=1e-12)


def test_weights_start_by_activation():
    net = bp.nn.Sequential(
        bp.nn.Dense(8, activation="relu"), bp.nn.Dense(8, activation="tanh"), bp.nn.Dense(3)
    ).classifier(inputs=4)
    starts = {name: (i.distribution, str(i.scale)) for name, i in net.initial.items() if name[0] == "W"}
    assert starts == {
        "W1": ("normal", "sqrt(2)/sqrt(D)"),
        "W2": ("uniform", "sqrt(6)/sqrt(H1 + H2)"),
        "W3": ("uniform", "sqrt(6)/sqrt(H2 + K)"),
    }


def test_layers_on_a_tensor():
    x = bp.input("x", (N, 3))
    model = bp.nn.Sequential(
        bp.nn.Dense(4, bias=False), bp.nn.Activation("sigmoid"), bp.nn.Dense(1, name="out")
    )
    y = model(x)
    net = bp.Network("net", loss=(y * y).mean())
    assert leaves(net) == {"x": "N, D1", "W1": "D1, D2", "out_W": "D2, D3", "out_b": "D3"}
    assert [e.target for e in net.system.equations] == ["z1", "h1", "z2", "y", "loss"]


def test_a_size_that_has_a_name_keeps_it():
    net = bp.nn.Sequential(bp.nn.Dense(bp.dim("U", 7)), bp.nn.Dense(2)).classifier(inputs=bp.dim("F", 5))
    assert net.system.bound == {"F": 5, "U": 7, "K": 2}


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: bp.nn.Dense(0), "can't be 0"),
        (lambda: bp.nn.Dense("ten"), "can't be the size of an axis"),
        (lambda: bp.nn.Dense(3, name="a b"), "can't be the name of a layer"),
        (lambda: bp.nn.Sequential(), "at least one layer"),
        (lambda: bp.nn.Sequential(3), "3 is not a layer"),
        (lambda: bp.nn.Sequential(bp.nn.Dense), "is not a layer"),
        (lambda: bp.nn.Sequential(bp.nn.Activation("tanh")).classifier(inputs=3), "no dense layer"),
    ],
)
def test_refused(declare, message):
    with pytest.raises(DeclarationError) as error:
        declare()
    assert message in str(error.value)
    assert "test_models.py" in str(error.value)


def test_an_unknown_activation_is_named_with_its_neighbours():
    with pytest.raises(UsageError, match="no activation is called 'tahn'") as error:
        bp.nn.Dense(3, activation="tahn")
    assert "tanh" in str(error.value)


def test_a_scalar_has_no_axis_to_map():
    with pytest.raises(ShapeError, match="w is a scalar"):
        bp.nn.Dense(3)(bp.param("w", ()))


@pytest.mark.parametrize("layer", [bp.nn.Conv1d, bp.nn.Conv2d, bp.nn.ConvTranspose2d])
def test_channels_that_come_in_are_not_stated(layer):
    with pytest.raises(DeclarationError, match=r"\(1, 8, 3\) isn't clear") as error:
        layer(1, 8, 3)
    assert f"{layer.__name__}(8, 3)" in str(error.value)
    assert layer(8, 3, stride=2).stride == 2
