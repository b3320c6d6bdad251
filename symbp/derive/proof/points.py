"""Points of evidence: sizes, leaves, and how the conditions on real values are drawn there.

Enters: a system, a seed. Leaves: points with the values of all tensors.
Must not know: what the points shall decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.derive.proof.free import FreeConditions, Kinds
from symbp.ir.box import AS_THEY_ARE, Conditions
from symbp.ir.sampling import CENTRED, Spread, covering_runs, sample_run
from symbp.ir.system import System
from symbp.ir.vector import Run


def drawn(kinds: Kinds, seed: int) -> tuple[Conditions, ...]:
    """How conditions are decided at a point: freely, at odd seeds with ties; where the system isn't finite
    then (x/|x| at a tie, the logarithm that a condition kept from being taken), without ties; where it never
    is, as they are."""
    if not kinds.any_free:
        return (AS_THEY_ARE,)
    ties = (FreeConditions(kinds, seed, ties=True),) if seed % 2 else ()
    return (*ties, FreeConditions(kinds, seed + 1), FreeConditions(kinds, seed + 2), AS_THEY_ARE)


def free_run(
    system: System,
    kinds: Kinds,
    seed: int,
    *,
    variant: int = 0,
    sizes: Mapping[str, int] | None = None,
    first: Spread = CENTRED,
) -> Run:
    """A random point with the values of all tensors, conditions drawn where they can be."""
    return sample_run(system, seed, variant=variant, sizes=sizes, first=first, conditions=drawn(kinds, seed))


def free_runs(
    system: System,
    kinds: Kinds,
    seed: int,
    *,
    least: int,
    sizes: Sequence[Mapping[str, int]] | None = None,
) -> list[Run]:
    """At least so many points, and more until each condition held somewhere and failed somewhere."""
    return covering_runs(
        system, seed, least=least, sizes=sizes, decided=lambda attempt: drawn(kinds, seed + attempt)
    )
