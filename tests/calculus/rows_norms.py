"""Rows 8 to 14: normalisation layers, weight normalisation, unit vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rows import Builder, C, D, G, K, N, Reader, Yielded, c, d, incoming, k, n, param, positive, q, sqrt

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Expr, Index


def _standardised(
    b: SystemBuilder, x: Reader, at: Sequence[Index], over: Sequence[Index], count: Expr, less_one: int = 0
) -> tuple[Reader, Reader]:
    """(x − mean)/√(variance + ε) over some axes: the values and the reciprocal root."""
    kept = [index for index in at if index not in over]
    eps = positive(b, "eps")
    mu = b.define("mu", kept, x(*at) / count, "sum", over)
    centred = b.define("c", at, x(*at) - mu(*kept))
    var = b.define("var", kept, centred(*at) ** 2 / (count - less_one), "sum", over)
    r = b.define("r", kept, 1 / sqrt(var(*kept) + eps()))
    return b.define("h", at, centred(*at) * r(*kept)), r


def _batch_norm(b: SystemBuilder, less_one: int) -> Iterator[Yielded]:
    x, w, beta = param(b, "x", N, D), param(b, "w", D), param(b, "b", D)
    h, r = _standardised(b, x, [n, d], [n], N, less_one)
    y = b.define("y", [n, d], w(d) * h(n, d) + beta(d))
    g = incoming(b, y, n, d)
    yield "x", "w", "b"
    db = b.define("db", [d], g(n, d), "sum", [n])
    dw = b.define("dw", [d], g(n, d) * h(n, d), "sum", [n])
    if less_one:
        dx = w(d) * r(d) / N * (N * g(n, d) - db(d) - N / (N - 1) * h(n, d) * dw(d))
    else:
        dx = w(d) * r(d) / N * (N * g(n, d) - db(d) - h(n, d) * dw(d))
    b.define("dx", [n, d], dx)


def batch_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Ioffe and Szegedy 2015, section 3, gathered: w r/N (N g − Σ g − ĥ Σ g ĥ)."""
    yield from _batch_norm(b, 0)


def batch_norm_unbiased(b: SystemBuilder) -> Iterator[Yielded]:
    """Karpathy, makemore part 4: the same with n/(n − 1) on the last term."""
    yield from _batch_norm(b, 1)


def layer_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Ba, Kiros and Hinton 2016; llm.c, doc/layernorm: r (gw − mean gw − ĥ mean(gw ĥ))."""
    x, w, beta = param(b, "x", N, D), param(b, "w", D), param(b, "b", D)
    h, r = _standardised(b, x, [n, d], [d], D)
    y = b.define("y", [n, d], w(d) * h(n, d) + beta(d))
    g = incoming(b, y, n, d)
    yield "x", "w", "b"
    b.define("db", [d], g(n, d), "sum", [n])
    b.define("dw", [d], g(n, d) * h(n, d), "sum", [n])
    dh = b.define("dh", [n, d], g(n, d) * w(d))
    first = b.define("m1", [n], dh(n, d), "sum", [d])
    second = b.define("m2", [n], dh(n, d) * h(n, d), "sum", [d])
    b.define("dx", [n, d], r(n) * (dh(n, d) - first(n) / D - h(n, d) * (second(n) / D)))


def rms_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Zhang and Sennrich 2019: r (gw − x r mean(gw x r))."""
    x, w, eps = param(b, "x", N, D), param(b, "w", D), positive(b, "eps")
    square = b.define("q", [n], x(n, d) ** 2 / D, "sum", [d])
    r = b.define("r", [n], 1 / sqrt(square(n) + eps()))
    h = b.define("h", [n, d], x(n, d) * r(n))
    y = b.define("y", [n, d], w(d) * h(n, d))
    g = incoming(b, y, n, d)
    yield "x", "w"
    b.define("dw", [d], g(n, d) * h(n, d), "sum", [n])
    mean = b.define("m", [n], g(n, d) * y(n, d), "sum", [d])
    b.define("dx", [n, d], r(n) * (g(n, d) * w(d) - h(n, d) * (mean(n) / D)))


