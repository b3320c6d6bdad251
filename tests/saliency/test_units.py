"""Units: their names, their derivatives by the data, and what an ascent makes of them."""

import functools

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, FormulaError, UsageError
from symbp.gallery import find
from symbp.saliency.ascent import ascend
from symbp.saliency.prior import Prior
from symbp.saliency.response import Response
from symbp.saliency.unit import Unit, excited, read_unit

RNG = np.random.default_rng(3)
STEP = 1e-6


def images():
    """Convolution, a rectifier, dropout, and classes."""
    N, S, F, K = bp.dim("N"), bp.dim("S", 4), bp.dim("F", 2), bp.dim("K", 3)
    x, y = bp.input("x", (N, 1, S, S)), bp.labels("y", (N,), classes=K)
    C, c = bp.param("C", (F, 1, 3, 3)), bp.param("c", (F,))
    h = bp.relu(bp.conv2d(x, C, c))
    flat = bp.dropout(bp.flatten(h), 0.5)
    W, b = bp.param("W", (flat.shape[1], K)), bp.param("b", (K,))
    p = bp.softmax(flat @ W + b)
    return bp.Network("images", loss=bp.cross_entropy(p, y), outputs={"p": p})


NETS = {"mlp": find("mlp").load().net, "images": images()}
SHAPES = {"mlp": (64,), "images": (1, 4, 4)}
VALUES = {
    "mlp": {"W1": (64, 64), "b1": (64,), "W2": (64, 10), "b2": (10,)},
    "images": {"C": (2, 1, 3, 3), "c": (2,), "W": (8, 3), "b": (3,)},
}
PARAMS = {net: {n: RNG.standard_normal(s) / 4 for n, s in shapes.items()} for net, shapes in VALUES.items()}
PARAMS["images"]["c"] = np.full(2, 0.5)  # where the rectifiers are on


@functools.cache
def response(net, unit):
    return Response(excited(NETS[net], read_unit(unit)), PARAMS[net], {})


@pytest.mark.parametrize(
    ("text", "unit"),
    [("h[3]", Unit("h", (3,))), (" z [ 3, 2 ,0 ]", Unit("z", (3, 2, 0))), ("v", Unit("v", ()))],
)
def test_names(text, unit):
    assert read_unit(text) == unit
    assert read_unit(str(unit)) == unit


@pytest.mark.parametrize(
    "text", ["h[i]", "h[1.5]", "h[-1]", "2*h[1]", "h[1|0]", "h[1", "", "__class__[0]", "h[h[1]]"]
)
def test_no_units(text):
    with pytest.raises(FormulaError):
        read_unit(text)


@pytest.mark.parametrize(
    ("net", "unit", "told"),
    [
        ("mlp", "q[1]", "computes no 'q'"),
        ("mlp", "W1[1,1]", "computes no 'W1'"),
        ("mlp", "loss", "no value for each example"),
        ("mlp", "h[1,1]", "2 subscripts"),
        ("mlp", "h[64]", "outside"),
        ("mlp", "c_accuracy", "no value for each example"),
        ("images", "flat[1]", None),
        ("vae", "z[1]", "rests on"),
        ("gpt", "h5[1,1]", "no real input"),
    ],
)
def test_what_has_no_derivative_by_the_data(net, unit, told):
    network = NETS.get(net) or find(net).load().net
    if told is None:
        excited(network, read_unit(unit))
        return
    with pytest.raises(UsageError, match=r"(?s).*") as error:
        excited(network, read_unit(unit))
    assert told in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "unit"),
    [("mlp", "h[3]"), ("mlp", "p[2]"), ("images", "h[1,1,0]"), ("images", "p[1]"), ("images", "flat[5]")],
)
def test_gradients_are_those_of_differences(net, unit):
    one = response(net, unit)
    x = RNG.standard_normal((3, *SHAPES[net]))
    found = one.gradient(x)
    assert found.shape == x.shape
    assert found.any()
    numeric = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += STEP
        down[place] -= STEP
        numeric[place] = (one.activation(up)[place[0]] - one.activation(down)[place[0]]) / (2 * STEP)
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(one.saliency(x), np.abs(found))


