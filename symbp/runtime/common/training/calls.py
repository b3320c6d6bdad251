"""The functions that need no state: outputs, loss and metrics, gradients.

Enters: parameters and data. Leaves: arrays and numbers. Must not know: the target that computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.arrays import Arena, _as_arena, _checked
from symbp.runtime.common.given.random_tensors import _given
from symbp.runtime.network import (
    FORWARD_INPUTS,
    INPUTS,
    LOSS,
    METRICS,
    Array,
    _differentiate,
    _outputs,
    _values,
)


def forward(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    training: bool = False,
    seed: int | None = None,
    **inputs: Any,
) -> dict[str, Array]:
    """The outputs for some inputs (arrays named like the input tensors), in training or at inference."""
    arena, sizes = _as_arena(params)
    data = _checked(inputs, FORWARD_INPUTS, sizes)
    given = _given(data, buffers, sizes, seed=seed or 0, training=training)
    return _outputs(arena, given, sizes, training)


def predict(
    params: Mapping[str, Any], buffers: Mapping[str, Any] | None = None, **inputs: Any
) -> dict[str, Array]:
    """The outputs at inference; arrays that only the loss needs may be given and are not used."""
    return forward(
        params,
        buffers,
        **{name: a for name, a in inputs.items() if name not in INPUTS or name in FORWARD_INPUTS},
    )


def evaluate(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, float]:
    """The loss and the metrics over all of the data at once, at inference."""
    arena, sizes = _as_arena(params)
    checked = _checked(data, tuple(INPUTS), sizes)
    tensors = _values(arena, _given(checked, buffers, sizes, training=False), sizes)
    return {"loss": float(tensors[LOSS]), **{name: float(tensors[name]) for name in METRICS}}


def loss_and_gradients(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> tuple[float, Arena]:
    """The loss in training and its gradient by every parameter; changes nothing. Random tensors are those
    of the first step with this seed, or given as `masks`, by name."""
    arena, sizes = _as_arena(params)
    data = _given(_checked(inputs, tuple(INPUTS), sizes), buffers, sizes, seed=seed, masks=masks)
    gradients = arena.like()
    tensors = _differentiate(arena, gradients, data, sizes)
    return float(tensors[LOSS]), gradients
