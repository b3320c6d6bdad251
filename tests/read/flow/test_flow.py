"""Norms of gradients along their way: what a loop written by hand finds, and what is known of starts."""

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.ir.validate import validate
from symbp.read.flow import StepBound, flow
from symbp.read.flow.activations import applied
from symbp.read.flow.flow import SEED
from symbp.read.flow.helps import with_norms, with_skips
from symbp.read.flow.path import path
from symbp.read.flow.starts import STARTS, fans, leaves, trained


def derived(name):
    return of_gallery(name)


@pytest.fixture(scope="module")
def rnn():
    derivation = derived("char_rnn")
    return derivation, flow(derivation, StepBound(1.0, ("U",)))


def by_start(tracks):
    return {t.start: t for t in tracks if not t.is_trained}


@pytest.mark.slow
def test_recurrence_as_by_hand(rnn):
    """Back through time, written out: δ ← (δ ⊙ (1 − h²))·Uᵀ."""
    derivation, found = rnn
    values = leaves(derivation.declared, "He", found.sizes, derivation.initial, SEED)
    h, states = np.zeros((found.sizes["N"], found.sizes["H"])), []
    for t in range(found.sizes["T"]):
        h = np.tanh(values["table"][values["x"][:, t]] @ values["W"] + h @ values["U"] + values["b"])
        states.append(h)
    delta = np.random.default_rng(SEED).normal(size=(found.sizes["N"], found.sizes["T"], found.sizes["H"]))[
        :, -1
    ]
    norms = [np.linalg.norm(delta)]
    for h in reversed(states[1:]):
        delta = (delta * (1 - h**2)) @ values["U"].T
        norms.append(np.linalg.norm(delta))
    np.testing.assert_allclose(
        by_start(found.tracks["tanh"])["He"].norms, np.array(norms) / norms[0], rtol=1e-10
    )


@pytest.mark.slow
def test_bound_holds_and_is_that_of_the_matrix(rnn):
    derivation, found = rnn
    for track in found.tracks["tanh"]:
        if not track.is_trained:
            u = leaves(derivation.declared, track.start, found.sizes, derivation.initial, SEED)["U"]
            np.testing.assert_allclose(track.bound[1], np.linalg.norm(u, 2))
            assert np.all(np.array(track.norms) <= np.array(track.bound) * (1 + 1e-9))
    assert not any(track.bound for track in found.tracks["sigmoid"])


def test_what_is_known_of_starts_and_activations(rnn):
    _, found = rnn
    far = {name: {s: t.norms[-1] for s, t in by_start(ts).items()} for name, ts in found.tracks.items()}
    helped = {f"tanh with a {what}": far.pop(f"tanh with a {what}") for what in ("skip", "norm")}
    assert all(left > 0.5 for starts in helped.values() for left in starts.values())
    assert set(far) == {"tanh", "relu", "sigmoid"}
    for starts in far.values():
        assert starts["normal 0.01"] < 1e-15
        assert starts["normal 0.01"] < starts["Glorot"] < starts["He"]
    assert far["sigmoid"]["Glorot"] < 1e-6 < 1e-3 < far["tanh"]["Glorot"]


@pytest.mark.slow
def test_layers_in_a_chain_are_the_derivatives_of_the_page():
    derivation = derived("autoencoder")
    found = flow(derivation)
    values = leaves(derivation.declared, "Glorot", found.sizes, derivation.initial, SEED)
    right = run(derivation.system, values, found.sizes)
    assert found.places == ("shown", "h3", "h1")
    norms = by_start(found.tracks["tanh"])["Glorot"].norms
    for place, norm in zip(found.places[1:], norms[1:], strict=True):
        np.testing.assert_allclose(norm, np.linalg.norm(right[f"d{place}"]), rtol=1e-10)


@pytest.mark.slow
def test_skips_pass_gradients_on():
    found = flow(derived("resnet_mlp"))
    assert found.kind == "layers"
    assert by_start(found.tracks["tanh"])["normal 0.01"].norms[-1] == pytest.approx(1, rel=0.05)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", ["mlp", "neuron", "lstm_cell", "softmax_regression"])
def test_nothing_without_depth(name):
    assert flow(derived(name)) is None


@pytest.mark.slow
def test_gates_keep_their_activations():
    found = flow(derived("char_gru"))
    assert len(found.tracks) == 1


@pytest.mark.slow
def test_training_lowers_the_loss_and_starts_have_their_variance():
    derivation = derived("autoencoder")
    declared, sizes = derivation.declared, {"N": 8, "D": 64, "H": 64, "C": 32}
    assert fans(declared, sizes) == {"W1": (64, 64), "W2": (64, 32), "W3": (32, 64), "W4": (64, 64)}
    for start, deviation in zip(STARTS, (0.01, np.sqrt(2 / 96), np.sqrt(2 / 64)), strict=True):
        values = leaves(declared, start, sizes, derivation.initial, 1)
        assert values["W2"].std() == pytest.approx(deviation, rel=0.06)
        assert not values["b2"].any()
    after = trained(declared, values, sizes)
    before, now = (float(run(declared, v, sizes, wanted=["loss"])["loss"]) for v in (values, after))
    assert now < before


def test_no_way_through_what_has_no_loss():
    system = derived("mlp").declared
    assert path(system.with_(loss=None)) is None


@pytest.mark.slow
def test_a_skip_and_a_norm_help():
    """Six layers of logistic units: nothing of a gradient arrives, unless there is a way past them."""
    N, D = bp.dims("N D")
    H = bp.dim("H", 32)
    h, t = bp.input("x", (N, D)), bp.target("t", (N, H))
    for k in range(6):
        h = bp.sigmoid(h @ bp.param(f"W{k}", (h.shape[1], H))).named(f"h{k}")
    found = flow(bp.derive(bp.Network("deep", loss=bp.mse(h, t))))
    assert list(found.tracks) == ["sigmoid", "tanh", "relu", "sigmoid with a skip", "sigmoid with a norm"]
    left = {name: by_start(ts)["Glorot"].norms for name, ts in found.tracks.items()}
    share = {name: norms[-1] / norms[0] for name, norms in left.items()}
    assert share["sigmoid"] < 1e-2
    assert share["sigmoid with a skip"] > 0.5
    assert share["sigmoid with a norm"] > 5 * share["sigmoid"]


def test_helped_systems_are_what_they_say(rnn):
    derivation, _ = rnn
    way, hidden = path(derivation.declared), applied(derivation.declared, frozenset({"h"}))
    skip = with_skips(derivation.declared, hidden, way.tensors)
    norm = with_norms(derivation.declared, hidden)
    sizes, values = sample_point(derivation.declared, 1)
    validate(skip)
    validate(norm)
    states = run(skip, values, sizes, wanted=["h"])["h"]
    h = np.zeros_like(states[:, 0])
    for t in range(states.shape[1]):
        u = values["table"][values["x"][:, t]] @ values["W"] + h @ values["U"] + values["b"]
        h = h + np.tanh(u)
        np.testing.assert_allclose(states[:, t], h, rtol=1e-10)
    normed = run(norm, values, sizes, wanted=["h"])["h"]
    h = np.zeros_like(h)
    for t in range(normed.shape[1]):
        u = values["table"][values["x"][:, t]] @ values["W"] + h @ values["U"] + values["b"]
        h = np.tanh((u - u.mean(1, keepdims=True)) / np.sqrt(u.var(1, keepdims=True) + 1e-5))
        np.testing.assert_allclose(normed[:, t], h, rtol=1e-10)
