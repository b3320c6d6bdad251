"""One training step, where nothing but parameters and moments changes.

Enters: a state, data, sizes. Leaves: the loss, and the state a step further. Must not know: the equations.
`advance_buffers` stands for it where buffers change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array
from symbp.runtime.numpy.bound import MODERATE, _all_finite, _bound, _updated
from symbp.runtime.numpy.outside import _any_outside


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite,
    or an integer out of its range."""
    if _any_outside(data, sizes):
        return math.nan, False
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    squares = step.gradient.dot(step.gradient)
    if not (math.isfinite(loss) and squares < MODERATE):
        sound = math.isfinite(loss) and _all_finite(step.gradient)
        return loss, sound and _updated(step, state)
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True
