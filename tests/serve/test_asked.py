"""The state of a page is its address."""

from urllib.parse import parse_qs

import pytest

from symbp.errors import UsageError
from symbp.serve.asked import Asked, asked


@pytest.mark.parametrize(
    "state",
    [
        Asked(),
        Asked(net="mlp", show="code", target="numba"),
        Asked(formula="h = tanh(x@W)\nsum(h + 'a' & b = c)", wrt="W", order="2", reading="computed"),
        Asked(formula="Σ_i x[i]² + 100%", show="check"),
    ],
)
def test_a_query_says_the_whole_state(state):
    assert asked(parse_qs(state.query())) == state


def test_what_is_as_usual_is_left_out_and_unknown_names_are_left_alone():
    assert Asked(net="mlp").query() == "net=mlp"
    assert Asked(net="mlp").query(show="code") == "net=mlp&show=code"
    assert asked({"net": ["mlp"], "utm": ["x"], "wrt": [" "]}) == Asked(net="mlp")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"net": ["a", "b"]}, "2 times"),
        ({"net": ["a"], "formula": ["x"]}, "too"),
        ({"formula": ["x" * 10_001]}, "10001 characters"),
        ({"wrt": ["x" * 401]}, "401 characters"),
        ({"order": ["3"]}, "choose one of: 1, 2"),
        ({"show": ["../x"]}, "derivation"),
    ],
)
def test_refused(query, told):
    with pytest.raises(UsageError, match=r"(?s).*") as error:
        asked(query)
    assert told in str(error.value)
