"""How the NumPy target runs its stages where inference differs from training, or buffers change.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.memory import _memory
from symbp.emit.parts.numpy_step import _all_finite
from symbp.emit.parts.program import INFERENCE, LOSS, OUTPUTS, Array
from symbp.emit.parts.stages import _backward, _buffers, _forward, _inference, _loss, _metrics, _update
from symbp.emit.parts.state import State


@np.errstate(all="ignore")
def _outputs(
    params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    tensors = _memory(sizes).tensors
    if training:
        _forward(params, data, tensors)
        return {name: tensors[name].copy() for name in OUTPUTS}
    _inference(params, data, tensors)
    return {name: tensors[INFERENCE.get(name, name)].copy() for name in OUTPUTS}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    tensors = _memory(sizes).tensors
    _inference(params, data, tensors)
    _metrics(params, data, tensors)
    return {**tensors, LOSS: tensors[INFERENCE.get(LOSS, LOSS)]}


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the updates are left out, and False returned, if the loss or a gradient is not finite."""
    tensors = _memory(sizes, state.workspace).tensors
    _forward(state.params, data, tensors)
    _loss(state.params, data, tensors)
    _backward(state.params, data, tensors, state.gradients)
    loss = float(tensors[LOSS])
    if not (math.isfinite(loss) and _all_finite(state.gradients.flat)):
        return loss, False
    _buffers(state.params, data, tensors)
    state.step += 1
    moments = {name: arena.flat for name, arena in state.moments.items()}
    _update(tensors, state.params.flat, state.gradients.flat, step=state.step, **moments, **state.hyper)
    return loss, True
