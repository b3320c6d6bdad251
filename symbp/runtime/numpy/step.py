"""A training step over all rows of the data at once.

Enters: a state, data, sizes. Leaves: the loss, and gradients filled. Must not know: the equations.
`blocks` stands for it where some rows at a time stay in the cache.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.common.training.state import State
from symbp.runtime.network import LOSS, Array
from symbp.runtime.numpy.stages import _backward, _forward, _loss, _update


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
