"""Random systems of every kind: plain statements against the reference, at 10⁻¹²."""

import random
import warnings

import numpy as np
import pytest
from plain_values import agree, of_system
from target_any import any_system, any_values
from target_recurrences import swept
from target_systems import EXTENTS, random_system, random_values

import symbp as bp
from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError
from symbp.ir.evaluation.vector import run
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import sample_point
from symbp.ops import REGISTRY


def compared(derivation, values, seed):
    try:
        expected = run(derivation.system, values, EXTENTS)
    except EvaluationError:
        return  # drawn with a read out of its range
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = of_system(derivation, EXTENTS, values, bound=seed % 2)
    for name, value in found.items():
        agree(value, expected[name], str(derivation.system.defining[name]))


def forward(seed):
    system = random_system(random.Random(seed), 4)
    compared(Derivation("probe", system, system, {}), random_values(system, seed), seed)


def backward(seed):
    system = any_system(random.Random(seed), 4)
    compared(swept(system), any_values(system, seed), seed)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_equations(first):
    for seed in range(first, first + 10):
        forward(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 12, 4))
def test_recurrences_and_gradients(first):
    for seed in range(first, first + 4):
        backward(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(40, 120, 20))
def test_many_equations(first):
    for seed in range(first, first + 20):
        forward(seed)


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize("first", range(12, 120, 12))
def test_many_recurrences_and_gradients(first):
    for seed in range(first, first + 12):
        backward(seed)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("name", ["geglu", "cholesky", "argsort", "logsumexp", "conv2d"])
def test_ops(name):
    """Halves of an axis, leaves of linear algebra, orders, windows."""
    net = REGISTRY[name].network(REGISTRY[name].examples[-1])
    derivation = bp.derive(net)
    system = derivation.system
    sizes, values = sample_point(system, 0, sizes={**sample_sizes(system), **system.bound})
    values |= {key: np.asarray(value) for key, value in net.hyper.items()}
    expected = run(system, values, sizes)
    for key, value in of_system(derivation, sizes, values, bound=False).items():
        agree(value, expected[key], key)
