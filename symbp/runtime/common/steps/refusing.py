"""Why a step was not taken: which equation it was whose value is not finite.

Enters: a state as a step left it. Leaves: the state as it was before, and an error. Must not know: the target
that computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena, _check_values
from symbp.runtime.common.training.state import State
from symbp.runtime.network import EQUATIONS, GRADIENTS, INTEGERS, LOSS, Array, _differentiate


class NotFinite(FloatingPointError):
    """A loss, gradient or buffer is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


def _refused(
    state: State, before: Sequence[Array], loss: float, data: Mapping[str, Array], sizes: Mapping[str, int]
) -> NotFinite:
    """Puts buffers back as they were `before`; what wasn't finite.

    Raises DataError: an integer is out of its range, and nothing was computed."""
    for name in INTEGERS:
        _check_values(name, data[name], sizes)
    lost = [name for name, buffer in state.buffers.items() if not np.isfinite(buffer).all()]
    for buffer, kept in zip(state.buffers.values(), before, strict=True):
        buffer[...] = kept
    if lost:
        return NotFinite(None, lost[0], f"the buffer {lost[0]} would not be finite; the step was not taken")
    if np.isfinite(loss) and np.isfinite(state.gradients.flat).all():
        text = "gradients are so large that a moment of the update would not be finite"
        return NotFinite(None, GRADIENTS[_largest(state.gradients)], f"{text}; the step was not taken")
    return _culprit(state.params, data, sizes)


def _largest(gradients: Arena) -> str:
    """The parameter whose gradient has the largest entry."""
    return max(gradients, key=lambda name: np.abs(gradients[name]).max(initial=0))


def _culprit(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> NotFinite:
    """Replays a step and names the first equation whose value is not finite."""
    for kind, arrays in (("the input", data), ("the parameter", params)):
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return NotFinite(None, name, f"{kind} {name} is not finite; the step was not taken")
    gradients = params.like()
    tensors = dict(_differentiate(params, gradients, data, sizes, apart=True))
    tensors.update({tensor: gradients[name] for name, tensor in GRADIENTS.items()})
    for number, tensor in EQUATIONS.items():
        if tensor in tensors and not np.isfinite(tensors[tensor]).all():
            equation = _equation_text(number) or tensor
            text = f"equation ({number}), {equation}, is not finite; the step was not taken"
            return NotFinite(number, tensor, text)
    return NotFinite(None, LOSS, "the loss is not finite; the step was not taken")


def _equation_text(number: int) -> str:
    """The equation as the head of this module states it."""
    start = f"({number}) "
    lines = (line.strip() for line in (__doc__ or "").splitlines())
    return next((line.removeprefix(start).strip() for line in lines if line.startswith(start)), "")
