"""Slices against NumPy's, by value and gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.derive import derive
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.vector import run
from symbp.language import Network, dims, param

N, D = dims("N D")
ARRAY = np.arange(12.0).reshape(3, 4) ** 1.5


def values(take):
    """What a slice of a (3, 4) tensor holds, and the gradient of the sum of its squares."""
    x = param("x", (3, 4))
    part = take(x)
    net = Network("net", loss=(part * part).sum(), outputs={"part": part})
    derivation = derive(net.system)
    found = run(derivation.system, {"x": ARRAY})
    return found[net.system.outputs[0]], found[derivation.gradients["x"]]


BOUNDS = st.none() | st.integers(-4, 4)
SLICES = st.builds(slice, BOUNDS, BOUNDS, st.sampled_from([None, 1, 2, 3, -1, -2]))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SLICES, SLICES | st.integers(-4, 3))
def test_as_numpy(rows, columns):
    expected = ARRAY[rows, columns]
    if expected.size == 0:
        with pytest.raises(ShapeError, match="is empty"):
            values(lambda x: x[rows, columns])
        return
    held, gradient = values(lambda x: x[rows, columns])
    np.testing.assert_array_equal(held, expected)
    twice = np.zeros_like(ARRAY)
    twice[rows, columns] = 2 * expected
    np.testing.assert_allclose(gradient, twice, rtol=1e-14)


@pytest.mark.parametrize(
    "at", [np.s_[:, None], np.s_[None], np.s_[None, ..., 1, None], np.s_[1:, None, ::-1], np.s_[..., None]]
)
def test_a_new_axis_as_numpy(at):
    held, gradient = values(lambda x: x[at])
    np.testing.assert_array_equal(held, ARRAY[at])
    there = tuple(k for k in (at if isinstance(at, tuple) else (at,)) if k is not None) or ...
    twice = np.zeros_like(ARRAY)
    twice[there] = 2 * ARRAY[there]
    np.testing.assert_allclose(gradient, twice, rtol=1e-14)


def test_open_sizes_stay_open():
    x = param("x", (N, D))
    assert [str(e) for e in x[:, 1:].shape] == ["N", "D - 1"]
    assert [str(e) for e in x[..., :-2].shape] == ["N", "D - 2"]
    assert str(x[::2].shape[0]) == "((N + 1)//2)"


def test_refused():
    x = param("x", (3, 4))
    with pytest.raises(ShapeError, match="beyond axis 1"):
        x[:, 4]
    with pytest.raises(ShapeError, match="fewer than its subscripts"):
        x[:, :, 0]
    with pytest.raises(DeclarationError, match="step 0"):
        x[::0]
