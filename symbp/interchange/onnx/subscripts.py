"""Subscripts: slices, single places, arrays of places, new axes, as NumPy has them.

Enters: a value, items that are evaluated. Leaves: a value of the graph. Must not know: the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.interchange.onnx.graph import NUMBERS, Graph, Made

FIRST, LAST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Span:
    """A slice: each end known, of the graph, or open."""

    start: Any = None
    stop: Any = None
    step: int = 1


NEW, REST = object(), object()  # an axis of length 1; all axes that nothing else takes


def subscript(graph: Graph, value: Made, items: Sequence[Any]) -> Made:
    """`value[items]`."""
    taken = sum(item is not NEW and item is not REST for item in items)
    spare = [Span()] * (value.rank - taken)
    place = next((k for k, item in enumerate(items) if item is REST), len(items))
    every = [*items[:place], *spare, *items[place + 1 :]]
    added = [k for k, item in enumerate(every) if item is NEW]
    plain = [item for item in every if item is not NEW]
    value = _sliced(graph, value, plain)
    places = {k: item for k, item in enumerate(plain) if not isinstance(item, Span)}
    if added:
        assert not any(isinstance(p, Made) and p.rank for p in places.values())
        at = [k - sum(not isinstance(i, Span) and i is not NEW for i in every[:k]) for k in added]
        return graph.unsqueezed(_taken(graph, value, places), at)
    return _taken(graph, value, places)


def _sliced(graph: Graph, value: Made, items: Sequence[Any]) -> Made:
    spans = {k: item for k, item in enumerate(items) if isinstance(item, Span) and item != Span()}
    if not spans:
        return value
    back = {k: span.step < 0 for k, span in spans.items()}
    starts = [(LAST if back[k] else 0) if s.start is None else s.start for k, s in spans.items()]
    stops = [(FIRST if back[k] else LAST) if s.stop is None else s.stop for k, s in spans.items()]
    axes, steps = list(spans), [span.step for span in spans.values()]
    parts = [graph.vector(part) for part in (starts, stops, axes, steps)]
    return graph.op("Slice", value, *parts, rank=value.rank, dtype=value.dtype)


def _taken(graph: Graph, value: Made, places: dict[int, Any]) -> Made:
    """Elements at places along some axes: one after the other where they are single, else together."""
    if all(isinstance(p, NUMBERS) or p.rank == 0 for p in places.values()) or len(places) == 1:
        for axis in sorted(places, reverse=True):
            at = graph.made(places[axis], "integer")
            rank = value.rank - 1 + at.rank
            value = graph.op("Gather", value, at, rank=rank, dtype=value.dtype, axis=axis)
        return value
    axes = sorted(places)
    rest = [k for k in range(value.rank) if k not in axes]
    together = coordinates(graph, [places[k] for k in axes])
    moved = graph.transposed(value, [*axes, *rest])
    count = together.rank - 1
    found = graph.op("GatherND", moved, together, rank=count + len(rest), dtype=value.dtype)
    if axes != list(range(axes[0], axes[-1] + 1)):
        return found
    before = axes[0]
    order = [*range(count, count + before), *range(count), *range(count + before, found.rank)]
    return graph.transposed(found, order)


def coordinates(graph: Graph, places: Sequence[Any]) -> Made:
    """Places along several axes as one array, a last axis with a place for each."""
    made = [graph.made(p, "integer") for p in places]
    rank = max(p.rank for p in made)
    shape = common_shape(graph, made)
    spread = [graph.op("Expand", p, shape, rank=rank, dtype="integer") for p in made]
    single = [graph.unsqueezed(p, [rank]) for p in spread]
    return graph.op("Concat", *single, rank=rank + 1, dtype="integer", axis=rank)


def common_shape(graph: Graph, values: Sequence[Made]) -> Made:
    """The shape of arrays together."""
    zero = graph.constant(0, "integer")
    total = graph.op("Mul", values[0], zero, rank=values[0].rank, dtype="integer")
    for value in values[1:]:
        nothing = graph.op("Mul", value, zero, rank=value.rank, dtype="integer")
        total = graph.op("Add", total, nothing, rank=max(total.rank, value.rank), dtype="integer")
    return graph.op("Shape", total, rank=1, dtype="integer")
