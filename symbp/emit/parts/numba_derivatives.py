"""How the Numba target runs the kernels of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.compiling import _compile
from symbp.emit.parts.kept import _KEPT
from symbp.emit.parts.kernels import _evaluate
from symbp.emit.parts.memory import _memory
from symbp.emit.parts.program import DERIVATIVES, Array


def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes, _KEPT.workspaces)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return {key: memory.tensors[name].copy() for key, name in DERIVATIVES.items()}
