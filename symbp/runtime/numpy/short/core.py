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
    LARGE,
    MOMENTS,
    PARAMETERS,
    Array,
    _network,
    _strange,
    _update,
)


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


class NotFinite(FloatingPointError):
    """The loss or a gradient of a step is not finite; the step was not taken."""


def _checked(
    given: Mapping[str, Any], shapes: Mapping[str, tuple[Any, ...]], known: Mapping[str, int]
) -> tuple[dict[str, Array], dict[str, int]]:
    """Arrays of the right names, types, shapes and ranges; the open sizes, those `known` and those shown."""
    if given.keys() != shapes.keys():
        raise DataError(f"{', '.join(given) or 'nothing'} given; the network reads {', '.join(shapes)}")
    arrays, sizes = dict[str, Array](), dict(known)
    for name, shape in shapes.items():
        array, whole = np.asarray(given[name]), name in INTEGERS
        if array.dtype.kind not in ("iu" if whole else "fiub"):
            raise DataError(f"{name} has dtype {array.dtype}, not {'integers' if whole else 'real numbers'}")
        array = arrays[name] = np.asarray(array, np.int64 if whole else DTYPE, order="C")
        pairs = zip(shape, array.shape, strict=False)
        fitting = tuple(sizes.setdefault(e, n) if isinstance(e, str) else e for e, n in pairs)
        if array.ndim != len(shape) or array.shape != fitting or not array.size:
            needed = f"({', '.join(map(str, shape))})" + (f" with {sizes}" if sizes else "")
            raise DataError(f"{name} has shape {array.shape}, the network needs {needed}, and none of them 0")
        bound, ignored = INTEGERS.get(name, (None, None))
        top = sizes.get(bound) if isinstance(bound, str) else bound
        valid = array if ignored is None else array[array != ignored]
        if top is not None and valid.size and not (valid.min() >= 0 and valid.max() < top):
            raise DataError(f"{name} has values outside 0 to {top - 1}")
    return arrays, sizes


def _views(flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Array]:
    """The parts of a flat array by parameter."""
    parts = np.split(flat, np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1])
    return MappingProxyType({n: part.reshape(s) for (n, s), part in zip(shapes.items(), parts, strict=True)})


class State:
    """What training changes: parameters and moments, as views of the rows of `flat`; and its settings."""

    def __init__(self, flat: Array, shapes: dict[str, tuple[int, ...]], seed: int, step: int = 0) -> None:
        self.flat, self.shapes, self.seed, self.step = flat.copy(), shapes, seed, step
        self.params, self.gradients, *moments = (_views(row, shapes) for row in self.flat)
        self.moments = dict(zip(MOMENTS, moments, strict=True))
        self.hyper, self.sizes = dict(HYPER), _checked(self.params, PARAMETERS, {})[1]
        self.update = _update(*self.flat[:2], **dict(zip(MOMENTS, self.flat[2:], strict=True)))
        self.bound: dict[tuple[int, ...], Any] = {}  # the passes, by open sizes

    def __reduce__(self) -> tuple[Any, ...]:  # a copy has arrays of its own
        return State, (self.flat, self.shapes, self.seed, self.step), {"hyper": dict(self.hyper)}

    def passes(self, data: Mapping[str, Any], inputs: Mapping[str, tuple[Any, ...]]) -> Any:
        """Data, checked; forward pass, loss and so on over arrays of its sizes, and those that they fill."""
        arrays, sizes = _checked(data, inputs, self.sizes)
        key = tuple(sizes.values())
        if key not in self.bound:
            self.bound = self.bound if len(self.bound) < 4 else {}
            self.bound[key] = _network(self.params, self.gradients, **sizes)
        return arrays, *self.bound[key]

    @np.errstate(all="ignore")
    def differentiate(self, data: Mapping[str, Any]) -> float:
        """Fills the gradients; the loss."""
        arrays, passes, values = self.passes(data, INPUTS)
        for run in passes[:3]:  # forward, loss, backward
            run(arrays)
        return float(values["loss"])


def init_state(params: Mapping[str, Any], *, seed: int = 0) -> State:
    """A state that starts from a copy of `params`, its moments zero."""
    arrays, _ = _checked(params, PARAMETERS, {})
    flat = np.concatenate([array.reshape(-1) for array in arrays.values()])
    rows = np.stack([flat, *[np.zeros_like(flat)] * (1 + len(MOMENTS))])
    return State(rows, {name: array.shape for name, array in arrays.items()}, seed)


def loss_and_gradients(params: Mapping[str, Any], /, **data: Any) -> tuple[float, Mapping[str, Array]]:
    """The loss and its gradient by every parameter; changes nothing."""
    state = init_state(params)
    return state.differentiate(data), state.gradients


def train_step(state: State, /, **data: Any) -> float:
    """One update in place; the loss before it. Where it raises, the state is as it was."""
    loss, gradient = state.differentiate(data), state.flat[1]
    if not (math.isfinite(loss) and gradient.dot(gradient) < LARGE):  # nor does a moment overflow
        raise NotFinite(f"the loss is {loss}; {_strange(state, data)}")
    state.step += 1
    with np.errstate(all="ignore"):
        state.update(state.step, **state.hyper)
    return loss
