"""Random systems of every kind: the loss and its gradients by PyTorch against the raw chain rule."""

import random
from importlib.util import find_spec

import numpy as np
import pytest
from target_any import any_system, any_values
from target_recurrences import swept
from target_systems import EXTENTS

from symbp.errors import GenerationError
from symbp.ir.evaluation.vector import run
from symbp.targets.bisect import relative_error
from symbp.targets.frameworks import named
from symbp.targets.frameworks.module import module
from symbp.verify.frameworks.runners import RUNNERS, Loss

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch isn't installed")
TOLERANCE = 1e-10


def compared(seed):
    system = any_system(random.Random(seed), 4)
    derivation, values = swept(system), any_values(system, seed)
    expected = run(derivation.system, values, EXTENTS, [system.loss, *derivation.gradients.values()])
    if not all(np.isfinite(value).all() for value in expected.values()):
        return
    sizes = EXTENTS if seed % 2 else {}
    try:
        made = module(system.with_(bound=sizes), named("torch"), {}, "A probe.")
    except GenerationError:  # a size that no array tells must be given
        made = module(system.with_(bound=EXTENTS), named("torch"), {}, "A probe.")
    code = Loss("torch", "PyTorch", made.text, made.arguments, RUNNERS["torch"])
    value, found = code.gradients(values, list(derivation.gradients))
    assert relative_error(value, expected[system.loss]) <= TOLERANCE
    for name, tensor in derivation.gradients.items():
        assert relative_error(found[name], expected[tensor]) <= TOLERANCE, f"{seed}: {name}"


@pytest.mark.slow
def test_some():
    for seed in (3, 18, 20, 21, 23):  # a truth value alone, 1/3 outside of an array, an integer for a real
        compared(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 60, 20))
def test_many(first):
    for seed in range(first, first + 20):
        compared(seed)
