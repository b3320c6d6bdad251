"""One training step.

Enters: a state, data, sizes. Leaves: the loss, and the state a step further. Must not know: the equations.
`chunks` stands for it where chunks of the batch run on threads of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.common.training.state import State
from symbp.runtime.network import HYPER, Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _train_step
from symbp.runtime.numba.large import _updated


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite,
    or an integer out of its range."""
    _compile()
    memory = _memory(sizes, state.workspace)
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    own = (state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper)
    loss, finite, moderate = _train_step(*own, *memory.arrays, *data.values(), *memory.sizes)
    if finite and not moderate:
        finite = _updated(state, own)
    state.step += bool(finite)
    return float(loss), bool(finite)
