"""How the Numba target runs the kernels of derivatives.

Enters: parameters, data, sizes. Leaves: arrays by key. Must not know: the equations.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.kernels import _evaluate
from symbp.emit.parts.numba_step import _memory
from symbp.emit.parts.program import DERIVATIVES, Array


class _Kept(threading.local):
    """The workspaces of the sizes met last; each thread has its own."""

    def __init__(self) -> None:
        self.workspaces: dict[Any, Any] = {}


_KEPT = _Kept()


def _derived(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes, _KEPT.workspaces)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    tensors = memory.tensors()
    return {key: tensors[name].copy() for key, name in DERIVATIVES.items()}
