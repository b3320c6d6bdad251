"""The embedded digits are the published ones, and a user's file is read or refused clearly."""

import numpy as np
import pytest

from symbp import data
from symbp.errors import DataError


def test_digits_are_the_published_ones():
    digits = data.digits()
    assert digits["x"].shape == (1797, 64)
    assert digits["x"].dtype == np.float64
    assert digits["y"].dtype == np.int64
    assert (digits["x"].min(), digits["x"].max()) == (0.0, 1.0)
    published = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # UCI, optdigits.names, testing set
    assert np.bincount(digits["y"]).tolist() == published


def test_first_image_looks_like_a_zero():
    image = (data.digits()["x"][0].reshape(8, 8) * 16).astype(int)
    assert image[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert image[3].tolist() == [0, 4, 12, 0, 0, 8, 8, 0]


def test_split_is_the_documented_permutation():
    digits = data.digits()
    train, held = data.split(digits)
    expected = np.random.default_rng(0).permutation(1797)
    assert len(held["y"]) == 359
    np.testing.assert_array_equal(held["x"], digits["x"][expected[:359]])
    np.testing.assert_array_equal(train["y"], digits["y"][expected[359:]])


def test_load_round_trip(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, y=np.arange(5), x=np.ones((5, 2)))
    loaded = data.load(path)
    assert list(loaded) == ["x", "y"]
    np.testing.assert_array_equal(loaded["y"], np.arange(5))


def test_load_refuses(tmp_path):
    with pytest.raises(DataError, match="no such data file"):
        data.load(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("not an archive")
    with pytest.raises(DataError, match=r"not a \.npz archive"):
        data.load(tmp_path / "text.npz")
    np.savez(tmp_path / "words.npz", x=np.array(["a", "b"]))
    with pytest.raises(DataError, match="'x' holds <U1"):
        data.load(tmp_path / "words.npz")
    np.savez(tmp_path / "objects.npz", x=np.array([{}, []], dtype=object))
    with pytest.raises(DataError, match="plain arrays"):
        data.load(tmp_path / "objects.npz")


def test_split_refuses():
    with pytest.raises(DataError, match=r"different numbers.*x \(3, 2\), y \(4,\)"):
        data.split({"x": np.ones((3, 2)), "y": np.ones(4)})
    with pytest.raises(DataError, match="cannot hold out 0 of 3"):
        data.split({"x": np.ones(3)})


def test_arrays_without_names(tmp_path):
    np.save(tmp_path / "one.npy", np.ones((3, 2)))
    found = data.load(tmp_path / "one.npy")
    assert {name: array.shape for name, array in found.items()} == {data.TABLE: (3, 2)}
    (tmp_path / "numbers.csv").write_text("1,2.5\n3,-4e1\n", encoding="utf-8")
    np.testing.assert_array_equal(data.load(tmp_path / "numbers.csv")[data.TABLE], [[1, 2.5], [3, -40]])


def test_columns_by_name(tmp_path):
    (tmp_path / "named.csv").write_text("a, b\n1,2\n3,4\n", encoding="utf-8")
    found = data.load(tmp_path / "named.csv")
    assert {name: array.tolist() for name, array in found.items()} == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize(
    ("text", "part"),
    [("a,b\n1,x\n", "row 2: 'x' is no number"), ("1,2\n3\n", "row 2: 1 cells"), ("", "empty")],
)
def test_tables_that_are_none(tmp_path, text, part):
    (tmp_path / "wrong.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        data.load(tmp_path / "wrong.csv")
    assert part in str(error.value)
