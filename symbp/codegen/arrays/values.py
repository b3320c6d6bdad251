"""Arrays whose axes are indices, and how they come to lie along each other.

Enters: nodes with the index of each axis. Leaves: nodes that NumPy broadcasts as the indices say.
Must not know: tensors, equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbp.codegen import infer
from symbp.codegen.tree import Expression, NewAxis, Node, Rest, Slice
from symbp.ir.expr import Index

Axes = tuple[Index, ...]


@dataclass(frozen=True)
class Value:
    """An expression, one index for each of its axes; none for a scalar."""

    node: Expression
    axes: Axes = ()


def joined(axes: Iterable[Axes], order: Sequence[Index]) -> Axes:
    """The axes of arrays together: as one of them has them, where the others fit into it, else in order."""
    every = tuple(axes)
    longest = max(every, key=len, default=())
    if all(_is_part(some, longest) for some in every):
        return longest
    place = {index: k for k, index in enumerate(order)}
    return tuple(sorted(set().union(*every), key=place.__getitem__))


def _is_part(some: Axes, whole: Axes) -> bool:
    rest = iter(whole)
    return all(index in rest for index in some)


def aligned(value: Value, axes: Axes) -> Expression:
    """The array with these axes, of length 1 where it has none; those missing in front are left out."""
    order = tuple(sorted(range(len(value.axes)), key=lambda k: axes.index(value.axes[k])))
    node = infer.transposed(value.node, order) if order else value.node
    items: list[Node] = [Slice() if index in value.axes else NewAxis() for index in axes]
    while items and isinstance(items[0], NewAxis):
        items.pop(0)
    if not any(isinstance(item, NewAxis) for item in items):
        return node
    kept = sum(isinstance(item, Slice) for item in items)
    if kept > 1 and all(isinstance(item, Slice) for item in items[:kept]):
        items = [Rest(), *items[kept:]]
    return infer.subscript(node, *items)


def filled(value: Value, axes: Axes, extents: Mapping[Index, Any], lengths: Any) -> Expression:
    """The array with all of these axes in full; `lengths` makes nodes of extents."""
    if set(value.axes) == set(axes):
        return aligned(value, axes)
    shape = tuple(extents[index] for index in axes)
    sizes = infer.sizes_of(lengths(extent) for extent in shape)
    node = aligned(value, axes)
    if getattr(node, "text", None) in ("0", "0.0"):
        return infer.call("np.zeros", sizes, shape=shape)
    if not value.axes:
        return infer.call("np.full", sizes, node, shape=shape, dtype=node.dtype)
    return infer.call("np.broadcast_to", node, sizes, shape=shape, dtype=node.dtype)


def elementwise(function: Any, values: Sequence[Value], order: Sequence[Index]) -> Value:
    """A function of nodes, of values along each other."""
    axes = joined([v.axes for v in values], order)
    return Value(function(*(aligned(v, axes) for v in values)), axes)
