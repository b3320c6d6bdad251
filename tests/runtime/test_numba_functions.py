"""exp, log and their kin of the Numba target: their distance from the exact values, and the edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from symbp.codegen.carry import functions

EXACT: dict[str, Callable[[Any], Any]] = {
    "_exp": mpmath.exp,
    "_expm1": mpmath.expm1,
    "_log": mpmath.log,
    "_log1p": mpmath.log1p,
    "_tanh": mpmath.tanh,
    "_sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "_softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
ULPS = {"_exp": 1, "_log": 1, "_tanh": 2.5}  # else 2
INF, NAN = np.inf, np.nan
EDGES = {  # of nan, inf, -inf, 0
    "_exp": (NAN, INF, 0, 1),
    "_expm1": (NAN, INF, -1, 0),
    "_log": (NAN, INF, NAN, -INF),
    "_log1p": (NAN, INF, NAN, 0),
    "_tanh": (NAN, 1, -1, 0),
    "_sigmoid": (NAN, 1, 0, 0.5),
    "_softplus": (NAN, INF, 0, math.log(2)),
}


def function(name: str, dtype: Any, compiled: bool = False) -> Any:
    """A function in one namespace with what it calls, as a module has it, for one number or, compiled, for an
    array."""

    def plain(one: Any) -> Any:
        return one

    scope = {"np": np, "math": math, "Any": Any, "Array": np.ndarray, "DTYPE": dtype, "F32": np.float32}
    scope |= {"kernel": plain, "exact_kernel": plain}
    if compiled:
        import numba

        scope["exact_kernel"] = numba.njit(forceinline=True, error_model="numpy", fastmath={"contract"})
    exec(functions(["numba/functions", f"numba/{np.dtype(dtype).name}"], [name]).text, scope)
    one = scope[name]
    if not compiled:
        return lambda x: np.array([one(value) for value in x], dtype)

    @numba.njit(error_model="numpy")
    def every(x: Any) -> Any:
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = one(x[i])
        return y

    return every


def arguments(name: str, dtype: Any, count: int) -> Any:
    """Numbers of all magnitudes at which the value is a number."""
    rng = np.random.default_rng(5)
    far = 85 if dtype == np.float32 else 700
    if name in ("_log", "_log1p"):
        x = np.exp(rng.uniform(-far, far, count))
        y = np.exp(rng.uniform(-0.7, 0.7, count))
        return np.concatenate([x, y - (name == "_log1p")]).astype(dtype)
    parts = (rng.uniform(-far, far, count), rng.uniform(-2, 2, count), rng.normal(size=count) * 1e-4)
    return np.concatenate(parts).astype(dtype)


def distance(found: Any, exact: Any, dtype: Any) -> float:
    """In units of the last place of the exact value."""
    nearest = dtype(float(exact))
    return float(abs(mpmath.mpf(float(found)) - exact) / mpmath.mpf(float(np.spacing(abs(nearest)))))


def check(name: str, dtype: Any, count: int, compiled: bool) -> None:
    x = arguments(name, dtype, count)
    found = function(name, dtype, compiled)(x)
    assert found.dtype == dtype
    with mpmath.workprec(160):
        worst = max(
            (distance(b, EXACT[name](mpmath.mpf(float(a))), dtype), float(a))
            for a, b in zip(x, found, strict=True)
        )
    assert worst[0] <= ULPS.get(name, 2), worst


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_values_are_near_the_exact_ones(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        check(name, dtype, 60, compiled=False)


@pytest.mark.few(slow=7)
@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_compiled_values_are_near_the_exact_ones(name: str, dtype: Any) -> None:
    check(name, dtype, 2000, compiled=True)


@pytest.mark.few(slow=7)
@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_edges(name: str, dtype: Any) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0], dtype)
    np.testing.assert_array_equal(function(name, dtype, compiled=True)(x), np.array(EDGES[name], dtype))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_below_the_normal_ones(dtype: Any) -> None:
    least, normal = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).smallest_normal
    small = np.array([least, 5 * least, normal / 2, normal], dtype)
    with mpmath.workprec(160):
        logs = [dtype(float(mpmath.log(mpmath.mpf(float(x))))) for x in small]
    np.testing.assert_allclose(function("_log", dtype, compiled=True)(small), logs, rtol=np.finfo(dtype).eps)
    for name in ("_tanh", "_expm1", "_log1p"):
        found = function(name, dtype, compiled=True)(small)
        np.testing.assert_allclose(found, small, rtol=0, atol=float(least))
    back = function("_exp", dtype, compiled=True)(np.array(logs, dtype))
    np.testing.assert_allclose(back, small, rtol=1e-4, atol=float(least))


@pytest.mark.slow
def test_loops_over_them_run_on_vectors() -> None:
    """A loop that a processor takes one number at a time would call a function or shift single registers."""
    for name in EXACT:
        every = function(name, np.float32, compiled=True)
        every(np.ones(8, np.float32))
        (text,) = every.inspect_llvm().values()
        assert "fmul contract <" in text or "fmul <" in text, name
