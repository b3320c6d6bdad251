"""Data for a network that has none: its own example, else random ones that obey what is declared.

Enters: a system, arrays that its author gave as an example, sizes. Leaves: arrays for its inputs and targets,
all sizes, and what they are in a word. Must not know: what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.ir.expr import Size
from symbp.ir.points.fitting import constraints, sample_sizes
from symbp.ir.points.sampling import Spread, evaluate_size, sample_leaf
from symbp.ir.system import Role, System, Tensor
from symbp.read.numbers.given import given_arrays, shown_sizes
from symbp.verify.health.setting import Array

EXAMPLES = 32
EXAMPLE, DRAWN = "the network's own example", "drawn at random"


def drawn_data(
    system: System, example: Mapping[str, Any], sizes: Mapping[str, int], seed: int
) -> tuple[dict[str, Array], dict[str, int], str]:
    """(arrays, sizes, what they are)."""
    needed = system.with_role(Role.INPUT, Role.TARGET)
    own = {t.name: example[t.name] for t in needed if t.name in example}
    given = given_arrays(system, own)
    known = shown_sizes(system, given, dict(sizes))
    chosen = {**sample_sizes(system), **system.bound, **known}
    if not given:
        chosen = _with_examples(system, chosen, sizes)
    rng = np.random.default_rng(seed)
    rest = {t.name: _leaf(t, chosen, rng) for t in needed if t.name not in given}
    return {**given, **rest}, chosen, EXAMPLE if given else DRAWN


def _with_examples(system: System, sizes: dict[str, int], given: Mapping[str, int]) -> dict[str, int]:
    """The sizes with enough examples, where these are counted by an open size that may be any."""
    firsts = {t.shape[0] for t in system.with_role(Role.INPUT, Role.TARGET) if t.shape}
    shaping = {extent for t in system.parameters for extent in t.shape}
    for first in firsts - shaping:
        if isinstance(first, Size) and first.name not in system.bound and first.name not in given:
            more = {**sizes, first.name: EXAMPLES}
            sizes = more if constraints(system).hold(more) else sizes
    return sizes


def _leaf(tensor: Tensor, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """Normal, where nothing is known of it."""
    if tensor.integer or tensor.facts:
        return np.asarray(sample_leaf(tensor, sizes, rng, Spread(-0.9, 0.9, far=False)))
    return rng.normal(size=tuple(evaluate_size(extent, sizes) for extent in tensor.shape))
