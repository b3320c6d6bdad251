"""How the NumPy target runs its stages.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.memory import _memory
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
    tensors = _memory(sizes).tensors
    _forward(params, data, tensors)
    return {name: tensors[name].copy() for name in OUTPUTS}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    tensors = _memory(sizes).tensors
    _forward(params, data, tensors)
    _loss(params, data, tensors)
    _metrics(params, data, tensors)
    return tensors


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
    tensors = _memory(sizes, apart=apart).tensors
    _forward(params, data, tensors)
    _loss(params, data, tensors)
    _backward(params, data, tensors, gradients)
    return tensors


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    tensors = _memory(sizes, state.workspace).tensors
    _forward(state.params, data, tensors)
    _loss(state.params, data, tensors)
    _backward(state.params, data, tensors, state.gradients)
    loss = float(tensors[LOSS])
    if not (math.isfinite(loss) and _all_finite(state.gradients.flat)):
        return loss, False
    state.step += 1
    moments = {name: arena.flat for name, arena in state.moments.items()}
    _update(tensors, state.params.flat, state.gradients.flat, step=state.step, **moments, **state.hyper)
    return loss, True


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(np.dot(values, values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))
