"""The step that a state keeps, whether its gradient is finite, and an update where it is large.

Enters: a state, sizes. Leaves: a step. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.keys import _key
from symbp.runtime.common.arrays.memory import _held
from symbp.runtime.common.training.state import State
from symbp.runtime.network import DTYPE, Array
from symbp.runtime.numpy.step import _Step


def _bound(state: State, sizes: Mapping[str, int]) -> _Step:
    """The step of a state for these sizes, from those kept if it is there."""
    key = _key(sizes)
    if key in state.workspace and not state.workspace[key].serves(state):
        state.workspace.clear()
    step: _Step = _held(state.workspace, key, lambda: _Step(state, sizes))
    step.sizes = sizes
    return step


MODERATE = float(np.finfo(DTYPE).max) / 2.0**64
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


def _updated(step: _Step, state: State) -> bool:
    """One update with gradients of any size; taken back, and False returned, if it leaves what is not
    finite."""
    arenas = [state.params.flat, *(arena.flat for arena in state.moments.values())]
    kept = [arena.copy() for arena in arenas]
    step.update(state.step + 1, **state.hyper)
    if all(map(_all_finite, arenas)):
        state.step += 1
        return True
    for arena, before in zip(arenas, kept, strict=True):
        arena[:] = before
    return False


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(values.dot(values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))
