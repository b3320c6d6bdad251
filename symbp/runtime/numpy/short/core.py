"""Parameters, gradients, steps and what is checked before them, for networks whose shapes are plain.

Enters: parameters and data. Leaves: the loss, gradients, a state a step further. Must not know: the network.
Here `PARAMETERS` has the extents themselves, and in `INPUTS` one is a number or the name of an open size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from symbp.runtime.network import (
    DTYPE,
    HYPER,
    INPUTS,
    INTEGERS,
    MOMENTS,
    PARAMETERS,
    Array,
    _initial,
    _network,
    _update,
)


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


class NotFinite(FloatingPointError):
    """The loss or a gradient of a step is not finite; the step was not taken."""


def _checked(
    given: Mapping[str, Any], shapes: Mapping[str, tuple[Any, ...]]
) -> tuple[dict[str, Array], dict[str, int]]:
    """Arrays of the right names, types, shapes and ranges; the open sizes that they show."""
    for word, names in ("missing", shapes.keys() - given.keys()), ("unknown", given.keys() - shapes.keys()):
        if names:
            raise DataError(f"{', '.join(sorted(names))} {word}; the network reads {', '.join(shapes)}")
    arrays, sizes = dict[str, Array](), dict[str, int]()
    for name, shape in shapes.items():
        array, whole = np.asarray(given[name]), name in INTEGERS
        if array.dtype.kind not in ("iu" if whole else "fiub"):
            kind = "integers" if whole else "real numbers"
            raise DataError(f"{name} has dtype {array.dtype}, the network needs {kind}")
        array = arrays[name] = np.asarray(array, np.int64 if whole else DTYPE, order="C")
        known = [
            sizes.setdefault(e, n) if isinstance(e, str) else e
            for e, n in zip(shape, array.shape, strict=False)
        ]
        if array.ndim != len(shape) or array.shape != tuple(known) or not array.size:
            needed = f"({', '.join(map(str, shape))})" + (f" with {sizes}" if sizes else "")
            raise DataError(f"{name} has shape {array.shape}, the network needs {needed}, and none of them 0")
        top, ignored = INTEGERS.get(name, (None, None))
        valid = array if ignored is None else array[array != ignored]
        if top is not None and valid.size and not (valid.min() >= 0 and valid.max() < top):
            raise DataError(f"{name} has values outside 0 to {top - 1}")
    return arrays, sizes


def _views(flat: Array) -> Mapping[str, Array]:
    """The parts of a flat array by parameter."""
    ends = np.cumsum([math.prod(shape) for shape in PARAMETERS.values()])
    parts = zip(PARAMETERS.items(), np.split(flat, ends[:-1]), strict=True)
    return MappingProxyType({name: part.reshape(shape) for (name, shape), part in parts})


class State:
    """What training changes: parameters and moments, as views of the rows of `flat`; and its settings."""

    def __init__(self, flat: Array, seed: int, step: int, hyper: Mapping[str, float]) -> None:
        self.flat, self.seed, self.step, self.hyper = flat.copy(), seed, step, dict(hyper)
        self.params, self.gradients, *moments = map(_views, self.flat)
        self.moments = dict(zip(MOMENTS, moments, strict=True))
        self.update = _update(*self.flat[:2], **dict(zip(MOMENTS, self.flat[2:], strict=True)))
        self.bound: dict[tuple[int, ...], Any] = {}  # the passes, by open sizes

    def __reduce__(self) -> tuple[Any, ...]:  # a copy has arrays of its own
        return State, (self.flat, self.seed, self.step, self.hyper)

    def passes(self, sizes: dict[str, int]) -> Any:
        """Forward pass, loss and so on over arrays of these sizes, and the arrays that they fill."""
        if len(self.bound) > 3:
            self.bound.clear()
        key = tuple(sizes.values())
        if key not in self.bound:
            self.bound[key] = _network(self.params, self.gradients, **sizes)
        return self.bound[key]


def init_params(seed: int = 0) -> dict[str, Array]:
    """Fresh parameters, drawn with `seed`."""
    drawn = _initial(np.random.default_rng(seed), {})
    return {name: np.asarray(value, DTYPE) for name, value in drawn.items()}


def init_state(params: Mapping[str, Any], *, seed: int = 0) -> State:
    """A state that starts from a copy of `params`, its moments zero."""
    arrays, _ = _checked(params, PARAMETERS)
    flat = np.concatenate([arrays[name].reshape(-1) for name in PARAMETERS])
    return State(np.stack([flat, *[np.zeros_like(flat)] * (1 + len(MOMENTS))]), seed, 0, HYPER)


@np.errstate(all="ignore")
def _differentiate(state: State, data: Mapping[str, Any]) -> float:
    """Fills the gradients; the loss."""
    arrays, sizes = _checked(data, INPUTS)
    passes, values = state.passes(sizes)
    for run in passes[:3]:  # forward, loss, backward
        run(arrays)
    return float(values["loss"])


def loss_and_gradients(params: Mapping[str, Any], /, **data: Any) -> tuple[float, Mapping[str, Array]]:
    """The loss and its gradient by every parameter; changes nothing."""
    state = init_state(params)
    return _differentiate(state, data), state.gradients


def train_step(state: State, /, **data: Any) -> float:
    """One update in place; the loss before it. Where it raises, the state is as it was."""
    loss = _differentiate(state, data)
    if not (math.isfinite(loss) and np.isfinite(state.flat[1]).all()):
        strange = [name for name, array in state.gradients.items() if not np.isfinite(array).all()]
        raise NotFinite(f"the loss is {loss}; gradients that are not finite: {', '.join(strange) or 'none'}")
    state.step += 1
    with np.errstate(all="ignore"):
        state.update(state.step, **state.hyper)
    return loss
