"""Random systems: derived = dual numbers = complex step = NumPy = Numba, all at one point.

A few of them here; in any run twenty of any size, and sixty of 200 of few equations; all of these, and 10,000
of any size, each with Numba, when `SYMBP_LONG` is set (many hours).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from functools import cache, partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shares import usual

import symbp as bp
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.evaluation.dual import DUAL, dual, tangent
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.margins import kink_margin
from symbp.ir.evaluation.vector import run, with_stopped
from symbp.ir.points.sampling import sample_point
from symbp.verify.numeric import complex_step_along
from symbp.verify.points import all_sizes

NAME = "verify_random_systems"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("random_systems.py"))
assert spec is not None
assert spec.loader is not None
random_systems = sys.modules[NAME] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(random_systems)

LONG = bool(os.environ.get("SYMBP_LONG"))
FEW, BLOCK = 2, 20
BLOCKS, USUAL = 500, 1  # of the blocks, so many are taken in a run that isn't long
WITH_NUMBA = 20  # one in so many, in a usual run
SMALL, SMALL_BLOCKS = 12, 10  # equations at most; blocks
SMALL_USUAL = SMALL_BLOCKS if os.environ.get("CI") else 3  # of them, so many in any run, and all in CI
MARGIN = 1e-6  # nearer to a kink, the point is drawn again
TOLERANCE = 1e-9


def point(net: bp.Network, seed: int) -> tuple[dict[str, int], dict[str, Any]] | None:
    """Values away from kinks and ties; of some nets, a clamp of a constant say, there are none."""
    choices = all_sizes(net.system, {}, 3)
    for attempt in range(20):
        chosen = choices[seed % len(choices)]
        sizes, values = sample_point(net.system, 1000 * attempt + seed, sizes=chosen)
        if kink_margin(net.system, values, sizes, [net.system.loss or ""]) > MARGIN:
            return sizes, values
    return None


def compared(seed: int, *, numba: bool) -> dict[str, float]:
    """The largest error of each way to have the gradients, relative to the largest element of each."""
    net = random_systems.network(seed)
    derivation = bp.derive(net)
    chosen = point(net, seed)
    if chosen is None:
        return {}
    sizes, values = chosen
    names = list(derivation.gradients)
    found = run(derivation.system, values, sizes, wanted=list(derivation.gradients.values()))
    ours = {name: found[tensor] for name, tensor in derivation.gradients.items()}
    rng = np.random.default_rng(seed)
    direction = {name: rng.normal(size=ours[name].shape) for name in names}
    along = sum(float(np.sum(ours[name] * direction[name])) for name in names)
    scale = max(1e-3, *(float(np.linalg.norm(ours[name] * direction[name])) for name in names))
    errors = {
        "dual numbers": abs(along - _by_duals(net, values, sizes, direction)) / scale,
        "complex step": abs(along - _by_complex_step(net, values, sizes, direction)) / scale,
    }
    for target in ("numpy", *(["numba"] if numba else [])):
        module = bp.compile(derivation, target=target, dtype="float64")
        theirs = module.derivatives(
            {name: values[name] for name in module.PARAMETERS},
            **{name: values[name] for name in module.DERIVATIVE_INPUTS},
        )
        errors[target] = max(
            float(np.max(np.abs(theirs[name] - ours[name]))) / max(1e-3, float(np.max(np.abs(ours[name]))))
            for name in names
        )
    return errors


def _by_complex_step(net: bp.Network, values: Any, sizes: Any, direction: Any) -> float:
    still = with_stopped(net.system, values, sizes)
    loss = net.system.loss or ""
    evaluate_at = partial(run, net.system, sizes=sizes, wanted=[loss])
    return float(complex_step_along(lambda at: evaluate_at(at)[loss], still, direction))


def _by_duals(net: bp.Network, values: Any, sizes: Any, direction: Any) -> float:
    moved = {**values, **{name: dual(values[name], part) for name, part in direction.items()}}
    loss = net.system.loss or ""
    found = evaluate(net.system, moved, sizes, DUAL(FLOAT), wanted=[loss])[loss]
    return float(tangent(found, FLOAT))


@cache
def small_ones() -> tuple[int, ...]:
    """The first seeds whose networks have few equations, beyond those of the usual blocks."""
    seeds = count(BLOCK * USUAL)
    few = (s for s in seeds if len(random_systems.network(s).system.equations) <= SMALL)
    return tuple(islice(few, BLOCK * SMALL_BLOCKS))


def check(seeds: Sequence[int], with_numba: int = WITH_NUMBA) -> None:
    pytest.importorskip("numba", reason="Numba is not installed")
    for seed in seeds:
        errors = compared(seed, numba=LONG or seed % with_numba == with_numba - 1)
        assert all(error <= TOLERANCE for error in errors.values()), (seed, errors)


@pytest.mark.slow
def test_a_few() -> None:
    check(range(FEW))


@pytest.mark.slow
@pytest.mark.parametrize("block", usual(range(BLOCKS), USUAL))
def test_many(block: int) -> None:
    check(range(BLOCK * block, BLOCK * (block + 1)))


@pytest.mark.slow
@pytest.mark.few(slow=SMALL_USUAL)
@pytest.mark.parametrize("block", range(SMALL_BLOCKS))
def test_small_ones(block: int) -> None:
    check(small_ones()[BLOCK * block : BLOCK * (block + 1)], with_numba=10 * WITH_NUMBA)


@pytest.mark.slow
def test_they_differ_and_are_compared() -> None:
    nets = [random_systems.network(seed) for seed in range(12)]
    assert len({len(net.system.equations) for net in nets}) > 4
    assert sum(point(net, seed) is not None for seed, net in enumerate(nets)) >= 10
