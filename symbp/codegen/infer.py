"""The shape and the dtype of what an operation gives, and functions that make nodes which have them.

Enters: nodes. Leaves: nodes of which shape and dtype are inferred. Must not know: statements, targets.

A shape is a tuple of SymPy expressions in sizes. Two lengths are taken to be equal where neither is 1: what
is really equal is for the validator to say, at sizes that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from symbp.codegen import tree

COMPARISONS = frozenset(("<", "<=", "==", "!=", ">", ">="))
ONE = sympy.S.One
RANK: dict[str, int] = {"number": -1, "boolean": 0, "integer": 1, "real": 2}


def broadcast(*shapes: tree.Shape) -> tree.Shape:
    """The shape of arrays together; an axis of length 1 goes with any."""
    rank = max(map(len, shapes), default=0)
    found: list[Any] = [ONE] * rank
    for shape in shapes:
        for k, extent in enumerate(shape, rank - len(shape)):
            if extent != 1:
                found[k] = extent
    return tuple(found)


def wider(*dtypes: tree.DType) -> tree.DType:
    """The dtype of values together."""
    return max(dtypes, key=lambda d: RANK.get(d, 3))


# --- leaves
def name(id: str, shape: Iterable[Any] = (), dtype: tree.DType = "real") -> tree.Name:
    """A variable."""
    return tree.Name(tuple(shape), dtype, id)


def number(value: float | str, dtype: tree.DType | None = None) -> tree.Constant:
    """A number as Python writes it; a text stands as it is."""
    kind: tree.DType = dtype or ("integer" if isinstance(value, int) else "real")
    return tree.Constant((), kind, value if isinstance(value, str) else repr(value))


def quoted(word: str) -> tree.Constant:
    """A text."""
    return tree.Constant((), "object", f'"{word}"')


# --- operations
def unary(op: str, operand: tree.Expression) -> tree.Unary:
    """`-a`, `~a`."""
    return tree.Unary(operand.shape, operand.dtype, op, operand)


def binary(op: str, left: tree.Expression, right: tree.Expression) -> tree.Binary:
    """An operation of two arrays."""
    shape = product_shape(left.shape, right.shape) if op == "@" else broadcast(left.shape, right.shape)
    return tree.Binary(shape, binary_dtype(op, left.dtype, right.dtype), op, left, right)


def binary_dtype(op: str, left: tree.DType, right: tree.DType) -> tree.DType:
    """The dtype that an operator gives."""
    if op in COMPARISONS:
        return "boolean"
    if op in "&|":
        return wider(left, right)
    return "real" if op == "/" and not left == right == "number" else wider(left, right)


def negated(value: tree.Expression) -> tree.Expression:
    """`-value`; of a product and a quotient the first factor is, as Python reads `-a * b`."""
    if isinstance(value, tree.Binary) and value.op in ("*", "/", "@"):
        return binary(value.op, negated(value.left), value.right)
    return unary("-", value)


def is_negative(value: tree.Expression) -> bool:
    """Whether an expression begins with a minus."""
    while isinstance(value, tree.Binary):
        value = value.left
    return isinstance(value, tree.Unary) and value.op == "-"


def plus(left: tree.Expression, right: tree.Expression) -> tree.Expression:
    """`left + right`, where the terms of a sum on the right are added one by one: `a + b - c`."""
    if isinstance(right, tree.Binary) and right.op in ("+", "-") and not is_negative(right):
        return binary(right.op, plus(left, right.left), right.right)
    return binary("+", left, right)


def joined(op: str, values: Iterable[tree.Expression]) -> tree.Expression:
    """`a op b op c`, from the left."""
    first, *others = values
    for value in others:
        first = binary(op, first, value)
    return first


def python_number(text: str) -> tree.Expression:
    """A number of Python's as it is written, which takes the dtype of what it meets."""
    if text.startswith("-"):
        return unary("-", tree.Constant((), "number", text[1:]))
    return tree.Constant((), "number", text)


def infinity(negative: bool = False) -> tree.Expression:
    """`np.inf` or `-np.inf`."""
    value = tree.Attribute((), "number", tree.Name((), "object", "np"), "inf")
    return unary("-", value) if negative else value


def product_shape(left: tree.Shape, right: tree.Shape) -> tree.Shape:
    """The shape of `left @ right`."""
    if len(left) == 1 and len(right) == 1:
        return ()
    if len(left) == 1:
        return (*right[:-2], right[-1])
    if len(right) == 1:
        return left[:-1]
    return (*broadcast(left[:-2], right[:-2]), left[-2], right[-1])


def choice(then: tree.Expression, condition: tree.Expression, otherwise: tree.Expression) -> tree.Choice:
    """`then if condition else otherwise`."""
    shape = broadcast(then.shape, otherwise.shape)
    return tree.Choice(shape, wider(then.dtype, otherwise.dtype), then, condition, otherwise)


def call(
    function: str,
    *arguments: tree.Expression,
    shape: Iterable[Any],
    dtype: tree.DType = "real",
    more: Mapping[str, tree.Expression] | None = None,
) -> tree.Call:
    """A call whose result has a shape that its caller knows; `more` are arguments by name."""
    named = tuple(tree.Keyword(key, value) for key, value in (more or {}).items())
    return tree.Call(tuple(shape), dtype, function, arguments, named)


def called(function: str, *arguments: tree.Expression, **more: tree.Expression) -> tree.Call:
    """A call for what it does, or of what is no array."""
    return call(function, *arguments, shape=(), dtype="object", more=more)


def integer(id: str) -> tree.Name:
    """A variable that is an integer: a loop's step, a position, a size."""
    return name(id, (), "integer")


