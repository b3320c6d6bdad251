"""The literal results of the CS231n assignments: layers, recurrent steps, optimizers.

The notebooks print 8 decimals, so half a unit of the eighth is what they can tell. They print values and no
gradients; the gradients by what goes in are compared with the complex step of the equations that gave those
values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle_modules import (
    TARGETS,
    Array,
    arrays,
    by_complex_step,
    loss_and_gradients,
    names,
    outputs,
    published,
    trained,
)

import symbp as bp

FILE = "cs231n.json"
HALF_A_DECIMAL = 5e-9
Leaves = dict[str, Any]
Declared = Callable[..., Any]
LAYERS: dict[str, Declared] = {}


def layer(function: Declared) -> Declared:
    """Declares a case: the function's arguments are called as the case's inputs, and so are its results."""
    LAYERS[function.__name__] = function
    return function


@layer
def affine_forward(x: bp.Tensor, w: bp.Tensor, b: bp.Tensor) -> Leaves:
    return {"out": bp.flatten(x) @ w + b}


@layer
def relu_forward(x: bp.Tensor) -> Leaves:
    return {"out": bp.relu(x)}


@layer
def conv2d_forward_s2_p1(x: bp.Tensor, w: bp.Tensor, b: bp.Tensor) -> Leaves:
    return {"out": bp.conv2d(x, w, b, stride=2, padding=1)}


@layer
def rnn_step(x: bp.Tensor, prev_h: bp.Tensor, Wx: bp.Tensor, Wh: bp.Tensor, b: bp.Tensor) -> Leaves:
    return {"next_h": bp.tanh(x @ Wx + prev_h @ Wh + b)}


@layer
def rnn_forward(x: bp.Tensor, h0: bp.Tensor, Wx: bp.Tensor, Wh: bp.Tensor, b: bp.Tensor) -> Leaves:
    return {"h": bp.rnn(x, Wx, Wh, b, h0)}


@layer
def embedding(idx: bp.Tensor, W: bp.Tensor) -> Leaves:
    return {"out": bp.embedding(idx, W)}


@layer
def lstm_step(
    x: bp.Tensor, prev_h: bp.Tensor, prev_c: bp.Tensor, Wx: bp.Tensor, Wh: bp.Tensor, b: bp.Tensor
) -> Leaves:
    """The gates i, f, o, g in an axis of their own."""
    n, i, g, j, k = bp.indices("n i g j k")
    z = bp.define("z", [n, g, j], bp.Sum(x[n, i] * Wx[i, g, j], i))
    r = bp.define("r", [n, g, j], bp.Sum(prev_h[n, k] * Wh[k, g, j], k))
    a = bp.define("a", [n, g, j], z[n, g, j] + r[n, g, j] + b[g, j])
    gates = ("into", "keep", "out")
    into, keep, out = (bp.define(name, [n, j], bp.sigmoid(a[n, q, j])) for q, name in enumerate(gates))
    new = bp.define("new", [n, j], bp.tanh(a[n, 3, j]))
    next_c = bp.define("next_c", [n, j], keep[n, j] * prev_c[n, j] + into[n, j] * new[n, j])
    return {"next_h": bp.define("next_h", [n, j], out[n, j] * bp.tanh(next_c[n, j])), "next_c": next_c}


def with_gates(values: dict[str, Array]) -> dict[str, Array]:
    """Columns of four gates beside each other as two axes: the layout of `lstm_step`."""
    return {n: v.reshape(*v.shape[:-1], 4, -1) if n in ("Wx", "Wh", "b") else v for n, v in values.items()}


def declared(name: str) -> tuple[bp.Network, dict[str, Array]]:
    """The case with all real inputs as parameters; the loss weighs each result, so that no two entries of a
    gradient agree by symmetry."""
    case = published(FILE, name)
    values = arrays({n: v for n, v in case["inputs"].items() if n not in ("stride", "pad")})
    values = with_gates(values) if name == "lstm_step" else values
    leaves = {
        n: bp.tokens(n, v.shape, vocabulary=len(values["W"])) if v.dtype.kind == "i" else bp.param(n, v.shape)
        for n, v in values.items()
    }
    results = LAYERS[name](**leaves)
    weights = {f"g_{n}": bp.input(f"g_{n}", t.shape) for n, t in results.items()}
    losses = [(t * weights[f"g_{n}"]).sum() for n, t in results.items()]
    for n, expected in case["expected"].items():
        values[f"g_{n}"] = np.cos(np.arange(np.size(expected), dtype=float)).reshape(np.shape(expected))
    return bp.Network(name, loss=sum(losses[1:], losses[0]), outputs=results), values


@pytest.mark.few(fast=2)
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str, target: str) -> None:
    net, values = declared(name)
    module = trained(net, target)
    found = outputs(module, values)
    for key, expected in published(FILE, name)["expected"].items():
        np.testing.assert_allclose(found[key], expected, rtol=0, atol=HALF_A_DECIMAL, err_msg=key)
    loss, gradients = loss_and_gradients(module, values)
    assert loss == pytest.approx(sum(np.vdot(values[f"g_{key}"], found[key]) for key in found), rel=1e-13)
    for key, expected in by_complex_step(net, values).items():
        np.testing.assert_allclose(gradients[key], expected, rtol=1e-12, atol=1e-14, err_msg=key)


def stepped(name: str, target: str, rule: Any, moments: dict[str, Any], step: int = 0) -> tuple[Array, Any]:
    """The parameter after one update from the published moments, and the training state; Σ w·dw is a loss
    with the published gradient."""
    given = arrays(published(FILE, name)["inputs"])
    w, g = bp.param("w", given["w"].shape), bp.input("g", given["dw"].shape)
    module = trained(bp.Network(name, loss=(w * g).sum()), target, rule)
    state = module.init_state({"w": given["w"]})
    state.step = step
    for moment, value in moments.items():
        state.moments[moment]["w"] = value
    module.train_step(state, g=given["dw"])
    return state.params["w"], state


@pytest.mark.parametrize("target", TARGETS)
def test_sgd_momentum(target: str) -> None:
    """Their velocity is −lr times ours, which is in units of the gradient."""
    given, expected = (arrays(published(FILE, "sgd_momentum")[part]) for part in ("inputs", "expected"))
    rate = float(given["lr"])
    rule = bp.optim.Momentum(rate, float(given["momentum"]))
    w, state = stepped("sgd_momentum", target, rule, {"v": -given["v"] / rate})
    np.testing.assert_allclose(w, expected["next_w"], rtol=0, atol=HALF_A_DECIMAL)
    velocity = -rate * state.moments["v"]["w"]
    np.testing.assert_allclose(velocity, expected["velocity"], rtol=0, atol=HALF_A_DECIMAL)


@pytest.mark.parametrize("target", TARGETS)
def test_adam(target: str) -> None:
    given, expected = (arrays(published(FILE, "adam")[part]) for part in ("inputs", "expected"))
    rule = bp.optim.Adam(*(float(given[key]) for key in ("lr", "beta1", "beta2", "eps")))
    moments = {key: given[key] for key in "mv"}
    w, state = stepped("adam", target, rule, moments, step=int(given["t_before"]))
    np.testing.assert_allclose(w, expected["next_w"], rtol=0, atol=HALF_A_DECIMAL)
    for key in "mv":
        np.testing.assert_allclose(state.moments[key]["w"], expected[key], rtol=0, atol=HALF_A_DECIMAL)


def test_every_case_is_compared() -> None:
    assert names(FILE) == {*LAYERS, "sgd_momentum", "adam"}
