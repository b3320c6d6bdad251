"""Parts of data: the same share of each class, or what a column says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbp import data
from symbp.errors import DataError


@given(st.lists(st.integers(0, 3), min_size=5, max_size=60), st.data())
def test_each_class_is_held_out_by_its_share(labels, drawn):
    y = np.array(labels)
    held_out = drawn.draw(st.integers(1, len(y) - 1))
    seed = drawn.draw(st.integers(0, 5))
    train, held = data.split({"i": np.arange(len(y)), "y": y}, held_out, seed, stratify="y")
    assert len(held["y"]) == held_out
    assert sorted([*train["i"], *held["i"]]) == list(range(len(y)))
    for k in set(labels):
        share = (y == k).sum() * held_out / len(y)
        assert abs((held["y"] == k).sum() - share) < 1
    again = data.split({"i": np.arange(len(y)), "y": y}, held_out, seed, stratify="y")[1]
    np.testing.assert_array_equal(again["i"], held["i"])


def test_words_say_the_parts():
    x = np.arange(5)
    train, validation, test = data.split_by({"x": x}, ["train", "Test", " val", "0", "held-out"])
    assert [list(part["x"]) for part in (train, validation, test)] == [[0, 3], [2], [1, 4]]
    with pytest.raises(DataError, match=r"'tset', of example 2, says no part"):
        data.split_by({"x": x[:2]}, ["train", "tset"])
    with pytest.raises(DataError, match="no example is there to test on"):
        data.split_by({"x": x[:2]}, ["train", "train"])
