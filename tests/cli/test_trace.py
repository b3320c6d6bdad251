"""`symbp trace`: the numbers that people check against, to the digits in which they were published."""

import json

import numpy as np
import pytest
from derived_once import of_gallery

from symbp.cli.main import main


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    try:
        status = main(["trace", *arguments])
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def traced(capsys, *arguments):
    status, out, err = run(capsys, *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def by_name(found):
    return {row["name"]: row["value"] for row in [*found["given"], *found["equations"]]}


def agrees(found):
    """Each derivative with its central difference."""
    rows = [row for row in found["equations"] if row["differences"] is not None]
    for row in rows:
        np.testing.assert_allclose(row["value"], row["differences"], rtol=1e-6, atol=1e-9)
    return len(rows)


# --- two layers of two units: Mazur (2015), "A Step by Step Backpropagation Example"
UPDATED = [  # as printed there, rounded at the ninth digit or before
    0.149780716, 0.19956143, 0.24975114, 0.29950229, 0.35891648, 0.408666186, 0.511301270, 0.561370121,
]  # fmt: skip


def test_two_layers_of_two_units(capsys):
    found = traced(capsys, "sigmoid_2_2_2", "--step", "0.5")
    values = by_name(found)
    np.testing.assert_allclose(values["o"], [0.75136507, 0.772928465], rtol=0, atol=5e-10)
    assert values["loss"] == pytest.approx(0.298371109, abs=5e-10)
    np.testing.assert_allclose(values["dW2"][0][0], 0.082167041, rtol=0, atol=5e-10)
    np.testing.assert_allclose(values["dW1"][0][0], 0.000438568, rtol=0, atol=5e-10)
    after = [*np.ravel(found["descent"]["parameters"]["W1"]), *np.ravel(found["descent"]["parameters"]["W2"])]
    np.testing.assert_allclose(after, UPDATED, rtol=0, atol=5e-9)
    assert agrees(found) == 5


def test_each_weight_by_its_name(capsys):
    found = traced(capsys, "sigmoid_2_2_2", "--scalar", "--step", "0.5")
    after = found["descent"]["parameters"]
    np.testing.assert_allclose([after[f"w{k}"] for k in range(1, 9)], UPDATED, rtol=0, atol=5e-9)
    equations = {row["name"]: row["equation"] for row in found["equations"]}
    assert equations["a1"] == "a1 = w1·x1 + w2·x2 + b1"
    assert equations["o1"] == "o1 = σ(a3)"
    assert equations["dw5"] == "dw5 = da3·h1"
    assert equations["dh1"] == "dh1 = da3·w5 + da4·w7"
    assert equations["da1"] == "da1 = (1 - h1)·dh1·h1"
    assert [row["number"] for row in found["equations"]] == list(range(1, 28))
    assert agrees(found) == 17


def test_ten_thousand_steps(capsys):
    """The error printed after the first step, 0.291027924, is that of a program which changes the output's
    weights before it computes the hidden units' gradients; with all gradients at the same weights, as the
    text there has it and the printed weights are, it is 0.291027774. Printed for 10,000 steps: 0.0000351085,
    which is the error at the start of the last of them."""
    measured = traced(capsys, "sigmoid_2_2_2", "--step", "0.5", "--steps", "9999")["descent"]["measured"]
    losses = {row["step"]: row["loss"] for row in measured}
    assert losses[1] == pytest.approx(0.291027774, abs=5e-10)
    assert losses[9999] == pytest.approx(0.0000351085, abs=5e-11)


def test_the_error_of_the_program_that_goes_with_the_published_text():
    """What the docstring above says of 0.291027924."""
    x, t = np.array([0.05, 0.10]), np.array([0.01, 0.99])
    W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])

    def sigmoid(u):
        return 1 / (1 + np.exp(-u))

    h = sigmoid(W1 @ x + 0.35)
    o = sigmoid(W2 @ h + 0.60)
    delta = (o - t) * o * (1 - o)
    W2 = W2 - 0.5 * np.outer(delta, h)
    W1 = W1 - 0.5 * np.outer((W2.T @ delta) * h * (1 - h), x)
    o = sigmoid(W2 @ sigmoid(W1 @ x + 0.35) + 0.60)
    assert ((t - o) ** 2).sum() / 2 == pytest.approx(0.291027924, abs=5e-10)


# --- circuits: CS231n, "Backpropagation, Intuitions"; micrograd
def test_a_sum_and_a_product(capsys):
    values = by_name(traced(capsys, "circuit", "--scalar"))
    assert values == {
        "x": -2, "y": 5, "z": -4, "q": 3, "f": -12, "dx": -4, "dy": -4, "dz": 3, "dq": -4,
    }  # fmt: skip


def test_a_neuron_gate_by_gate(capsys):
    found = traced(capsys, "circuit_neuron", "--scalar")
    rounded = {name: round(value, 2) for name, value in by_name(found).items()}
    forward = {"u": -2, "v": 6, "s": 4, "a": 1, "m": -1, "e": 0.37, "d": 1.37, "f": 0.73}
    backward = {"dd": -0.53, "de": -0.53, "dm": -0.2, "da": 0.2, "ds": 0.2, "du": 0.2, "dv": 0.2}
    results = {"dw0": -0.2, "dx0": 0.39, "dw1": -0.39, "dx1": -0.59, "dw2": 0.2}
    for name, value in (forward | backward | results).items():
        assert rounded[name] == value, name
    assert agrees(found) == 12


