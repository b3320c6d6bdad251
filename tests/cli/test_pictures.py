"""`symbp excite` and `symbp saliency`: a network, trained or not, and a picture of one unit."""

import json

import pytest

from symbp.cli.main import main


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Parameters of the gallery's mlp after a few epochs."""
    path = tmp_path_factory.mktemp("trained") / "mlp.npz"
    assert main(["train", "mlp", "--epochs", "8", "--out", str(path)]) == 0
    return str(path)


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    status = main(list(arguments))
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.mark.slow
def test_excite_a_hidden_unit(capsys, trained, tmp_path):
    path = tmp_path / "h3.svg"
    status, out, err = run(capsys, "excite", "mlp", "--unit", "h[3]", "--params", trained, "-o", str(path))
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "what excites h[3] of mlp"
    assert len(lines) == 10
    assert "░" in out or "█" in out
    assert "∂total/∂x = " in err
    assert path.read_text().startswith("<svg ")
    assert run(capsys, "excite", "mlp", "--unit", "h[3]", "--params", trained, "-o", str(path))[0] == 2


@pytest.mark.slow
def test_excite_a_class_more_than_all_data_do(capsys, trained):
    _, out, _ = run(capsys, "excite", "mlp", "--unit", "a2[3]", "--params", trained, "--decay", "0", "--json")
    found = json.loads(out)
    assert found["after"] > found["highest_of_data"] > found["before"]
    assert len(found["values"]) == 64
    assert 0 <= min(found["values"]) <= max(found["values"]) <= 1


@pytest.mark.slow
def test_saliency_of_a_class(capsys, trained, tmp_path):
    path = tmp_path / "s.png"
    arguments = ("saliency", "mlp", "--example", "17", "--params", trained)
    status, out, _ = run(capsys, *arguments, "--class", "3", "-o", str(path))
    assert status == 0
    assert out.startswith("|∂p[3]/∂x| of mlp at example 17\n")
    assert path.read_bytes().startswith(b"\x89PNG")
    label = run(capsys, *arguments, "--json")[1]
    unit = run(capsys, *arguments, "--unit", json.loads(label)["unit"], "--json")[1]
    assert unit == label
    assert json.loads(label)["activation"] > 0.5


def test_without_parameters_it_trains_and_says_so(capsys):
    status, _, err = run(capsys, "saliency", "logistic_regression", "--unit", "p", "--epochs", "2")
    assert status == 0
    assert "no --params: training logistic_regression for 2 epochs, as symbp train does" in err


@pytest.mark.few(fast=5)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("excite", "mlp", "--unit", "h[3", "--params", "FILE"), "the formula ends too early"),
        (("excite", "mlp", "--unit", "h[64]", "--params", "FILE"), "outside"),
        (("excite", "mlp", "--unit", "h[1]", "--params", "FILE", "-o", "x.gif"), ".svg or a .png"),
        (("excite", "mlp", "--unit", "h[1]", "--params", "nothing.npz"), "no such file"),
        (("excite", "cnn", "--unit", "h1[1,1,1]", "--params", "FILE"), "no values of C1"),
        (("saliency", "mlp", "--example", "1797", "--params", "FILE"), "1797 examples"),
        (("saliency", "mlp", "--example", "-1", "--params", "FILE"), "none at -1"),
    ],
)
def test_errors(capsys, trained, arguments, told):
    status, _, err = run(capsys, *(trained if word == "FILE" else word for word in arguments))
    assert status == 2
    assert told in err


@pytest.mark.slow
def test_a_feature_map_of_the_cnn(capsys):
    _, out, _ = run(capsys, "excite", "cnn", "--unit", "h2[3,2,2]", "--epochs", "1", "--json")
    found = json.loads(out)
    assert found["after"] > found["before"]
    assert [len(found["values"]), len(found["values"][0])] == [1, 8]


def test_a_unit_that_isnt_there_costs_no_training(capsys):
    status, _, err = run(capsys, "excite", "mlp", "--unit", "h[99]")
    assert status == 2
    assert "h[99] lies outside" in err
    assert "epoch" not in err
