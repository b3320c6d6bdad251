"""Which arrays a network trains on: files with and without names, texts, the network's own data."""

import argparse

import numpy as np
import pytest

import symbp as bp
from symbp.cli.data import data_for, sizes_of
from symbp.cli.target import Target, load_target
from symbp.errors import DataError, UsageError

TABLE = np.array([[0.5, 1.5, 0], [2.5, 3.5, 2], [4.5, 5.5, 1]])


def classifier():
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    return bp.Network("c", loss=bp.cross_entropy(bp.softmax(x @ bp.param("W", (D, K))), y))


def reader(context=None):
    N, V = bp.dims("N V")
    T = bp.dim("T", context) if context else bp.dim("T")
    x, y = bp.tokens("x", (N, T), vocabulary=V), bp.labels("y", (N, T), classes=V)
    W = bp.param("W", (V, V))
    return bp.Network("r", loss=bp.cross_entropy(bp.softmax(bp.embedding(x, W)), y))


def assert_the_table(found):
    np.testing.assert_array_equal(found["x"], TABLE[:, :2])
    np.testing.assert_array_equal(found["y"], [0, 2, 1])
    assert found["y"].dtype == np.int64


@pytest.mark.parametrize("head", ["", "a,b,y\n"])
def test_a_table(tmp_path, head):
    path = tmp_path / "table.csv"
    path.write_text(head + "\n".join(",".join(map(str, row)) for row in TABLE), encoding="utf-8")
    assert_the_table(data_for(Target(classifier()), str(path), None, {}))


def test_one_array(tmp_path):
    np.save(tmp_path / "table.npy", TABLE)
    found = data_for(Target(classifier()), str(tmp_path / "table.npy"), None, {})
    assert_the_table(found)
    assert sizes_of(classifier().system, found, {}) == {"D": 2, "K": 3}
    assert sizes_of(classifier().system, found, {"K": 5}) == {"D": 2, "K": 5}


def test_images_without_an_axis_for_their_one_channel(tmp_path):
    N, S = bp.dims("N S")
    net = bp.Network("i", loss=bp.input("x", (N, 1, S, S)).mean())
    np.savez(tmp_path / "images.npz", x=np.ones((5, 4, 4)))
    assert data_for(Target(net), str(tmp_path / "images.npz"), None, {})["x"].shape == (5, 1, 4, 4)


def test_one_array_that_could_mean_anything(tmp_path):
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 2)))
    with pytest.raises(DataError, match="can't be told into x, y"):
        data_for(Target(classifier()), str(tmp_path / "cube.npy"), None, {})


@pytest.mark.parametrize(("context", "given", "length"), [(None, {}, 64), (8, {}, 8), (None, {"T": 5}, 5)])
def test_a_text(tmp_path, context, given, length):
    (tmp_path / "text.txt").write_text("hello, world. " * 20, encoding="utf-8")
    found = data_for(Target(reader(context)), None, str(tmp_path / "text.txt"), given)
    assert found["x"].shape[1] == found["y"].shape[1] == length
    assert sizes_of(reader(context).system, found, given)["V"] == 1 + len(set("hello, world. "))


def test_texts_and_networks_that_do_not_fit(tmp_path):
    (tmp_path / "text.txt").write_text("hello, world. " * 20, encoding="utf-8")
    with pytest.raises(UsageError, match="for a network that reads characters"):
        data_for(Target(classifier()), None, str(tmp_path / "text.txt"), {})
    with pytest.raises(DataError, match="no such text file"):
        data_for(Target(reader()), None, str(tmp_path / "missing.txt"), {})
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfa" * 99)
    with pytest.raises(DataError, match="can't be read as UTF-8"):
        data_for(Target(reader()), None, str(tmp_path / "latin.txt"), {})
    with pytest.raises(UsageError, match="two sources"):
        data_for(Target(reader()), "a.npz", "b.txt", {})


def test_a_file_of_the_user_s_may_make_its_data(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(
        "import numpy as np\nimport symbp as bp\n"
        "N, D = bp.dims('N D')\n"
        "x = bp.input('x', (N, D))\n"
        "net = bp.Network('net', loss=((x @ bp.param('w', (D,))) ** 2).mean())\n"
        "def data():\n    return {'x': np.ones((7, 3)), 'unused': np.ones(7)}\n",
        encoding="utf-8",
    )
    found = data_for(load_target(str(path)), None, None, argparse.Namespace(size=[]).size)
    assert {name: array.shape for name, array in found.items()} == {"x": (7, 3)}


def test_the_digits_are_what_a_network_without_data_gets():
    found = data_for(Target(classifier()), None, None, {})
    assert found["x"].shape == (1797, 64)
    N, D = bp.dims("N D")
    odd = bp.Network("odd", loss=(bp.input("z", (N, D)) @ bp.param("w", (D,))).mean())
    with pytest.raises(DataError, match="the digits don't fit this network"):
        data_for(Target(odd), None, None, {})
