"""Views and rearrangements, on terms and on what is known.

Enters: values, sizes and places as integers or formulas of open sizes. Leaves: values.
Must not know: foreign operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.values import (
    MOST_KNOWN,
    Filled,
    filled,
    known,
    refuse,
    shape_of,
    tensor,
    tidy,
)
from symbp.interchange.inward.writing import Term, Writer

ALL = slice(None)
MOST_PLACES = 64  # constant ones that are read one by one
END = 1 << 31  # bounds of slices from here on mean the end of the axis


def axis_of(rank: int, axis: int) -> int:
    """The axis counted from the first. Raises DataError: there is none."""
    if not -rank <= axis < rank:
        refuse(f"there is no axis {axis} among {rank}")
    return axis % rank


def permuted(w: Writer, value: Any, order: Sequence[int]) -> Any:
    """The axes in another order."""
    array = known(value)
    if array is not None:
        return np.transpose(array, order)
    if isinstance(value, Filled):
        return Filled(value.number, tuple(value.shape[k] for k in order))
    x = tensor(w, value)
    axes = tuple(axis_of(x.rank, k) for k in order)
    if sorted(axes) != list(range(x.rank)):
        refuse(f"{tuple(order)} isn't each of {x.rank} axes once")
    if x.seen is not None:
        x, first = x.seen
        axes = tuple(first[k] for k in axes)
    if axes == tuple(range(x.rank)):
        return x
    wide = [k for k in axes if x.shape[k] != 1]
    if wide == sorted(wide) and len(wide) < x.rank:  # only axes of 1 element change places
        return reshaped(w, x, tuple(x.shape[k] for k in axes))
    found = w.turned(x) if axes == (1, 0) else w.call("permute", x, axes, light=True)
    return replace(found, seen=(x, axes))


def exchanged(w: Writer, value: Any, a: int, b: int) -> Any:
    """Two axes exchanged."""
    rank = len(shape_of(value))
    order = list(range(rank))
    a, b = axis_of(rank, a), axis_of(rank, b)
    order[a], order[b] = order[b], order[a]
    return permuted(w, value, order)


def reshaped(w: Writer, value: Any, shape: Sequence[Any]) -> Any:
    """The elements row by row under another shape; one entry may be −1."""
    array = known(value)
    if array is not None:
        return array.reshape([int(n) for n in shape])
    old = shape_of(value)
    wanted = _without_unknown(old, shape)
    if wanted == old:
        return value
    if isinstance(value, Filled):
        return Filled(value.number, wanted)
    x = tensor(w, value)
    if x.flat is not None:  # the elements are those of what was reshaped before
        return reshaped(w, x.flat, wanted)
    if x.seen is not None and (parts := _split_axes(x.shape, wanted)) is not None:
        return _split_before(w, x.seen, parts)
    if x.seen is not None and (units := _split_axes(wanted, x.shape)) is not None:
        turned = _joined_in_order(w, x.seen, units, wanted)
        if turned is not None:
            return turned
    alone = sum(_is_open(n) for n in shape) == 1  # what stays open is what the others leave
    sizes = tuple(-1 if alone and _is_open(n) else n for n in wanted)
    return replace(w.call("reshape", x, sizes, light=True), flat=x)


def _split_axes(old: Sequence[Any], new: Sequence[Any]) -> list[list[Any]] | None:
    """The parts of each old axis in a new shape that only splits axes; None if it joins some."""
    left, found = list(new), []
    for extent in old:
        parts: list[Any] = []
        while left and (not parts or not _equal(sympy.Mul(*parts), extent)):
            parts.append(left.pop(0))
        if not parts or not _equal(sympy.Mul(*parts), extent):
            return None
        found.append(parts)
    return None if left else found


def _split_before(w: Writer, seen: tuple[Term, tuple[int, ...]], parts: Sequence[Sequence[Any]]) -> Any:
    """Axes split before they are put in another order: a view that needs no division of places."""
    base, order = seen
    of = {axis: list(own) for axis, own in zip(order, parts, strict=True)}
    flat = [(axis, k) for axis in range(base.rank) for k in range(len(of[axis]))]
    split = reshaped(w, base, tuple(of[axis][k] for axis, k in flat))
    return permuted(w, split, [flat.index((axis, k)) for axis in order for k in range(len(of[axis]))])


def _joined_in_order(
    w: Writer, seen: tuple[Term, tuple[int, ...]], units: Sequence[Sequence[Any]], wanted: Sequence[Any]
) -> Any:
    """Axes joined in the order that they had, the last one as it is, and then put in another order; None if
    they have it already."""
    base, order = seen
    starts = [sum(map(len, units[:k])) for k in range(len(units))]
    own = [order[start : start + len(unit)] for start, unit in zip(starts, units, strict=True)]
    first = [*sorted(range(len(own) - 1), key=lambda k: min(own[k])), len(own) - 1]
    if first == list(range(len(own))):
        return None
    before = permuted(w, base, [axis for k in first for axis in own[k]])
    joint = reshaped(w, before, tuple(wanted[k] for k in first))
    return permuted(w, joint, [first.index(k) for k in range(len(own))])


def _equal(a: Any, b: Any) -> bool:
    return bool(sympy.expand(sympy.sympify(a) - sympy.sympify(b)) == 0)


def _is_open(size: Any) -> bool:
    return not isinstance(size, int) or size == -1


def _without_unknown(old: Sequence[Any], shape: Sequence[Any]) -> tuple[Any, ...]:
    """The new shape with the size that −1 stands for."""
    if sum(isinstance(n, int) and n == -1 for n in shape) > 1:
        refuse("a new shape leaves two sizes open")
    total = sympy.Mul(*old)
    rest = sympy.Mul(*[n for n in shape if not (isinstance(n, int) and n == -1)])
    if not any(isinstance(n, int) and n == -1 for n in shape):
        if (sympy.expand(total - rest)).is_number and sympy.expand(total - rest) != 0:
            refuse(f"{tuple(old)} has another number of elements than {tuple(shape)}")
        return tuple(shape)
    left = sympy.cancel(total / rest) if rest != 0 else sympy.S.Zero
    if left.is_number and (not left.is_Integer or left < 1):
        refuse(f"{tuple(old)} can't be parted as {tuple(shape)}")
    size = int(left) if left.is_Integer else left
    return tuple(size if isinstance(n, int) and n == -1 else n for n in shape)


def flattened(w: Writer, value: Any, start: int, end: int) -> Any:
    """Axes as one."""
    shape = shape_of(value)
    if not shape:
        return reshaped(w, value, (1,))
    first, last = axis_of(len(shape), start), axis_of(len(shape), end)
    if first >= last:
        return value
    if isinstance(value, Filled) or known(value) is not None:
        return reshaped(w, value, (*shape[:first], -1, *shape[last + 1 :]))
    return w.call("flatten", tensor(w, value), light=True, start=first, end=last - len(shape))


def with_axes(w: Writer, value: Any, axes: Sequence[int]) -> Any:
    """New axes of 1 element at these places of the result."""
    rank = len(shape_of(value)) + len(axes)
    places = sorted(axis_of(rank, k) for k in axes)
    if len(set(places)) != len(places):
        refuse("a new axis is named twice")
    array = known(value)
    if array is not None:
        return np.expand_dims(array, tuple(places))
    if isinstance(value, Filled):
        shape = list(value.shape)
        for k in places:
            shape.insert(k, 1)
        return Filled(value.number, tuple(shape))
    x = tensor(w, value)
    if x.flat is not None or x.seen is not None:
        left = iter(x.shape)
        return reshaped(w, x, tuple(1 if k in places else next(left) for k in range(rank)))
    return w.part(x, [None if k in places else ALL for k in range(rank)])


def without_axes(w: Writer, value: Any, axes: Sequence[int] | None) -> Any:
    """Without these axes of 1 element, or without all such axes."""
    shape = shape_of(value)
    if axes is None:
        if any(not isinstance(n, int) for n in shape):
            refuse("all axes of 1 element are taken out where a size is open", "name the axes")
        axes = [k for k, n in enumerate(shape) if n == 1]
    places = {axis_of(len(shape), k) for k in axes}
    for k in places:
        if shape[k] != 1:
            refuse(f"axis {k} has {shape[k]} elements, not 1, and can't be taken out")
    array = known(value)
    if array is not None:
        return np.squeeze(array, tuple(places))
    if isinstance(value, Filled):
        return Filled(value.number, tuple(n for k, n in enumerate(shape) if k not in places))
    x = tensor(w, value)
    if (x.flat is not None or x.seen is not None) and len(places) < len(shape):
        return reshaped(w, x, tuple(n for k, n in enumerate(shape) if k not in places))
    return w.part(x, [0 if k in places else ALL for k in range(len(shape))])


def sliced(w: Writer, value: Any, cuts: dict[int, tuple[Any, Any, int]]) -> Any:
    """Parts of axes: start, stop and step for each; they may go beyond the ends, as Python's do."""
    shape = shape_of(value)
    array = known(value)
    if array is not None:  # of shapes that are calculated with, a part may be empty
        given = {axis_of(len(shape), k): slice(*cut) for k, cut in cuts.items()}
        return array[tuple(given.get(k, ALL) for k in range(len(shape)))]
    parts: list[Any] = [ALL] * len(shape)
    for axis, (start, stop, step) in cuts.items():
        k = axis_of(len(shape), axis)
        parts[k] = _cut(shape[k], start, stop, step)
    if isinstance(value, Filled):
        return Filled(value.number, tuple(_length(n, part) for n, part in zip(shape, parts, strict=True)))
    return w.part(tensor(w, value), parts)


