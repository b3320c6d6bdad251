"""One training step.

Enters: a state and data. Leaves: the loss, and the state a step further. Must not know: the target that
computes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import _checked
from symbp.runtime.common.steps.stepping import _step
from symbp.runtime.common.training.state import State
from symbp.runtime.network import INPUTS, Array


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype, shape and the range of integers.

    Raises DataError, and NotFinite if the loss, a gradient or a buffer's next value is not finite; the
    state is then as it was.
    """
    return _step(state, *_step_data(state, inputs))


def _step_data(state: State, inputs: dict[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of a step and its sizes; arrays that the last step had, and shapes and dtypes that were
    checked before, pass at once."""
    if state.last is not None and len(inputs) == len(INPUTS):
        data, sizes = state.last
        for name, array in inputs.items():
            if data.get(name) is not array:
                break
        else:
            return data, sizes
    key = tuple(
        (name, a.shape, a.dtype.char, a.flags.c_contiguous) if type(a) is np.ndarray else None
        for name, a in inputs.items()
    )
    if key in state.accepted:
        state.last = {name: inputs[name] for name in INPUTS}, state.accepted[key]
        return state.last
    sizes = dict(state.sizes)
    data = _checked(inputs, tuple(INPUTS), sizes, values=False)
    if all(data[name] is inputs[name] for name in INPUTS):
        state.accepted[key] = sizes
    return data, sizes
