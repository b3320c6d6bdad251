"""Outputs, loss and metrics, where inference is as training.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
`outputs_by_mode` stands for it where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import FORWARD_GIVEN, OUTPUTS, Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _evaluate, _forward


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
) -> dict[str, Array]:
    _compile()
    memory, given = _memory(sizes), {**params, **data}
    _forward(params.flat, *memory.arrays, *(given[n] for n in FORWARD_GIVEN), *memory.sizes)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors
