"""Gradients beside those that frameworks find on their own."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import derived_once
import numpy as np
import pytest
from shares import usual

import symbp as bp
from symbp.errors import UsageError
from symbp.gallery import GALLERY
from symbp.verify import frameworks
from symbp.verify.frameworks import framework_rows

N, T, D, H = bp.dims("N T D H")
OF_TENSORFLOW = ("mlp", "cnn", "char_lstm", "gpt")

torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch isn't installed")
jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX isn't installed")
tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow isn't installed")


def agree(net, *names, **more):
    """Every row is right, to 1e-9, and every entry was compared."""
    derivation = net if isinstance(net, bp.Derivation) else bp.derive(net)
    hyper = {**derivation.constants}
    rows, notes = framework_rows(derivation, names, hyper=hyper, **more)
    assert not notes
    assert {row.parameter for row in rows} == set(derivation.gradients)
    for row in rows:
        assert row.ok, f"{row.parameter}: {row.verdict}"
        assert row.entries == row.size
        assert row.tolerance == 1e-9
    return rows


# --- the gallery
@pytest.mark.slow
@torch
def test_short_nets_of_the_gallery_agree_with_torch():
    for name in ("mlp", "word2vec", "conv"):
        agree(derived_once.of_gallery(name), "torch")


@pytest.mark.few(fast=0, slow=6)
@torch
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in GALLERY if name not in ("mlp", "neuron")])
def test_the_gallery_agrees_with_torch(name):
    agree(derived_once.of_gallery(name), "torch")


@pytest.mark.few(slow=3)
@jax
@pytest.mark.slow
@pytest.mark.parametrize("name", usual(GALLERY, 6))
def test_the_gallery_agrees_with_jax(name):
    agree(derived_once.of_gallery(name), "jax")


@pytest.mark.few(slow=2)
@tensorflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # its own, about itself
@pytest.mark.parametrize("name", OF_TENSORFLOW)
def test_some_of_the_gallery_agrees_with_tensorflow(name):
    agree(derived_once.of_gallery(name), "tensorflow")


# --- what nets are made of
def grid():
    """A recurrence within a recurrence, with steps on both sides of the same tensor."""
    x, a, b = bp.input("x", (N, T, D)), bp.param("a", (D,)), bp.param("b", (D,))
    n, t, d = bp.indices("n t d")
    h = bp.recurrent("h", (N, T, D))
    above, left = h.at(n, t - 1, d, outside=0), h.at(n, t, d - 1, outside=1)
    h = bp.define(h, [n, t, d], bp.tanh(above * a[d] + left * b[d] + x[n, t, d]))
    return bp.Network("grid", loss=(h**2).mean())


def backwards():
    """From the last step to the first one; only the first one counts."""
    x, w = bp.input("x", (N, T)), bp.param("w", ())
    n, t = bp.indices("n t")
    h = bp.recurrent("h", (N, T))
    h = bp.define(h, [n, t], bp.sin(h.at(n, t + 1, outside=0) * w + x[n, t]))
    return bp.Network("backwards", loss=bp.define("loss", [], bp.Sum(h[n, 0], n)))


def guarded():
    """What isn't chosen has no value: log of what is negative, a division by 0."""
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    z = x * bp.relu(w)
    n, d = bp.indices("n d")
    kept = bp.where(z[n, d] > 0, bp.log(z[n, d]) + 1 / z[n, d] + bp.sqrt(z[n, d]), z[n, d] ** 2)
    return bp.Network("guarded", loss=bp.define("loss", [], bp.Sum(kept, n, d)))


def stopped():
    """A target that no gradient goes through, and a maximum with a place."""
    x, w = bp.input("x", (N, D)), bp.param("W", (D, H))
    z = x @ w
    return bp.Network(
        "stopped", loss=((z - bp.stop_gradient(bp.tanh(z))) ** 2).mean() + bp.max(z, axis=1).sum()
    )


NETS = (grid, backwards, guarded, stopped)


@pytest.mark.few(fast=2)
@torch
@pytest.mark.parametrize("net", [pytest.param(grid, marks=pytest.mark.slow), *NETS[1:]])
def test_what_nets_are_made_of(net):
    agree(net(), "torch")


