"""How the Numba target runs its kernels: flat arenas and workspaces in, views by name out.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.compiling import _compile
from symbp.emit.parts.kernels import (
    OPEN_SIZES,
    _evaluate,
    _forward,
    _loss_and_gradients,
    _places,
    _train_step,
)
from symbp.emit.parts.program import DTYPE, FORWARD_GIVEN, HYPER, OUTPUTS, Array
from symbp.emit.parts.state import State


class _Memory:
    """The workspaces for given open sizes: reals, integers, and where each tensor lies in them. Tensors that
    are not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        self.places = {}
        lengths = [0, 0]
        for name, (which, start, shape) in _places(*sizes).items():
            start = lengths[which] if apart else start
            self.places[name] = which, start, shape
            lengths[which] = max(lengths[which], start + math.prod(shape))
        at = np.array([start for _, start, _ in self.places.values()], np.int64)
        self.arrays = np.zeros(lengths[0], DTYPE), np.zeros(lengths[1], np.int64), at

    def tensors(self) -> dict[str, Array]:
        """Every tensor by name, as a view."""
        return {
            name: self.arrays[which][start : start + math.prod(shape)].reshape(shape)
            for name, (which, start, shape) in self.places.items()
        }


def _memory(sizes: Mapping[str, int], kept: dict[Any, Any] | None = None, *, apart: bool = False) -> _Memory:
    """The workspaces for these sizes, from those kept if they are there."""
    _compile()
    key = tuple(sizes.get(name, 1) for name in OPEN_SIZES)  # what nothing shows is of another stage
    if kept is None:
        return _Memory(key, apart=apart)
    if key not in kept:
        if len(kept) >= 4:  # a state sees two batch sizes as a rule: the full one and the last
            kept.clear()
        kept[key] = _Memory(key)
    memory: _Memory = kept[key]
    return memory


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,  # noqa: ARG001
) -> dict[str, Array]:
    memory = _memory(sizes)
    _forward(params.flat, *memory.arrays, *(data[n] for n in FORWARD_GIVEN), *memory.sizes)
    tensors = memory.tensors()
    return {name: tensors[name].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors()


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    memory = _memory(sizes, apart=apart)
    _loss_and_gradients(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors()


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    memory = _memory(sizes, state.workspace)
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    loss, finite = _train_step(
        state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper,
        *memory.arrays, *data.values(), *memory.sizes,
    )  # fmt: skip
    state.step += bool(finite)
    return float(loss), bool(finite)
