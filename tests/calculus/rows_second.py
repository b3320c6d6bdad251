"""Rows 44 to 46 and 50: derivatives inside a loss, Hessian products, structured parameters."""

from __future__ import annotations

from collections.abc import Iterator

from rows import (
    Builder,
    D,
    H,
    K,
    M,
    N,
    Yielded,
    d,
    equal,
    exp,
    i,
    j,
    k,
    less,
    log,
    n,
    p,
    param,
    sigma,
    swept,
    tanh,
    times,
)

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Guard
from symbp.ir.system import Role


def pinn(b: SystemBuilder) -> Iterator[Yielded]:
    """Raissi 2019: the square of u′(x) − q for a net u = Σ v tanh(w x + b) of one input."""
    x, q = b.leaf("x", N), b.leaf("q", N)
    w, v, c = param(b, "w", H), param(b, "v", H), param(b, "b", H)
    h = b.define("h", [n, j], tanh(w(j) * x(n) + c(j)))
    b.define("F", [], v(j) * h(n, j), "sum", [n, j])
    (dx,) = swept(b, "F", "x")
    r = b.define("r", [n], dx(n) - q(n))
    b.define("L", [], r(n) ** 2, "sum", [n])
    yield "w", "v", "b"
    s = b.define("slope", [n, j], 1 - h(n, j) ** 2)
    rs = b.define("rs", [n, j], 2 * r(n) * s(n, j))
    total = b.define("total", [j], rs(n, j), "sum", [n])
    bent = b.define("bent", [n, j], rs(n, j) * h(n, j))
    shift = b.define("shift", [j], bent(n, j), "sum", [n])
    moment = b.define("moment", [j], bent(n, j) * x(n), "sum", [n])
    b.define("dv_", [j], w(j) * total(j))
    b.define("dw_", [j], v(j) * (total(j) - 2 * w(j) * moment(j)))
    b.define("db_", [j], -2 * v(j) * w(j) * shift(j))


def gradient_penalty(b: SystemBuilder) -> Iterator[Yielded]:
    """Gulrajani 2017 for a critic v·tanh(xW): Σ ‖∂D/∂x‖², by v and W (double backward, by hand)."""
    x, w, v = b.leaf("x", N, D), param(b, "W", D, H), param(b, "v", H)
    z = b.define("z", [n, j], x(n, d) * w(d, j), "sum", [d])
    h = b.define("h", [n, j], tanh(z(n, j)))
    b.define("F", [], v(j) * h(n, j), "sum", [n, j])
    (dx,) = swept(b, "F", "x")
    b.define("L", [], dx(n, d) ** 2, "sum", [n, d])
    yield "v", "W"
    s = b.define("slope", [n, j], 1 - h(n, j) ** 2)
    a = b.define("a", [n, j], dx(n, d) * w(d, j), "sum", [d])
    sa = b.define("sa", [n, j], 2 * s(n, j) * a(n, j))
    b.define("dv_", [j], sa(n, j), "sum", [n])
    bent = b.define("bent", [n, j], -2 * v(j) * h(n, j) * sa(n, j))
    steep = b.define("steep", [n, j], 2 * v(j) * s(n, j))
    b.define("dW_", [d, j], dx(n, d) * steep(n, j) + x(n, d) * bent(n, j), "sum", [n])


def sobolev(b: SystemBuilder) -> Iterator[Yielded]:
    """Czarnecki 2017 for u = w·x + Σ c x²/2: the residual of the slope, w + c x − t."""
    x, target = b.leaf("x", N, D), b.leaf("t", N, D)
    w, c = param(b, "w", D), param(b, "c", D)
    b.define("F", [], w(d) * x(n, d) + c(d) * x(n, d) ** 2 / 2, "sum", [n, d])
    (dx,) = swept(b, "F", "x")
    b.define("L", [], (dx(n, d) - target(n, d)) ** 2, "sum", [n, d])
    yield "w", "c"
    r = b.define("r", [n, d], times(2, dx(n, d) - target(n, d)))
    b.define("dw_", [d], r(n, d), "sum", [n])
    b.define("dc_", [d], r(n, d) * x(n, d), "sum", [n])


def score_matching(b: SystemBuilder) -> Iterator[Yielded]:
    """Hyvärinen 2005 for log-density −Σ λ x²/2: J = Σ (λx)²/2 − λ gives λ Σ x² − N."""
    x, lam = b.leaf("x", N, D), param(b, "lam", D)
    b.define("F", [], -lam(d) * x(n, d) ** 2 / 2, "sum", [n, d])
    (score,) = swept(b, "F", "x")
    b.define("G", [], score(n, d), "sum", [n, d])
    (curved,) = swept(b, "G", "x")
    b.define("L", [], score(n, d) ** 2 / 2 + curved(n, d), "sum", [n, d])
    yield ("lam",)
    square = b.define("x2", [d], x(n, d) ** 2, "sum", [n])
    b.define("dlam_", [d], lam(d) * square(d) - N)


