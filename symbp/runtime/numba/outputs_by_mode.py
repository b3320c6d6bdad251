"""Outputs, loss and metrics, where inference differs from training.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
It stands for `outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import FORWARD_GIVEN, INFERENCE, INFERENCE_GIVEN, LOSS, OUTPUTS, Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _evaluate, _forward, _inference


def _outputs(
    params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    stage, given = (_forward, FORWARD_GIVEN) if training else (_inference, INFERENCE_GIVEN)
    arrays = {**params, **data}  # a stage may be given a parameter that has a row for each example
    stage(params.flat, *memory.arrays, *(arrays[n] for n in given), *memory.sizes)
    tensors = memory.tensors
    chosen = {} if training else INFERENCE
    return {name: tensors[chosen.get(name, name)].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    tensors = memory.tensors
    return {**tensors, LOSS: tensors[INFERENCE.get(LOSS, LOSS)]}
