"""What a step is given beside parameters: data, buffers, and random tensors, drawn by counting or passed in.

Enters: arrays, seed, step. Leaves: arrays by name, data first, then buffers, then random tensors.
Must not know: the equations, how a target draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.given.buffers import _as_buffers
from symbp.runtime.common.given.known_shapes import _fitting, _known_shape
from symbp.runtime.network import DTYPE, RANDOM, RANDOM_AT_INFERENCE, Array, _draw

_MASK = 2**64 - 1


def _given(
    data: dict[str, Array],
    buffers: Mapping[str, Any] | None,
    sizes: Mapping[str, int],
    seed: int = 0,
    step: int = 0,
    masks: Mapping[str, Any] | None = None,
    kept: dict[Any, Array] | None = None,
    training: bool = True,
) -> dict[str, Array]:
    """All that the stages read beside parameters; arrays in `kept` are drawn into again."""
    needed = [name for name in RANDOM if training or name in RANDOM_AT_INFERENCE]
    random = _drawn(needed, sizes, seed, step, masks or {}, {} if kept is None else kept)
    return {**data, **_as_buffers(buffers, sizes), **random}


def _drawn(
    needed: list[str],
    sizes: Mapping[str, int],
    seed: int,
    step: int,
    masks: Mapping[str, Any],
    kept: dict[Any, Array],
) -> dict[str, Array]:
    """The random tensors of one step: those of `masks` as they are, the others from the generator."""
    unknown = [name for name in masks if name not in RANDOM]
    if unknown:
        raise DataError(f"{unknown[0]} is no random tensor; the network draws {', '.join(RANDOM) or 'none'}")
    found = {}
    for number, (name, (extents, kind, p)) in enumerate(RANDOM.items()):
        if name not in needed:
            continue
        if name in masks:
            found[name] = _fitting(name, masks[name], extents, sizes)
            continue
        shape = _known_shape(name, extents, sizes)
        if (name, shape) not in kept:
            kept[name, shape] = np.empty(shape, DTYPE)
        found[name] = kept[name, shape]
        _draw(found[name].reshape(-1), kind, p, _draw_key(seed, step, number), kept)
    return found


def _draw_key(seed: int, step: int, number: int) -> int:
    """Where the stream of one tensor in one step starts: element e is output e + 1 of SplitMix64 (Steele, Lea
    and Flood 2014) started here, whatever part of the batch is drawn."""
    key = 0
    for part in (seed, step, number):
        key = (key + part + 0x9E3779B97F4A7C15) & _MASK
        key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & _MASK
        key ^= key >> 31
    return key
