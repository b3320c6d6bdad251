"""Rows 47 to 49: Gaussian likelihoods, and determinants, inverses, solutions and factors of matrices.

The inverse stands in the forward system where a published form reads it, so that it is counted on no side.
"""

from __future__ import annotations

from collections.abc import Iterator

from rows import HALF, Builder, D, K, M, N, Reader, Yielded, c, d, equal, exp, i, j, k, m, n, param, times

from symbp.ir.build import SystemBuilder
from symbp.ir.system import Fact, Role


def square(b: SystemBuilder, name: str, *facts: str) -> Reader:
    """A square parameter."""
    return b.leaf(name, N, N, role=Role.PARAMETER, facts=[Fact(fact) for fact in facts])  # type: ignore[arg-type]


def inverse(b: SystemBuilder, name: str, matrix: Reader) -> Reader:
    return b.define(name, [i, j], matrix(k, m), "inverse", [k, m])


def likelihood(b: SystemBuilder, covariance: Reader) -> tuple[Reader, Reader]:
    """L = −½ yᵀK⁻¹y − ½ log|K|, and K⁻¹ with α = K⁻¹y."""
    y, v = b.leaf("y", N), inverse(b, "V", covariance)
    alpha = b.define("alpha", [i], v(i, j) * y(j), "sum", [j])
    fit = b.define("fit", [], y(i) * alpha(i), "sum", [i])
    volume = b.define("volume", [], covariance(i, j), "logdet", [i, j])
    b.define("L", [], -(fit() + volume()) / 2)
    return v, alpha


def process_by_covariance(b: SystemBuilder) -> Iterator[Yielded]:
    """Rasmussen and Williams 2006, 5.9, for a covariance whose elements are the parameters."""
    v, alpha = likelihood(b, square(b, "K", "symmetric"))
    yield ("K",)
    b.define("dK", [i, j], HALF * times(1, alpha(i) * alpha(j) - v(i, j)))


def process_by_kernel(b: SystemBuilder) -> Iterator[Yielded]:
    """Rasmussen and Williams 2006, 5.9: ½ tr((ααᵀ − K⁻¹) ∂K/∂θ) for log length and log noise."""
    x, length, noise = b.leaf("x", N, D), param(b, "length"), param(b, "noise")
    r = b.define("r", [i, j], (x(i, d) - x(j, d)) ** 2, "sum", [d])
    scale = b.define("scale", [], exp(-2 * length()))
    smooth = b.define("C", [i, j], exp(-r(i, j) * scale() / 2))
    v, alpha = likelihood(b, b.define("K", [i, j], smooth(i, j) + equal(i, j) * exp(noise())))
    yield "length", "noise"
    bracket = b.define("bracket", [i, j], alpha(i) * alpha(j) - v(i, j))
    slope = b.define("slope", [i, j], smooth(i, j) * r(i, j) * scale())
    total = b.define("total", [], bracket(i, j) * slope(i, j), "sum", [i, j])
    trace = b.define("trace", [], bracket(i, i), "sum", [i])
    b.define("dlength", [], total() / 2)
    b.define("dnoise", [], trace() * exp(noise()) / 2)


def gaussian(b: SystemBuilder) -> Iterator[Yielded]:
    """Bishop 2006, 2.3.4: S⁻¹ Σ (x − μ), and −M/2 S⁻¹ + ½ S⁻¹ (Σ (x − μ)(x − μ)ᵀ) S⁻¹."""
    x, mu, s = b.leaf("x", M, N), param(b, "mu", N), square(b, "S", "symmetric")
    e = b.define("e", [n, i], x(n, i) - mu(i))
    v = inverse(b, "V", s)
    u = b.define("u", [n, i], e(n, j) * v(j, i), "sum", [j])
    fit = b.define("fit", [], e(n, i) * u(n, i), "sum", [n, i])
    volume = b.define("volume", [], s(i, j), "logdet", [i, j])
    b.define("L", [], -M * volume() / 2 - fit() / 2)
    yield "mu", "S"
    b.define("dmu", [i], u(n, i), "sum", [n])
    scatter = b.define("scatter", [i, j], e(n, i) * e(n, j), "sum", [n])
    left = b.define("left", [i, j], v(i, k) * scatter(k, j), "sum", [k])
    both = b.define("both", [i, j], left(i, k) * v(k, j), "sum", [k])
    b.define("dS", [i, j], (both(i, j) - M * v(i, j)) / 2)