@jax
@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
def test_what_nets_are_made_of_in_jax(net):
    agree(net(), "jax")


@tensorflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("net", NETS)
def test_what_nets_are_made_of_in_tensorflow(net):
    agree(net(), "tensorflow")


@torch
def test_a_derivative_by_what_stands_between():
    x, w = bp.input("x", (N, T, D)), bp.param("W", (D, D))
    h = bp.rnn(x, w, bp.param("U", (D, D)), bp.param("b", (D,)))
    net = bp.Network("between", loss=(h**2).mean(), outputs={"h": h})
    agree(bp.derive(net, wrt=["h", "x", "W"]), "torch")


# --- what is found
@torch
@pytest.mark.parametrize("parameter", ["W1", "b2"])
def test_a_wrong_gradient_is_found(parameter):
    derivation = derived_once.of_gallery("mlp")
    system, tensor = derivation.system, derivation.gradients[parameter]
    wrong = tuple(e.with_(body=e.body * 2) if e.target == tensor else e for e in system.equations)
    rows, _ = framework_rows(replace(derivation, system=system.with_(equations=wrong)), ["torch"])
    assert {row.parameter for row in rows if not row.ok} == {parameter}


@torch
def test_code_that_computes_another_loss_is_no_wrong_gradient(monkeypatch):
    whole = frameworks.module

    def other(*given):
        made = whole(*given)
        return replace(made, text=made.text.replace("return loss", "return 2 * loss"))

    monkeypatch.setattr(frameworks, "module", other)
    (row,), _ = framework_rows(derived_once.of_gallery("neuron"), ["torch"])
    assert not row.ok
    assert row.parameter == "loss"
    assert "the loss itself is" in row.verdict


# --- what can't be compared
@torch
def test_one_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(frameworks, "find_spec", lambda name: find_spec(name) if name == "torch" else None)
    net = GALLERY["neuron"].load().net
    report = bp.check(net, against=["jax", "torch"])
    assert report.ok
    assert {row.method for row in report.rows} == {"PyTorch"}
    assert report.notes == ("jax isn't installed and was left out",)
    assert report.notes[0] in str(report)
    with pytest.raises(UsageError, match="no framework is left"):
        bp.check(net, against="tensorflow")


def test_only_gradients_are_asked_for():
    net = GALLERY["neuron_corrected"].load().net
    with pytest.raises(UsageError, match="gradients of the loss alone"):
        framework_rows(bp.jacobian(net, "y"), ["torch"])
    with pytest.raises(UsageError, match="no framework 'numpy'"):
        framework_rows(bp.derive(net), ["numpy"])


@torch
def test_second_derivatives_are_left_out():
    derivation = bp.hessian(GALLERY["circuit"].load().net)
    rows, notes = framework_rows(derivation, ["torch"])
    assert [row.parameter for row in rows] == ["x", "y", "z"]
    assert "second derivatives were left out" in notes[0]


@torch
@pytest.mark.slow
def test_the_command():
    command = [sys.executable, "-m", "symbp.cli", "check", "neuron", "--against", "torch"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "PyTorch" in done.stdout


@jax
@pytest.mark.slow
def test_precision_is_nobody_elses():
    import jax

    agree(GALLERY["neuron"].load().net, "jax")
    assert jax.numpy.asarray(np.ones(1)).dtype == np.float32


@torch
def test_a_recurrence_begins_with_the_unit_matrix():
    """Where a real is chosen or a bracket, both are reals."""
    t, i, j, k = bp.indices("t i j k")
    z, A = bp.input("z", (T, D)), bp.param("A", (D, D))
    P = bp.recurrent("P", (T, D, D))
    before = P.at(t - 1, k, j, outside=bp.where(bp.equal(k, j), 1, 0))
    turned = bp.define("turned", [t, i, j], bp.Sum(A[i, k] * before, k), ranges={t: T})
    P = bp.define(P, [t, i, j], bp.tanh(turned[t, i, j]) + z[t, i])
    agree(bp.Network("turning", loss=bp.sum(P**2)), "torch")