@pytest.mark.slow
def test_activations_are_the_networks_at_inference():
    """Without dropout, by hand."""
    x, values = RNG.standard_normal((5, 1, 4, 4)), PARAMS["images"]
    windows = np.lib.stride_tricks.sliding_window_view(x[:, 0], (3, 3), axis=(1, 2))
    h = np.maximum(np.einsum("nabij,fij->nfab", windows, values["C"][:, 0]) + values["c"][:, None, None], 0)
    logits = np.exp(h.reshape(5, -1) @ values["W"] + values["b"])
    expected = logits[:, 1] / logits.sum(1)
    np.testing.assert_allclose(response("images", "p[1]").activation(x), expected, rtol=1e-12)


def test_values_that_are_missing_are_named():
    one = Response(excited(NETS["mlp"], read_unit("h[0]")), {"W1": PARAMS["mlp"]["W1"]}, {})
    with pytest.raises(DataError, match="b1"):
        one.activation(np.zeros((1, 64)))


def test_the_closed_form_of_a_unit():
    derivation = response("mlp", "h[3]").derivation
    assert "(1 - h" in str(derivation.short()[0])


@pytest.mark.slow
@pytest.mark.parametrize(("net", "unit"), [("mlp", "h[3]"), ("mlp", "p[2]"), ("images", "h[1,1,0]")])
def test_an_ascent_rises_at_every_step(net, unit):
    one, shape = response(net, unit), SHAPES[net]
    start = 0.1 * RNG.standard_normal((1, *shape))
    picture = (1, 8, 8) if net == "mlp" else shape
    free = ascend(one, Prior(np.zeros(shape), picture, low=-2.0, high=2.0), start, steps=40)
    assert free.steps > 3
    assert all(np.diff(free.activations) > 0)
    np.testing.assert_allclose(free.objectives, free.activations, rtol=1e-12)
    assert np.abs(free.end).max() <= 2.0
    held = ascend(one, Prior(np.zeros(shape), picture, decay=0.5, smooth=0.05), start, steps=20)
    assert held.steps > 3
    assert all(np.diff(held.objectives) > 0)
    np.testing.assert_array_equal(held.start, start)


@pytest.mark.slow
def test_a_linear_unit_ends_where_the_mathematics_says():
    """Of w·x - decay/2·‖x - mean‖² the maximum is at mean + w/decay."""
    N, D = bp.dim("N"), bp.dim("D", 4)
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    z = x @ w
    net = bp.Network("line", loss=bp.mean(z), outputs={"z": z})
    weights, mean = RNG.standard_normal(4), RNG.standard_normal(4)
    one = Response(excited(net, read_unit("z")), {"w": weights}, {})
    found = ascend(one, Prior(mean, (1, 1, 4), decay=2.0), RNG.standard_normal((1, 4)))
    np.testing.assert_allclose(found.end[0], mean + weights / 2.0, atol=1e-3)


@pytest.mark.slow
def test_where_there_is_no_slope_nothing_moves():
    dead = {**PARAMS["images"], "c": np.full(2, -100.0)}
    one = Response(response("images", "h[1,1,0]").excited, dead, {})
    found = ascend(one, Prior(np.zeros((1, 4, 4)), (1, 4, 4)), np.zeros((1, 1, 4, 4)))
    assert found.steps == 0
    np.testing.assert_array_equal(found.end, found.start)


@pytest.mark.slow
def test_the_priors_gradient_is_that_of_differences():
    shape = (2, 3, 4)
    prior = Prior(RNG.standard_normal(shape), shape, decay=0.7, smooth=0.3)
    x = RNG.standard_normal((1, *shape))
    numeric = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += STEP
        down[place] -= STEP
        numeric[place] = (prior.penalty(up) - prior.penalty(down)) / (2 * STEP)
    np.testing.assert_allclose(prior.gradient(x), numeric, rtol=1e-5, atol=1e-7)
    flat = np.full((1, *shape), 3.0)
    still = Prior(flat[0], shape, decay=0.7, smooth=0.3)
    assert still.penalty(flat) == pytest.approx(0.3 * 1e-3 * (2 * 2 * 4 + 2 * 3 * 3))
    assert not still.gradient(flat).any()


def test_no_condition_that_the_unit_itself_needs():
    """That there is an h[3] says that H is 4 or more."""
    response = Response(excited(NETS["mlp"], read_unit("h[3]")), {}, {})
    (short,) = response.derivation.short()
    assert str(short) == "∂total/∂x = (1 - h_{:,3} ⊙ h_{:,3})·W1_{:,3}ᵀ"
