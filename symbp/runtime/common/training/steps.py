"""One training step, and which equation it was if its value is not finite.

Enters: a state and data. Leaves: the loss, and the state a step further. Must not know: the target that
computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena, _check_values, _checked
from symbp.runtime.common.arrays.shapes import _extent
from symbp.runtime.common.given.random_tensors import _given
from symbp.runtime.common.training.state import State
from symbp.runtime.network import (
    EQUATIONS,
    GRADIENTS,
    INPUTS,
    INTEGERS,
    LOSS,
    Array,
    _advance,
    _differentiate,
    _outside,
)


class NotFinite(FloatingPointError):
    """A loss, gradient or buffer is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype, shape and the range of integers.

    Raises DataError, and NotFinite if the loss, a gradient or a buffer's next value is not finite; the
    state is then as it was.
    """
    data, sizes = _step_data(state, inputs)
    for name, (bound, ignored) in INTEGERS.items():
        top = None if bound is None else _extent(bound, sizes)
        if top is not None and name in data and _outside(data[name], top, ignored):
            _check_values(name, data[name], sizes)
    return _step(state, data, sizes)


def _step(state: State, data: dict[str, Array], sizes: dict[str, int]) -> float:
    """One update with data that were checked."""
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    before = [buffer.copy() for buffer in state.buffers.values()]
    loss, finite = _advance(state, data, sizes)
    if finite:
        return loss
    lost = [name for name, buffer in state.buffers.items() if not np.isfinite(buffer).all()]
    for buffer, kept in zip(state.buffers.values(), before, strict=True):
        buffer[...] = kept
    if lost:
        raise NotFinite(None, lost[0], f"the buffer {lost[0]} would not be finite; the step was not taken")
    if np.isfinite(loss) and np.isfinite(state.gradients.flat).all():
        text = "gradients are so large that a moment of the update would not be finite"
        raise NotFinite(None, GRADIENTS[_largest(state.gradients)], f"{text}; the step was not taken")
    raise _culprit(state.params, data, sizes)


def _largest(gradients: Arena) -> str:
    """The parameter whose gradient has the largest entry."""
    return max(gradients, key=lambda name: np.abs(gradients[name]).max(initial=0))


def _step_data(state: State, inputs: dict[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of a step and its sizes; arrays that the last step had, and shapes and dtypes that were
    checked before, pass at once."""
    if state.last is not None and len(inputs) == len(INPUTS):
        data, sizes = state.last
        for name, array in inputs.items():
            if data.get(name) is not array:
                break
        else:
            return data, sizes
    key = tuple(
        (name, a.shape, a.dtype.char, a.flags.c_contiguous) if type(a) is np.ndarray else None
        for name, a in inputs.items()
    )
    if key in state.accepted:
        state.last = {name: inputs[name] for name in INPUTS}, state.accepted[key]
        return state.last
    sizes = dict(state.sizes)
    data = _checked(inputs, tuple(INPUTS), sizes, values=False)
    if all(data[name] is inputs[name] for name in INPUTS):
        state.accepted[key] = sizes
    return data, sizes


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
