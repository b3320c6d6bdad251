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


class _Step:
    """A training step over the arrays of a state, which stay in their places, and a workspace."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        memory = _memory(sizes)
        self.nbytes = memory.nbytes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        moments = {name: arena.flat for name, arena in state.moments.items()}
        self.forward = _forward(state.params, memory.tensors, *memory.sizes)
        self.loss = _loss(state.params, memory.tensors, *memory.sizes)
        self.backward = _backward(state.params, memory.tensors, state.gradients, *memory.sizes)
        self.buffers = _buffers(state.params, memory.tensors, *memory.sizes)
        self.update = _update(memory.tensors, state.params.flat, state.gradients.flat, **moments)
        self.value, self.gradient = memory.tensors[LOSS], state.gradients.flat

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the updates are left out, and False returned, if the loss or a gradient is not finite."""
    step = _bound(state, sizes)
    step.forward(data)
    step.loss(data)
    step.backward(data)
    loss = float(step.value)
    if not (math.isfinite(loss) and _all_finite(step.gradient)):
        return loss, False
    step.buffers(data)
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True
