"""Rows 23 to 25: convolutions and pooling, with stride, padding, dilation and groups."""

from __future__ import annotations

from collections.abc import Iterator

from rows import (
    Builder,
    C,
    D,
    E,
    G,
    H,
    K,
    M,
    N,
    Reader,
    Yielded,
    a,
    c,
    d,
    equal,
    i,
    incoming,
    j,
    k,
    less,
    n,
    p,
    param,
    q,
    r,
    size_of,
    sqrt,
)

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Expr, FloorDiv, Mod


def convolution(b: SystemBuilder) -> Iterator[Yielded]:
    """Dumoulin and Visin 2016: dw correlates x and g; dx is the full convolution with the flipped kernel."""
    x, w = param(b, "x", N, C, M), param(b, "w", D, C, K)
    read = x(n, c, i + k, outside=0)
    y = b.define("y", [n, d, i], read * w(d, c, k), "sum", [c, k], ranges={i: M - K + 1})
    g = incoming(b, y, n, d, i)
    yield "x", "w", {"M": 7, "K": 3}
    b.define("dw", [d, c, k], g(n, d, i) * x(n, c, i + k), "sum", [n, i], ranges={c: C, k: K})
    back = g(n, d, a - k, outside=0) * w(d, c, k)
    b.define("dx", [n, c, a], back, "sum", [d, k], ranges={a: M, n: N})


def _strided(x: Reader, at: Expr, stride: int, dilation: int, padding: int) -> Expr:
    return x(n, q, c, stride * at + dilation * k - padding, outside=0)


def strided_convolution(b: SystemBuilder) -> Iterator[Yielded]:
    """Dumoulin and Visin 2016, stride 2, padding 1, groups: dx convolves zero-stuffed g."""
    x, w = param(b, "x", N, G, C, 2 * M), param(b, "w", G, D, C, 3)
    over = {i: M, k: 3, n: N, q: G}
    y = b.define("y", [n, q, d, i], _strided(x, i, 2, 1, 1) * w(q, d, c, k), "sum", [c, k], ranges=over)
    g = incoming(b, y, n, q, d, i)
    yield "x", "w"
    over |= {c: C}
    b.define("dw", [q, d, c, k], g(n, q, d, i) * _strided(x, i, 2, 1, 1), "sum", [n, i], ranges=over)
    kernel = w(q, d, c, a - 2 * i + 1, outside=0)
    b.define("dx", [n, q, c, a], g(n, q, d, i) * kernel, "sum", [d, i], ranges={a: 2 * M, q: G, c: C})


def dilated_convolution(b: SystemBuilder) -> Iterator[Yielded]:
    """Dumoulin and Visin 2016, dilation 2, padding 2: the flipped kernel is dilated too."""
    x, w = param(b, "x", N, C, M), param(b, "w", D, C, 3)
    read = x(n, c, i + 2 * k - 2, outside=0)
    y = b.define("y", [n, d, i], read * w(d, c, k), "sum", [c, k], ranges={i: M, n: N})
    g = incoming(b, y, n, d, i)
    yield "x", "w"
    b.define("dw", [d, c, k], g(n, d, i) * read, "sum", [n, i], ranges={c: C, k: 3})
    back = g(n, d, a - 2 * k + 2, outside=0) * w(d, c, k)
    b.define("dx", [n, c, a], back, "sum", [d, k], ranges={a: M, n: N})


def convolution_2d(b: SystemBuilder) -> Iterator[Yielded]:
    """Dumoulin and Visin 2016, two axes, padding 1, kernel 3 × 3."""
    x, w = param(b, "x", N, C, H, E), param(b, "w", D, C, 3, 3)
    read = x(n, c, i + p - 1, j + r - 1, outside=0)
    y = b.define("y", [n, d, i, j], read * w(d, c, p, r), "sum", [c, p, r], ranges={i: H, j: E, n: N})
    g = incoming(b, y, n, d, i, j)
    yield "x", "w"
    b.define("dw", [d, c, p, r], g(n, d, i, j) * read, "sum", [n, i, j], ranges={c: C, p: 3, r: 3})
    back = g(n, d, i - p + 1, j - r + 1, outside=0) * w(d, c, p, r)
    b.define("dx", [n, c, i, j], back, "sum", [d, p, r], ranges={i: H, j: E, n: N})


