"""Resizing of images and sequences: nearest and linear upsampling, pixel shuffle; shapes are (N, C, …).

Enters: tensors and options. Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

import sympy

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, counted
from symbp.language.notation import Sum, formula
from symbp.language.sizes import as_size, value_of
from symbp.language.tensor import Tensor
from symbp.ops.gates import divided, without_rest
from symbp.ops.registry import example, op
from symbp.ops.windowed.windows import whole

FAMILY = "resizing"
LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
RESIZED = Hint("h", "layer")
Mode = Literal["nearest", "nearest-exact", "linear", "bilinear", "trilinear"]
Ratio = tuple[Expr, Expr]  # what one step of the output is in the input, as numerator and denominator


@op(
    FAMILY,
    example("N 2 3 2", scale_factor=2),
    example("N 2 4", size=6, mode="nearest"),
    example("N 2 4", size=6, mode="nearest-exact"),
    example("N 2 3 2", scale_factor=(2, 3), mode="bilinear"),
    example("N 2 3 4", size=(5, 7), mode="bilinear", align_corners=True),
    example("N 2 4", scale_factor=1.5, mode="linear"),
    example("2 1 2 3 2", scale_factor=2, mode="trilinear"),
)
def interpolate(
    x: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: Mode = "nearest",
    align_corners: bool = False,
) -> Tensor:
    """x at other places: the nearest below, or on the line between the two nearest, axis by axis.

    Position i lies at i·L/O (nearest), (i + ½)·L/O (nearest-exact), (i + ½)·L/O − ½ held to the input
    (linear) or i·(L − 1)/(O − 1) (`align_corners`), for L elements that become O. Give either the `size` or
    the `scale_factor` O/L.
    Raises DeclarationError: both or neither, an unknown mode, a mode for another number of axes.
    """
    count = x.rank - 2
    nearest = mode in ("nearest", "nearest-exact")
    if not nearest and LINEAR.get(mode) != count:
        raise DeclarationError(
            f"interpolate can't be mode={mode!r} over {counted(count, 'axis', 'axes')}",
            where=here(),
            help='"nearest", "nearest-exact"; "linear", "bilinear", "trilinear" over 1, 2, 3 axes',
        )
    if nearest and align_corners:
        raise DeclarationError("align_corners is for the linear modes", where=here())
    for k, (extent, ratio) in enumerate(_targets(x, size, scale_factor, count), start=2):
        if nearest:
            x = _nearest(x, k, extent, ratio, centred=mode == "nearest-exact")
        elif align_corners and value_of(extent) != 1:
            x = _on_line(x, k, extent, (x.shape[k] - 1, extent - 1), corners=True)
        else:  # one element alone stands at the first corner
            only: Ratio = (sympy.S.Zero, sympy.S.One)
            x = _on_line(x, k, extent, only if align_corners else ratio, corners=align_corners)
    return x


@op(FAMILY, example("N 8 2 3", upscale_factor=2))
def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """y[n,c,h·r + a,w·r + b] = x[n,c·r² + a·r + b,h,w]: channels become space (Shi et al. 2016).

    Raises ShapeError: r² doesn't divide the channels.
    """
    (r,) = whole(upscale_factor, 1, "pixel_shuffle: upscale_factor", least=1)
    n, c, i, j = axes(4)
    channel = c * r**2 + Mod(i, sympy.Integer(r)) * r + Mod(j, sympy.Integer(r))
    read = x.at(n, channel, FloorDiv(i, sympy.Integer(r)), FloorDiv(j, sympy.Integer(r)))
    ranges = {c: divided(x, 1, r * r, "pixel_shuffle"), i: x.shape[2] * r, j: x.shape[3] * r}
    joined = without_rest(x, 1, r * r)
    return formula(
        [n, c, i, j], read, ranges=ranges, joined=joined, rule="pixel shuffle", hint=RESIZED, kept=True
    )


@op(FAMILY, example("N 2 4 6", downscale_factor=2))
def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: space becomes channels. Raises ShapeError: r doesn't divide an axis."""
    (r,) = whole(downscale_factor, 1, "pixel_unshuffle: downscale_factor", least=1)
    n, c, i, j = axes(4)
    size = sympy.Integer(r)
    row, column = Mod(FloorDiv(c, size), size), Mod(c, size)
    read = x.at(n, FloorDiv(c, sympy.Integer(r * r)), i * r + row, j * r + column)
    ranges = {i: divided(x, 2, r, "pixel_unshuffle"), j: divided(x, 3, r, "pixel_unshuffle")}
    ranges |= {c: x.shape[1] * r**2}
    joined = (*without_rest(x, 2, r), *without_rest(x, 3, r))
    return formula(
        [n, c, i, j], read, ranges=ranges, joined=joined, rule="pixel unshuffle", hint=RESIZED, kept=True
    )


