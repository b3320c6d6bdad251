"""How the NumPy target runs its stages.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.program import LOSS, OUTPUTS, Array
from symbp.emit.parts.stages import _backward, _forward, _loss, _metrics, _update
from symbp.emit.parts.state import State


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],  # noqa: ARG001
    training: bool,  # noqa: ARG001
) -> dict[str, Array]:
    tensors = _forward(params, data)
    return {name: tensors[name] for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:  # noqa: ARG001
    tensors = _forward(params, data)
    _loss(params, data, tensors)
    _metrics(params, data, tensors)
    return tensors


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],  # noqa: ARG001
    *,
    apart: bool = False,  # noqa: ARG001
) -> dict[str, Array]:
    tensors = _forward(params, data)
    _loss(params, data, tensors)
    _backward(params, data, tensors, gradients)
    return tensors


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    loss = float(_differentiate(state.params, state.gradients, data, sizes)[LOSS])
    if not (math.isfinite(loss) and np.isfinite(state.gradients.flat).all()):
        return loss, False
    state.step += 1
    moments = {name: arena.flat for name, arena in state.moments.items()}
    _update(state.params.flat, state.gradients.flat, step=state.step, **moments, **state.hyper)
    return loss, True
