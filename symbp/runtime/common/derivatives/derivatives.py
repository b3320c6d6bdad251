"""Derivatives by name.

Enters: parameters and data. Leaves: arrays. Must not know: the target that computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.arrays import _as_arena, _checked
from symbp.runtime.network import DERIVATIVE_INPUTS, Array, _derived


def derivatives(params: Mapping[str, Any], **inputs: Any) -> dict[str, Array]:
    """Each derivative under its key, `"W1,W2"` for a second one; its axes are those of what is
    differentiated, then of what it is differentiated by. Arrays carry the names of the input tensors."""
    arena, sizes = _as_arena(params)
    return _derived(arena, _checked(inputs, DERIVATIVE_INPUTS, sizes), sizes)
