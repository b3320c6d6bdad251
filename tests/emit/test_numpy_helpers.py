"""The functions that NumPy lacks, on their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from symbp.emit.splice import function_text


def helper(name: str, dtype: Any = np.float64) -> Any:
    """A function as a generated module has it."""
    scope = {"np": np, "math": math, "Any": Any, "Array": np.ndarray, "DTYPE": dtype}
    exec(function_text("numpy_helpers", name), scope)
    return scope[name]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5,), (70, 80)])
def test_a_choice_by_bits_is_a_choice(dtype: Any, shape: Any) -> None:
    choose = helper("_where", dtype)
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    a.flat[:3], b.flat[:4:2] = (np.nan, -np.inf, -0.0), (np.nan, np.inf)
    mask = rng.random(shape) < 0.5
    row = mask[:1] if len(shape) > 1 else mask
    for chosen, no in ((mask, b), (mask, 0), (mask, -np.inf), (mask, dtype(2)), (row, b), (mask, b[:1])):
        found = choose(chosen, a, no)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, np.where(chosen, a, no))
    strided = a.T
    np.testing.assert_array_equal(choose(mask.T, strided, 0), np.where(mask.T, strided, 0))


def test_windows_are_views() -> None:
    x = np.arange(24.0).reshape(2, 12)
    view = helper("_windows")(x[:, 1:], (2, 5, 3), (0, 1, 1), (1, 2, 1))
    assert np.shares_memory(view, x)
    expected = [[[x[n, 1 + 2 * i + p] for p in range(3)] for i in range(5)] for n in range(2)]
    np.testing.assert_array_equal(view, expected)
