"""How the Numba target runs its kernels: flat arenas and workspaces in, views by name out.

Enters: parameters, data, sizes. Leaves: tensors by name. Must not know: the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.emit.parts.arrays import Arena
from symbp.emit.parts.compiling import _compile
from symbp.emit.parts.kernels import _evaluate, _forward, _loss_and_gradients, _replay, _train_step
from symbp.emit.parts.memory import _memory
from symbp.emit.parts.program import FORWARD_GIVEN, HYPER, OUTPUTS, Array
from symbp.emit.parts.state import State


def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,  # noqa: ARG001
) -> dict[str, Array]:
    _compile()
    memory, given = _memory(sizes), {**params, **data}
    _forward(params.flat, *memory.arrays, *(given[n] for n in FORWARD_GIVEN), *memory.sizes)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    _compile()
    memory = _memory(sizes)
    _evaluate(params.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    _compile()
    memory = _memory(sizes, apart=apart)
    # <replay>
    if apart:
        _replay(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
        return memory.tensors
    # </replay>
    _loss_and_gradients(params.flat, gradients.flat, *memory.arrays, *data.values(), *memory.sizes)
    return memory.tensors


def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    _compile()
    memory = _memory(sizes, state.workspace)
    moments = (arena.flat for arena in state.moments.values())
    hyper = (state.hyper[name] for name in HYPER)
    loss, finite = _train_step(
        state.params.flat, state.gradients.flat, *moments, state.step + 1, *hyper,
        *memory.arrays, *data.values(), *memory.sizes,
    )  # fmt: skip
    state.step += bool(finite)
    return float(loss), bool(finite)
