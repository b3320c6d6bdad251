"""Reads at affine positions as views: slices, reshapes, windows; nothing is gathered element by element.

Enters: an access and the spelling that it stands in. Leaves: code such as `x[:, ::2]`, `x.reshape(N, 6, 4)`
or `_windows(x, (N, 5, 24), (0, 1, 1))`, its axes as they come. Must not know: statements, loops' bodies.

A read that may leave its tensor's range is taken from a padded copy, where what is outside is a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.written import DTYPES, Kind, Written
from symbp.codegen.tree import Assign, Expression, Name, NewAxis, Node, Slice
from symbp.ir.affine import Affine, affine, settled
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, FloorDiv, Index, Mod, free_indices


class Frame(Protocol):
    """What a view needs of the spelling around it."""

    extents: Mapping[Index, Expr]
    shapes: Mapping[str, tuple[Expr, ...]]
    loops: dict[Index, Expression]
    helpers: set[str]
    prelude: list[Assign]
    hoisted: list[Assign] | None  # statements before a loop; those of its body go into the prelude
    guarded: int

    def integer(self, e: Expr) -> Written: ...
    def number(self, text: str) -> Written: ...
    def write(self, e: Expr) -> Written: ...
    def fresh(self, stem: str) -> str: ...


@dataclass(frozen=True)
class _Axis:
    """An axis of a tensor: where a read moves along it, and how far it reaches."""

    form: Affine
    extent: Expr


def view(frame: Frame, access: Access, name: Name, kind: Kind) -> Written | None:
    """The read as a view (its axes in any order), or None if its positions are not affine."""
    reshaped = _merged(frame, access, name, kind) or _split(frame, access, name, kind)
    if reshaped is not None:
        return reshaped
    axes: list[_Axis] = []
    for subscript, extent in zip(access.subscripts, frame.shapes[access.name], strict=True):
        form = affine(subscript, frozenset(frame.loops))
        if form is None:
            return None
        axes.append(_Axis(form, extent))
    indices = [i for axis in axes for i in axis.form.weights]
    if len(set(indices)) != len(indices):
        return None  # a diagonal
    padding = _padding(frame, access)
    if padding is None:
        return None
    if any(width != (0, 0) for width in padding):
        name = _padded(frame, access, name, padding)
        axes = [
            _Axis(Affine(sympy.expand(a.form.offset + before), a.form.weights), a.extent + before + after)
            for a, (before, after) in zip(axes, padding, strict=True)
        ]
    if all(len(a.form.weights) <= 1 for a in axes):
        if not all(_stops(frame, a) for a in axes):
            return None
        return _sliced(frame, axes, name, kind)
    return _windowed(frame, axes, name, kind)


def _padding(frame: Frame, access: Access, any_value: bool = False) -> list[tuple[Expr, Expr]] | None:
    """By how much reads leave each axis, at either end, over all positions; None if that has no sign, or if
    what is outside is no number (unless `any_value` will do)."""
    found: list[tuple[Expr, Expr]] = []
    for subscript, extent in zip(access.subscripts, frame.shapes[access.name], strict=True):
        form = affine(subscript)
        if form is None:
            return None
        ends = (form.least(frame.extents), sympy.expand(extent - 1 - form.greatest(frame.extents)))
        widths = []
        for room in ends:
            if never_negative(room, {}):
                widths.append(sympy.Integer(0))
            elif never_negative(-room, {}):
                widths.append(-room)
            else:
                return None
        found.append((widths[0], widths[1]))
    leaves = any(width != (0, 0) for width in found) and not any_value
    outside = access.outside if access.outside is not None else sympy.Integer(0)
    if leaves and (not outside.is_number or (access.outside is None and not frame.guarded)):
        return None
    return found


def _padded(frame: Frame, access: Access, name: Name, padding: Sequence[tuple[Expr, Expr]]) -> Name:
    """The name of a padded copy."""
    pairs = [infer.tuple_of(frame.integer(a).node, frame.integer(b).node) for a, b in padding]
    widths = infer.tuple_of(*pairs) if len(padding) > 1 else pairs[0]
    outside = access.outside or sympy.Integer(0)
    more = {} if outside == 0 else {"constant_values": frame.write(outside).node}
    shape = [sympy.expand(n + a + b) for n, (a, b) in zip(name.shape, padding, strict=True)]
    padded = infer.call("np.pad", name, widths, shape=shape, dtype=name.dtype, more=more)
    before = frame.prelude if frame.hoisted is None else frame.hoisted
    for known in before:
        if known.value == padded and isinstance(known.target, Name):
            return known.target
    copy = infer.name(frame.fresh("padded"), shape, name.dtype)
    before.append(Assign(copy, padded))
    return copy


def shifted(frame: Frame, access: Access, name: Name, kind: Kind) -> Written | None:
    """A read that leaves its tensor at one end of one axis, where what is outside is a value of its own:
    `np.concatenate((h0[:, None], h[:, :T - 1]), 1)`; or None."""
    padding, own = _padding(frame, access, any_value=True), getattr(frame, "frame", ())
    leaving = [k for k, width in enumerate(padding or ()) if width != (0, 0)]
    if padding is None or access.outside is None or len(leaving) != 1:
        return None
    (axis,) = leaving
    (before, after), subscript = padding[axis], access.subscripts[axis]
    form = affine(subscript, frozenset(frame.loops))
    plain = [s for k, s in enumerate(access.subscripts) if k != axis]
    if form is None or list(form.weights.values()) != [1] or (before != 0 and after != 0):
        return None
    ((index, _),) = form.weights.items()
    width = before if before != 0 else after
    others = [i for i in plain if isinstance(i, Index) and i not in frame.loops]
    if len(others) != len(plain) or index in others or index in free_indices(access.outside):
        return None
    inside = sympy.expand(frame.extents[index] - width)
    if not never_negative(inside, {}):
        return None
    outside = frame.write(access.outside)
    axes = tuple(i for i in own if i in (*others, index))
    if outside.kind == "number" or set(outside.axes) - set(axes):
        return None
    start = sympy.Integer(0) if before != 0 else sympy.expand(form.offset)
    parts: list[Node] = [Slice()] * len(plain)
    stop = frame.integer(sympy.expand(start + inside)).node
    parts.insert(axis, Slice(None if start == 0 else frame.integer(start).node, stop))
    order = [s for s in access.subscripts if isinstance(s, Index)]
    order.insert(axis, index) if not isinstance(subscript, Index) else None
    if tuple(order) != axes or any(
        sympy.expand(frame.extents[i] - n) != 0
        for i, n in zip(order, frame.shapes[access.name], strict=True)
        if i != index
    ):
        return None
    first = _beside(frame, outside, axes, index, width)
    last = infer.sliced(name, _trimmed(parts), [inside if i == index else frame.extents[i] for i in order])
    ends = infer.tuple_of(first, last) if before != 0 else infer.tuple_of(last, first)
    shape = [frame.extents[i] for i in axes]
    node = infer.call("np.concatenate", ends, infer.number(axis), shape=shape, dtype=DTYPES[kind])
    return Written(node, axes, kind)


def _beside(frame: Frame, value: Written, axes: tuple[Index, ...], index: Index, width: Expr) -> Expression:
    """A value without an index, repeated along its axis."""
    marks: list[Node] = [Slice() if i in value.axes else NewAxis() for i in axes]
    lifted = infer.subscript(value.node, *_trimmed(marks))
    if width == 1 and set(value.axes) == set(axes) - {index}:
        return lifted
    extents = [width if i == index else frame.extents[i] for i in axes]
    shape = infer.tuple_of(*(frame.integer(e).node for e in extents))
    return infer.call("np.broadcast_to", lifted if value.axes else value.node, shape, shape=extents)


def _trimmed(parts: Sequence[Node]) -> list[Node]:
    found = list(parts)
    while found and found[-1] == Slice():
        found.pop()
    return found


def _sliced(frame: Frame, axes: Sequence[_Axis], name: Name, kind: Kind) -> Written:
    """One index along each axis: basic slices."""
    parts = _trimmed([
        slice_of(frame, a.form.offset, *_only(a.form), a.extent)
        if a.form.weights
        else frame.integer(a.form.offset).node
        for a in axes
    ])  # fmt: skip
    kept = tuple(i for a in axes for i in a.form.weights)
    node = infer.sliced(name, parts, [frame.extents[i] for i in kept]) if parts else name
    return Written(node, kept, kind)


def _stops(frame: Frame, axis: _Axis) -> bool:
    """Whether a slice backwards has an end that can be written: always at the first element or never there
    (a stop of −1 would be the last element)."""
    if not axis.form.weights or _only(axis.form)[0] > 0:
        return True
    weight, index = _only(axis.form)
    last = sympy.expand(axis.form.offset + weight * (frame.extents[index] - 1))
    return never_negative(-weight - 1 - last, frame.extents) or never_negative(last - 1, frame.extents)


def _only(form: Affine) -> tuple[int, Index]:
    ((index, weight),) = form.weights.items()
    return weight, index


def slice_of(frame: Frame, start: Expr, weight: int, index: Index, extent: Expr) -> Slice:
    """The positions `start + weight·index` along an axis, as a slice shortened where an end is meant."""
    count = frame.extents[index]
    last = sympy.expand(start + weight * (count - 1))
    room = extent - 1 - last if weight > 0 else last  # beyond the last element
    whole = never_negative(room, frame.extents) and never_negative(abs(weight) - 1 - room, frame.extents)
    stop = None if whole else frame.integer(sympy.expand(last + (1 if weight > 0 else -1))).node
    first = 0 if weight > 0 else extent - 1
    begin = None if sympy.expand(start - first) == 0 else frame.integer(start).node
    return Slice(begin, stop, None if weight == 1 else infer.python_number(str(weight)))


def _split(frame: Frame, access: Access, name: Name, kind: Kind) -> Written | None:
    """A read at numbers whose digits are indices, over whole axes, `x[n, i·W + j]`: `x.reshape(N, H, W)`."""
    digits: list[Index] = []
    shape = frame.shapes[access.name]
    for subscript, extent in zip(access.subscripts, shape, strict=True):
        found = _digits_of(sympy.expand(subscript), extent, frame.extents)
        if not found or not set(found).isdisjoint({*digits, *frame.loops}):
            return None
        digits += found
    if len(digits) == len(shape):
        return None  # plain
    return Written(_reshaped(frame, name, [frame.extents[i] for i in digits]), tuple(digits), kind)


def _reshaped(frame: Frame, name: Name, shape: Sequence[Expr]) -> Expression:
    sizes = [frame.integer(e).node for e in shape]
    return infer.call(".reshape", name, *sizes, shape=shape, dtype=name.dtype)


def _digits_of(e: Expr, extent: Expr, extents: Mapping[Index, Expr]) -> list[Index]:
    """The indices that are the digits of a number below the extent, highest first; none if they aren't."""
    weights = {i: e.coeff(i, 1) for i in sorted(free_indices(e), key=lambda i: i.name) if i in extents}
    if sympy.expand(e - sum(w * i for i, w in weights.items())) != 0:
        return []
    digits: list[Index] = []
    size = sympy.Integer(1)
    while len(digits) < len(weights):
        following = [i for i, w in weights.items() if i not in digits and sympy.expand(w - size) == 0]
        if len(following) != 1:
            return []
        digits[:0] = following
        size = sympy.expand(size * extents[following[0]])
    return digits if sympy.expand(size - extent) == 0 else []


