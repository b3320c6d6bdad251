"""Convolutions and pooling written by hand, of every kind, for the tests of windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import FloorDiv, Guard, Index, Mod
from symbp.ir.system import Role, System

N, C, D, G = sizes("N C D G")
n, c, d, g = indices("n c d g")
EXTENTS = {"N": 2, "C": 3, "D": 2, "G": 2}
AXES = [indices("i p"), indices("j q"), indices("l r")]


def windows(extent: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return (extent + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def total(b: SystemBuilder, read: Any, shape: int) -> System:
    """A loss that weighs every element differently, and the tensor itself as the output."""
    at = [Index(f"o{k}") for k in range(shape)]
    name = read(*at).name
    b.define("loss", [], sympy.sin(read(*at)) + read(*at) ** 2 / 3, "sum", at)
    return b.system("loss", [name])


def convolution(
    extents: tuple[int, ...], kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> System:
    """x (N, C, …), W (D, C, …): the cross-correlation of as many axes as there are extents."""
    b, rank = SystemBuilder(), len(extents)
    x = b.leaf("x", N, C, *extents, role=Role.PARAMETER)
    W = b.leaf("W", D, C, *[kernel] * rank, role=Role.PARAMETER)
    own = AXES[:rank]
    at = [stride * i + dilation * p - padding for i, p in own]
    outside = 0 if padding else None
    ranges: Mapping[Index, Any] = {
        **{i: windows(e, kernel, stride, padding, dilation) for (i, _), e in zip(own, extents, strict=True)},
        **{p: kernel for _, p in own},
        n: N,
        c: C,
    }
    plain, inner = [i for i, _ in own], [p for _, p in own]
    body = x(n, c, *at, outside=outside) * W(d, c, *inner)
    z = b.define("z", [n, d, *plain], body, "sum", [c, *inner], ranges=ranges)
    return total(b, z, 2 + rank)


def grouped(extent: int, kernel: int) -> System:
    b = SystemBuilder()
    i, p = AXES[0]
    x = b.leaf("x", N, G, C, extent, role=Role.PARAMETER)
    W = b.leaf("W", G, D, C, kernel, role=Role.PARAMETER)
    body = x(n, g, c, i + p) * W(g, d, c, p)
    ranges = {i: extent - kernel + 1, p: kernel}
    return total(b, b.define("z", [n, g, d, i], body, "sum", [c, p], ranges=ranges), 4)


def depthwise(extent: int, kernel: int) -> System:
    b = SystemBuilder()
    (i, p), (j, q) = AXES[:2]
    x = b.leaf("x", N, C, extent, extent, role=Role.PARAMETER)
    W = b.leaf("W", C, kernel, kernel, role=Role.PARAMETER)
    body = x(n, c, i + p - 1, j + q - 1, outside=0) * W(c, p, q)
    ranges = {n: N, c: C, i: extent, p: kernel, j: extent, q: kernel}
    return total(b, b.define("z", [n, c, i, j], body, "sum", [p, q], ranges=ranges), 4)


def transposed(extent: int, kernel: int, stride: int, padding: int) -> System:
    """What a convolution with this stride and padding passes back to its input."""
    b = SystemBuilder()
    a, i = indices("a i")
    x = b.leaf("x", N, C, extent, role=Role.PARAMETER)
    W = b.leaf("W", C, D, kernel, role=Role.PARAMETER)
    length = (extent - 1) * stride + kernel - 2 * padding
    body = x(n, c, i) * W(c, d, a - stride * i + padding, outside=0)
    ranges = {n: N, c: C, d: D, i: extent, a: length}
    return total(b, b.define("z", [n, d, a], body, "sum", [c, i], ranges=ranges), 3)


def max_pooling(extent: int, window: int, stride: int, padding: int = 0) -> System:
    b = SystemBuilder()
    (i, p), (j, q) = AXES[:2]
    x = b.leaf("x", N, C, extent, extent, role=Role.PARAMETER)
    h = b.define("h", [n, c, i, j], sympy.tanh(x(n, c, i, j)))
    count = windows(extent, window, stride, padding, 1)
    read = h(n, c, stride * i + p - padding, stride * j + q - padding, outside=-sympy.oo if padding else None)
    ranges = {n: N, c: C, i: count, j: count, p: window, q: window}
    return total(b, b.define("z", [n, c, i, j], read, "max", [p, q], ranges=ranges), 4)


def average_pooling(extent: int, window: int, stride: int, padding: int = 0) -> System:
    b = SystemBuilder()
    i, p = AXES[0]
    x = b.leaf("x", N, extent, role=Role.PARAMETER)
    read = x(n, stride * i + p - padding, outside=0 if padding else None)
    ranges = {n: N, i: windows(extent, window, stride, padding, 1), p: window}
    return total(b, b.define("z", [n, i], read / window, "sum", [p], ranges=ranges), 2)


def upsampled(extent: int, factor: int) -> System:
    b = SystemBuilder()
    i, j = indices("i j")
    x = b.leaf("x", N, C, extent, extent, role=Role.PARAMETER)
    read = x(n, c, FloorDiv(i, factor), FloorDiv(j, factor))
    ranges = {n: N, c: C, i: extent * factor, j: extent * factor}
    return total(b, b.define("z", [n, c, i, j], read, ranges=ranges), 4)


def flattened(extent: int) -> System:
    """Channels and two axes in one, then a dense layer, as after the last convolution."""
    b = SystemBuilder()
    (f,) = indices("f")
    x = b.leaf("x", N, C, extent, extent + 1, role=Role.PARAMETER)
    W = b.leaf("W", C * extent * (extent + 1), D, role=Role.PARAMETER)
    row, plane = extent + 1, extent * (extent + 1)
    read = x(n, FloorDiv(f, plane), FloorDiv(Mod(f, plane), row), Mod(f, row))
    u = b.define("u", [n, f], read, ranges={n: N, f: C * plane})
    return total(b, b.define("z", [n, d], u(n, f) * W(f, d), "sum", [f]), 2)


def small_net() -> System:
    """Convolution, relu, pooling, convolution with padding, mean over the plane."""
    b = SystemBuilder()
    (i, p), (j, q) = AXES[:2]
    x = b.leaf("x", N, C, 8, 8)
    W = b.leaf("W", D, C, 3, 3, role=Role.PARAMETER)
    bias = b.leaf("bias", D, role=Role.PARAMETER)
    V = b.leaf("V", G, D, 3, 3, role=Role.PARAMETER)
    z = b.define(
        "z",
        [n, d, i, j],
        x(n, c, i + p, j + q) * W(d, c, p, q),
        "sum",
        [c, p, q],
        ranges={i: 6, j: 6, p: 3, q: 3},
    )
    a = b.define("a", [n, d, i, j], z(n, d, i, j) + bias(d))
    h = b.define("h", [n, d, i, j], where(Guard(">", a(n, d, i, j), 0), a(n, d, i, j)))
    m = b.define(
        "m", [n, d, i, j], h(n, d, 2 * i + p, 2 * j + q), "max", [p, q], ranges={i: 3, j: 3, p: 2, q: 2}
    )
    over = {n: N, g: G, d: D, i: 3, j: 3, p: 3, q: 3}
    read = m(n, d, i + p - 1, j + q - 1, outside=0)
    u = b.define("u", [n, g, i, j], read * V(g, d, p, q), "sum", [d, p, q], ranges=over)
    return total(b, b.define("r", [n, g], u(n, g, i, j) / 9, "sum", [i, j]), 2)


SYSTEMS = {
    "one axis": lambda: convolution((7,), 3),
    "stride": lambda: convolution((8,), 3, stride=2),
    "stride and padding": lambda: convolution((8,), 3, stride=2, padding=1),
    "dilation": lambda: convolution((9,), 3, padding=2, dilation=2),
    "two axes": lambda: convolution((5, 6), 3),
    "two axes, all options": lambda: convolution((7, 6), 2, stride=3, padding=2, dilation=2),
    "three axes": lambda: convolution((4, 3, 4), 2),
    "three axes, padding": lambda: convolution((3, 3, 3), 3, padding=1),
    "kernel of one": lambda: convolution((4, 3), 1),
    "groups": lambda: grouped(6, 3),
    "depthwise": lambda: depthwise(5, 3),
    "transposed": lambda: transposed(4, 3, 1, 0),
    "transposed, stride and padding": lambda: transposed(4, 3, 2, 1),
    "maximum": lambda: max_pooling(6, 2, 2),
    "maximum, overlapping": lambda: max_pooling(6, 3, 2, 1),
    "maximum, a rest is left": lambda: max_pooling(7, 2, 2),
    "average": lambda: average_pooling(6, 2, 2),
    "average, overlapping": lambda: average_pooling(6, 3, 1, 1),
    "average, overlapping, stride": lambda: average_pooling(7, 3, 2, 1),
    "upsampled": lambda: upsampled(3, 2),
    "flattened": lambda: flattened(2),
    "a small net": small_net,
}
