"""Any system that the interpreter evaluates: both targets' values and gradients against it."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shares import usual
from target_any import any_system, any_values
from target_recurrences import module, swept
from target_systems import EXTENTS

from symbp.errors import EvaluationError
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.system import System


def compare(system: System, seed: int, target: str, *, compiled: bool, bound: dict[str, int]) -> None:
    values, derivation = any_values(system, seed), swept(system)
    known = {name: value for name, value in bound.items() if name in system.sizes}
    found = module(system, target, compiled=compiled, bound=known)
    params = {p.name: values[p.name] for p in system.parameters}
    try:
        expected = evaluate(system, values, EXTENTS, wanted=system.outputs)
        tensors = run(derivation.system, values, EXTENTS)
    except EvaluationError:
        return  # drawn with a read out of its range
    with warnings.catch_warnings():  # plain Python warns where compiled code gives inf
        warnings.simplefilter("ignore", RuntimeWarning)
        outputs = found.forward(params, **{name: values[name] for name in found.FORWARD_INPUTS})
        loss, gradients = found.loss_and_gradients(params, **{name: values[name] for name in found.INPUTS})
    for name, value in outputs.items():
        same(value, expected[name], str(system.defining[name]))
    same(loss, tensors["loss"], "the loss")
    for name, gradient in gradients.items():
        same(gradient, tensors[derivation.gradients[name]], f"the gradient by {name}")


def same(found: Any, expected: Any, what: str) -> None:
    expected = np.asarray(expected, float)
    assert np.shape(found) == expected.shape, what
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * scale, err_msg=what)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 1000), st.booleans())
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_numpy_and_the_loops_of_numba(draw: random.Random, seed: int, bound: bool) -> None:
    system = any_system(draw, 3)
    for target in ("numpy", "numba"):
        compare(system, seed, target, compiled=False, bound=EXTENTS if bound else {})


@pytest.mark.few(slow=30)
@pytest.mark.slow
@pytest.mark.parametrize("seed", usual(range(500), 120))
def test_many(seed: int) -> None:
    system = any_system(random.Random(seed), 4)
    for target in ("numpy", "numba"):
        compare(system, seed, target, compiled=False, bound=EXTENTS if seed % 2 else {})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000, 2002))
def test_compiled(seed: int) -> None:
    compare(any_system(random.Random(seed), 3), seed, "numba", compiled=True, bound=EXTENTS)
