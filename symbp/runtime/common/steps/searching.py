"""One training step that looks for how far to go, along the step that the update has taken.

Enters: a state, data. Leaves: the loss, and the state a step further. Must not know: the target that
computes.
It stands for `stepping`. The search is PyTorch's (Nocedal and Wright 2006, algorithms 3.5 and 3.6): a bracket
around a length where the loss has fallen by enough and is flat enough, then smaller ones by cubic curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symbp.runtime.common.given.random_tensors import _given
from symbp.runtime.common.steps.refusing import _refused
from symbp.runtime.common.training.state import State
from symbp.runtime.network import LOSS, SEARCHED, Array, _advance, _differentiate

_FALLEN, _FLAT, _TRIALS, _SHORT = 1e-4, 0.9, 25, 1e-9
_Place = tuple[float, float, float]  # a length, the loss there, its slope along the step


def _step(state: State, data: dict[str, Array], sizes: dict[str, int]) -> float:
    """One update with data that were checked; its length is that at which the search ends."""
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    before = [buffer.copy() for buffer in state.buffers.values()]
    theta = state.params.flat.copy()
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _refused(state, before, loss, data, sizes)
    step = state.moments[SEARCHED].flat
    along, gradients = step.copy(), state.gradients.like()

    def place(length: float) -> _Place:
        state.params.flat[:] = theta + length * along
        found = float(_differentiate(state.params, gradients, data, sizes)[LOSS])
        slope = float(gradients.flat.dot(along))
        return length, found if math.isfinite(found) else math.inf, slope

    if along.any():
        start = 0.0, loss, float(state.gradients.flat.dot(along))
        length = _length(place, start, float(np.abs(along).max()))
        step[:] = length * along
        state.params.flat[:] = theta + step
    return loss


def _length(place: Callable[[float], _Place], start: _Place, size: float) -> float:
    """How far to go: with a loss that has fallen by enough, and a slope that is a part of the first one."""
    before, now = start, place(1.0)
    for trial in range(_TRIALS):
        rising = _is_above(now, start) or (trial > 1 and now[1] >= before[1])
        if not rising and _is_flat(now, start):
            return now[0]
        if rising or now[2] >= 0:
            low, high = (before, now) if before[1] <= now[1] else (now, before)
            return _between(place, start, low, high, size, _TRIALS - trial)
        least, most = now[0] + 0.01 * (now[0] - before[0]), 10 * now[0]
        before, now = now, place(_cubic(before, now, least, most))
    return 0.0 if start[1] <= now[1] else now[0]


def _is_above(now: _Place, start: _Place) -> bool:
    return now[1] > start[1] + _FALLEN * now[0] * start[2]


def _is_flat(now: _Place, start: _Place) -> bool:
    return abs(now[2]) <= -_FLAT * start[2]


def _between(
    place: Callable[[float], _Place], start: _Place, low: _Place, high: _Place, size: float, trials: int
) -> float:
    """The same between two lengths, of which `low` has the smaller loss."""
    stuck = False
    for _ in range(trials):
        least, most = sorted((low[0], high[0]))
        if (most - least) * size < _SHORT:
            break
        left, right = sorted((low, high))
        length = _cubic(left, right, least, most)
        margin = 0.1 * (most - least)
        near = min(most - length, length - least) < margin
        if near and (stuck or length >= most or length <= least):
            length = most - margin if abs(length - most) < abs(length - least) else least + margin
            near = False
        stuck = near
        now = place(length)
        if _is_above(now, start) or now[1] >= low[1]:
            low, high = (low, now) if low[1] <= now[1] else (now, low)
            continue
        if _is_flat(now, start):
            return now[0]
        high = low if now[2] * (high[0] - low[0]) >= 0 else high
        low = now
    return low[0]


def _cubic(left: _Place, right: _Place, least: float, most: float) -> float:
    """Where a cubic curve through two places with these slopes is lowest, within bounds."""
    (x1, f1, g1), (x2, f2, g2) = left, right
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square: Any = d1**2 - g1 * g2
    if not (square >= 0 and math.isfinite(square)):
        return (least + most) / 2
    d2 = math.sqrt(square)
    found = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    return min(max(found, least), most)
