"""One training step, where buffers change, too.

Enters: a state, data, sizes. Leaves: the loss, and the state a step further. Must not know: the equations.
It stands for `advance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array
from symbp.runtime.numpy.bound import MODERATE, _all_finite, _bound, _updated
from symbp.runtime.numpy.outside import _any_outside
from symbp.runtime.numpy.stages import _buffers


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss, a gradient or a buffer's next value
    is not finite, or an integer out of its range."""
    if _any_outside(data, sizes):
        return math.nan, False
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    squares = step.gradient.dot(step.gradient)
    if not (math.isfinite(loss) and (squares < MODERATE or _all_finite(step.gradient))):
        return loss, False
    _buffers(state.params, step.memory.tensors, *step.memory.sizes)(data)
    if not all(map(_all_finite, map(np.ravel, state.buffers.values()))):
        return loss, False
    if not squares < MODERATE:
        return loss, _updated(step, state)
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True