def _length(extent: Any, part: slice) -> Any:
    """How many elements a part has. Raises DataError: of an open size."""
    if part == ALL:
        return extent
    if not isinstance(extent, int):
        refuse("a part of one number everywhere is taken along an open size")
    return len(range(*part.indices(extent)))


def _cut(extent: Any, start: Any, stop: Any, step: int) -> slice:
    """The bounds as they are written: none where they are the axis's own."""
    if step == 0:
        refuse("a slice has step 0")
    if isinstance(extent, int) and isinstance(start, int) and isinstance(stop, int):
        first, last, step = slice(start, stop, step).indices(extent)
        count = len(range(first, last, step))
        if count == 0:
            refuse("a slice is empty")
        if step > 0:
            return slice(first or None, None if last >= extent else last, None if step == 1 else step)
        return slice(None if first == extent - 1 else first, None if last < 0 else last, step)
    if step < 0 and not (start in (-1, None) or (isinstance(start, int) and start >= END)):
        refuse("a slice runs backwards from within an axis of an open size")
    from_ = None if start == 0 or step < 0 else start
    beyond = isinstance(stop, int) and (stop >= END or stop <= -END)
    return slice(from_, None if beyond or stop == extent else stop, None if step == 1 else step)


def at(w: Writer, value: Any, axis: int, place: Any) -> Any:
    """One place along an axis, which is gone."""
    shape = shape_of(value)
    k = axis_of(len(shape), axis)
    array = known(value)
    if array is not None:
        return array.take(int(place), axis=k)
    if isinstance(value, Filled):
        return Filled(value.number, tuple(n for j, n in enumerate(shape) if j != k))
    if isinstance(shape[k], int) and isinstance(place, int) and not -shape[k] <= place < shape[k]:
        refuse(f"place {place} is beyond an axis of {shape[k]} elements")
    x = tensor(w, value)
    if x.seen is not None and x.rank > 1:  # read before axes change places
        base, order = x.seen
        gone = order[k]
        left = [axis - (axis > gone) for axis in order if axis != gone]
        return permuted(w, at(w, base, gone, place), left)
    return w.part(tensor(w, value), [place if j == k else ALL for j in range(len(shape))])


