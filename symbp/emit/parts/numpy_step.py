"""How the NumPy target runs its stages.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.memory import _held, _key, _memory
from symbp.emit.parts.program import LOSS, OUTPUTS, Array
from symbp.emit.parts.stages import _backward, _forward, _loss, _metrics, _update
from symbp.emit.parts.state import State


@np.errstate(all="ignore")
def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,  # noqa: ARG001
) -> dict[str, Array]:
    memory = _memory(sizes)
    _forward(params, memory.tensors, *memory.sizes)(data)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    for stage in (_forward, _loss, _metrics):
        stage(params, memory.tensors, *memory.sizes)(data)
    return memory.tensors


@np.errstate(all="ignore")
def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    memory = _memory(sizes, apart=apart)
    for stage in (_forward, _loss):
        stage(params, memory.tensors, *memory.sizes)(data)
    _backward(params, memory.tensors, gradients, *memory.sizes)(data)
    return memory.tensors


class _Step:
    """A training step over the arrays of a state, which stay in their places, and a workspace."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        memory = self.memory = _memory(sizes)
        self.sizes = sizes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        moments = {name: arena.flat for name, arena in state.moments.items()}
        self.forward = _forward(state.params, memory.tensors, *memory.sizes)
        self.loss = _loss(state.params, memory.tensors, *memory.sizes)
        self.backward = _backward(state.params, memory.tensors, state.gradients, *memory.sizes)
        self.update = _update(memory.tensors, state.params.flat, state.gradients.flat, **moments)
        self.value, self.gradient = memory.tensors[LOSS], state.gradients.flat

    @property
    def nbytes(self) -> int:
        """The size of the workspace."""
        return self.memory.nbytes

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """Fills the gradients; returns the loss."""
        self.forward(data)
        self.loss(data)
        self.backward(data)
        return float(self.value)


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    if not (math.isfinite(loss) and _all_finite(step.gradient)):
        return loss, False
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True


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
