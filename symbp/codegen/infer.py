"""The shape and the dtype of what an operation gives, and functions that make nodes which have them.

Enters: nodes. Leaves: nodes of which shape and dtype are inferred. Must not know: statements, targets.

A shape is a tuple of SymPy expressions in sizes. Two lengths are taken to be equal where neither is 1: what
is really equal is for the validator to say, at sizes that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symbp.codegen.tree import (
    Attribute,
    Binary,
    Call,
    Choice,
    Constant,
    DType,
    Expression,
    Keyword,
    Name,
    NewAxis,
    Node,
    Rest,
    Sequence,
    Shape,
    Slice,
    Subscript,
    Table,
    Unary,
)

COMPARISONS = frozenset(("<", "<=", "==", "!=", ">", ">="))
ONE = sympy.S.One
RANK: dict[str, int] = {"boolean": 0, "integer": 1, "real": 2}


def broadcast(*shapes: Shape) -> Shape:
    """The shape of arrays together; an axis of length 1 goes with any."""
    rank = max(map(len, shapes), default=0)
    found: list[Any] = [ONE] * rank
    for shape in shapes:
        for k, extent in enumerate(shape, rank - len(shape)):
            if extent != 1:
                found[k] = extent
    return tuple(found)


def wider(*dtypes: DType) -> DType:
    """The dtype of values together."""
    return max(dtypes, key=lambda d: RANK.get(d, 3))


# --- leaves
def name(id: str, shape: Iterable[Any] = (), dtype: DType = "real") -> Name:
    """A variable."""
    return Name(tuple(shape), dtype, id)


def number(value: float | str, dtype: DType | None = None) -> Constant:
    """A number as Python writes it; a text stands as it is."""
    kind: DType = dtype or ("integer" if isinstance(value, int) else "real")
    return Constant((), kind, value if isinstance(value, str) else repr(value))


def quoted(word: str) -> Constant:
    """A text."""
    return Constant((), "object", f'"{word}"')


# --- operations
def unary(op: str, operand: Expression) -> Unary:
    """`-a`, `~a`."""
    return Unary(operand.shape, operand.dtype, op, operand)


def binary(op: str, left: Expression, right: Expression) -> Binary:
    """An operation of two arrays."""
    shape = product_shape(left.shape, right.shape) if op == "@" else broadcast(left.shape, right.shape)
    return Binary(shape, binary_dtype(op, left.dtype, right.dtype), op, left, right)


def binary_dtype(op: str, left: DType, right: DType) -> DType:
    """The dtype that an operator gives."""
    if op in COMPARISONS:
        return "boolean"
    if op in "&|":
        return wider(left, right)
    return "real" if op == "/" else wider(left, right)


def product_shape(left: Shape, right: Shape) -> Shape:
    """The shape of `left @ right`."""
    if len(left) == 1 and len(right) == 1:
        return ()
    if len(left) == 1:
        return (*right[:-2], right[-1])
    if len(right) == 1:
        return left[:-1]
    return (*broadcast(left[:-2], right[:-2]), left[-2], right[-1])


def choice(then: Expression, condition: Expression, otherwise: Expression) -> Choice:
    """`then if condition else otherwise`."""
    shape = broadcast(then.shape, otherwise.shape)
    return Choice(shape, wider(then.dtype, otherwise.dtype), then, condition, otherwise)


def call(
    function: str,
    *arguments: Expression,
    shape: Iterable[Any],
    dtype: DType = "real",
    more: Mapping[str, Expression] | None = None,
) -> Call:
    """A call whose result has a shape that its caller knows; `more` are arguments by name."""
    named = tuple(Keyword(key, value) for key, value in (more or {}).items())
    return Call(tuple(shape), dtype, function, arguments, named)


def elementwise(function: str, *arguments: Expression, dtype: DType = "real") -> Call:
    """A function of each element."""
    return Call(broadcast(*(a.shape for a in arguments)), dtype, function, arguments)


def where(mask: Expression, then: Expression, otherwise: Expression) -> Call:
    """`np.where(mask, then, otherwise)`."""
    dtype = wider(then.dtype, otherwise.dtype)
    return elementwise("np.where", mask, then, otherwise, dtype=dtype)


def axes_node(axes: tuple[int, ...]) -> Expression:
    """Axes as an argument: one number, or a tuple."""
    if len(axes) == 1:
        return number(axes[0])
    return Sequence((), "object", tuple(number(axis) for axis in axes))


def reduced(method: str, value: Expression, axes: tuple[int, ...], dtype: DType | None = None) -> Call:
    """`value.sum(axis)`, or without an argument where no axis is left."""
    rank = len(value.shape)
    gone = {axis % rank for axis in axes}
    shape = tuple(e for k, e in enumerate(value.shape) if k not in gone)
    kind = dtype or ("integer" if value.dtype == "boolean" else value.dtype)
    along = () if len(gone) == rank else (axes_node(axes),)
    return call(f".{method}", value, *along, shape=shape, dtype=kind)


def transposed(value: Expression, order: tuple[int, ...]) -> Expression:
    """The axes in another order."""
    if order == tuple(range(len(order))):
        return value
    shape = tuple(value.shape[k] for k in order)
    if order == (1, 0):
        return Attribute(shape, value.dtype, value, "T")
    rank = len(order)
    if order == (*range(rank - 2), rank - 1, rank - 2):
        return call(".swapaxes", value, number(-1), number(-2), shape=shape, dtype=value.dtype)
    return call(".transpose", value, *(number(k) for k in order), shape=shape, dtype=value.dtype)


def subscript(value: Expression, *items: Node) -> Subscript:
    """`value[items]`."""
    return Subscript(subscript_shape(value.shape, items), value.dtype, value, tuple(items))


def subscript_shape(shape: Shape, items: tuple[Node, ...]) -> Shape:
    """What is left of a shape. Arrays of integers, and scalars beside them, go together: their axes stand
    where the first of them stood if they are neighbours, else in front."""
    taken = sum(not isinstance(item, (NewAxis, Rest)) for item in items)
    rest = (Slice(),) * (len(shape) - taken)
    if any(isinstance(item, Rest) for item in items):
        k = next(k for k, item in enumerate(items) if isinstance(item, Rest))
        items = (*items[:k], *rest, *items[k + 1 :])
    else:
        items = (*items, *rest)
    arrays = [k for k, item in enumerate(items) if isinstance(item, Expression) and item.shape]
    joint: list[int] = []
    if arrays:
        joint = [k for k, item in enumerate(items) if isinstance(item, Expression)]
    together = broadcast(*(i.shape for i in items if isinstance(i, Expression)))
    found: list[Any] = []
    axis = 0
    for k, item in enumerate(items):
        if isinstance(item, NewAxis):
            found.append(ONE)
            continue
        if joint and k == joint[0] and joint == list(range(joint[0], joint[-1] + 1)):
            found += together
        if isinstance(item, Slice):
            found.append(slice_length(item, shape[axis]))
        axis += 1
    if joint and joint != list(range(joint[0], joint[-1] + 1)):
        found = [*together, *found]
    return tuple(found)


def slice_length(item: Slice, extent: Any) -> Any:
    """How many elements a slice keeps, where its bounds are sizes; the slice says so itself."""
    if item.start is None and item.stop is None and item.step is None:
        return extent
    return LENGTHS_OF_SLICES


LENGTHS_OF_SLICES = sympy.Symbol("_sliced", integer=True, positive=True)
"""A length that isn't inferred: that of a slice with bounds."""


def sliced(value: Expression, items: Iterable[Node], shape: Iterable[Any]) -> Subscript:
    """A subscript with slices whose lengths the caller knows."""
    return Subscript(tuple(shape), value.dtype, value, tuple(items))


def tuple_of(*items: Expression) -> Sequence:
    """`(a, b)`."""
    return Sequence((), "object", items)


def sizes_of(lengths: Iterable[Expression]) -> Expression:
    """A shape as an argument: one length alone, or a tuple."""
    every = tuple(lengths)
    return every[0] if len(every) == 1 else tuple_of(*every)


def list_of(*items: Expression) -> Sequence:
    """`[a, b]`."""
    return Sequence((), "object", items, square=True)


def table(entries: Iterable[tuple[str, Expression]]) -> Table:
    """`{"a": a}`."""
    pairs = tuple(entries)
    return Table((), "object", tuple(k for k, _ in pairs), tuple(v for _, v in pairs))