def _windowed(frame: Frame, axes: Sequence[_Axis], name: Name, kind: Kind) -> Written:
    """Several indices along one axis: windows that overlap, by strides."""
    offsets = [frame.integer(a.form.offset).node for a in axes]
    starts: list[Node] = [
        (Slice(offset) if a.form.offset != 0 else Slice()) if a.form.weights else offset
        for a, offset in zip(axes, offsets, strict=True)
    ]
    starts = _trimmed(starts)
    left = [sympy.expand(a.extent - a.form.offset) for a in axes if a.form.weights]
    base = infer.sliced(name, starts, left) if starts else name
    moving = [a for a in axes if a.form.weights]
    places = [(i, k, w) for k, a in enumerate(moving) for i, w in a.form.weights.items()]
    order = {index: k for k, index in enumerate(_in_order(frame, [i for i, _, _ in places]))}
    places.sort(key=lambda place: order[place[0]])
    extents = [frame.extents[i] for i, _, _ in places]
    shape = infer.tuple_of(*(frame.integer(e).node for e in extents))
    along = infer.tuple_of(*(infer.number(k) for _, k, _ in places))
    steps = [infer.tuple_of(*(infer.python_number(str(w)) for _, _, w in places))]
    more = steps if any(w != 1 for _, _, w in places) else []
    frame.helpers.add("_windows")
    node = infer.call("_windows", base, shape, along, *more, shape=extents, dtype=name.dtype)
    return Written(node, tuple(i for i, _, _ in places), kind)


