"""Points of evidence: sizes, leaves, and how the conditions on real values are drawn there.

Enters: a system, a seed. Leaves: points with the values of all tensors.
Must not know: what the points shall decide.
"""

from __future__ import annotations

from symbp.derive.proof.free import FreeConditions, Kinds
from symbp.errors import EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.fitting import random_sizes
from symbp.ir.points.sampling import CENTRED, Spread, covering_runs, is_conditioned, sample_run
from symbp.ir.system import System

MOST_ELEMENTS = 20_000  # of a box at a point of random sizes
LARGEST = 27  # value of a size there


def drawn(kinds: Kinds, seed: int) -> tuple[Conditions, ...]:
    """How conditions are decided at a point: freely, at odd seeds with ties; where the system isn't finite
    then (x/|x| at a tie, the logarithm that a condition kept from being taken), without ties; where it never
    is, as they are."""
    if not kinds.any_free:
        return (AS_THEY_ARE,)
    ties = (FreeConditions(kinds, seed, ties=True),) if seed % 2 else ()
    return (*ties, FreeConditions(kinds, seed + 1), FreeConditions(kinds, seed + 2), AS_THEY_ARE)


def wide_run(
    system: System,
    kinds: Kinds,
    seed: int,
    largest: int,
    *,
    free: bool = True,
    first: Spread = CENTRED,
) -> Run:
    """A random point whose sizes are drawn up to `largest` each whatever the others are (less where boxes of
    `MOST_ELEMENTS` do not allow that), with the values of all tensors; conditions drawn, or as they are."""
    decided = drawn(kinds, seed) if free else (AS_THEY_ARE,)
    try:
        sizes = random_sizes(system, seed, min(largest, largest_size(system)))
        run = sample_run(system, seed, sizes=sizes, first=first, conditions=decided)
        if is_conditioned(run):
            return run
    except EvaluationError:  # positions given as numbers, say, that only declared sizes hold
        pass
    return sample_run(system, seed, variant=seed, first=first, conditions=decided)


def largest_size(system: System) -> int:
    """Up to what sizes may be drawn for the boxes of all equations to stay small."""
    axes = max((len(e.ranges) for e in system.equations), default=1)
    return max(4, min(LARGEST, int(MOST_ELEMENTS ** (1 / max(axes, 1)))))


def free_runs(
    system: System,
    kinds: Kinds,
    seed: int,
    *,
    least: int,
    draws: int,
) -> list[Run]:
    """At least so many points, and more until each condition held somewhere and failed somewhere, and was
    drawn for so many elements."""
    return covering_runs(
        system,
        seed,
        least=least,
        decided=lambda attempt: drawn(kinds, seed + attempt),
        draws=draws if kinds.any_free else 0,
    )
