"""What a step is given beside parameters: data and buffers.

Enters: arrays. Leaves: arrays by name, data first. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.given.buffers import _as_buffers
from symbp.runtime.network import Array


def _given(
    data: dict[str, Array],
    buffers: Mapping[str, Any] | None,
    sizes: Mapping[str, int],
    seed: int = 0,
    step: int = 0,
    masks: Mapping[str, Any] | None = None,
    kept: dict[Any, Array] | None = None,
    training: bool = True,
) -> dict[str, Array]:
    """All that the stages read beside parameters."""
    if masks:
        raise DataError("the network has no random tensors, so there are no masks to give")
    found = _as_buffers(buffers, sizes)
    return {**data, **found} if found else data
