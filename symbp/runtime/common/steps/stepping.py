"""One training step with data that were checked.

Enters: a state, data. Leaves: the loss, and the state a step further. Must not know: the target that
computes.
`searching` stands for it where a step looks for how far to go.
"""

from __future__ import annotations

from symbp.runtime.common.given.random_tensors import _given
from symbp.runtime.common.steps.refusing import _refused
from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array, _advance


def _step(state: State, data: dict[str, Array], sizes: dict[str, int]) -> float:
    """One update with data that were checked."""
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    before = [buffer.copy() for buffer in state.buffers.values()]
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _refused(state, before, loss, data, sizes)
    return loss
