"""The last word on a derivation: the closed forms against the raw sweep, in 50 digits at random points.

Enters: the raw joint system (and the closed one). Leaves: nothing, or an error; or the closed system.
Must not know: how the closed forms were found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from symbp.derive.closed import close
from symbp.derive.derivation import Step
from symbp.errors import DerivationError
from symbp.ir.domains import HIGH
from symbp.ir.fitting import least_sizes
from symbp.ir.interpret import evaluate
from symbp.ir.sampling import DENSE, as_fractions, covering_points, is_finite_at, sample_point
from symbp.ir.system import System

DIGITS = 40
ATTEMPTS = 3
MORE_POINTS = 24  # where a value doesn't exist at the first ones
INFINITE = math.inf


def close_confirmed(joint: System, targets: Sequence[str]) -> tuple[System, tuple[Step, ...]]:
    """Closed forms of `targets` that 50 digits confirm. A coincidence of float64 values (all signs alike in
    a tiny tensor, say) is told from a wrong rewrite by new points: it does not come back."""
    pairs = {name: name for name in (*targets, *joint.outputs, *([joint.loss] if joint.loss else []))}
    for attempt in range(ATTEMPTS):
        try:
            closed, steps = close(joint, targets, seed=7 + 100 * attempt)
            confirm(joint, closed, pairs)
        except DerivationError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return closed, steps
    raise AssertionError("unreachable")


def confirm(raw: System, closed: System, pairs: Mapping[str, str], *, seed: int = 11) -> None:
    """Raises DerivationError if a tensor of `closed` differs from its counterpart in `raw`.

    `pairs` maps names in `raw` to names in `closed`. Sizes are 2 and 3 where they fit: equality of values
    up to 40 digits at a random point is a proof for analytic bodies but for a set of measure zero; where
    bodies branch, points are added until every branch was taken both ways. Where `raw` has no value (0/0 in
    a row that is wholly excluded), `closed` may give it one; points are added until each tensor was compared
    somewhere.
    """
    sizes = least_sizes(raw)
    swapped = {name: 5 - size for name, size in sizes.items()} if set(sizes.values()) <= {2, 3} else sizes
    if not is_finite_at(raw, sizes, seed) and is_finite_at(raw, swapped, seed):
        sizes = swapped  # the inverse of XᵀX needs more rows than columns
    sizes |= {name: 2 for name in closed.sizes if name not in sizes}
    wrong: dict[str, None] = {}
    open_names = dict.fromkeys(pairs)
    points = [floats for _, floats in covering_points(raw, seed, sizes=[sizes])]
    for attempt in range(len(points) + MORE_POINTS):
        if attempt >= len(points):
            if not open_names:
                break
            points.append(sample_point(raw, seed + 1000 + attempt, sizes=sizes, first=DENSE)[1])
        values = as_fractions(raw, points[attempt])
        left = evaluate(raw, values, sizes, HIGH, wanted=list(pairs))
        right = evaluate(closed, values, sizes, HIGH, wanted=list(pairs.values()))
        for name, other in pairs.items():
            compared = [(a, b) for a, b in zip(left[name].flat, right[other].flat, strict=True) if a == a]
            if not _agree(compared):
                wrong[name] = None
            if compared or not left[name].size:
                open_names.pop(name, None)
    wrong |= open_names
    if wrong:
        raise DerivationError(
            f"rewriting changed the value of {', '.join(wrong)}; this is a bug in symbp",
            details=(f"sizes: {sizes}",),
        )


def _agree(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether all pairs are equal to 40 digits of the largest finite value; infinities exactly."""
    finite = [(a, b) for a, b in pairs if abs(a) != INFINITE]
    largest: Any = max((abs(a) for a, _ in finite), default=0)
    bound = (largest + 1) * 10**-DIGITS
    return all(bool(abs(a - b) <= bound) for a, b in finite) and all(
        bool(a == b) for a, b in pairs if abs(a) == INFINITE
    )
