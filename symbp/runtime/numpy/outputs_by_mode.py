"""Outputs, loss and metrics, where inference differs from training.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
It stands for `outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import INFERENCE, LOSS, OUTPUTS, Array
from symbp.runtime.numpy.stages import _forward, _inference, _metrics


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
