"""Windows that slide along axes: kernel, stride, padding and dilation, for convolution and pooling alike.

Enters: options as PyTorch spells them. Leaves: one `Window` per axis, which knows where its elements are read
and how many positions it has. Must not know: what is done with the elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Index
from symbp.language.naming.frames import here
from symbp.language.node import counted, display
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor

Option = Any  # one number for all axes, or one per axis; of a padding also a pair (before, after) per axis


@dataclass(frozen=True)
class Window:
    """One axis: element p of the window at position i is read at `i·stride + p·dilation − before`.

    With `ceil` the last window may hang over the end, as long as it starts inside the input or before it.
    """

    kernel: Expr
    stride: int = 1
    before: Expr = 0
    after: Expr = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def reach(self) -> Expr:
        """How many elements the window spans, those between its own included."""
        return self.dilation * (self.kernel - 1) + 1

    def at(self, position: Expr, element: Expr) -> Expr:
        """Where an element of the window at a position is read."""
        return position * self.stride + element * self.dilation - self.before

    def count(self, extent: Expr) -> Expr:
        """How many positions there are along an axis (Dumoulin and Visin 2016, relationship 6)."""
        free = extent + self.before + self.after - self.reach
        if self.ceil:
            # no window starts behind the input: of two bounds the one with the smaller numerator
            free = free + self.stride - 1 + min(0, sympy.expand(self.reach - self.after - self.stride))
        return sympy.expand(FloorDiv(sympy.expand(free), sympy.Integer(self.stride)) + 1)


def windows(
    x: Tensor,
    kernel: Sequence[Any],
    stride: Option = 1,
    padding: Option = 0,
    dilation: Option = 1,
    *,
    ceil: bool = False,
    what: str,
) -> tuple[Window, ...]:
    """One window per axis of x after the batch and the channels.

    Raises DeclarationError: an option that isn't a number of that kind, or of another number of axes;
    ShapeError: x has other axes, or the kernel is larger than the padded input (where sizes are known).
    """
    count = len(kernel)
    if x.rank != count + 2:
        raise ShapeError(
            f"{what} goes over {counted(count, 'axis', 'axes')} after batch and channels, but "
            f"{display(x)} has {counted(x.rank, 'axis', 'axes')} in all",
            where=here(),
            details=(f"{display(x)}: ({', '.join(map(str, x.shape))})",),
            help="shapes are (N, C, …) as in PyTorch: the batch, the channels, then space",
        )
    strides = whole(stride, count, f"{what}: stride", least=1)
    dilations = whole(dilation, count, f"{what}: dilation", least=1)
    extents = x.shape[2:]
    pads = _paddings(padding, kernel, strides, dilations, extents, what)
    found = tuple(
        Window(k, s, *pad, d, ceil) for k, s, pad, d in zip(kernel, strides, pads, dilations, strict=True)
    )
    for axis, window in enumerate(found, start=2):
        _check_reach(x, axis, window, what)
    return found


def whole(value: Option, count: int, what: str, *, least: int) -> tuple[int, ...]:
    """One integer per axis, each at least `least`. Raises DeclarationError."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    good = all(isinstance(v, int) and not isinstance(v, bool) and v >= least for v in values)
    if len(values) != count or not good:
        raise DeclarationError(
            f"{what} can't be {value!r}",
            where=here(),
            help=f"use an integer of at least {least}, or a tuple of {count} of them",
        )
    return values


def _paddings(
    padding: Option,
    kernel: Sequence[Any],
    strides: Sequence[int],
    dilations: Sequence[int],
    extents: Sequence[Expr],
    what: str,
) -> list[tuple[Expr, Expr]]:
    """How many zeros stand before and after each axis."""
    count = len(kernel)
    if padding == "valid":
        return [(sympy.S.Zero, sympy.S.Zero)] * count
    if padding in ("same", "same_lower"):
        found = []
        for k, s, d, extent in zip(kernel, strides, dilations, extents, strict=True):
            total = _same_total(d * (k - 1) + 1, s, extent, what)
            half = FloorDiv(total, sympy.Integer(2))
            found.append((half, total - half) if padding == "same" else (total - half, half))
        return found
    if isinstance(padding, str):
        known = 'use numbers, "same", "same_lower" or "valid"'
        raise DeclarationError(f"{what} knows no padding={padding!r}", where=here(), help=known)
    entries = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * count
    pairs = [tuple(e) if isinstance(e, (tuple, list)) else (e, e) for e in entries]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) != count:
        whole(None, count, f"{what}: padding", least=0)
    return [tuple(map(sympy.Integer, whole(pair, 2, f"{what}: padding", least=0))) for pair in pairs]


def _same_total(reach: Expr, stride: int, extent: Expr, what: str) -> Expr:
    """How many zeros in all leave ⌈extent/stride⌉ positions: max(0, (⌈extent/stride⌉ − 1)·stride + reach −
    extent), which without a stride is reach − 1."""
    if stride == 1:
        return sympy.expand(reach - 1)
    known, span = value_of(extent), value_of(sympy.sympify(reach))
    if known is None or span is None:
        raise DeclarationError(
            f'{what}: padding="same" with a stride of {stride} needs the extent {extent}, which is open',
            where=here(),
            help="give the padding as numbers, or bind the size",
        )
    return sympy.Integer(max(0, (-(-known // stride) - 1) * stride + span - known))


def _check_reach(x: Tensor, axis: int, window: Window, what: str) -> None:
    extent = x.shape[axis]
    padded, reach = value_of(sympy.sympify(extent + window.before + window.after)), value_of(window.reach)
    if padded is not None and reach is not None and reach > padded:
        raise ShapeError(
            f"the kernel of {what} reaches over {reach} elements, but the padded input has {padded}",
            where=here(),
            details=(
                f"axis {axis} of {display(x)}: {extent}, padded by {window.before} and {window.after}",
                f"kernel: {window.kernel}, dilation {window.dilation}",
            ),
            help="use a smaller kernel or dilation, or more padding",
        )


def elements(count: int) -> list[Index]:
    """An index for each axis of a window."""
    return [Index(f"p{k}") for k in range(count)]
