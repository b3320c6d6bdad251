"""Loss and gradients in float32: by the derived equations themselves, or by a module made of them.

Enters: a derivation or a module, a point. Leaves: arrays. Must not know: what is right.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.verify.extremes.points import Extreme
from symbp.verify.extremes.single import in_float32

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Found:
    """What was computed: the loss, and the gradient by each parameter."""

    loss: float
    gradients: Mapping[str, Array]


Runner = Callable[[Extreme], Found]


def by_equations(derivation: Derivation) -> Runner:
    """The derived equations, one after the other."""

    def found(point: Extreme) -> Found:
        system, tensors = derivation.system, derivation.gradients
        assert system.loss is not None
        values = in_float32(system, valued(derivation, point), point.sizes, [system.loss, *tensors.values()])
        gradients = {name: np.asarray(values[tensor]) for name, tensor in tensors.items()}
        return Found(float(values[system.loss]), gradients)

    return found


def by_module(module: ModuleType) -> Runner:
    """What a training module of float32 computes."""

    def found(point: Extreme) -> Found:
        values = {name: as_given(value) for name, value in point.values.items()}

        def named(table: str) -> dict[str, Array]:
            return {name: values[name] for name in getattr(module, table, ())}

        kept = {"buffers": named("BUFFERS"), "masks": named("RANDOM")}
        more: dict[str, Any] = {key: arrays for key, arrays in kept.items() if arrays}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # an overflow is what is looked for
            loss, gradients = module.loss_and_gradients(named("PARAMETERS"), **more, **named("INPUTS"))
        return Found(float(loss), {name: np.array(array) for name, array in gradients.items()})

    return found


def valued(derivation: Derivation, point: Extreme) -> dict[str, Array]:
    """The values of all leaves, the network's constants among them."""
    constants = {name: np.asarray(value, float) for name, value in derivation.constants.items()}
    return {**point.values, **constants}


def as_given(value: Array) -> Array:
    """A leaf as a module takes it."""
    return value if value.dtype.kind in "iub" else value.astype(np.float32)
