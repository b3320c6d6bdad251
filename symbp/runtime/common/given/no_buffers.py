"""No buffers: the network keeps nothing beside its parameters.

Enters: nothing. Leaves: an empty mapping. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import Array


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}
