"""Arrays as they are typed."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.data.spelled import array
from symbp.errors import DataError


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("3", 3.0),
        (" -2.5e-1 ", -0.25),
        ("−1", -1.0),
        ("1,2", [1, 2]),
        ("0.15, 0.20; .25,0.", [[0.15, 0.20], [0.25, 0]]),
        ("1,2;", [[1, 2]]),
        ("1;2", [[1], [2]]),
        ("[1, 2]", [1, 2]),
        ("[[[1], [2]]]", [[[1], [2]]]),
        ("0,-inf", [0, -np.inf]),
    ],
)
def test_what_is_read(text, right):
    np.testing.assert_array_equal(array(text), right)
    assert array(text).shape == np.shape(right)


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("1,,2", "a number is expected", 2),
        ("1 2", "a comma, a semicolon or the end", 2),
        ("", "a number is expected", 0),
        ("1,2;3", "this row has 1 number, the first has 2", 4),
        ("1,2,abs(3)", "a number is expected", 4),
        ("[1, 2", "no JSON", 5),
        ("1,2;;3,4", "a number is expected", 4),
    ],
)
def test_what_is_refused(text, what, place):
    with pytest.raises(DataError, match=what) as error:
        array(text)
    shown, caret = error.value.details
    assert shown == text
    assert caret == " " * place + "^"


@pytest.mark.parametrize("text", ["[" * 100_000, '["a"]', "[[1], [2, 3]]", '{"x": 1}', "1" + ",1" * 600_000])
def test_no_array(text):
    with pytest.raises(DataError):
        array(text)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=6))
def test_numbers_come_back(numbers):
    np.testing.assert_array_equal(array(",".join(map(repr, numbers))), numbers)
    np.testing.assert_array_equal(array(repr(numbers)), numbers)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.,;-+e[] inf(){}\"'x", max_size=30))
def test_anything_is_an_array_or_refused(text):
    with contextlib.suppress(DataError):
        assert array(text).dtype == np.float64
