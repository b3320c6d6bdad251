"""The functions that NumPy lacks, on their own."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from symbp.runtime.numpy import functions, special


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "DTYPE", np.float32)
    monkeypatch.setattr(special, "DTYPE", np.float32)


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(functions, "DTYPE", request.param)
    return request.param


@pytest.mark.parametrize("shape", [(5,), (70, 80)])
def test_a_choice_by_bits_is_a_choice(dtype: Any, shape: Any) -> None:
    choose = functions._where
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


@pytest.mark.parametrize("among", [1, 3, 5])
@pytest.mark.parametrize("shape", [(6,), (12,), (3, 5), (1,), (40, 2)])
def test_rows_that_repeat_are_added_up(shape: tuple[int, ...], among: int, dtype: Any) -> None:
    """Sorted where most rows repeat, column by column elsewhere; rows without a value are 0."""
    rng = np.random.default_rng(1)
    rows, values = rng.integers(0, among, shape), rng.standard_normal((*shape, 3, 2)).astype(dtype)
    found, right = np.full((5, 3, 2), np.nan, dtype), np.zeros((5, 3, 2))
    before, room = values.copy(), np.empty(rows.size, np.int64)
    functions._add_rows(found, rows, values, np.arange(rows.size), room, np.empty_like(values))
    np.add.at(right, rows, values)
    np.testing.assert_allclose(found, right, rtol=1e-14 if dtype is np.float64 else 1e-5, atol=1e-6)
    np.testing.assert_array_equal(values, before)


def test_windows_are_views() -> None:
    x = np.arange(24.0).reshape(2, 12)
    view = functions._windows(x[:, 1:], (2, 5, 3), (0, 1, 1), (1, 2, 1))
    assert np.shares_memory(view, x)
    expected = [[[x[n, 1 + 2 * i + p] for p in range(3)] for i in range(5)] for n in range(2)]
    np.testing.assert_array_equal(view, expected)


NEAR_0 = [0.0, -0.0, 1e-300, -1e-20, 0.46875, -0.46875, 0.4687500001]
ERROR = np.concatenate([np.linspace(-6, 6, 701), np.linspace(6, 26, 150), NEAR_0])
ABOVE_0 = np.concatenate([np.geomspace(1e-10, 0.99, 60), np.linspace(1, 14, 300), np.linspace(14, 170, 200)])
BELOW_0 = np.linspace(-15.3, -0.07, 200)


def exact(function: Any, values: Any) -> Any:
    with mpmath.workdps(40):
        return [function(mpmath.mpf(float(x))) for x in values]


@pytest.mark.few(fast=4)
@pytest.mark.parametrize(
    ("name", "function", "values", "tolerance"),
    [
        ("_erf", mpmath.erf, ERROR, 5e-16),
        ("_erfc", mpmath.erfc, ERROR, 8e-16),
        ("_gamma", mpmath.gamma, ABOVE_0, 1e-15),
        ("_gamma", mpmath.gamma, BELOW_0, 8e-15),  # 1 − x is rounded
        ("_loggamma", lambda x: mpmath.log(abs(mpmath.gamma(x))), ABOVE_0, 1e-15),
        ("_loggamma", lambda x: mpmath.log(abs(mpmath.gamma(x))), BELOW_0, 8e-15),
        ("_digamma", mpmath.digamma, ABOVE_0, 2e-15),
        ("_digamma", mpmath.digamma, BELOW_0, 2e-14),
        ("_trigamma", lambda x: mpmath.psi(1, x), ABOVE_0, 2e-15),
        ("_trigamma", lambda x: mpmath.psi(1, x), BELOW_0, 2e-14),
    ],
)
def test_special_functions_have_all_digits(name: str, function: Any, values: Any, tolerance: float) -> None:
    with np.errstate(all="ignore"):
        found = getattr(special, name)(values)
    for x, value, right in zip(values, found, exact(function, values), strict=True):
        near_a_zero = 1 if name in ("_loggamma", "_digamma") else 0
        scale = max(abs(right), near_a_zero)
        assert scale == 0 or abs(mpmath.mpf(float(value)) - right) <= tolerance * scale, x


@pytest.mark.parametrize("name", ["_erf", "_erfc", "_gamma", "_loggamma", "_digamma", "_trigamma"])
@pytest.mark.usefixtures("in_float32")
def test_special_functions_keep_float32(name: str) -> None:
    x = np.linspace(0.3, 5, 40, dtype=np.float32)
    exact_one = {
        "_loggamma": mpmath.loggamma,
        "_digamma": mpmath.digamma,
        "_trigamma": lambda x: mpmath.psi(1, x),
    }
    with np.errstate(all="ignore"):
        found = getattr(special, name)(x)
    right = exact(exact_one.get(name) or getattr(mpmath, name[1:]), x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array(right, float), rtol=2e-6, atol=1e-6)


def test_special_functions_at_the_ends() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(special._erf(np.array([-np.inf, np.inf, -0.0])), [-1, 1, -0.0])
        np.testing.assert_array_equal(special._erfc(np.array([-np.inf, np.inf, 30])), [2, 0, 0])
        np.testing.assert_array_equal(special._gamma(np.array([172.0, np.inf, 5])), [np.inf, np.inf, 24])
        assert np.isnan(special._erf(np.array([np.nan]))).all()