def _in_order(frame: Frame, indices: Sequence[Index]) -> list[Index]:
    own = list(getattr(frame, "frame", ()))
    return sorted(indices, key=own.index) if set(indices) <= set(own) else list(indices)


def _merged(frame: Frame, access: Access, name: Name, kind: Kind) -> Written | None:
    """A read of neighbouring axes at the digits of one index, over all of them: `x.reshape(N, 24)`."""
    shape = frame.shapes[access.name]
    axes: list[Index] = []
    extents: list[Expr] = []
    position = 0
    while position < len(shape):
        subscript = access.subscripts[position]
        if isinstance(subscript, Index):
            stop = position + 1
            index = subscript
        else:
            found = free_indices(subscript)
            if len(found) != 1 or subscript.atoms(Access) or not subscript.atoms(FloorDiv, Mod):
                return None
            (index,) = found
            stop = position + 1
            while stop < len(shape) and free_indices(access.subscripts[stop]) == found:
                stop += 1
        size = sympy.expand(sympy.Mul(*shape[position:stop]))
        if index in frame.loops or index in axes or sympy.expand(frame.extents[index] - size) != 0:
            return None
        if not _are_digits(access.subscripts[position:stop], index, shape[position:stop], frame.extents):
            return None
        axes.append(index)
        extents.append(size)
        position = stop
    if len(axes) == len(shape):
        return None  # plain
    return Written(_reshaped(frame, name, extents), tuple(axes), kind)


def _are_digits(
    subscripts: Sequence[Expr], index: Index, shape: Sequence[Expr], extents: Mapping[Index, Expr]
) -> bool:
    """Whether the subscripts are the digits of the index in the mixed radix of the shape."""
    later = sympy.Integer(1)
    for subscript, extent in zip(reversed(subscripts), reversed(shape), strict=True):
        forms = (
            FloorDiv(Mod(index, sympy.expand(later * extent)), later),
            Mod(FloorDiv(index, later), extent),
        )
        if settled(subscript, extents) not in [settled(form, extents) for form in forms]:
            return False
        later = sympy.expand(later * extent)
    return True
