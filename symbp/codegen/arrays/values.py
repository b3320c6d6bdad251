"""Arrays whose axes are indices, and how they come to lie along each other.

Enters: nodes with the index of each axis. Leaves: nodes that NumPy broadcasts as the indices say.
Must not know: tensors, equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbp.codegen import infer
from symbp.codegen.arrays.frame import Frame
from symbp.codegen.tree import Binary, Call, DType, Expression, Keyword, NewAxis, Node, Rest, Slice
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
    if len(items) == kept + 1 and isinstance(items[-1], NewAxis):
        again = _with_last_axis(node)
        if again is not None:
            return again
    if kept > 1 and all(isinstance(item, Slice) for item in items[:kept]):
        items = [Rest(), *items[kept:]]
    return infer.subscript(node, *items)


def _with_last_axis(node: Expression) -> Expression | None:
    """A reduction along the last axis that keeps it with length 1, also one beside a scalar; else None."""
    reduced = isinstance(node, Call) and node.arguments[1:] == (infer.number(-1),)
    if reduced and isinstance(node, Call) and node.name in (".sum", ".mean", ".max"):
        kept = Keyword("keepdims", infer.number("True", "object"))
        return replace(node, shape=(*node.shape, infer.ONE), keywords=(*node.keywords, kept))
    if isinstance(node, Binary) and node.op in ("*", "/"):
        parts = [node.left, node.right]
        sides = [p if not p.shape else _with_last_axis(p) for p in parts]
        if sides[0] is not None and sides[1] is not None:
            return infer.binary(node.op, sides[0], sides[1])
    return None


def filled(
    value: Value, axes: Axes, extents: Mapping[Index, Any], lengths: Any, dtype: DType = "real"
) -> Expression:
    """The array with all of these axes in full; `lengths` makes nodes of extents. Zeros have the `dtype`."""
    if set(value.axes) >= set(axes):
        return aligned(value, axes) if axes else value.node
    shape = tuple(extents[index] for index in axes)
    sizes = infer.sizes_of(lengths(extent) for extent in shape)
    node = aligned(value, axes)
    if getattr(node, "text", None) in ("0", "0.0"):
        more = {"dtype": infer.number("int", "object")} if dtype == "integer" else {}
        return infer.call("np.zeros", sizes, shape=shape, dtype=dtype, more=more)
    if not value.axes:
        return infer.call("np.full", sizes, node, shape=shape, dtype=node.dtype)
    return infer.call("np.broadcast_to", node, sizes, shape=shape, dtype=node.dtype)


def elementwise(function: Any, values: Sequence[Value], order: Sequence[Index]) -> Value:
    """A function of nodes, of values along each other."""
    axes = joined([v.axes for v in values], order)
    return Value(function(*(aligned(v, axes) for v in values)), axes)


def whole(value: Value, indices: Sequence[Index], frame: Frame) -> Value:
    """The value with an axis for each of the indices."""
    from symbp.codegen.arrays.bodies import length

    if set(indices) <= set(value.axes):
        return value
    axes = joined([value.axes, tuple(i for i in indices if i not in value.axes)], frame.order)
    return Value(filled(value, axes, frame.extents, lambda e: length(e, frame)), axes)