def quadratic_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Laue 2018: (A + Aᵀ) v, free of x."""
    x, v, a = param(b, "x", N), b.leaf("v", N), b.leaf("A", N, N)
    y = b.define("y", [i], a(i, j) * x(j), "sum", [j])
    b.define("F", [], x(i) * y(i), "sum", [i])
    (dx,) = swept(b, "F", "x")
    b.define("L", [], v(i) * dx(i), "sum", [i])
    yield ("x",)
    b.define("dx_", [i], (a(i, j) + a(j, i)) * v(j), "sum", [j])


def logistic_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Laue 2018: Xᵀ D X v with D = σ(1 − σ)."""
    x, w, v = b.leaf("x", N, D), param(b, "w", D), b.leaf("v", D)
    y = b.leaf("y", N, role=Role.TARGET)
    z = b.define("z", [n], x(n, d) * w(d), "sum", [d])
    s = b.define("s", [n], sigma(z(n)))
    b.define("F", [], log(1 + exp(z(n))) - y(n) * z(n), "sum", [n])
    (dw,) = swept(b, "F", "w")
    b.define("L", [], v(d) * dw(d), "sum", [d])
    yield ("w",)
    u = b.define("u", [n], x(n, d) * v(d), "sum", [d])
    r = b.define("r", [n], s(n) * (1 - s(n)) * u(n))
    b.define("dw_", [d], x(n, d) * r(n), "sum", [n])


def factorisation_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Laue 2018, ‖T − UVᵀ‖² by U: 2 v (VᵀV)."""
    u, w, t, v = param(b, "U", M, K), b.leaf("W", N, K), b.leaf("T", M, N), b.leaf("v", M, K)
    y = b.define("y", [i, j], u(i, k) * w(j, k), "sum", [k])
    b.define("F", [], (t(i, j) - y(i, j)) ** 2, "sum", [i, j])
    (du,) = swept(b, "F", "U")
    b.define("L", [], v(i, k) * du(i, k), "sum", [i, k])
    yield ("U",)
    vw = b.define("vw", [i, j], v(i, k) * w(j, k), "sum", [k])
    b.define("dU_", [i, k], 2 * vw(i, j) * w(j, k), "sum", [j])


def linear_layer_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Martens 2015: (2/N XᵀX ⊗ I) v."""
    x, w, t, v = b.leaf("x", N, D), param(b, "W", D, K), b.leaf("T", N, K), b.leaf("v", D, K)
    y = b.define("y", [n, k], x(n, d) * w(d, k), "sum", [d])
    b.define("F", [], (y(n, k) - t(n, k)) ** 2 / N, "sum", [n, k])
    (dw,) = swept(b, "F", "W")
    b.define("L", [], v(d, k) * dw(d, k), "sum", [d, k])
    yield ("W",)
    xv = b.define("xv", [n, k], x(n, d) * v(d, k), "sum", [d])
    b.define("dW_", [d, k], x(n, d) * (2 * xv(n, k) / N), "sum", [n])


def symmetric_parameter(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 138: G + Gᵀ − G∘I for a matrix given by its lower triangle."""
    low, g = param(b, "T", N, N), b.leaf("g", N, N)
    x = b.define("X", [i, j], Guard("<=", j, i) * low(i, j) + less(i, j) * low(j, i))
    b.define("L", [], g(i, j) * x(i, j), "sum", [i, j])
    yield ("T",)
    b.define("dT", [i, j], Guard("<=", j, i) * g(i, j) + less(j, i) * g(j, i))


def diagonal_parameter(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 142: the diagonal of G."""
    t, g = param(b, "T", N), b.leaf("g", N, N)
    x = b.define("X", [i, j], equal(i, j) * t(i), ranges={i: N, j: N})
    b.define("L", [], g(i, j) * x(i, j), "sum", [i, j])
    yield ("T",)
    b.define("dT", [i], g(i, i))


def toeplitz_parameter(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 143: sums along the diagonals of G."""
    t, g = param(b, "T", 2 * N - 1), b.leaf("g", N, N)
    x = b.define("X", [i, j], t(i - j + N - 1), ranges={i: N, j: N})
    b.define("L", [], g(i, j) * x(i, j), "sum", [i, j])
    yield ("T",)
    b.define("dT", [p], g(p + j - N + 1, j, outside=0), "sum", [j], ranges={p: 2 * N - 1})


ROWS: tuple[tuple[str, Builder], ...] = (
    ("44 physics-informed residual", pinn),
    ("45 gradient penalty", gradient_penalty),
    ("45 Sobolev", sobolev),
    ("45 score matching", score_matching),
    ("46 Hessian of a quadratic form", quadratic_hessian),
    ("46 Hessian of logistic regression", logistic_hessian),
    ("46 Hessian of a factorisation", factorisation_hessian),
    ("46 Hessian of a linear layer", linear_layer_hessian),
    ("50 symmetric parameter", symmetric_parameter),
    ("50 diagonal parameter", diagonal_parameter),
    ("50 Toeplitz parameter", toeplitz_parameter),
)
