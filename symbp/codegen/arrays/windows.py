"""Reads in forms of their own: windows that slide over an array with a border of zeros, axes laid out as one
and one as several.

Enters: an access whose subscripts are sums of indices, or digits of one. Leaves: a value, or None where it
has another form. Must not know: convolutions, or what else windows are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays.frame import Frame, Variable
from symbp.codegen.arrays.values import Value
from symbp.codegen.tree import Expression, Node, Slice
from symbp.ir.affine import Affine, affine
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, FloorDiv, Index, Mod

ZERO = sympy.S.Zero


# --- windows
@dataclass(frozen=True)
class Axis:
    """How an axis is read: `start + Σ weight·index` behind a border of `low` zeros in front, `high` behind;
    `window` is the second index, if there is one."""

    index: Index
    step: int
    start: Expr
    low: Expr = ZERO
    high: Expr = ZERO
    window: Index | None = None
    weight: int = 0
    whole: bool = False


def windows(access: Access, variable: Variable, frame: Frame) -> Value | None:
    """The windows of an array, with a border where reads lie outside of it and are 0 there; or None."""
    if access.outside not in (None, 0) or (access.outside is None and frame.guarded):
        return None
    axes: list[Axis] = []
    seen: set[Index] = set()
    for subscript, extent in zip(access.subscripts, variable.shape, strict=True):
        form = affine(subscript)
        if form is None or not 1 <= len(form.weights) <= 2 or seen & set(form.weights):
            return None
        if set(form.weights) & set(frame.running) or not set(form.weights) <= set(frame.extents):
            return None
        seen |= set(form.weights)
        axis = _axis(form, extent, access.outside is not None, frame)
        if axis is None:
            return None
        axes.append(axis)
    return _viewed(_bordered(variable.node, axes, frame), axes, variable, frame)


def _axis(form: Affine, extent: Expr, bordered: bool, frame: Frame) -> Axis | None:
    """How one axis is read, if the signs of its ends are known."""
    extents = {i: frame.full(e) for i, e in frame.extents.items()}
    least, beyond = form.least(extents), sympy.expand(form.greatest(extents) - frame.full(extent) + 1)
    low = high = ZERO
    if bordered:
        ends = [_positive_part(-least, frame), _positive_part(beyond, frame)]
        if ends[0] is None or ends[1] is None:
            return None
        low, high = ends
    first, *second = _roles(form, frame)
    step, start = form.weights[first], sympy.expand(least + low)
    if second:
        if step < 0:
            return None
        return Axis(first, step, start, low, high, second[0], form.weights[second[0]])
    whole = low == high == 0 and step == 1 and frame.same(frame.extents[first], extent)
    return Axis(first, step, start, low, high, whole=whole)


def _positive_part(e: Expr, frame: Frame) -> Expr | None:
    """The expression, or 0 where it is never positive; None where its sign isn't known."""
    value = e.xreplace(dict(frame.bound))
    if never_negative(-value, {}):
        return ZERO
    return e if never_negative(value, {}) else None


def _roles(form: Affine, frame: Frame) -> tuple[Index, ...]:
    """The index that says where a window starts, then the one that runs within it: the one that goes
    backwards, or the one with the plainer length."""

    def within(index: Index) -> tuple[bool, bool, bool, str]:
        extent = frame.extents[index]
        plain = bool(extent.is_Integer or extent.is_Symbol) and extent not in frame.formulas
        return form.weights[index] < 0, abs(form.weights[index]) == 1, plain, index.name

    return tuple(sorted(form.weights, key=within))


def _bordered(node: Expression, axes: Sequence[Axis], frame: Frame) -> Expression:
    if all(axis.low == axis.high == 0 for axis in axes):
        return node
    borders = [infer.tuple_of(_number(a.low, frame), _number(a.high, frame)) for a in axes]
    shape = [e + a.low + a.high for e, a in zip(node.shape, axes, strict=True)]
    return infer.call("np.pad", node, infer.tuple_of(*borders), shape=shape, dtype=node.dtype)


def _viewed(node: Expression, axes: Sequence[Axis], variable: Variable, frame: Frame) -> Value:
    sliding = [k for k, axis in enumerate(axes) if axis.window is not None]
    spans = {k: sympy.expand(abs(axes[k].weight) * (_extent(axes[k].window, frame) - 1) + 1) for k in sliding}
    lengths = [frame.full(e) + a.low + a.high for e, a in zip(variable.shape, axes, strict=True)]
    if sliding:
        sizes = infer.sizes_of(_number(spans[k], frame) for k in sliding)
        lengths = [e - spans[k] + 1 if k in spans else e for k, e in enumerate(lengths)]
        node = infer.call(
            "sliding_window_view", node, sizes, infer.axes_node(tuple(sliding)),
            shape=(*lengths, *(spans[k] for k in sliding)), dtype=node.dtype,
        )  # fmt: skip
    items: list[Node] = [_positions(a, lengths[k], frame) for k, a in enumerate(axes)]
    items += [_stepped(axes[k].weight) for k in sliding]
    order = (*(a.index for a in axes), *(axes[k].window for k in sliding))
    named = tuple(index for index in order if index is not None)
    shape = tuple(frame.extents[index] for index in named)
    if all(item == Slice() for item in items):
        return Value(node, named)
    while items[-1] == Slice():
        items.pop()
    return Value(infer.sliced(node, items, shape), named)