def determinant(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 49: det(X) X⁻ᵀ."""
    x = square(b, "X")
    v = inverse(b, "V", x)
    b.define("L", [], x(i, j), "det", [i, j])
    yield ("X",)
    b.define("dX", [i, j], b._tensors["L"].at() * v(j, i))


def log_determinant(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 57: X⁻ᵀ."""
    x = square(b, "X")
    v = inverse(b, "V", x)
    b.define("L", [], x(i, j), "logdet", [i, j])
    yield ("X",)
    b.define("dX", [i, j], v(j, i))


def gram_log_determinant(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 55: 2 X (XᵀX)⁻¹."""
    x = param(b, "X", M, N)
    gram = b.define("S", [i, j], x(n, i) * x(n, j), "sum", [n])
    v = inverse(b, "V", gram)
    b.define("L", [], gram(i, j), "logdet", [i, j])
    yield "X", {"M": 6, "N": 3}
    b.define("dX", [n, i], 2 * x(n, j) * v(j, i), "sum", [j])


def inverse_adjoint(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 124 and 60, Giles 2008, 2.2.3: −X⁻ᵀ G X⁻ᵀ."""
    x, g = square(b, "X"), b.leaf("g", N, N)
    v = inverse(b, "V", x)
    b.define("L", [], g(i, j) * v(i, j), "sum", [i, j])
    yield ("X",)
    left = b.define("left", [i, j], v(k, i) * g(k, j), "sum", [k])
    b.define("dX", [i, j], -left(i, k) * v(j, k), "sum", [k])


def bilinear_inverse(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 61: −X⁻ᵀ a bᵀ X⁻ᵀ."""
    x, left, right = square(b, "X"), b.leaf("a", N), b.leaf("b", N)
    v = inverse(b, "V", x)
    b.define("L", [], left(i) * v(i, j) * right(j), "sum", [i, j])
    yield ("X",)
    first = b.define("first", [i], v(k, i) * left(k), "sum", [k])
    second = b.define("second", [j], v(j, k) * right(k), "sum", [k])
    b.define("dX", [i, j], -first(i) * second(j))


def trace_of_inverse(b: SystemBuilder) -> Iterator[Yielded]:
    """Matrix Cookbook 64: −((X + A)⁻² )ᵀ."""
    x, a = square(b, "X"), b.leaf("A", N, N)
    v = inverse(b, "V", b.define("Y", [i, j], x(i, j) + a(i, j)))
    b.define("L", [], v(i, i), "sum", [i])
    yield ("X",)
    b.define("dX", [i, j], -v(j, k) * v(k, i), "sum", [k])


def solution(b: SystemBuilder) -> Iterator[Yielded]:
    """Giles 2008, 2.2.4, X = A⁻¹B: dB = A⁻ᵀG, dA = −dB Xᵀ."""
    a, right, g = square(b, "A"), param(b, "B", N, K), b.leaf("g", N, K)
    v = inverse(b, "V", a)
    x = b.define("X", [i, c], v(i, j) * right(j, c), "sum", [j])
    b.define("L", [], g(i, c) * x(i, c), "sum", [i, c])
    yield "A", "B"
    by_right = b.define("dB", [j, c], v(i, j) * g(i, c), "sum", [i])
    b.define("dA", [i, j], -by_right(i, c) * x(j, c), "sum", [c])


ROWS: tuple[tuple[str, Builder], ...] = (
    ("47 Gaussian process by its covariance", process_by_covariance),
    ("47 Gaussian process by its kernel", process_by_kernel),
    ("48 multivariate Gaussian", gaussian),
    ("49 determinant", determinant),
    ("49 log-determinant", log_determinant),
    ("49 log-determinant of a Gram matrix", gram_log_determinant),
    ("49 inverse", inverse_adjoint),
    ("49 bilinear form of an inverse", bilinear_inverse),
    ("49 trace of an inverse", trace_of_inverse),
    ("49 linear equations", solution),
)
