"""Convolution over any number of axes, and its transpose; shapes are (N, C, …) as in PyTorch.

Enters: tensors and options. Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.ir.shapes import Witness
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.sizes import as_size, mismatch, value_of
from symbp.language.tensor import Tensor
from symbp.ops.gates import divided, without_rest
from symbp.ops.registry import example, op
from symbp.ops.windowed.windows import Option, Window, elements, whole, windows

FAMILY = "convolution"
PRODUCT = Hint("z", "layer")


@op(
    FAMILY,
    example("N 2 8", "4 2 3", "4", stride=2, padding=1),
    example("N 4 7", "6 2 3", padding="same", groups=2),
    example("N 2 9", "3 2 3", dilation=2),
)
def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    dilation: Option = 1,
    groups: int = 1,
) -> Tensor:
    """Σ_c,p x[n,c,i·s + p·d − pad]·W[f,c,p] + b[f] (Dumoulin and Visin 2016).

    x (N, C, L), weight (F, C/groups, K), bias (F). `padding` is a number, a pair (before, after), "same" or
    "valid". Raises ShapeError: a kernel larger than the padded input, groups that don't divide the channels.
    """
    return _convolution(x, weight, bias, 1, stride, padding, dilation, groups)


@op(
    FAMILY,
    example("N 2 5 6", "3 2 3 3", "3"),
    example("N 2 6 5", "4 1 3 2", "4", stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
    example("N 2 4 5", "3 2 3 1", padding="same"),
)
def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    dilation: Option = 1,
    groups: int = 1,
) -> Tensor:
    """Σ_c,p,q x[n,c,i·s + p·d − pad,j·s + q·d − pad]·W[f,c,p,q] + b[f]: `conv1d` over two axes."""
    return _convolution(x, weight, bias, 2, stride, padding, dilation, groups)


@op(FAMILY, example("2 2 3 4 3", "2 2 2 3 2", "2", stride=(1, 2, 1), padding=(0, 1, 1)))
def conv3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    dilation: Option = 1,
    groups: int = 1,
) -> Tensor:
    """`conv1d` over three axes."""
    return _convolution(x, weight, bias, 3, stride, padding, dilation, groups)


@op(
    FAMILY,
    example("N 3 4", "3 2 3", "2", stride=2, padding=1, output_padding=1),
    example("N 4 3", "4 2 3", groups=2, dilation=2),
)
def conv_transpose1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    output_padding: Option = 0,
    groups: int = 1,
    dilation: Option = 1,
) -> Tensor:
    """Σ_c,i x[n,c,i]·W[c,f,o + pad − i·s] + b[f]: the adjoint of `conv1d` as a map (Dumoulin and Visin 2016).

    x (N, C, L), weight (C, F/groups, K), bias (F); the result has (L − 1)·s − 2·pad + d·(K − 1) +
    output_padding + 1 elements. Raises as `conv1d`.
    """
    return _transposed(x, weight, bias, 1, stride, padding, output_padding, groups, dilation)


@op(FAMILY, example("N 2 3 2", "2 3 2 3", "3", stride=(2, 1), padding=(0, 1)))
def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    output_padding: Option = 0,
    groups: int = 1,
    dilation: Option = 1,
) -> Tensor:
    """`conv_transpose1d` over two axes."""
    return _transposed(x, weight, bias, 2, stride, padding, output_padding, groups, dilation)


@op(FAMILY, example("2 2 2 2 2", "2 2 2 2 1", stride=(1, 1, 2)))
def conv_transpose3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Option = 1,
    padding: Option = 0,
    output_padding: Option = 0,
    groups: int = 1,
    dilation: Option = 1,
) -> Tensor:
    """`conv_transpose1d` over three axes."""
    return _transposed(x, weight, bias, 3, stride, padding, output_padding, groups, dilation)


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    count: int,
    stride: Option,
    padding: Option,
    dilation: Option,
    groups: int,
) -> Tensor:
    what = f"conv{count}d"
    _check_weight(weight, count, what)
    over = windows(x, weight.shape[2:], stride, padding, dilation, what=what)
    n, f, c, space, inside = *axes(2), axes(3)[2], axes(count, "i"), elements(count)
    channel = _grouped(x, weight, groups, what, f, c)
    there = [w.at(i, p) for w, i, p in zip(over, space, inside, strict=True)]
    ranges = dict(zip(space, (w.count(e) for w, e in zip(over, x.shape[2:], strict=True)), strict=True))
    padded = any(w.before != 0 or w.after != 0 for w in over)
    read = x.at(n, channel, *there, outside=0) if padded else x.at(n, channel, *there)
    z = formula(
        [n, f, *space],
        Sum(read * weight.at(f, c, *inside), c, *inside),
        ranges=ranges | {n: x.shape[0]},
        parts=[f, c] if groups > 1 else [],
        joined=(
            *_same(x.shape[1], weight.shape[1] * groups, x, weight, groups),
            *(without_rest(weight, 0, groups) if groups > 1 else ()),
        ),
        rule="convolution",
        hint=PRODUCT,
        kept=True,
    )
    return _offset(z, bias)


def _transposed(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    count: int,
    stride: Option,
    padding: Option,
    output_padding: Option,
    groups: int,
    dilation: Option,
) -> Tensor:
    what = f"conv_transpose{count}d"
    _check_weight(weight, count, what)
    strides = whole(stride, count, f"{what}: stride", least=1)
    more = whole(output_padding, count, f"{what}: output_padding", least=0)
    over = windows(x, (sympy.Integer(1),) * count, stride, padding, dilation, what=what)
    _check_extra(more, strides, over, what)
    n, f, c, space = *axes(2), axes(3)[2], axes(count, "i")
    whole(groups, 1, f"{what}: groups", least=1)
    inputs = divided(x, 1, groups, f"{what} in {groups} groups")
    channel = FloorDiv(f, weight.shape[1]) * inputs + c if groups > 1 else c
    column = Mod(f, weight.shape[1]) if groups > 1 else f
    spread = [
        _Spread(o, Index(f"p{k}"), w, kernel)
        for k, (o, w, kernel) in enumerate(zip(space, over, weight.shape[2:], strict=True))
    ]
    ranges = {n: x.shape[0], f: weight.shape[1] * groups, c: inputs}
    for s, extent, extra in zip(spread, x.shape[2:], more, strict=True):
        ranges |= s.ranges(extent, extra)
    read = x.at(n, channel, *[s.input for s in spread], outside=0)
    kernel = weight.at(channel, column, *[s.kernel_at for s in spread], outside=0)
    summed = dict.fromkeys(i for s in spread for i in s.over)
    z = formula(
        [n, f, *space],
        Sum(sympy.Mul(read, kernel, *[s.guard for s in spread]), c, *summed),
        ranges=ranges,
        parts=[f, c] if groups > 1 else [],
        joined=(
            *_same(x.shape[1], weight.shape[0], x, weight, 1, axis=0),
            *(without_rest(x, 1, groups) if groups > 1 else ()),
        ),
        rule="transposed convolution",
        hint=PRODUCT,
        kept=True,
    )
    return _offset(z, bias)


class _Spread:
    """One axis of a transposed convolution: element i of the input times element p of the kernel is added at
    `o = i·s + p·d − pad`; whichever of i and p has coefficient 1 is eliminated."""

    def __init__(self, o: Index, free: Index, window: Window, kernel: Expr) -> None:
        place = o + window.before
        self.window, self.kernel, self.o, self.over = window, kernel, o, (free,)
        self.guard: Expr = sympy.S.One
        self._by_kernel = window.stride == 1
        if window.stride == 1:
            self.input, self.kernel_at = place - free * window.dilation, free
        elif window.dilation == 1:
            self.input, self.kernel_at = free, place - free * window.stride
        else:
            distance = place - free * window.stride
            self.input, self.kernel_at = free, FloorDiv(distance, sympy.Integer(window.dilation))
            self.guard = Guard("=", Mod(distance, sympy.Integer(window.dilation)), 0)

    def ranges(self, extent: Expr, extra: int) -> dict[Index, Expr]:
        """How far the output and the index that is summed over run."""
        w = self.window
        reach = w.dilation * (self.kernel - 1) + 1
        outputs = (extent - 1) * w.stride - w.before - w.after + reach + extra
        return {self.o: sympy.expand(outputs), self.over[0]: self.kernel if self._by_kernel else extent}


def _check_weight(weight: Tensor, count: int, what: str) -> None:
    if not isinstance(weight, Tensor) or weight.rank != count + 2:
        shown = f"({', '.join(map(str, weight.shape))})" if isinstance(weight, Tensor) else repr(weight)
        raise ShapeError(
            f"the weight of {what} has {count + 2} axes: channels out, channels in, then the kernel",
            where=here(),
            details=(f"weight: {shown}",),
            help="a transposed convolution has its channels in before its channels out, as in PyTorch",
        )


def _check_extra(more: Sequence[int], strides: Sequence[int], over: Sequence[Option], what: str) -> None:
    for extra, s, w in zip(more, strides, over, strict=True):
        if extra and extra >= max(s, w.dilation):
            raise DeclarationError(
                f"{what}: output_padding {extra} must be smaller than the stride {s} or the dilation",
                where=here(),
            )


def _grouped(x: Tensor, weight: Tensor, groups: int, what: str, f: Expr, c: Expr) -> Expr:
    """The channel that element c of a filter's group is. Raises ShapeError: groups that don't divide."""
    whole(groups, 1, f"{what}: groups", least=1)
    if groups == 1:
        return c
    divided(x, 1, groups, f"{what} in {groups} groups")
    return FloorDiv(f, divided(weight, 0, groups, f"{what} in {groups} groups")) * weight.shape[1] + c


def _same(
    channels: Expr, expected: Expr, x: Tensor, weight: Tensor, groups: int, axis: int = 1
) -> tuple[tuple[Witness, Witness], ...]:
    """x has as many channels as the weight takes: a pair of extents to be joined; with groups, numbers to be
    compared, or to be the extent where it is open. Raises ShapeError."""
    times = f", {groups} groups of them" if groups > 1 else ""
    own = Witness(channels, f"axis 1 of {display(x)}")
    taken = Witness(sympy.expand(expected), f"axis {axis} of {display(weight)}{times}")
    if groups == 1:
        return ((own, taken),)
    if None not in (found := (value_of(channels), value_of(expected))) and found[0] != found[1]:
        raise mismatch("convolution", ((own, found[0]), (taken, found[1])), here())
    if found[0] is None and found[1] is not None and channels.is_Symbol:
        return ((own, Witness(as_size(found[1]), f"axis {axis} of {display(weight)}{times}")),)
    # the weight has a share of x's channels: multiples of the weight's would make small sizes large
    share = Witness(FloorDiv(channels, sympy.Integer(groups)), f"{own.why}, in {groups} groups")
    return (
        *without_rest(x, 1, groups),
        (share, Witness(weight.shape[axis], f"axis {axis} of {display(weight)}")),
    )


def _offset(z: Tensor, bias: Tensor | None) -> Tensor:
    """z plus an offset per channel."""
    if bias is None:
        return z
    every = axes(z.rank)
    return formula(every, z.at(*every) + bias.at(every[1]), rule="offset of each channel")