def transposed_convolution(b: SystemBuilder) -> Iterator[Yielded]:
    """Dumoulin and Visin 2016: the roles of row 23 exchanged, stride 2, padding 1."""
    x, w = param(b, "x", N, C, M), param(b, "w", C, D, 3)
    kernel = w(c, d, a - 2 * i + 1, outside=0)
    y = b.define("y", [n, d, a], x(n, c, i) * kernel, "sum", [c, i], ranges={a: 2 * M, d: D})
    g = incoming(b, y, n, d, a)
    yield "x", "w"
    shifted = g(n, d, 2 * i + k - 1, outside=0)
    b.define("dx", [n, c, i], shifted * w(c, d, k), "sum", [d, k], ranges={i: M, n: N})
    b.define("dw", [c, d, k], shifted * x(n, c, i), "sum", [n, i], ranges={d: D, k: 3})


def max_pooling(b: SystemBuilder) -> Iterator[Yielded]:
    """LeCun 1998: the gradient goes to where the maximum was; windows of 2 that do not overlap."""
    x = param(b, "x", N, 2 * M)
    over = {i: M, k: 2}
    y = b.define("y", [n, i], x(n, 2 * i + k), "max", [k], ranges=over)
    where_ = b.define("argmax", [n, i], x(n, 2 * i + k), "argmax", [k], ranges=over)
    g = incoming(b, y, n, i)
    yield ("x",)
    half = FloorDiv(a, 2)
    b.define("dx", [n, a], g(n, half) * equal(Mod(a, 2), where_(n, half)), ranges={a: 2 * M, n: N})


def average_pooling(b: SystemBuilder) -> Iterator[Yielded]:
    """LeCun 1998: g/2, spread over the window of 2."""
    x = param(b, "x", N, 2 * M)
    y = b.define("y", [n, i], x(n, 2 * i + k) / 2, "sum", [k], ranges={i: M, k: 2})
    g = incoming(b, y, n, i)
    yield ("x",)
    b.define("dx", [n, a], g(n, FloorDiv(a, 2)) / 2, ranges={a: 2 * M, n: N})


def overlapping_average(b: SystemBuilder) -> Iterator[Yielded]:
    """LeCun 1998: windows of 3 at every step with padding 1; each element hears three of them."""
    x = param(b, "x", N, M)
    y = b.define("y", [n, i], x(n, i + k - 1, outside=0) / 3, "sum", [k], ranges={i: M, k: 3, n: N})
    g = incoming(b, y, n, i)
    yield ("x",)
    b.define("dx", [n, a], g(n, a - k + 1, outside=0) / 3, "sum", [k], ranges={a: M, k: 3, n: N})


def power_pooling(b: SystemBuilder) -> Iterator[Yielded]:
    """LeCun 1998 with p = 2: x/y, times g, over windows of 2; 0 by convention where y is 0."""
    x = param(b, "x", N, 2 * M)
    total = b.define("s", [n, i], x(n, 2 * i + k) ** 2, "sum", [k], ranges={i: M, k: 2})
    y = b.define("y", [n, i], sqrt(total(n, i)))
    g = incoming(b, y, n, i)
    yield ("x",)
    half = FloorDiv(a, 2)
    b.define("dx", [n, a], less(0, total(n, half)) * x(n, a) * g(n, half) / y(n, half))


def cubic_pooling(b: SystemBuilder) -> Iterator[Yielded]:
    """LeCun 1998 with p = 3: x|x|/y², times g, over windows of 2."""
    x = param(b, "x", N, 2 * M)
    cube = b.define("c", [n, a], x(n, a) ** 2 * size_of(x(n, a)))
    total = b.define("s", [n, i], cube(n, 2 * i + k), "sum", [k], ranges={i: M, k: 2})
    y = b.define("y", [n, i], total(n, i) ** (sqrt(1) / 3))
    g = incoming(b, y, n, i)
    yield ("x",)
    half = FloorDiv(a, 2)
    b.define("dx", [n, a], x(n, a) * size_of(x(n, a)) * (g(n, half) / y(n, half) ** 2))


ROWS: tuple[tuple[str, Builder], ...] = (
    ("23 convolution", convolution),
    ("23 convolution, stride 2, groups", strided_convolution),
    ("23 convolution, dilation 2", dilated_convolution),
    ("23 convolution, two axes", convolution_2d),
    ("24 transposed convolution", transposed_convolution),
    ("25 max pooling", max_pooling),
    ("25 average pooling", average_pooling),
    ("25 average pooling, overlapping", overlapping_average),
    ("25 power pooling, p = 2", power_pooling),
    ("25 power pooling, p = 3", cubic_pooling),
)
