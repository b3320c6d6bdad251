"""`symbp diagnose`: what it prints, where, and its exit status."""

import json

import numpy as np
import pytest

from symbp.cli.main import main

NET = """
import symbp as bp

N, D, H, K = bp.dim("N"), bp.dim("D", 4), bp.dim("H", 8), bp.dim("K", 3)
x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
W1, b1, W2 = bp.param("W1", (D, H)), bp.param("b1", (H,)), bp.param("W2", (H, K){start})
p = bp.softmax(bp.tanh(x @ W1 + b1) @ W2)
net = bp.Network("mine", loss=bp.cross_entropy(p, y), outputs={{"p": p}})
"""


@pytest.fixture
def net(tmp_path):
    def written(start=""):
        path = tmp_path / "my_net.py"
        path.write_text(NET.format(start=start), encoding="utf-8")
        return str(path)

    return written


@pytest.fixture
def data(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 4))
    np.savez(tmp_path / "data.npz", x=x, y=np.argmax(x[:, :3], 1))
    return str(tmp_path / "data.npz")


def test_a_healthy_network_has_status_0(net, data, capsys):
    assert main(["diagnose", net(), "--data", data, "--lr", "0.01"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("mine: healthy\n")
    assert "data.npz" in shown.out
    assert "range test of the learning rate" in shown.out
    assert "update/weight" in shown.out
    assert "training 40 steps" in shown.err


def test_an_ill_one_has_status_1_and_its_cause_in_json(net, data, tmp_path, capsys):
    curve = tmp_path / "curve.svg"
    options = ["--data", data, "--optimizer", "sgd", "--lr", "200", "--json", "--curve", str(curve)]
    assert main(["diagnose", net(), *options]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["cause"] == "learning rate too high"
    assert told["training"]["optimizer"] == "SGD"
    assert told["range_test"]["suggested"] < 20
    assert "Update to weight" in curve.read_text(encoding="utf-8")
    assert main(["diagnose", net(), "--data", data, "--curve", str(curve)]) == 2  # it stands already


def test_without_data_some_are_drawn(net, capsys):
    assert main(["diagnose", net(", init=bp.optim.initial.normal(50)"), "--no-range-test"]) == 1
    shown = capsys.readouterr()
    assert "start too large" in shown.out
    assert "drawn at random" in shown.out
    assert "no data that fit" in shown.err
    assert "range test" not in shown.out


def test_wrong_data_are_refused(net, tmp_path, capsys):
    np.savez(tmp_path / "wrong.npz", x=np.zeros((8, 9)), y=np.zeros(8, int))
    assert main(["diagnose", net(), "--data", str(tmp_path / "wrong.npz")]) == 2
    assert "wrong shape" in capsys.readouterr().err