def gathered(w: Writer, value: Any, places: Any, axis: int) -> Any:
    """x at the places that a tensor of integers names, along an axis."""
    k = axis_of(len(shape_of(value)), axis)
    array, index = known(value), known(places)
    if index is not None and index.dtype.kind in "iu":
        if array is not None:
            return tidy(np.take(array, index, axis=k))
        if index.ndim == 0:
            return at(w, value, axis, int(index))
        run = _progression(index.ravel())
        if run is not None and index.size:
            part = sliced(w, value, {k: run})
            shape = shape_of(part)
            return part if index.ndim == 1 else reshaped(w, part, (*shape[:k], *index.shape, *shape[k + 1 :]))
        if index.ndim == 1 and 0 < index.size <= MOST_PLACES:
            return joined(w, [at_once(w, value, k, int(p)) for p in index], k)
        refuse("many constant places that aren't evenly spaced are read")
    x, where = tensor(w, value), places
    if not isinstance(where, Term) or where.is_condition or not where.value.integer:
        refuse("places are read that are no integers of an input")
    if k == 0 and x.rank == 2:
        return w.call("embedding", where, x)
    return w.call("take", x, where, axis=k)


def at_once(w: Writer, value: Any, axis: int, place: int) -> Any:
    """One place along an axis, which stays with 1 element."""
    end = END if place == -1 else place + 1
    return sliced(w, value, {axis: (place, end, 1)})


