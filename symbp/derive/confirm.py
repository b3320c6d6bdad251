"""The last word on a derivation: the closed forms against the raw sweep, in 50 digits at random points.

Enters: the raw joint system (and the closed one). Leaves: nothing, or an error; or the closed system.
Must not know: how the closed forms were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symbp.derive.closed import close
from symbp.derive.derivation import Step
from symbp.errors import DerivationError
from symbp.ir.domains import HIGH
from symbp.ir.fitting import least_sizes
from symbp.ir.interpret import evaluate
from symbp.ir.sampling import as_fractions, covering_points, is_finite_at
from symbp.ir.system import System

DIGITS = 40
ATTEMPTS = 3


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
    bodies branch, points are added until every branch was taken both ways.
    """
    sizes = least_sizes(raw)
    swapped = {name: 5 - size for name, size in sizes.items()} if set(sizes.values()) <= {2, 3} else sizes
    if not is_finite_at(raw, sizes, seed) and is_finite_at(raw, swapped, seed):
        sizes = swapped  # the inverse of XᵀX needs more rows than columns
    sizes |= {name: 2 for name in closed.sizes if name not in sizes}
    wrong: dict[str, None] = {}
    points = covering_points(raw, seed, sizes=[sizes])
    for _, floats in points:
        values = as_fractions(raw, floats)
        left = evaluate(raw, values, sizes, HIGH, wanted=list(pairs))
        right = evaluate(closed, values, sizes, HIGH, wanted=list(pairs.values()))
        wrong |= {
            name: None for name, other in pairs.items() if not _agree(left[name].flat, right[other].flat)
        }
    if wrong:
        raise DerivationError(
            f"rewriting changed the value of {', '.join(wrong)}; this is a bug in symbp",
            details=(f"sizes: {sizes}",),
        )


def _agree(left: Iterable[Any], right: Iterable[Any]) -> bool:
    a, b = list(left), list(right)
    if len(a) != len(b):
        return False
    largest: Any = max((abs(x) for x in a), default=0)
    bound = (largest + 1) * 10**-DIGITS
    return all(bool(abs(x - y) <= bound) for x, y in zip(a, b, strict=True))
