"""Parameters, the state of training, and the functions that need no training: forward, gradients, save, load.

Enters: arrays. Leaves: arrays, or a `State`. Must not know: the target that computes.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symbp.emit.parts.arrays import Arena, DataError, _as_arena, _checked, _extent
from symbp.emit.parts.buffers import _as_buffers
from symbp.emit.parts.given_random import _given
from symbp.emit.parts.program import (
    DTYPE,
    EQUATIONS,
    FORWARD_INPUTS,
    GRADIENTS,
    HYPER,
    INPUTS,
    LOSS,
    METRICS,
    MOMENTS,
    NAME,
    PARAMETERS,
    SIZES,
    SOLVED,
    Array,
    _advance,
    _differentiate,
    _initial,
    _outputs,
    _values,
)


class NotFinite(FloatingPointError):
    """A step's loss or gradient is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


@dataclass
class State:
    """What training changes: parameters, buffers, moments, the count of steps; and its settings."""

    params: Arena
    buffers: MutableMapping[str, Array]
    moments: dict[str, Arena]
    gradients: Arena
    sizes: dict[str, int]
    step: int = 0
    seed: int = 0
    threads: int | None = None
    hyper: dict[str, float] = field(default_factory=lambda: dict(HYPER))
    workspace: dict[Any, Any] = field(default_factory=dict)
    accepted: dict[Any, dict[str, int]] = field(default_factory=dict)
    last: tuple[dict[str, Array], dict[str, int]] | None = None  # the arrays of the last step, their sizes
    bound: Any = None  # what the last step ran on
    random: dict[Any, Array] = field(default_factory=dict)  # arrays to draw into

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: nothing that is made for the steps of these very arrays."""
        made: dict[str, Any] = {name: {} for name in ("workspace", "accepted", "random")}
        return {**self.__dict__, **made, "last": None, "bound": None}


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shaping = [e for shape in (*PARAMETERS.values(), *INPUTS.values()) for e in shape]
    # <formulas>
    shaping += SOLVED
    # </formulas>
    strange = [name for name in sizes if name not in shaping and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    needed = [e for shape in PARAMETERS.values() for e in shape if isinstance(e, str) and e not in known]
    # <formulas>
    needed += [size for size, (name, _, _) in SOLVED.items() if name in PARAMETERS and size not in known]
    # </formulas>
    if wrong or needed:
        raise DataError(
            f"{wrong[0]} is {SIZES[wrong[0]]} in this module"
            if wrong
            else f"{needed[0]} is open in this module: call init_params(seed, {needed[0]}=…)"
        )
    shapes = {n: tuple(int(_extent(e, known) or 0) for e in shape) for n, shape in PARAMETERS.items()}
    arena = Arena(shapes, DTYPE)
    for name, value in _initial(np.random.default_rng(seed), known).items():
        arena[name] = value
    return arena


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


def init_state(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    threads: int | None = None,
) -> State:
    """A state that starts from a copy of `params` and `buffers`, its moments zero."""
    arena, sizes = _as_arena(params)
    arena, kept = arena.copy(), _as_buffers(buffers, sizes).copy()
    moments = {name: arena.like() for name in MOMENTS}
    return State(arena, kept, moments, arena.like(), sizes, 0, seed, threads)


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype and shape only.

    Raises NotFinite, with the state as it was, if the loss or a gradient is not finite.
    """
    data, sizes = _step_data(state, inputs)
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _culprit(state.params, data, sizes)
    return loss


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
    found = re.search(rf"^ *\({number}\) +(.*)$", __doc__ or "", re.MULTILINE)
    return found.group(1) if found else ""


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    arrays.update({f"buffers.{name}": array for name, array in state.buffers.items()})
    for moment, arena in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in arena.items()})
    arrays.update({"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)})
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
    state.step = int(arrays.get("step", 0))
    for moment, arena in state.moments.items():
        for name in arena:
            if f"moments.{moment}.{name}" in arrays:
                arena[name] = arrays[f"moments.{moment}.{name}"]
    return state
