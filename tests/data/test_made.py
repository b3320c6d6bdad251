"""Data that are made, and texts as numbers: always the same, and what their descriptions say."""

from itertools import pairwise

import numpy as np
import pytest

from symbp import data
from symbp.errors import DataError

MADE = ["clouds", "line", "spirals", "strokes", "tags", "times", "waves", "digit_views", "skip_grams", "sums"]


@pytest.mark.parametrize("name", [*MADE, "characters", "digit_images"])
def test_always_the_same_rows_of_finite_numbers(name):
    first, again = getattr(data, name)(), getattr(data, name)()
    assert len({len(array) for array in first.values()}) == 1
    for key, array in first.items():
        np.testing.assert_array_equal(array, again[key])
        assert np.isfinite(array).all()


def test_sums_are_right_and_only_results_count():
    found = data.sums()
    signs = " 0123456789+="
    for x, y in zip(found["x"][::777], found["y"][::777], strict=True):
        line = "".join(signs[k] for k in x) + signs[y[-1]]
        first, second, result = line.replace("=", "+").split("+")
        assert int(first) + int(second) == int(result)
        assert (y[:5] == 0).all()
        assert "".join(signs[k] for k in y[5:]) == result
    assert len({tuple(row) for row in found["x"]}) == 10_000
    assert data.sums(1)["x"].shape == (100, 5)


def test_characters_follow_each_other():
    found = data.characters("abcabca", length=3)
    assert found["x"].tolist() == [[1, 2, 3], [1, 2, 3]]
    assert found["y"].tolist() == [[2, 3, 1], [2, 3, 1]]
    assert data.alphabet("banana") == ["a", "b", "n"]
    with pytest.raises(DataError, match="a text of 6 characters is too short for pieces of 3"):
        data.characters("abcabc", length=3)
    whole = data.characters()
    assert whole["x"].max() == len(data.alphabet(data.play()))
    np.testing.assert_array_equal(whole["x"][1:, 0], whole["y"][:-1, -1])


def test_skip_grams_stand_beside_each_other():
    found = data.skip_grams("to be or not to be", words=10, window=1, negatives=2)
    by_rank = ["be", "to", "not", "or"]
    pairs = {(by_rank[a], by_rank[b]) for a, b in zip(found["centre"], found["context"], strict=True)}
    text = ["to", "be", "or", "not", "to", "be"]
    assert pairs == {p for a, b in pairwise(text) for p in ((a, b), (b, a))}
    assert found["others"].shape == (10, 2)


def test_recordings_hold_their_words():
    found = data.strokes()
    past = np.arange(found["y"].shape[1]) >= found["length"][:, None]
    assert (found["y"][past] == 0).all()
    assert (found["y"][~past] > 0).all()


def test_kinds_share_words():
    found = data.tags()
    assert (found["x"] // 10 == found["y"] // 2).all()


def test_a_line_is_found_by_least_squares():
    found = data.line()
    columns = np.column_stack([found["x"], np.ones(len(found["y"]))])
    solution = np.linalg.lstsq(columns, found["y"], rcond=None)[0]
    np.testing.assert_allclose(solution, [2, -3, 0.5, 1], atol=0.02)
