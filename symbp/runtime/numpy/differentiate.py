"""The gradients of a call that has no state.

Enters: parameters, data, sizes. Leaves: tensors by name, gradients filled. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import Array
from symbp.runtime.numpy.stages import _backward, _forward, _loss


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
    memory = _memory(sizes, apart=apart)
    for stage in (_forward, _loss):
        stage(params, memory.tensors, *memory.sizes)(data)
    _backward(params, memory.tensors, gradients, *memory.sizes)(data)
    return memory.tensors
