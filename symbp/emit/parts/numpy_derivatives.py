"""How the NumPy target runs the stages of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.kept import _KEPT
from symbp.emit.parts.memory import _memory
from symbp.emit.parts.program import DERIVATIVES, Array
from symbp.emit.parts.stages import _derivatives, _forward


@np.errstate(all="ignore")
def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes, _KEPT.workspaces)
    for stage in (_forward, _derivatives):
        stage(params, memory.tensors, *memory.sizes)(data)
    return {key: memory.tensors[name].copy() for key, name in DERIVATIVES.items()}
