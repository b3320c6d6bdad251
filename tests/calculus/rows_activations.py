"""Rows 15 to 17: activations, elementwise, with their conventions at kinks; gated linear units."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from rows import (
    HALF,
    Builder,
    D,
    N,
    Yielded,
    d,
    exp,
    incoming,
    less,
    log,
    n,
    param,
    pi,
    positive,
    sigma,
    size_of,
    sqrt,
    tanh,
)

from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Expr, Guard

SELU_SCALE, SELU_ALPHA = sympy.Rational("1.0507009873554805"), sympy.Rational("1.6732632423543772")
CUBIC = sympy.Rational("0.044715")


def _map(source: str, f: Callable[[Expr], Expr], slope: Callable[[Expr, Expr], Expr]) -> Builder:
    """The row of y = f(x), whose published gradient is g·slope(x, y)."""

    def row(b: SystemBuilder) -> Iterator[Yielded]:
        x = param(b, "x", N, D)
        y = b.define("y", [n, d], f(x(n, d)))
        g = incoming(b, y, n, d)
        yield ("x",)
        b.define("dx", [n, d], g(n, d) * slope(x(n, d), y(n, d)))

    row.__doc__ = source
    return row


def _scaled(source: str, f: Callable[[Expr, Expr], Expr], slope: Callable[..., Expr]) -> Builder:
    """The same with one positive hyperparameter α."""

    def row(b: SystemBuilder) -> Iterator[Yielded]:
        x, alpha = param(b, "x", N, D), positive(b, "alpha")
        y = b.define("y", [n, d], f(x(n, d), alpha()))
        g = incoming(b, y, n, d)
        yield ("x",)
        b.define("dx", [n, d], g(n, d) * slope(x(n, d), y(n, d), alpha()))

    row.__doc__ = source
    return row


def _between(low: Expr, x: Expr, high: Expr, strict: bool) -> Expr:
    """1 inside the interval; its ends count when not strict."""
    op = "<" if strict else "<="
    return Guard(op, low, x) * Guard(op, x, high)


def _clipped(x: Expr, low: int, high: int, strict: bool) -> Expr:
    outside_low, outside_high = (Guard("<=" if strict else "<", *pair) for pair in ((x, low), (high, x)))
    return _between(low, x, high, strict) * x + outside_low * low + outside_high * high


def mish(b: SystemBuilder) -> Iterator[Yielded]:
    """Misra 2019: with ω = tanh(softplus(x)), ω + x σ(x) (1 − ω²)."""
    x = param(b, "x", N, D)
    omega = b.define("omega", [n, d], tanh(log(1 + exp(x(n, d)))))
    y = b.define("y", [n, d], x(n, d) * omega(n, d))
    g = incoming(b, y, n, d)
    yield ("x",)
    slope = omega(n, d) + x(n, d) * sigma(x(n, d)) * (1 - omega(n, d) ** 2)
    b.define("dx", [n, d], g(n, d) * slope)


def gelu(b: SystemBuilder) -> Iterator[Yielded]:
    """Hendrycks and Gimpel 2016: Φ(x) + x φ(x)."""
    x = param(b, "x", N, D)
    phi = b.define("Phi", [n, d], (1 + sympy.erf(x(n, d) / sqrt(2))) / 2)
    y = b.define("y", [n, d], x(n, d) * phi(n, d))
    g = incoming(b, y, n, d)
    yield ("x",)
    density = exp(-(x(n, d) ** 2) / 2) / sqrt(2 * pi)
    b.define("dx", [n, d], g(n, d) * (phi(n, d) + x(n, d) * density))


def gelu_tanh(b: SystemBuilder) -> Iterator[Yielded]:
    """Hendrycks and Gimpel 2016, the approximation with tanh; written out in llm.c (gelu_backward)."""
    x = param(b, "x", N, D)
    inner = sqrt(2 / pi) * (x(n, d) + CUBIC * x(n, d) ** 3)
    u = b.define("u", [n, d], tanh(inner))
    y = b.define("y", [n, d], x(n, d) * (1 + u(n, d)) / 2)
    g = incoming(b, y, n, d)
    yield ("x",)
    steep = (1 - u(n, d) ** 2) * sqrt(2 / pi) * (1 + 3 * CUBIC * x(n, d) ** 2)
    b.define("dx", [n, d], g(n, d) * HALF * (1 + u(n, d) + x(n, d) * steep))


def silu(b: SystemBuilder) -> Iterator[Yielded]:
    """Elfwing, Uchibe and Doya 2018: σ(x)(1 + x(1 − σ(x)))."""
    x = param(b, "x", N, D)
    s = b.define("s", [n, d], sigma(x(n, d)))
    y = b.define("y", [n, d], x(n, d) * s(n, d))
    g = incoming(b, y, n, d)
    yield ("x",)
    b.define("dx", [n, d], g(n, d) * s(n, d) * (1 + x(n, d) * (1 - s(n, d))))


def swiglu(b: SystemBuilder) -> Iterator[Yielded]:
    """Shazeer 2020: y = silu(a) b."""
    a, gate = param(b, "a", N, D), param(b, "b", N, D)
    s = b.define("s", [n, d], sigma(a(n, d)))
    f = b.define("f", [n, d], a(n, d) * s(n, d))
    y = b.define("y", [n, d], f(n, d) * gate(n, d))
    g = incoming(b, y, n, d)
    yield "a", "b"
    b.define("db", [n, d], g(n, d) * f(n, d))
    b.define("da", [n, d], g(n, d) * gate(n, d) * s(n, d) * (1 + a(n, d) * (1 - s(n, d))))


def glu(b: SystemBuilder) -> Iterator[Yielded]:
    """Dauphin 2017: y = a σ(b); da = g σ(b), db = g a σ(b)(1 − σ(b)) = g y (1 − σ(b))."""
    a, gate = param(b, "a", N, D), param(b, "b", N, D)
    s = b.define("s", [n, d], sigma(gate(n, d)))
    y = b.define("y", [n, d], a(n, d) * s(n, d))
    g = incoming(b, y, n, d)
    yield "a", "b"
    b.define("da", [n, d], g(n, d) * s(n, d))
    b.define("db", [n, d], g(n, d) * y(n, d) * (1 - s(n, d)))


ROWS: tuple[tuple[str, Builder], ...] = (
    ("15 relu", _map("Nair and Hinton 2010; slope 0 at 0", lambda x: where(less(0, x), x),
                     lambda x, _: less(0, x))),
    ("15 leaky relu", _map("Maas 2013", lambda x: where(less(0, x), x, x / 100),
                           lambda x, _: where(less(0, x), 1, HALF / 50))),
    ("15 ELU", _scaled("Clevert 2016: 1 or y + α", lambda x, a: where(less(0, x), x, a * (exp(x) - 1)),
                       lambda x, y, a: where(less(0, x), 1, y + a))),
    ("15 SELU", _map("Klambauer 2017: λ or y + λα",
                     lambda x: SELU_SCALE * where(less(0, x), x, SELU_ALPHA * (exp(x) - 1)),
                     lambda x, y: where(less(0, x), SELU_SCALE, y + SELU_SCALE * SELU_ALPHA))),
    ("15 CELU", _scaled("Barron 2017: 1 or exp(x/α) = y/α + 1",
                        lambda x, a: where(less(0, x), x, a * (exp(x / a) - 1)),
                        lambda x, y, a: where(less(0, x), 1, y / a + 1))),
    ("15 hard tanh", _map("Collobert 2004; slope 0 at ±1", lambda x: _clipped(x, -1, 1, True),
                          lambda x, _: _between(-1, x, 1, True))),
    ("15 clip", _map("PyTorch's clamp keeps slope 1 at its bounds", lambda x: _clipped(x, -1, 1, False),
                     lambda x, _: _between(-1, x, 1, False))),
    ("15 relu6", _map("Krizhevsky 2010; slope 0 at its bounds", lambda x: _clipped(x, 0, 6, True),
                      lambda x, _: _between(0, x, 6, True))),
    ("15 hard sigmoid", _map("Courbariaux 2015",
                             lambda x: _between(-3, x, 3, True) * (x + 3) / 6 + Guard("<=", 3, x),
                             lambda x, _: _between(-3, x, 3, True) / 6)),
    ("15 hard swish", _map("Howard 2019: (2x + 3)/6 between, 0 and 1 outside",
                           lambda x: _between(-3, x, 3, True) * x * (x + 3) / 6 + Guard("<=", 3, x) * x,
                           lambda x, _: _between(-3, x, 3, True) * (2 * x + 3) / 6 + Guard("<=", 3, x))),
    ("15 softsign", _map("Bergstra 2009: 1/(1 + |x|)²", lambda x: x / (1 + size_of(x)),
                         lambda x, _: 1 / (1 + size_of(x)) ** 2)),
    ("15 softplus", _map("Dugas 2001: σ(x)", lambda x: log(1 + exp(x)), lambda x, _: sigma(x))),
    ("15 tanh", _map("LeCun 1998: 1 − y²", tanh, lambda _, y: 1 - y**2)),
    ("15 sigmoid", _map("Rumelhart 1986: y(1 − y)", sigma, lambda _, y: y * (1 - y))),
    ("15 log-sigmoid", _map("Standard: σ(−x)", lambda x: -log(1 + exp(-x)), lambda x, _: sigma(-x))),
    ("15 mish", mish),
    ("16 GELU", gelu),
    ("16 GELU, tanh form", gelu_tanh),
    ("17 SiLU", silu),
    ("17 SwiGLU", swiglu),
    ("17 GLU", glu),
)  # fmt: skip
