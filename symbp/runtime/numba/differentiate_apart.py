"""The gradients of a call that has no state, where the kernel of a step leaves some tensors out.

Enters: parameters, data, sizes. Leaves: tensors by name, gradients filled. Must not know: the equations.
It stands for `differentiate`.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.memory import _memory
from symbp.runtime.network import Array
from symbp.runtime.numba.compiling import _compile
from symbp.runtime.numba.kernels import _loss_and_gradients, _replay


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    _compile()
    memory = _memory(sizes, apart=apart)
    run = _replay if apart else _loss_and_gradients
    run(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors
