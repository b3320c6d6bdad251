"""Buffers: what training changes beside parameters, such as running statistics.

Enters: a user's arrays, sizes. Leaves: one arena. Must not know: the equations that give the next values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.given.known_shapes import _fitting, _known_shape
from symbp.runtime.network import BUFFERS, DTYPE, SIZES, STARTS


def init_buffers(**sizes: int) -> Arena:
    """The buffers as they start; sizes that the module leaves open and that shape them are arguments."""
    known = {**SIZES, **sizes}
    arena = Arena({name: _known_shape(name, shape, known) for name, shape in BUFFERS.items()}, DTYPE)
    for name, start in STARTS.items():
        arena[name].fill(start)
    return arena


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> Arena:
    """Buffers as an arena: themselves, copied in, or as they start."""
    if buffers is None:
        return init_buffers(**sizes)
    if isinstance(buffers, Arena) and buffers.flat.dtype == DTYPE and list(buffers) == list(BUFFERS):
        return buffers
    if set(buffers) != set(BUFFERS):
        raise DataError(
            f"the network has the buffers {', '.join(BUFFERS) or 'none'}, not {', '.join(buffers) or 'none'}"
        )
    arrays = {name: _fitting(name, buffers[name], BUFFERS[name], sizes) for name in BUFFERS}
    arena = Arena({name: array.shape for name, array in arrays.items()}, DTYPE)
    for name, array in arrays.items():
        arena[name] = array
    return arena
