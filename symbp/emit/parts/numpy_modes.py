"""How the NumPy target runs its stages where inference differs from training, or buffers change.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.memory import _memory
from symbp.emit.parts.numpy_step import _all_finite, _bound
from symbp.emit.parts.program import INFERENCE, LOSS, OUTPUTS, Array
from symbp.emit.parts.stages import _buffers, _forward, _inference, _metrics
from symbp.emit.parts.state import State


@np.errstate(all="ignore")
def _outputs(
    params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    memory = _memory(sizes)
    stage = _forward if training else _inference
    stage(params, memory.tensors, *memory.sizes)(data)
    shown = {name: name if training else INFERENCE.get(name, name) for name in OUTPUTS}
    return {name: memory.tensors[tensor].copy() for name, tensor in shown.items()}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    for stage in (_inference, _metrics):
        stage(params, memory.tensors, *memory.sizes)(data)
    return {**memory.tensors, LOSS: memory.tensors[INFERENCE.get(LOSS, LOSS)]}


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the updates are left out, and False returned, if the loss or a gradient is not finite."""
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    if not (math.isfinite(loss) and _all_finite(step.gradient)):
        return loss, False
    _buffers(state.params, step.memory.tensors, *step.memory.sizes)(data)
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True
