"""Slices as Python writes them, `x[:, 1:-1]`: reads at shifted subscripts.

Enters: a node and its subscripts. Leaves: a `Slice`.
Must not know: ops, networks.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Access, Expr, FloorDiv, Index
from symbp.ir.sizes.canonical import canonical, with_divisions
from symbp.language.axes import axes, one_for_each
from symbp.language.naming.frames import here
from symbp.language.node import Joined, Node, counted, display
from symbp.language.sizes import as_size, value_of


def is_slice(subscripts: Sequence[Any]) -> bool:
    """Whether subscripts take parts of axes, or places alone: what is read is a tensor then, no element in
    index notation."""
    parts = any(isinstance(s, slice) or s is Ellipsis or s is None or _are_places(s) for s in subscripts)
    return parts or (bool(subscripts) and all(map(_is_place, subscripts)))


def _are_places(subscript: Any) -> bool:
    """A tensor of integers with axes: `E[tok]`."""
    return isinstance(subscript, Node) and subscript.integer and subscript.rank > 0


def _is_place(subscript: Any) -> bool:
    """An integer, or what sizes make: `x[0]`, `x[N - 1]`, `x[y[0]]`."""
    if isinstance(subscript, Node):
        return subscript.integer and subscript.rank == 0
    if isinstance(subscript, sympy.Expr):
        return not subscript.has(Index, Access)
    return isinstance(subscript, (int, np.integer)) and not isinstance(subscript, bool)


def from_the_end(node: Node, subscripts: Sequence[Any]) -> list[Any]:
    """Subscripts of index notation; negative integers count from the end of their axes, `h[n, -1]`."""
    extents = node.shape if len(subscripts) == node.rank else ()
    negative = [isinstance(s, (int, np.integer)) and s < 0 for s in subscripts]
    places = zip(subscripts, extents, negative, strict=False)
    return [extent + int(s) if counts else s for s, extent, counts in places] or list(subscripts)


@dataclass(frozen=True)
class Slice:
    """The indices that are left, the subscript of each axis, the ranges of those indices that stand for parts
    of axes, and extents that must agree."""

    left: tuple[Index, ...]
    read: tuple[Expr, ...]
    ranges: Mapping[Index, Expr]
    joined: Joined


def sliced(node: Node, subscripts: Sequence[Any], plain: Sequence[Index]) -> Slice:
    """What a slice takes; `None` is a new axis of 1 element, as in NumPy, and integers along one axis are
    places in it.

    Raises ShapeError: too many subscripts, an empty slice, a place beyond its axis, where sizes are known.
    """
    given = _filled(node, subscripts)
    left: list[Index] = []
    read: list[Expr] = []
    ranges: dict[Index, Expr] = {}
    joined: Joined = ()
    for subscript in given:
        axis = len(read)
        if subscript is None:
            new = Index(f"o{len(left)}")
            left.append(new)
            ranges[new] = as_size(1)
            continue
        if isinstance(subscript, Node):
            places = axes(subscript.rank, f"p{axis}_")
            left += places
            read.append(subscript.at(*places))
            joined += one_for_each(subscript, node, axis)
            continue
        index, extent = plain[axis], node.shape[axis]
        if isinstance(subscript, slice):
            start, step, length = _bounds(node, axis, subscript, extent)
            left.append(index)
            read.append(start + step * index)
            ranges[index] = length
        else:
            read.append(_place(node, axis, subscript, extent))
    return Slice(tuple(left), tuple(read), ranges, joined)


def _filled(node: Node, subscripts: Sequence[Any]) -> list[Any]:
    """One subscript per axis, whole axes for `...` and at the end."""
    given = list(subscripts)
    missing = node.rank - sum(s is not Ellipsis and s is not None for s in given)
    if missing < 0 or sum(s is Ellipsis for s in given) > 1:
        raise ShapeError(
            f"{display(node)} has {counted(node.rank, 'axis', 'axes')}, fewer than its subscripts",
            where=here(),
        )
    position = next((k for k, s in enumerate(given) if s is Ellipsis), None)
    whole = [slice(None)] * missing
    return given + whole if position is None else given[:position] + whole + given[position + 1 :]


def _bounds(node: Node, axis: int, part: slice, extent: Expr) -> tuple[Expr, int, Expr]:
    """Start, step and length of a slice; negative bounds count from the end of the axis."""
    step = 1 if part.step is None else operator.index(part.step)
    if step == 0:
        raise DeclarationError(f"a slice of {display(node)} has step 0", where=here())
    whole = part.start is None and part.stop is None
    if whole and abs(step) == 1:
        return (sympy.S.Zero, 1, extent) if step == 1 else (extent - 1, -1, extent)
    first, last = (sympy.S.Zero, extent) if step > 0 else (extent - 1, sympy.Integer(-1))
    start = first if part.start is None else _from_end(part.start, extent)
    stop = last if part.stop is None else _from_end(part.stop, extent)
    span = stop - start if step > 0 else start - stop
    count = canonical(span if abs(step) == 1 else FloorDiv(span + abs(step) - 1, sympy.Integer(abs(step))))
    known = value_of(extent)
    if known is not None:  # a slice may go beyond its axis, as Python allows
        taken = range(*part.indices(known))
        if not taken:
            what = f"axis {axis} of {display(node)}, which has {known} elements"
            raise ShapeError(f"a slice of {what}, is empty", where=here())
        start = start if value_of(start) == taken[0] else sympy.Integer(taken[0])
        count = count if value_of(count) == len(taken) else sympy.Integer(len(taken))
    return start, step, as_size(int(count)) if count.is_Integer else count


def _from_end(bound: Any, extent: Expr) -> Expr:
    if isinstance(bound, sympy.Expr):
        return with_divisions(bound)
    value = operator.index(bound)
    return sympy.Integer(value) if value >= 0 else extent + value


def _place(node: Node, axis: int, subscript: Any, extent: Expr) -> Expr:
    """One place along an axis: an integer, from the end if negative; or a size expression."""
    if isinstance(subscript, sympy.Expr) and not isinstance(subscript, Index):
        return subscript
    try:
        value = operator.index(subscript)
    except TypeError:
        raise DeclarationError(
            f"{display(node)} can't be read at {subscript!r} beside a slice",
            where=here(),
            help="beside slices stand integers; in index notation give an index for each axis",
        ) from None
    known = value_of(extent)
    if known is not None and not -known <= value < known:
        raise ShapeError(
            f"place {value} is beyond axis {axis} of {display(node)}, which has {known} elements",
            where=here(),
        )
    return sympy.Integer(value) if value >= 0 else extent + value