def _extent(index: Index | None, frame: Frame) -> Expr:
    assert index is not None
    return frame.extents[index]


def _stepped(weight: int) -> Slice:
    return Slice() if weight == 1 else Slice(step=infer.number(weight))


def _positions(axis: Axis, extent: Expr, frame: Frame) -> Slice:
    """The slice of an axis; backwards from its last place where the index counts down."""
    if axis.whole:
        return Slice()
    count = frame.full(frame.extents[axis.index])
    stop = sympy.expand(axis.start + abs(axis.step) * (count - 1) + 1)
    first = None if axis.start == 0 else _number(axis.start, frame)
    if axis.step < 0:
        last = sympy.expand(stop - 1)
        before = None if axis.start == 0 else _number(axis.start - 1, frame)
        here = None if frame.same(stop, extent) else _number(last, frame)
        return Slice(here, before, infer.number(axis.step))
    behind = sympy.expand(extent - stop)
    until: Expression | None = None
    if not frame.same(stop, extent):
        shown = sympy.expand(axis.start + axis.step * (frame.extents[axis.index] - 1) + 1)
        until = infer.number(-int(behind)) if behind.is_Integer else _number(shown, frame)
    return Slice(first, until, None if axis.step == 1 else infer.number(axis.step))


def _number(e: Expr, frame: Frame) -> Expression:
    from symbp.codegen.arrays.bodies import length

    return length(e, frame)


# --- axes laid out anew
def reshaped(access: Access, variable: Variable, frame: Frame) -> Value | None:
    """`a.reshape(…)`: several axes read at the digits of one index, or one axis at the number that several
    indices are the digits of; in row-major order. None where an access isn't of this form."""
    subscripts, shape = access.subscripts, variable.shape
    for first in range(len(subscripts)):
        for last in range(first, len(subscripts)):
            inner = _laid_out(subscripts[first : last + 1], shape[first : last + 1], frame)
            outer = [(k, s) for k, s in enumerate(subscripts) if not first <= k <= last]
            plain = all(_is_whole(s, shape[k], frame) for k, s in outer)
            indices = [s for _, s in outer]
            if inner and plain and len({*indices, *inner}) == len(indices) + len(inner):
                axes = (*subscripts[:first], *inner, *subscripts[last + 1 :])
                extents = tuple(frame.extents[i] for i in axes)
                sizes = (_number(e, frame) for e in extents)
                node = infer.call(".reshape", variable.node, *sizes, shape=extents, dtype=variable.node.dtype)
                return Value(node, axes)
    return None


def _is_whole(subscript: Expr, extent: Expr, frame: Frame) -> bool:
    free = isinstance(subscript, Index) and subscript not in frame.running
    return free and frame.same(frame.extents[subscript], extent)


def _laid_out(subscripts: Sequence[Expr], shape: Sequence[Expr], frame: Frame) -> tuple[Index, ...]:
    """The indices that some neighbouring axes are read by in row-major order, one or several; or nothing."""
    known = frame.extents
    if len(subscripts) == 1:
        indices = [i for i in subscripts[0].free_symbols if isinstance(i, Index)]
        if len(indices) < 2 or any(i in frame.running or i not in known for i in indices):
            return ()
        strides = {i: subscripts[0].coeff(i) for i in indices}
        ordered = sorted(indices, key=lambda i: (-len(strides[i].free_symbols), -_as_number(strides[i])))
        right = _number_of(ordered, known)
        fits = frame.same(sympy.Mul(*(known[i] for i in ordered)), shape[0])
        return tuple(ordered) if fits and sympy.expand(subscripts[0] - right) == 0 else ()
    indices = sorted({i for s in subscripts for i in s.free_symbols if isinstance(i, Index)}, key=str)
    if len(indices) != 1 or indices[0] in frame.running or indices[0] not in known:
        return ()
    (u,) = indices
    if not frame.same(known[u], sympy.Mul(*shape)):
        return ()
    return (u,) if tuple(subscripts) == _digits(u, shape) else ()


def _as_number(e: Expr) -> int:
    return int(e) if e.is_Integer else 0


def _number_of(indices: Sequence[Index], extents: object) -> Expr:
    total: Expr = ZERO
    for index in indices:
        total = total * extents[index] + index  # type: ignore[index]
    return sympy.expand(total)


def _digits(u: Index, shape: Sequence[Expr]) -> tuple[Expr, ...]:
    found: list[Expr] = []
    for k, extent in enumerate(shape):
        quotient = FloorDiv(u, sympy.Mul(*shape[k + 1 :]))
        found.append(quotient if k == 0 else Mod(quotient, extent))
    return tuple(found)
