"""Buffers that start from the training data: means and deviations, by which inputs are standardised.

Enters: training data. Leaves: arrays by the names of buffers, a state with them. Must not know: the equations
that read them. It stands for `starting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.at_once import _all_checked, _measured
from symbp.runtime.common.given.buffers import init_buffers
from symbp.runtime.common.training.parameters import init_params
from symbp.runtime.common.training.state import State, init_state
from symbp.runtime.network import FITTED, SIZES, Array


def fitted_buffers(**data: Any) -> Mapping[str, Array]:
    """The buffers as they start on these data, for `init_state`; a deviation of 0 counts as 1."""
    sizes = dict(SIZES)
    arrays = _all_checked(data, sizes)
    buffers = init_buffers(**sizes)
    for name, (measure, of, feature) in FITTED.items():
        axes = tuple(axis for axis in range(arrays[of].ndim) if axis != feature)
        found = _measured(arrays[of], measure, axes)
        buffers[name] = found if measure == "mean" else np.where(found > 0, found, 1.0)
    return buffers


def _fresh_state(seed: int, data: Mapping[str, Array], sizes: Mapping[str, int]) -> State:
    """A state with parameters drawn for data with these sizes, and buffers as they start on them."""
    state = init_state(init_params(seed, **sizes), seed=seed)
    state.buffers.update(fitted_buffers(**data))
    return state