def test_a_neuron_with_tanh(capsys):
    values = by_name(traced(capsys, "neuron_tanh"))
    assert values["o"] == pytest.approx(0.7071067811865476, abs=1e-15)
    gradients = [values[name] for name in ("dx1", "dw1", "dx2", "dw2")]
    np.testing.assert_allclose(gradients, [-1.5, 1.0, 0.5, 0.0], rtol=0, atol=1e-14)


def test_a_neuron_is_corrected_step_by_step(capsys):
    found = traced(capsys, "neuron_corrected", "--step", "1", "--steps", "10")
    answers = [row["y"] for row in found["descent"]["measured"]]
    assert answers[0] == pytest.approx(0.521, abs=5e-4)
    assert answers == sorted(answers)
    w, b, right = np.array([0.18, -0.16]), 0.0, []
    for _ in range(11):
        y = 1 / (1 + np.exp(-(w @ [1.0, 0.6] + b)))
        right.append(y)
        slope = (y - 1) * y * (1 - y)
        w, b = w - slope * np.array([1.0, 0.6]), b - slope
    np.testing.assert_allclose(answers, right, rtol=1e-12)


# --- the command
def test_text(capsys):
    status, out, err = run(capsys, "sigmoid_2_2_2", "--digits", "9", "--step", "0.5")
    assert (status, err) == (0, "")
    assert "  W1 = ⎡0.15  0.2⎤\n       ⎣0.25  0.3⎦" in out
    assert "   (6)  loss = s/2 = 0.298371109" in out
    assert "da2 = [0.138498562  -0.0380982365]   central differences: [0.138498562  -0.0380982365]" in out
    assert "  W2 = ⎡0.35891648  0.408666186⎤" in out.split("After one step")[1]


@pytest.mark.slow
def test_long_arrays_are_shortened_in_text_and_whole_in_json(capsys):
    _, out, _ = run(capsys, "mlp")
    assert "⎢…" in out
    assert len(out.splitlines()) < 120
    found = traced(capsys, "mlp")
    assert np.shape(by_name(found)["dW1"]) == (64, 64)
    differences = next(row["differences"] for row in found["equations"] if row["name"] == "dW1")
    known = [value for row in differences for value in row if value is not None]
    assert 10 < len(known) < 4096


def test_values_that_are_given(capsys, tmp_path):
    W = np.array([[1.0, 0.5, -0.5], [0.25, 0.0, 2.0]])
    np.savez(tmp_path / "at.npz", W=W, b=[0.1, 0.2, 0.3])
    options = ("--at", str(tmp_path / "at.npz"), "--set", "x=1,2; 3,4; 5,6", "--set", "y=[0, 1, 2]")
    found = traced(capsys, "softmax_regression", *options, "--set", "b=0,0,0")
    values = by_name(found)
    assert found["sizes"] == {"N": 3, "D": 2, "K": 3}
    assert values["x"] == [[1, 2], [3, 4], [5, 6]]
    assert values["W"] == W.tolist()
    assert values["b"] == [0, 0, 0]
    assert not any(row["example"] for row in found["given"])
    assert agrees(found) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "W=1,2; 3"], ["--set W", "this row has 1 number, the first has 2", "  1,2; 3\n       ^"]),
        (["--set", "W=1,x"], ["here a number is expected", "  1,x\n    ^"]),
        (["--set", "W=[[1, 2], [3"], ["no JSON"]),
        (["--set", "W=__import__('os')"], ["here a number is expected", "^"]),
        (["--set", "V=1"], ["nothing called 'V'"]),
        (["--set", "p=1"], ["p is computed"]),
        (["--set", "W"], ["not NAME=VALUES"]),
        (["--set", "x=1,2"], ["the value of x has the wrong shape", "(N, D)", "2 axes"]),
        (["--size", "Q=3"], ["no size 'Q'"]),
        (["--at", "there_is_none.npz"], ["no such data file"]),
        (["--at", "table.csv"], ["from an .npz file"]),
        (["--step", "0"], ["not a positive number"]),
    ],
)
def test_what_is_refused(capsys, options, words):
    status, out, err = run(capsys, "softmax_regression", *options)
    assert (status, out) == (2, "")
    for word in words:
        assert word in err
    assert "Traceback" not in err


def test_a_net_that_is_too_large_to_write_out(capsys):
    status, _, err = run(capsys, "mlp", "--scalar")
    assert status == 2
    assert "numbers before the first gradient; at most 200" in err
    assert "--small" in err


def test_a_file(capsys, tmp_path):
    path = tmp_path / "numbers.txt"
    assert run(capsys, "circuit", "-o", str(path))[0] == 0
    assert "f = q·z = -12" in path.read_text(encoding="utf-8")
    assert run(capsys, "circuit", "-o", str(path))[0] == 2


def test_small_nets_are_not_trained(capsys):
    assert main(["train", "circuit"]) == 2
    assert "symbp trace circuit --step 0.1" in capsys.readouterr().err


def test_from_python():
    derivation = of_gallery("sigmoid_2_2_2")
    found = derivation.values()
    assert found.loss == pytest.approx(0.298371109, abs=5e-10)
    assert derivation.values({"x": [0.0, 0.0]}).loss != found.loss
    taken = derivation.descend(found, rate=0.5)
    np.testing.assert_allclose(np.ravel(taken.after["W1"]), UPDATED[:4], rtol=0, atol=5e-9)
    assert "sigmoid_2_2_2, in numbers" in found._repr_markdown_()