def group_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Wu and He 2018: row 10 within each group of channels."""
    x, w, beta = param(b, "x", N, G, C, D), param(b, "w", G, C), param(b, "b", G, C)
    at = [n, q, c, d]
    h, r = _standardised(b, x, at, [c, d], C * D)
    y = b.define("y", at, w(q, c) * h(*at) + beta(q, c))
    g = incoming(b, y, *at)
    yield "x", "w", "b"
    b.define("db", [q, c], g(*at), "sum", [n, d])
    b.define("dw", [q, c], g(*at) * h(*at), "sum", [n, d])
    dh = b.define("dh", at, g(*at) * w(q, c))
    first = b.define("m1", [n, q], dh(*at), "sum", [c, d])
    second = b.define("m2", [n, q], dh(*at) * h(*at), "sum", [c, d])
    b.define("dx", at, r(n, q) * (dh(*at) - first(n, q) / (C * D) - h(*at) * (second(n, q) / (C * D))))


def instance_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Ulyanov 2016: row 10 for each channel; the scale leaves the sums."""
    x, w = param(b, "x", N, C, D), param(b, "w", C)
    at = [n, c, d]
    h, r = _standardised(b, x, at, [d], D)
    y = b.define("y", at, w(c) * h(*at))
    g = incoming(b, y, *at)
    yield "x", "w"
    first = b.define("m1", [n, c], g(*at), "sum", [d])
    second = b.define("m2", [n, c], g(*at) * h(*at), "sum", [d])
    b.define("dw", [c], second(n, c), "sum", [n])
    b.define("dx", at, w(c) * r(n, c) * (g(*at) - first(n, c) / D - h(*at) * (second(n, c) / D)))


def weight_norm(b: SystemBuilder) -> Iterator[Yielded]:
    """Salimans and Kingma 2016, eq. 3: ds = g·v/‖v‖, dv = s/‖v‖ g − s ds/‖v‖² v."""
    v, s = param(b, "v", K, D), param(b, "s", K)
    square = b.define("q", [k], v(k, d) ** 2, "sum", [d])
    norm = b.define("norm", [k], sqrt(square(k)))
    w = b.define("w", [k, d], s(k) * v(k, d) / norm(k))
    g = incoming(b, w, k, d)
    yield "v", "s"
    dot = b.define("dot", [k], g(k, d) * v(k, d), "sum", [d])
    ds = b.define("ds", [k], dot(k) / norm(k))
    b.define("dv", [k, d], s(k) / norm(k) * (g(k, d) - ds(k) / norm(k) * v(k, d)))


def unit_vector(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: (g − x̂ (g·x̂))/‖x‖."""
    x = param(b, "x", N, D)
    square = b.define("q", [n], x(n, d) ** 2, "sum", [d])
    norm = b.define("norm", [n], sqrt(square(n)))
    y = b.define("y", [n, d], x(n, d) / norm(n))
    g = incoming(b, y, n, d)
    yield ("x",)
    dot = b.define("dot", [n], g(n, d) * y(n, d), "sum", [d])
    b.define("dx", [n, d], (g(n, d) - y(n, d) * dot(n)) / norm(n))


def cosine(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: ∂cos/∂a = (b̂ − cos·â)/‖a‖."""
    x, z = param(b, "x", N, D), param(b, "z", N, D)
    units = []
    for name, leaf in (("x", x), ("z", z)):
        square = b.define(f"q{name}", [n], leaf(n, d) ** 2, "sum", [d])
        norm = b.define(f"n{name}", [n], sqrt(square(n)))
        units.append((norm, b.define(f"u{name}", [n, d], leaf(n, d) / norm(n))))
    (nx, ux), (nz, uz) = units
    y = b.define("y", [n], ux(n, d) * uz(n, d), "sum", [d])
    g = incoming(b, y, n)
    yield "x", "z"
    b.define("dx", [n, d], g(n) / nx(n) * (uz(n, d) - y(n) * ux(n, d)))
    b.define("dz", [n, d], g(n) / nz(n) * (ux(n, d) - y(n) * uz(n, d)))


ROWS: tuple[tuple[str, Builder], ...] = (
    ("8 batch norm", batch_norm),
    ("9 batch norm, unbiased", batch_norm_unbiased),
    ("10 layer norm", layer_norm),
    ("11 RMS norm", rms_norm),
    ("12 group norm", group_norm),
    ("12 instance norm", instance_norm),
    ("13 weight norm", weight_norm),
    ("14 unit vector", unit_vector),
    ("14 cosine", cosine),
)
