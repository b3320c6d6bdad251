"""Random systems: both targets' code against the reference interpreter."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_systems import EXTENTS, module_for, outputs, random_system, random_values

from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.system import System


def agree(system: System, values: dict[str, Any], found: dict[str, Any], tolerance: float) -> None:
    expected = evaluate(system, values, EXTENTS)
    for name, value in found.items():
        right = np.asarray(expected[name], float)
        assert value.shape == right.shape, f"{system.defining[name]}: {value.shape} for {right.shape}"
        np.testing.assert_allclose(
            value, right, rtol=tolerance, atol=tolerance, err_msg=str(system.defining[name])
        )


def both_agree(system: System, seed: int) -> None:
    """The NumPy module and the loops of the Numba module, as plain Python, with the interpreter."""
    values = random_values(system, seed)
    agree(system, values, outputs(module_for(system, "numpy", bound=EXTENTS), values), 1e-12)
    with warnings.catch_warnings():  # plain Python warns where compiled code gives inf
        warnings.simplefilter("ignore", RuntimeWarning)
        uncompiled = outputs(module_for(system, "numba", bound=EXTENTS), values, compiled=False)
    agree(system, values, uncompiled, 1e-12)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_numpy_and_the_loops_of_numba_agree_with_the_interpreter(draw: random.Random, seed: int) -> None:
    both_agree(random_system(draw, 4), seed)


@pytest.mark.few(slow=20)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_many_agree(seed: int) -> None:
    both_agree(random_system(random.Random(seed), 4), seed)


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("seed", range(6))
def test_numpy_float32_keeps_its_dtype(seed: int) -> None:
    system = random_system(random.Random(seed), 10)
    values = random_values(system, seed)
    module = module_for(system, "numpy", "float32", {"I": 4, "J": 2, "T": 6})
    found = outputs(module, values)
    for name, value in found.items():
        wanted = np.int64 if system.tensor(name).integer else np.float32
        assert value.dtype == wanted, f"{system.defining[name]} is {value.dtype}"
    agree(system, values, found, 3e-4)


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 3e-4)])
@pytest.mark.parametrize("seed", range(1000, 1003))
def test_compiled_numba_agrees(seed: int, dtype: str, tolerance: float) -> None:
    system = random_system(random.Random(seed), 12)
    values = random_values(system, seed)
    found = outputs(module_for(system, "numba", dtype, {} if seed % 2 else EXTENTS), values)
    for name, value in found.items():
        assert value.dtype == (np.int64 if system.tensor(name).integer else np.dtype(dtype))
    agree(system, values, found, tolerance)