def _progression(places: Any) -> tuple[int, int, int] | None:
    """Evenly spaced places that go up, as a slice."""
    steps = np.diff(places)
    step = int(steps[0]) if len(steps) else 1
    if len(places) == 0 or places[0] < 0 or step < 1 or (steps != step).any():
        return None
    return int(places[0]), int(places[-1]) + 1, step


def joined(w: Writer, values: Sequence[Any], axis: int) -> Any:
    """Tensors one after the other."""
    arrays = [known(v) for v in values]
    if all(a is not None for a in arrays):
        return tidy(np.concatenate(arrays, axis))
    if len(values) == 1:
        return values[0]
    terms = [tensor(w, v) for v in values]
    return w.call("concat", *terms, axis=_short(terms[0].rank, axis))


def stacked(w: Writer, values: Sequence[Any], axis: int) -> Any:
    """Tensors of one shape along a new axis."""
    terms = [tensor(w, v) for v in values]
    return w.call("stack", *terms, axis=axis_of(terms[0].rank + 1, axis))


def _short(rank: int, axis: int) -> int:
    return -1 if axis_of(rank, axis) == rank - 1 else axis_of(rank, axis)


def parted(w: Writer, value: Any, lengths: Sequence[Any], axis: int) -> tuple[Any, ...]:
    """The parts of an axis, so many elements in each."""
    start: Any = 0
    found: list[Any] = []
    total = shape_of(value)[axis_of(len(shape_of(value)), axis)]
    if isinstance(total, int) and sum(lengths) != total:
        refuse(f"{total} elements can't be parted into {', '.join(map(str, lengths))}")
    for length in lengths:
        found.append(sliced(w, value, {axis_of(len(shape_of(value)), axis): (start, start + length, 1)}))
        start += length
    return tuple(found)


def widened(w: Writer, value: Any, shape: Sequence[Any]) -> Any:
    """Repeated along axes of 1 element and new leading ones; an entry −1 or 1 leaves an axis as it is."""
    old = shape_of(value)
    lead = len(shape) - len(old)
    if lead < 0:
        shape, lead = (*[1] * -lead, *shape), 0
    wanted = [old[k - lead] if k >= lead and n in (-1, 1) else n for k, n in enumerate(shape)]
    for k, n in enumerate(old):
        if n != 1 and n != wanted[k + lead]:
            refuse(f"an axis of {n} elements can't be repeated to {wanted[k + lead]}")
    if isinstance(value, Filled):
        return Filled(value.number, tuple(wanted))
    array = known(value)
    if array is not None:
        if array.size == 1 and array.dtype.kind != "O":
            return filled(array.item(), wanted)
        small = all(isinstance(n, int) for n in wanted) and np.prod(wanted, dtype=float) <= MOST_KNOWN
        if not small:
            refuse("constants are repeated along an axis of an open size")
        return np.broadcast_to(array, wanted)
    if tuple(wanted) == old:
        return value
    return w.call("expand", tensor(w, value), tuple(wanted), light=True)


def tiled(w: Writer, value: Any, times: Sequence[Any]) -> Any:
    """Each axis several times over."""
    lead = len(times) - len(shape_of(value))
    found = with_axes(w, value, range(lead)) if lead > 0 else value
    for axis, count in enumerate(times):
        if count != 1:
            found = w.call("tile", tensor(w, found), count, axis)
    return found


def constant(value: Any) -> Any:
    """An array that stands in the graph itself."""
    return value.array if isinstance(value, Held) and value.array.dtype.kind in "iub" else value
