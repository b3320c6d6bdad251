"""Plain modules of the gallery: their values are the reference's, their text is as short as a slide asks."""

import subprocess
import sys

import numpy as np
import pytest
from plain_values import TARGET, agree, called, gallery_order, module, point

import symbp as bp
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run

QUICK = ("mlp", "linear_regression", "word2vec", "vae", "char_rnn")
NETS = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in sorted(bp.gallery.GALLERY)
]
LINES = {"mlp": 90, "char_lstm": 140, "cnn": 130, "gpt": 200}
EVERY = ("train", "evaluate", "predict", "check", "save")


@pytest.mark.few(fast=2, slow=9)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.filterwarnings("error")
def test_values(name):
    made = gallery_order(name, EVERY)
    derivation, system = made.derivation, made.derivation.system
    sizes, values = point(made)
    functions = module(TARGET.source(made))
    expected = run(system, values, sizes)
    loss, gradients, *buffers = called(functions["loss_and_gradients"], values)
    agree(loss, expected[system.loss], "the loss")
    for key, tensor in derivation.gradients.items():
        agree(gradients[key], expected[tensor], f"the gradient by {key}")
    for key, tensor in system.updates.items():
        agree(buffers[0][key], expected[tensor], f"the next value of {key}")
    measured = called(functions["evaluate"], values)
    agree(measured["loss"], expected[system.inference.get(system.loss, system.loss)], "the loss at inference")
    for key in system.metrics:
        agree(measured.get(key, measured["loss"]), expected[key], key)
    predicted = called(functions["predict"], values)
    for key in system.outputs:
        agree(predicted[key], expected[system.inference.get(key, key)], key)


def test_the_interpreter_itself_says_the_same():
    made = gallery_order("mlp")
    sizes, values = point(made)
    expected = evaluate(made.derivation.system, values, sizes)
    loss, gradients = called(module(TARGET.source(made))["loss_and_gradients"], values)
    agree(loss, expected["loss"], "the loss")
    for key, tensor in made.derivation.gradients.items():
        agree(gradients[key], expected[tensor], key)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in LINES]
)
def test_lines(name):
    text = TARGET.source(gallery_order(name))
    assert len(text.splitlines()) <= LINES[name]
    assert max(map(len, text.splitlines())) <= 110


def test_the_passes_of_mlp_fit_on_a_slide():
    text = TARGET.source(gallery_order("mlp"))
    assert sum("# (" in line for line in text.splitlines()) == 12
    for line in ("a1 = x @ W1 + b1  # (1)", "h = np.tanh(a1)  # (2)", "dW2 = h.T @ da2  # (9)"):
        assert f"    {line}\n" in text


def test_a_module_trains_checks_and_saves_itself(tmp_path):
    made = gallery_order("mlp", EVERY)
    names = module(TARGET.source(made))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 64)), rng.integers(0, 10, 40)
    params = names["initial_parameters"](rng)
    before = names["evaluate"](params, x, y)["loss"]
    errors = names["check"]({**params, "W1": params["W1"][:, :]}, x[:3], y[:3])
    assert max(errors.values()) < 1e-7
    trained = names["train"](dict(params), x, y, epochs=5, batch=8)
    assert names["evaluate"](trained, x, y)["loss"] < before / 2
    names["save"](tmp_path / "params.npz", trained)
    for key, value in names["load"](tmp_path / "params.npz").items():
        np.testing.assert_array_equal(value, trained[key])


@pytest.mark.slow
def test_the_command_shows_and_executes_the_passes():
    def said(*options):
        command = [sys.executable, "-m", "symbp.cli", "generate", "linear_regression", "--target", "plain"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "no pass changes a value" in said("--bisect")
    assert said("--dump", "statements").startswith("--- statements")
    assert [line.split(":")[0] for line in said("--dump").splitlines() if line.startswith("---")] == [
        f"--- {step.name}" for step in TARGET.passes
    ]


@pytest.mark.slow
def test_the_generated_text_is_clean(tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(TARGET.source(gallery_order("char_rnn", EVERY)))
    config = str(bp.__path__[0]) + "/../pyproject.toml"
    ruff = [sys.executable, "-m", "ruff", "check", "--config", config, str(path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "No module named ruff" in done.stderr, done.stdout
