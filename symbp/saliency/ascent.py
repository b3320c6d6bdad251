"""Ascends an activation under a prior.

Enters: a response, a prior, a start. Leaves: an `Ascent`: where it ended, and what it went through. Must not
know: networks, pictures.

Projected gradient ascent; a step that doesn't raise the objective enough is halved (Bertsekas 1976), so that
every step raises it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symbp.errors import EvaluationError
from symbp.saliency.prior import Prior
from symbp.saliency.response import Array, Response

STEPS = 300
ENOUGH = 1e-4  # of the rise that the slope promises
SMALLEST = 1e-12  # a step that is halved below it leads nowhere
SETTLED = 1e-9  # a rise, relative to the objective, that is none


@dataclass(frozen=True)
class Ascent:
    """Where an ascent began and ended, and after each step the objective and the activation."""

    start: Array
    end: Array
    objectives: tuple[float, ...]
    activations: tuple[float, ...]

    @property
    def steps(self) -> int:
        """How many were taken."""
        return len(self.objectives) - 1


def ascend(response: Response, prior: Prior, start: Array, *, steps: int = STEPS) -> Ascent:
    """From `start`, one example (1, …), to where the activation less the prior's penalty rises no more.

    Raises EvaluationError: an activation or a slope that isn't finite.
    """

    def objective(x: Array) -> float:
        return float(response.activation(x)[0]) - prior.penalty(x)

    def slope(x: Array) -> Array:
        return response.gradient(x) - prior.gradient(x)

    where = prior.within(start)
    objectives, activations = [objective(where)], [float(response.activation(where)[0])]
    first = where
    length = 1.0
    for _ in range(steps):
        uphill = slope(where)
        if not (np.isfinite(objectives[-1]) and np.isfinite(uphill).all()):
            raise EvaluationError("the activation or its slope isn't finite here")
        found = _step(objective, prior, where, uphill, objectives[-1], length)
        if found is None:
            break
        where, value, length = found
        settled = value - objectives[-1] <= SETTLED * max(1.0, abs(value))
        objectives.append(value)
        activations.append(float(response.activation(where)[0]))
        if settled:
            break
        length *= 2
    return Ascent(first, where, tuple(objectives), tuple(activations))


def _step(
    objective: Callable[[Array], float],
    prior: Prior,
    where: Array,
    uphill: Array,
    value: float,
    length: float,
) -> tuple[Array, float, float] | None:
    """(place, objective, length) of the longest of the steps tried that rises enough, or None."""
    while length > SMALLEST:
        there = prior.within(where + length * uphill)
        way = float(((there - where) ** 2).sum())
        if way == 0.0:
            return None
        risen = objective(there)
        if risen >= value + ENOUGH * way / length and risen > value:
            return there, risen, length
        length /= 2
    return None