def _targets(x: Tensor, size: Any, scale_factor: Any, count: int) -> list[tuple[Expr, Ratio]]:
    """The extent of each resized axis, and how far a step in it goes in the input."""
    if (size is None) == (scale_factor is None):
        raise DeclarationError("interpolate takes either a size or a scale_factor", where=here())
    given = size if scale_factor is None else scale_factor
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * count
    if len(values) != count:
        raise DeclarationError(
            f"interpolate over {counted(count, 'axis', 'axes')} can't take {given!r}", where=here()
        )
    if scale_factor is None:
        sizes = [as_size(v) for v in values]
        return [(o, (e, o)) for o, e in zip(sizes, x.shape[2:], strict=True)]
    found = []
    for factor, extent in zip(values, x.shape[2:], strict=True):
        exact = Fraction(str(factor))
        if exact <= 0:
            raise DeclarationError(f"interpolate: scale_factor {factor!r} isn't positive", where=here())
        up, down = sympy.Integer(exact.numerator), sympy.Integer(exact.denominator)
        found.append((FloorDiv(extent * up, down), (down, up)))
    return found


def _nearest(x: Tensor, axis: int, extent: Expr, ratio: Ratio, *, centred: bool) -> Tensor:
    plain = axes(x.rank)
    there: list[Expr] = [*plain]
    place = plain[axis] * ratio[0]
    there[axis] = FloorDiv(2 * place + ratio[0], 2 * ratio[1]) if centred else FloorDiv(place, ratio[1])
    ranges = {plain[axis]: extent}
    return formula(plain, x.at(*there), ranges=ranges, rule="nearest element", hint=RESIZED, kept=True)


def _on_line(x: Tensor, axis: int, extent: Expr, ratio: Ratio, *, corners: bool) -> Tensor:
    """One axis: between the two elements beside the position, the edges beyond the input, as a product
    with the matrix of the interpolation."""
    plain, old = axes(x.rank), Index("b")
    there: list[Expr] = [*plain]
    there[axis] = old
    matrix = _interpolation(extent, x.shape[axis], ratio, corners=corners)
    body = Sum(matrix.at(plain[axis], old) * x.at(*there), old)
    return formula(plain, body, rule="linear interpolation", hint=RESIZED, kept=True)


def _interpolation(extent: Expr, length: Expr, ratio: Ratio, *, corners: bool) -> Tensor:
    """The weight of element b at position o: 1 − λ for the element before the position, λ for the next one,
    with λ their distance; an element outside counts for the edge. (O, L)"""
    o, b = Index("o"), Index("b")
    step, unit = ratio
    place = sympy.expand(o * step if corners else (2 * o + 1) * step - unit)
    unit = unit if corners else 2 * unit
    first, distance = FloorDiv(place, unit), Mod(place, unit) / unit
    before = Guard("=", b, first) + Guard("<", first, 0) * Guard("=", b, 0)
    behind = Guard("=", b, first + 1) + Guard("<=", length - 1, first) * Guard("=", b, length - 1)
    return formula(
        [o, b],
        (1 - distance) * before + distance * behind,
        ranges={o: extent, b: length},
        rule="interpolation matrix",
        hint=Hint("B"),
        kept=True,
    )
