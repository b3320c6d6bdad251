"""How the Numba target runs the kernels of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.kept import _KEPT
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import DERIVATIVES, Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _evaluate


def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes, _KEPT.workspaces)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return {key: memory.tensors[name].copy() for key, name in DERIVATIVES.items()}
