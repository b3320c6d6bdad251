"""The counting generator: its published outputs, its independence of order, its distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbp.ir.points.random import MASK, Draw, drawn, element, key, threshold, uniform, word

WORDS = st.integers(0, MASK)


def test_words_are_splitmix64():
    """The first outputs for the seed 1234567, as listed beside the reference implementation."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [word(1234567, k) for k in range(4)] == published


@given(WORDS)
def test_a_uniform_element_is_never_0_or_1(bits):
    assert 0.0 < uniform(bits) < 1.0


def test_the_ends_of_the_uniform_range_are_reached_symmetrically():
    assert uniform(0) == 2.0**-53
    assert uniform(MASK) == 1 - 2.0**-53


@given(st.integers(0, 2**63), st.integers(0, 2**40), st.integers(0, 100))
def test_seed_step_and_tensor_each_move_the_key(seed, step, tensor):
    keys = {key(seed, step, tensor), key(seed + 1, step, tensor), key(seed, step + 1, tensor)}
    assert len(keys | {key(seed, step, tensor + 1), key(seed + 1, step + 1, tensor)}) == 5


@pytest.mark.parametrize("p", [0.1, 0.5, 0.75, 1 - 2**-53])
def test_the_threshold_is_the_probability(p):
    assert threshold(p) < 2**64
    assert threshold(p) / 2**64 == p


def test_tensors_are_numbered_by_their_order():
    draws = {"a": Draw("uniform"), "b": Draw("uniform")}
    values = drawn(draws, {"a": (2, 3), "b": (2, 3)}, seed=5, step=7)
    assert values["a"].shape == (2, 3)
    assert values["b"][1, 2] == element(Draw("uniform"), key(5, 7, 1), 5)
    assert not np.intersect1d(values["a"], values["b"]).size


def test_a_part_of_the_batch_draws_the_same_values():
    draws = {"a": Draw("normal")}
    whole, part = (drawn(draws, {"a": (n, 3)}, seed=1)["a"] for n in (8, 5))
    assert np.array_equal(whole[:5], part)


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [(Draw("bernoulli", 0.3), 0.3, 0.21), (Draw("uniform"), 0.5, 1 / 12), (Draw("normal"), 0.0, 1.0)],
    ids=str,
)
def test_moments(draw, mean, variance):
    """Within five standard deviations of what 20,000 independent elements have."""
    values = drawn({"a": draw}, {"a": (20_000,)}, seed=3)["a"]
    spread = np.sqrt(variance / len(values))
    assert abs(values.mean() - mean) < 5 * spread
    assert abs(values.var() - variance) < 5 * np.sqrt(2) * variance / np.sqrt(len(values)) + 5 * spread**2
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 5 / np.sqrt(len(values))
