"""How the NumPy target runs the stages of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.kept import _KEPT
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import DERIVATIVES, Array
from symbp.runtime.numpy.stages import _derivatives, _forward


@np.errstate(all="ignore")
def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes, _KEPT.workspaces)
    for stage in (_forward, _derivatives):
        stage(params, memory.tensors, *memory.sizes)(data)
    return {key: memory.tensors[name].copy() for key, name in DERIVATIVES.items()}
