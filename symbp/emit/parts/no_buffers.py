"""No buffers: the network keeps nothing beside its parameters.

Enters: nothing. Leaves: an empty mapping. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.emit.parts.arrays import DataError
from symbp.emit.parts.program import Array


def init_buffers(**sizes: int) -> dict[str, Array]:  # noqa: ARG001
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:  # noqa: ARG001
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}
