"""Whether adjoints are the derivatives that they are said to be, by dual numbers through forward equations.

Enters: a system with adjoints, a point. Leaves: where one isn't. Must not know: the chain rule over indices.

All adjoints are compared at once, along one random direction of all tensors together: a linear combination of
them with random coefficients. Where that fails, each is compared on its own; and of those that fail, the
derivatives are found element by element, so that the equation of each can be judged by what it makes of right
ones. So an equation that is wrong is told from those that only read what it gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.ir.evaluation.domains import Domain
from symbp.ir.system import System
from symbp.verify.proofs.evaluation import (
    SLOPE_TOLERANCE,
    Array,
    Evaluation,
    as_text,
    directions,
    dot,
    mismatch,
    slope,
)
from symbp.verify.proofs.points import Point
from symbp.verify.proofs.report import Mismatch

MOST_ELEMENTS = 2000  # of adjoints whose derivatives are found one by one


def along_directions(
    point: Point, system: System, of: str, along: str | None, arrays: Mapping[str, Array]
) -> Mismatch | None:
    """Where the derivative of `Σ of`, or of `Σ of·along`, along a random direction in some tensors, leaves or
    not, isn't the sum of the products of the direction with derivatives as `arrays`, by what they are by."""
    moved = directions(point, arrays)
    expected = slope(system, point, of, along, moved)
    found: Any = point.domain.lift(0)
    size: Any = 0 if point.exact else abs(expected)
    for by, array in arrays.items():
        found = found + dot(array, moved[by], point.domain)
        if not point.exact:
            size += sum(abs(a * b) for a, b in zip(array.flat, moved[by].flat, strict=True))
    same = found == expected if point.exact else abs(found - expected) <= SLOPE_TOLERANCE * (size + 1)
    if same or expected != expected:
        return None
    what = f"∂{of}/∂{', '.join(arrays)}"
    return Mismatch(what, "a random direction", as_text(found), as_text(expected), point.sizes)


def culprits(
    evaluation: Evaluation, of: str, along: str | None, wrong: Mapping[str, str]
) -> dict[str, Mismatch | None]:
    """For adjoints that are wrong, by what they are by: where the equation of each is wrong even if what it
    reads is right; None where it isn't. Empty where there are too many elements to find out."""
    point, system = evaluation.point, evaluation.system
    arrays = {by: evaluation.tensor(name) for by, name in wrong.items()}
    if sum(array.size for array in arrays.values()) > MOST_ELEMENTS:
        return {}
    right = {wrong[by]: one_by_one(point, system, of, along, by, array) for by, array in arrays.items()}
    left = tuple(e for e in system.equations if e.target not in right)
    given = replace(point, values={**point.values, **right})
    judged = Evaluation(system.with_(equations=left), given)
    return {
        by: mismatch(name, judged.value(system.defining[name]), right[name], point, rounded=SLOPE_TOLERANCE)
        for by, name in wrong.items()
    }


def one_by_one(point: Point, system: System, of: str, along: str | None, by: str, like: Array) -> Array:
    """The derivative by each element of a tensor."""
    found = np.empty(like.shape, dtype=object)
    for at in np.ndindex(like.shape):
        found[at] = slope(system, point, of, along, {by: _unit(like, at, point.domain)})
    return found


def _unit(like: Array, at: tuple[int, ...], domain: Domain) -> Array:
    direction = np.empty(like.shape, dtype=object)
    for other in np.ndindex(like.shape):
        direction[other] = domain.lift(int(other == at))
    return direction


def adjoint_arrays(evaluation: Evaluation, adjoints: Mapping[str, str]) -> dict[str, Array]:
    """The adjoints' values, by what they are by."""
    return {by: evaluation.tensor(name) for by, name in adjoints.items()}
