"""Training steps in blocks: so many rows of the data at a time that their arrays stay in the cache.

Enters: a state, data, sizes. Leaves: the loss, and gradients added over the blocks.
Must not know: the equations, how many rows a block has and why. It stands for `step`, and its key for that of
`keys`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.memory import _Memory, _refuse_short
from symbp.runtime.common.training.state import State
from symbp.runtime.network import BLOCKS, CUT, FEWEST, LOSS, OPEN_SIZES, PARAMETERS, SIZES, Array
from symbp.runtime.numpy.stages import _backward, _forward, _loss, _update


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """All rows in one piece, then the open sizes; what nothing shows is of another stage."""
    rows = (sizes.get(name, SIZES.get(name, 1)) for name in BLOCKS)
    return (*rows, *(sizes.get(name, 1) for name in OPEN_SIZES[len(BLOCKS) :]))


class _Step:
    """A training step over the arrays of a state, which stay in their places, block by block."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        whole = _key(sizes)
        _refuse_short(dict(zip(OPEN_SIZES, whole, strict=False)))
        most = _rows(whole)
        self.sizes = sizes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        self.memories: dict[tuple[int, ...], _Memory] = {}
        self.parts: dict[tuple[str, tuple[int, ...]], Array] = {}
        self.runs: list[tuple[tuple[slice, ...], _Block]] = []
        bound: dict[tuple[int, ...], _Block] = {}
        own = max((CUT[name] for name in PARAMETERS if name in CUT), default=0)
        for first in itertools.product(*map(range, [0] * len(most), whole, most)):
            rows = [min(n, count - start) for n, count, start in zip(most, whole, first, strict=False)]
            block = tuple(slice(start, start + n) for start, n in zip(first, rows, strict=True))
            key = (*rows, *map(bool, first), *first[:own])
            if key not in bound:
                bound[key] = _Block(self, block, (*rows, *whole[len(rows) :]))
            self.runs.append((block, bound[key]))
        self.nbytes = sum(memory.nbytes for memory in self.memories.values())
        self.nbytes += sum(part.nbytes for part in self.parts.values())
        moments = {name: arena.flat for name, arena in state.moments.items()}
        tensors = next(iter(self.memories.values())).tensors
        self.update = _update(tensors, state.params.flat, state.gradients.flat, **moments)
        self.gradient = state.gradients.flat

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """Fills the gradients; returns the loss."""
        if len(self.runs) == 1:
            return self.runs[0][1].differentiate(data)
        return sum(run.differentiate(_cut(data, block)) for block, run in self.runs)


class _Block:
    """The stages over some rows, and the gradients that they add to those of the blocks before."""

    def __init__(self, step: _Step, block: tuple[slice, ...], sizes: tuple[int, ...]) -> None:
        if sizes not in step.memories:
            step.memories[sizes] = _Memory(sizes)
        params, tensors = _cut(step.params, block), step.memories[sizes].tensors
        gradients = _cut(step.gradients, block)
        self.added = []
        for name, whole in gradients.items():
            if any(rows.start for rows in block[CUT.get(name, 0) :]):
                gradients[name] = step.parts.setdefault((name, whole.shape), np.empty_like(whole))
                self.added.append((whole, gradients[name]))
        self.forward, self.loss = _forward(params, tensors, *sizes), _loss(params, tensors, *sizes)
        self.backward = _backward(params, tensors, gradients, *sizes)
        self.value = tensors[LOSS]

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """The loss of these rows, after their gradients are in place."""
        self.forward(data)
        self.loss(data)
        self.backward(data)
        for whole, part in self.added:
            np.add(whole, part, out=whole)
        return float(self.value)


def _rows(whole: tuple[int, ...]) -> list[int]:
    """How many rows the largest block has along each axis: as `BLOCKS` says, or all, if there were fewer than
    `FEWEST` blocks."""
    rows = [min(most, count) for most, count in zip(BLOCKS.values(), whole, strict=False)]
    blocks = math.prod(-(-count // most) for most, count in zip(rows, whole, strict=False))
    return rows if blocks >= FEWEST else list(whole[: len(rows)])


def _cut(arrays: Mapping[str, Array], block: tuple[slice, ...]) -> dict[str, Array]:
    """The arrays, but of those that `CUT` names only a block's rows along so many leading axes."""
    return {name: a[block[: CUT[name]]] if name in CUT else a for name, a in arrays.items()}