def word(id: str) -> tree.Name:
    """A name for what is no array: a table, a function, a dtype."""
    return name(id, (), "object")


def elementwise(function: str, *arguments: tree.Expression, dtype: tree.DType = "real") -> tree.Call:
    """A function of each element."""
    return tree.Call(broadcast(*(a.shape for a in arguments)), dtype, function, arguments)


def where(mask: tree.Expression, then: tree.Expression, otherwise: tree.Expression) -> tree.Call:
    """`np.where(mask, then, otherwise)`."""
    dtype = wider(then.dtype, otherwise.dtype)
    return elementwise("np.where", mask, then, otherwise, dtype=dtype)


def axes_node(axes: tuple[int, ...]) -> tree.Expression:
    """Axes as an argument: one number, or a tuple."""
    if len(axes) == 1:
        return number(axes[0])
    return tree.Sequence((), "object", tuple(number(axis) for axis in axes))


def reduced(
    method: str, value: tree.Expression, axes: tuple[int, ...], dtype: tree.DType | None = None
) -> tree.Call:
    """`value.sum(axis)`, or without an argument where no axis is left."""
    rank = len(value.shape)
    gone = {axis % rank for axis in axes}
    shape = tuple(e for k, e in enumerate(value.shape) if k not in gone)
    kind = dtype or ("integer" if value.dtype == "boolean" else value.dtype)
    along = () if len(gone) == rank else (axes_node(axes),)
    return call(f".{method}", value, *along, shape=shape, dtype=kind)


def transposed(value: tree.Expression, order: tuple[int, ...]) -> tree.Expression:
    """The axes in another order."""
    if order == tuple(range(len(order))):
        return value
    shape = tuple(value.shape[k] for k in order)
    if order == (1, 0):
        return tree.Attribute(shape, value.dtype, value, "T")
    rank = len(order)
    if order == (*range(rank - 2), rank - 1, rank - 2):
        return swapped(value)
    return call(".transpose", value, *(number(k) for k in order), shape=shape, dtype=value.dtype)


def swapped(value: tree.Expression) -> tree.Call:
    """Each matrix of a stack transposed."""
    last = (python_number("-1"), python_number("-2"))
    shape = (*value.shape[:-2], *value.shape[-2:][::-1])
    return call(".swapaxes", value, *last, shape=shape, dtype=value.dtype)


def subscript(value: tree.Expression, *items: tree.Node) -> tree.Subscript:
    """`value[items]`."""
    return tree.Subscript(subscript_shape(value.shape, items), value.dtype, value, tuple(items))


def subscript_shape(shape: tree.Shape, items: tuple[tree.Node, ...]) -> tree.Shape:
    """What is left of a shape. Arrays of integers, and scalars beside them, go together: their axes stand
    where the first of them stood if they are neighbours, else in front."""
    taken = sum(not isinstance(item, (tree.NewAxis, tree.Rest)) for item in items)
    rest = (tree.Slice(),) * (len(shape) - taken)
    if any(isinstance(item, tree.Rest) for item in items):
        k = next(k for k, item in enumerate(items) if isinstance(item, tree.Rest))
        items = (*items[:k], *rest, *items[k + 1 :])
    else:
        items = (*items, *rest)
    arrays = [k for k, item in enumerate(items) if isinstance(item, tree.Expression) and item.shape]
    joint: list[int] = []
    if arrays:
        joint = [k for k, item in enumerate(items) if isinstance(item, tree.Expression)]
    together = broadcast(*(i.shape for i in items if isinstance(i, tree.Expression)))
    found: list[Any] = []
    axis = 0
    for k, item in enumerate(items):
        if isinstance(item, tree.NewAxis):
            found.append(ONE)
            continue
        if joint and k == joint[0] and joint == list(range(joint[0], joint[-1] + 1)):
            found += together
        if isinstance(item, tree.Slice):
            found.append(slice_length(item, shape[axis]))
        axis += 1
    if joint and joint != list(range(joint[0], joint[-1] + 1)):
        found = [*together, *found]
    return tuple(found)


def slice_length(item: tree.Slice, extent: Any) -> Any:
    """How many elements a slice keeps, where its bounds are sizes; the slice says so itself."""
    if item.start is None and item.stop is None and item.step is None:
        return extent
    return LENGTHS_OF_SLICES


LENGTHS_OF_SLICES = sympy.Symbol("_sliced", integer=True, positive=True)
"""A length that isn't inferred: that of a slice with bounds."""


def without_rest(target: tree.Expression) -> tree.Expression:
    """An array in the place of all of it: `z` for `z[...]`."""
    if isinstance(target, tree.Subscript) and target.items == (tree.Rest(),):
        return target.value
    return target


def sliced(value: tree.Expression, items: Iterable[tree.Node], shape: Iterable[Any]) -> tree.Subscript:
    """A subscript with slices whose lengths the caller knows."""
    return tree.Subscript(tuple(shape), value.dtype, value, tuple(items))


def tuple_of(*items: tree.Expression) -> tree.Sequence:
    """`(a, b)`."""
    return tree.Sequence((), "object", items)


def sizes_of(lengths: Iterable[tree.Expression]) -> tree.Expression:
    """A shape as an argument: one length alone, or a tuple."""
    every = tuple(lengths)
    return every[0] if len(every) == 1 else tuple_of(*every)


def list_of(*items: tree.Expression) -> tree.Sequence:
    """`[a, b]`."""
    return tree.Sequence((), "object", items, square=True)


def table(entries: Iterable[tuple[str, tree.Expression]]) -> tree.Table:
    """`{"a": a}`."""
    pairs = tuple(entries)
    return tree.Table((), "object", tuple(k for k, _ in pairs), tuple(v for _, v in pairs))
