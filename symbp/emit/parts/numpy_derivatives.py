"""How the NumPy target runs the stages of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.program import DERIVATIVES, Array
from symbp.emit.parts.stages import _derivatives, _forward


def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:  # noqa: ARG001
    tensors = _forward(params, data)
    _derivatives(params, data, tensors)
    return {key: tensors[name] for key, name in DERIVATIVES.items()}
