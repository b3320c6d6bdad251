"""The right-hand side of an equation as a value over the axes of its target.

Enters: an equation and its frame. Leaves: a value. Must not know: statements, names of targets.
"""

from __future__ import annotations

from symbp.codegen import infer
from symbp.codegen.arrays import sums
from symbp.codegen.arrays.bodies import conjunction, counted, integer, real
from symbp.codegen.arrays.frame import Frame
from symbp.codegen.arrays.values import Axes, Value, filled, joined, whole
from symbp.codegen.tree import DType, Expression, Slice
from symbp.ir.system import FLAT, Equation

LEAVES = {
    "inverse": "np.linalg.inv", "det": "np.linalg.det", "logdet": "logdet", "cholesky": "cholesky",
    "cofactors": "cofactors", "eigenvalues": "eigenvalues", "eigenvectors": "eigenvectors",
    "singular_values": "singular_values", "left_vectors": "left_vectors", "right_vectors": "right_vectors",
    "argsort": "argsort",
}  # fmt: skip


def right_hand_side(equation: Equation, frame: Frame, is_integer: bool) -> Value:
    """The value of an equation, over the axes of its plain indices (those that run in a loop aside)."""
    frame = frame.within(equation.extents)
    if equation.leaf is not None:
        return _leaf(equation, frame)
    if equation.op == "sum":
        return sums.total(equation.body, equation.reduced, frame)
    if equation.op == "argmax":
        return _argmax(equation, frame)
    if equation.op is not None:
        return sums.extreme(equation.op, equation.body, equation.reduced, equation.where, frame)
    if is_integer:
        return counted(integer(equation.body, frame))
    value = real(equation.body, frame)
    if value.node.dtype != "boolean":
        return value
    return Value(infer.binary("*", infer.number(1.0), value.node), value.axes)  # True + True is True in NumPy


def _argmax(equation: Equation, frame: Frame) -> Value:
    """The place of the first maximum along one axis, or one component of it over several."""
    value = counted(real(equation.body, frame.under_guard() if equation.where else frame))
    mask = conjunction(equation.where, frame) if equation.where else None
    reduced = equation.reduced
    if mask is None and len(reduced) == 1:
        every = whole(value, reduced, frame)
        kept = tuple(i for i in every.axes if i not in reduced)
        axis = every.axes.index(reduced[0])
        last = axis == len(every.axes) - 1
        return Value(infer.reduced("argmax", every.node, (-1 if last else axis,), "integer"), kept)
    axes = value.axes if mask is None else joined([value.axes, mask.axes], frame.order)
    kept = tuple(i for i in axes if i not in reduced)
    shape = tuple(frame.extents[i] for i in kept)
    component = equation.reduction.component if equation.reduction else FLAT
    more = {} if mask is None else {"where": _over(mask, (*kept, *reduced), frame)}
    count = infer.number(len(reduced))
    place = infer.number("None", "object") if component == FLAT else infer.number(component)
    node = _over(value, (*kept, *reduced), frame)
    plain = mask is None and component != FLAT and all(frame.extents[i].is_positive for i in reduced)
    name = "first_maximum" if plain else "first_maximum_where"
    return Value(infer.call(name, node, count, place, shape=shape, dtype="integer", more=more), kept)


def _over(value: Value, axes: Axes, frame: Frame) -> Expression:
    return filled(value, axes, frame.extents, lambda e: integer(e, frame).node)


def _leaf(equation: Equation, frame: Frame) -> Value:
    """A function of a whole matrix, the last two axes, or of a vector, the last axis."""
    leaf = equation.leaf
    assert leaf is not None
    value = counted(real(equation.body, frame))
    batch = tuple(i for i in equation.indices if i not in equation.result and i in value.axes)
    node = _over(value, (*batch, *equation.reduced), frame)
    axes = (*batch, *equation.result)
    shape = tuple(frame.extents[i] for i in axes)
    more: dict[str, Expression] = {}
    if "value" in leaf.result:
        more["count"] = integer(frame.extents[equation.result[-1]], frame).node
    dtype: DType = "integer" if leaf.integer else "real"
    found = infer.call(LEAVES[equation.op or ""], node, shape=shape, dtype=dtype, more=more)
    here = tuple(i for i in axes if i not in frame.running)
    if here == axes:
        return Value(found, axes)
    items = [infer.name(frame.running[i], (), "integer") if i in frame.running else Slice() for i in axes]
    return Value(infer.sliced(found, items, (frame.extents[i] for i in here)), here)
