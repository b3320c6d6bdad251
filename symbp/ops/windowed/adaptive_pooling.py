"""Pooling to a given number of places, whatever the extent; shapes are (N, C, …) as in PyTorch.

Enters: tensors and the size of the result. Leaves: tensors. Must not know: derivatives.

Place i of O along an axis of L elements stands for those from ⌊i·L/O⌋ to ⌈(i + 1)·L/O⌉ − 1: windows of one
size, side by side, where O divides L, and else of two sizes at most, which may overlap by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import counted, display
from symbp.language.notation import Max, Sum, formula
from symbp.language.sizes import as_size, value_of
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op
from symbp.ops.windowed.pooling import FAMILY, FIRST, POOLED
from symbp.ops.windowed.windows import elements


@op(FAMILY, example("N 2 6", output_size=3), example("N 2 7", output_size=5), example("N 2 3", output_size=4))
def adaptive_avg_pool1d(x: Tensor, output_size: Any) -> Tensor:
    """The mean of x[n,c,⌊i·L/O⌋ : ⌈(i + 1)·L/O⌉], the place i of O (He et al. 2015, section 2.2).

    Raises DeclarationError: a size of the wrong kind or number; ShapeError: x has other axes.
    """
    return _averaged(x, 1, output_size)


@op(FAMILY, example("N 2 4 6", output_size=(2, 3)), example("N 2 5 4", output_size=(3, None)))
def adaptive_avg_pool2d(x: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` over two axes; an axis whose size is None stays as it is."""
    return _averaged(x, 2, output_size)


@op(FAMILY, example("2 2 4 3 2", output_size=(2, 2, 1)))
def adaptive_avg_pool3d(x: Tensor, output_size: Any) -> Tensor:
    """`adaptive_avg_pool1d` over three axes; an axis whose size is None stays as it is."""
    return _averaged(x, 3, output_size)


@op(
    FAMILY,
    example("N 2 6", output_size=3),
    example("N 2 7", output_size=5),
    analytic=False,
    kinks=FIRST,
)
def adaptive_max_pool1d(x: Tensor, output_size: Any) -> Tensor:
    """The maximum of x[n,c,⌊i·L/O⌋ : ⌈(i + 1)·L/O⌉], the place i of O. Raises as `adaptive_avg_pool1d`."""
    return _largest(x, 1, output_size)


@op(FAMILY, example("N 2 5 4", output_size=(3, None)), analytic=False, kinks=FIRST)
def adaptive_max_pool2d(x: Tensor, output_size: Any) -> Tensor:
    """`adaptive_max_pool1d` over two axes; an axis whose size is None stays as it is."""
    return _largest(x, 2, output_size)


@op(FAMILY, example("2 2 4 3 2", output_size=(2, 2, 1)), analytic=False, kinks=FIRST)
def adaptive_max_pool3d(x: Tensor, output_size: Any) -> Tensor:
    """`adaptive_max_pool1d` over three axes; an axis whose size is None stays as it is."""
    return _largest(x, 3, output_size)


@dataclass(frozen=True)
class _Share:
    """One axis: the elements of x that a place stands for."""

    extent: Expr
    places: Expr

    def first(self, place: Expr) -> Expr:
        return FloorDiv(place * self.extent, self.places)

    def count(self, place: Expr) -> Expr:
        """⌈(i + 1)·L/O⌉ − ⌊i·L/O⌋."""
        return FloorDiv((place + 1) * self.extent + self.places - 1, self.places) - self.first(place)

    @property
    def even(self) -> Expr | None:
        """How many elements each place stands for, if all stand for as many."""
        if self.extent == self.places:
            return sympy.S.One
        known, places = value_of(self.extent), value_of(self.places)
        if known is None or places is None or known % places:
            return None
        return sympy.Integer(known // places)

    @property
    def most(self) -> Expr:
        """At least as many elements as any place stands for."""
        known, places = value_of(self.extent), value_of(self.places)
        if known is None or places is None:
            return FloorDiv(self.extent - 1, self.places) + 2
        spans = [-(-(i + 1) * known // places) - i * known // places for i in range(places)]
        return sympy.Integer(max(spans))


def _averaged(x: Tensor, count: int, output_size: Any) -> Tensor:
    shares = _shares(x, count, output_size, f"adaptive_avg_pool{count}d")

    def mean(read: Expr, own: Sequence[Expr], over: Sequence[Index], guards: Sequence[Expr]) -> Expr:
        return Sum(read / sympy.Mul(*own), *over, where=tuple(guards))

    return _pooled(x, shares, mean, "adaptive average pooling")


def _largest(x: Tensor, count: int, output_size: Any) -> Tensor:
    shares = _shares(x, count, output_size, f"adaptive_max_pool{count}d")

    def largest(read: Expr, own: Sequence[Expr], over: Sequence[Index], guards: Sequence[Expr]) -> Expr:  # noqa: ARG001
        return Max(read, *over, where=tuple(guards))

    return _pooled(x, shares, largest, "adaptive max pooling")


Reduce = Callable[[Expr, Sequence[Expr], Sequence[Index], Sequence[Expr]], Expr]


def _pooled(x: Tensor, shares: Sequence[_Share], reduce: Reduce, rule: str) -> Tensor:
    """`reduce` of an element, the numbers of elements, their indices and the conditions on these."""
    n, c, space, inside = *axes(2), axes(len(shares), "i"), elements(len(shares))
    ranges = {n: x.shape[0], c: x.shape[1]}
    there, own, guards = [], [], []
    for share, i, p in zip(shares, space, inside, strict=True):
        each = share.even
        there.append((share.first(i) if each is None else i * each) + p)
        own.append(share.count(i) if each is None else each)
        guards += [Guard("<", p, share.count(i))] if each is None else []
        ranges |= {i: share.places, p: share.most if each is None else each}
    body = reduce(x.at(n, c, *there), own, inside, guards)
    return formula([n, c, *space], body, ranges=ranges, parts=inside, rule=rule, hint=POOLED, kept=True)


def _shares(x: Tensor, count: int, output_size: Any, what: str) -> tuple[_Share, ...]:
    if x.rank != count + 2:
        raise ShapeError(
            f"{what} goes over {counted(count, 'axis', 'axes')} after batch and channels, but "
            f"{display(x)} has {counted(x.rank, 'axis', 'axes')} in all",
            where=here(),
            details=(f"{display(x)}: ({', '.join(map(str, x.shape))})",),
        )
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * count
    if len(given) != count:
        raise DeclarationError(
            f"{what}: output_size can't be {output_size!r}",
            where=here(),
            help=f"use a size, or a tuple of {count} of them; None leaves an axis as it is",
        )
    return tuple(
        _Share(extent, extent if size is None else as_size(size))
        for extent, size in zip(x.shape[2:], given, strict=True)
    )
