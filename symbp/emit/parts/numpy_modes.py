"""How the NumPy target runs its stages where inference differs from training, or buffers change.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.numpy_step import _differentiate
from symbp.emit.parts.program import INFERENCE, LOSS, OUTPUTS, Array
from symbp.emit.parts.stages import _buffers, _forward, _inference, _metrics, _update
from symbp.emit.parts.state import State


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],  # noqa: ARG001
    training: bool,
) -> dict[str, Array]:
    if training:
        tensors = _forward(params, data)
        return {name: tensors[name] for name in OUTPUTS}
    tensors = _inference(params, data)
    return {name: tensors[INFERENCE.get(name, name)] for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:  # noqa: ARG001
    tensors = _inference(params, data)
    _metrics(params, data, tensors)
    return {**tensors, LOSS: tensors[INFERENCE.get(LOSS, LOSS)]}


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the updates are left out, and False returned, if the loss or a gradient is not finite."""
    tensors = _differentiate(state.params, state.gradients, data, sizes)
    loss = float(tensors[LOSS])
    if not (math.isfinite(loss) and np.isfinite(state.gradients.flat).all()):
        return loss, False
    _buffers(state.params, data, tensors)
    state.step += 1
    moments = {name: arena.flat for name, arena in state.moments.items()}
    _update(state.params.flat, state.gradients.flat, step=state.step, **moments, **state.hyper)
    return loss, True
