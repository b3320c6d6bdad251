"""Outputs, loss and metrics, where inference is as training.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
`outputs_by_mode` stands for it where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import OUTPUTS, Array
from symbp.runtime.numpy.stages import _forward, _loss, _metrics


@np.errstate(all="ignore")
def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
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
