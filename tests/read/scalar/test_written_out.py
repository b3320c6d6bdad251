"""A net written out has the values and the derivatives that it has in tensors."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, UsageError
from symbp.read.numbers import worked_example
from symbp.read.scalar import written_out
from symbp.read.scalar.names import element_names

SMALL = {  # nets, and sizes at which they can be written out
    "circuit_neuron": {}, "neuron_tanh": {}, "sigmoid_2_2_2": {}, "softmax_regression": {}, "lstm_cell": {},
    "attention": {}, "batch_norm": {"N": 3}, "layer_norm": {}, "dropout": {}, "conv": {}, "gru_cell": {},
    "mlp": {}, "cnn": {"N": 1}, "char_rnn": {"T": 2}, "crf": {}, "moe": {},
}  # fmt: skip
QUICK = ("sigmoid_2_2_2", "softmax_regression", "dropout", "circuit_neuron")
NETS = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SMALL]


@pytest.mark.few(fast=2, slow=6)
@pytest.mark.parametrize("name", NETS)
def test_values_and_derivatives(known, name):
    whole = worked_example(known(name), small=True, sizes=SMALL[name])
    found = written_out(whole)
    assert all(array.shape == () for array in found.values.values())
    assert found.worst < 1e-6
    assert found.loss == pytest.approx(whole.loss, rel=1e-12)
    for element, (tensor, at) in found.elements.items():
        if element in found.values:
            assert found[element] == pytest.approx(whole[tensor][at], rel=1e-9, abs=1e-12)
        if element in found.gradients:
            assert found.gradients[element] == pytest.approx(whole.gradients[tensor][at], rel=1e-9, abs=1e-12)
    learned = sum(array.size for array in whole.gradients.values())
    zero = sum(int(np.sum(array == 0)) for array in whole.gradients.values())  # not read, so not written out
    assert learned - zero <= len(found.gradients) <= learned


def test_every_gate_has_a_derivative(known):
    """Of a circuit nothing is eliminated: what stands between a weight and the result has one equation
    forward and one backward."""
    found = written_out(worked_example(known("circuit_neuron")))
    system = found.reading.derivation.system
    gates = [e.target for e in known("circuit_neuron").declared.equations]
    by = {t.differential.by for t in system.tensors if t.differential is not None}
    assert by == {*gates, "w0", "w1", "w2", "x0", "x1"} - {"f"}


def test_a_maximum_and_a_kink():
    """Branches are written as brackets, and the first of equal maxima counts."""
    x, w = bp.input("x", (3,)), bp.param("w", (3,))
    m = (bp.relu(x) * w).max(0)
    derivation = bp.derive(bp.Network("largest", loss=m))
    found = derivation.values({"x": [1.0, 2.0, -1.0], "w": [0.5, 0.75, 3.0]}, scalar=True)
    assert found.loss == 1.5
    assert [float(found.gradients[f"w{k}"]) for k in (1, 2, 3)] == [0, 2, 0]


def test_what_cannot_be_written_out():
    A, b = bp.param("A", (2, 2)), bp.input("b", (2,))
    derivation = bp.derive(bp.Network("solving", loss=bp.sum(bp.inverse(A) @ b)))
    with pytest.raises(UsageError, match="written out"):
        derivation.values(scalar=True)
    with pytest.raises(UsageError, match="gradients of a loss"):
        bp.hessian(bp.gallery.find("circuit").load().net).values(scalar=True)


def test_names_that_the_author_chose():
    x, w = bp.input("x", (2,)), bp.param("w", (2,))
    y = (x @ w).named("y")
    net = bp.Network("named", loss=y**2, elements={"x": ["height", "width"]}, example={"x": [1, 2]})
    found = bp.derive(net).values(scalar=True)
    assert (found["height"], found["width"]) == (1, 2)
    assert {"w1", "w2"} < set(found.values)
    short = bp.Network("short", loss=y**2, elements={"w": ["a"]})
    with pytest.raises(UsageError, match="w has 2 elements here, and 1 names"):
        bp.derive(short).values(scalar=True)
    with pytest.raises(DeclarationError, match="no tensor 'v'"):
        bp.Network("unknown", loss=y**2, elements={"v": ["a"]})
    with pytest.raises(DeclarationError, match="no leaf"):
        bp.Network("unknown", loss=y**2, example={"y": 1})


@pytest.mark.parametrize(
    ("shapes", "names"),
    [
        ({"W1": (1, 2), "W2": (2, 1)}, {"W1": ["w1", "w2"], "W2": ["w3", "w4"]}),
        ({"h": (2,), "h0": (2,)}, {"h": ["h1", "h2"], "h0": ["h0_1", "h0_2"]}),
        ({"b": (2,), "b1": ()}, {"b": ["b2", "b3"], "b1": ["b1"]}),
        ({"x": (1, 1), "loss": ()}, {"x": ["x"], "loss": ["loss"]}),
        ({"w": (2,), "W": (2,)}, {"w": ["w1", "w2"], "W": ["w3", "w4"]}),
    ],
)
def test_names(shapes, names):
    found = element_names(shapes, {name: name for name in shapes})
    assert {name: list(places.values()) for name, places in found.items()} == names
    every = [one for places in found.values() for one in places.values()]
    assert len(every) == len(set(every))
