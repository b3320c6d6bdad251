"""The step that a state keeps, and whether its gradient is finite.

Enters: a state, sizes. Leaves: a step. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from symbp.runtime.common.arrays.keys import _key
from symbp.runtime.common.arrays.memory import _held
from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array
from symbp.runtime.numpy.step import _Step


def _bound(state: State, sizes: Mapping[str, int]) -> _Step:
    """The step of a state for these sizes, from those kept if it is there."""
    key = _key(sizes)
    if key in state.workspace and not state.workspace[key].serves(state):
        state.workspace.clear()
    step: _Step = _held(state.workspace, key, lambda: _Step(state, sizes))
    step.sizes = sizes
    return step


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(values.dot(values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))
