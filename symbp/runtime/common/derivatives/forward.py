"""Outputs, of a module that computes derivatives and doesn't train.

Enters: parameters and data. Leaves: arrays. Must not know: the target that computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.arrays import _as_arena, _checked
from symbp.runtime.network import FORWARD_INPUTS, Array, _outputs


def forward(params: Mapping[str, Any], **inputs: Any) -> dict[str, Array]:
    """The outputs for some inputs (arrays named like the input tensors)."""
    arena, sizes = _as_arena(params)
    return _outputs(arena, _checked(inputs, FORWARD_INPUTS, sizes), sizes, True)
