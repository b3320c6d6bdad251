"""`symbp compile`: what it makes is what a training then finds."""

import json

import pytest

from symbp.cli.main import main


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    assert status == 0
    return capsys.readouterr().out


def test_it_tells_what_took_how_long(capsys):
    found = json.loads(run(capsys, "compile", "neuron", "--target", "numpy", "--json"))
    assert list(found["seconds"]) == ["train_step", "loss_and_gradients", "evaluate", "check_gradients"]
    assert found["module"].endswith(".py")


@pytest.mark.slow
def test_a_training_compiles_nothing_any_more(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path))
    out = run(capsys, "compile", "neuron", "--lr", "0.02")
    assert "train_step" in out
    made = {path.name for path in tmp_path.rglob("*.nb*") if path.is_file()}
    assert made
    run(capsys, "train", "neuron", "--target", "numba", "--lr", "0.02", "--epochs", 1)
    assert {path.name for path in tmp_path.rglob("*.nb*") if path.is_file()} == made
