"""Rows 1 to 7 and 62: softmax and its losses, Hessian products, dense layers, gradients that vanish."""

from __future__ import annotations

from collections.abc import Iterator

from rows import (
    Builder,
    D,
    H,
    K,
    M,
    N,
    Reader,
    Yielded,
    d,
    equal,
    exp,
    i,
    incoming,
    j,
    k,
    labels,
    less,
    log,
    n,
    param,
    positive,
    sigma,
    softmax,
    swept,
)

from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Expr
from symbp.ir.system import Fact, Role


def _log_loss(b: SystemBuilder, p: Reader, y: Expr) -> None:
    b.define("L", [], -y * log(p(n, k)) / N, "sum", [n, k])


def cross_entropy_simplex(b: SystemBuilder) -> Iterator[Yielded]:
    """Bridle 1990; Bishop, PRML, 4.109: s − y for a target that sums to one."""
    z = param(b, "z", N, K)
    y = b.leaf("y", N, K, role=Role.TARGET, facts=[Fact("sums to one", 1)])
    p = softmax(b, z, n, k)
    _log_loss(b, p, y(n, k))
    yield ("z",)
    b.define("dz", [n, k], (p(n, k) - y(n, k)) / N)


def cross_entropy_labels(b: SystemBuilder) -> Iterator[Yielded]:
    """Bishop, PRML, 4.109, with the target as an integer."""
    z, y = param(b, "z", N, K), labels(b, "y", N, below=K)
    p = softmax(b, z, n, k)
    b.define("L", [], -log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    yield ("z",)
    b.define("dz", [n, k], (p(n, k) - equal(k, y(n))) / N)


def cross_entropy_any(b: SystemBuilder) -> Iterator[Yielded]:
    """The Tensor Cookbook: s_k Σ y − y_k for weights y that need not sum to one."""
    z, y = param(b, "z", N, K), b.leaf("y", N, K, role=Role.TARGET)
    p = softmax(b, z, n, k)
    _log_loss(b, p, y(n, k))
    yield ("z",)
    t = b.define("t", [n], y(n, k), "sum", [k])
    b.define("dz", [n, k], (p(n, k) * t(n) - y(n, k)) / N)


def _cross_entropy_product(b: SystemBuilder, facts: list[Fact]) -> tuple[Reader, Reader, Reader]:
    """Σ v·∂L/∂z of the cross-entropy: its gradient by z is the Hessian times v."""
    z, v = b.leaf("z", K), b.leaf("v", K)
    y = b.leaf("y", K, facts=facts)
    p = softmax(b, z, k)
    b.define("F", [], -y(k) * log(p(k)), "sum", [k])
    (dz,) = swept(b, "F", "z")
    b.define("L", [], v(k) * dz(k), "sum", [k])
    return p, v, y


def cross_entropy_hessian_simplex(b: SystemBuilder) -> Iterator[Yielded]:
    """The Tensor Cookbook: (diag s − s sᵀ) v, free of y when Σ y = 1."""
    p, v, _ = _cross_entropy_product(b, [Fact("sums to one", 0)])
    yield ("z",)
    q = b.define("q", [], p(k) * v(k), "sum", [k])
    b.define("dz_", [k], p(k) * (v(k) - q()))


def cross_entropy_hessian_any(b: SystemBuilder) -> Iterator[Yielded]:
    """The Tensor Cookbook: (diag s − s sᵀ) v Σ y."""
    p, v, y = _cross_entropy_product(b, [])
    yield ("z",)
    q = b.define("q", [], p(k) * v(k), "sum", [k])
    t = b.define("t", [], y(k), "sum", [k])
    b.define("dz_", [k], t() * p(k) * (v(k) - q()))


def softmax_product(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: s ∘ (g − Σ g s)."""
    z = param(b, "z", N, K)
    p = softmax(b, z, n, k)
    g = incoming(b, p, n, k)
    yield ("z",)
    q = b.define("q", [n], g(n, k) * p(n, k), "sum", [k])
    b.define("dz", [n, k], p(n, k) * (g(n, k) - q(n)))


def log_softmax_product(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: the Jacobian is I − 1 sᵀ, so g − s Σ g."""
    z = param(b, "z", N, K)
    raised = b.define("e", [n, k], exp(z(n, k)))
    s = b.define("s", [n], raised(n, k), "sum", [k])
    y = b.define("y", [n, k], z(n, k) - log(s(n)))
    g = incoming(b, y, n, k)
    yield ("z",)
    t = b.define("t", [n], g(n, k), "sum", [k])
    b.define("dz", [n, k], g(n, k) - raised(n, k) * (t(n) / s(n)))


def logsumexp(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: the gradient of logsumexp is softmax."""
    z = param(b, "z", N, K)
    raised = b.define("e", [n, k], exp(z(n, k)))
    s = b.define("s", [n], raised(n, k), "sum", [k])
    y = b.define("y", [n], log(s(n)))
    g = incoming(b, y, n)
    yield ("z",)
    b.define("dz", [n, k], raised(n, k) * (g(n) / s(n)))


def logsumexp_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: the Hessian of logsumexp is diag s − s sᵀ."""
    z, v = param(b, "z", K), b.leaf("v", K)
    p = softmax(b, z, k)
    s = b._tensors["s"].at
    b.define("F", [], log(s()))
    (dz,) = swept(b, "F", "z")
    b.define("L", [], v(k) * dz(k), "sum", [k])
    yield ("z",)
    q = b.define("q", [], p(k) * v(k), "sum", [k])
    b.define("dz_", [k], p(k) * (v(k) - q()))


def binary_cross_entropy(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: (σ(z) − y)/N."""
    z, y = param(b, "z", N), b.leaf("y", N, role=Role.TARGET)
    p = b.define("p", [n], sigma(z(n)))
    b.define("L", [], -(y(n) * log(p(n)) + (1 - y(n)) * log(1 - p(n))) / N, "sum", [n])
    yield ("z",)
    b.define("dz", [n], (p(n) - y(n)) / N)


def binary_cross_entropy_logits(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: (σ(z) − y)/N, from logits, with σ to be computed."""
    z, y = param(b, "z", N), b.leaf("y", N, role=Role.TARGET)
    b.define("L", [], (log(1 + exp(z(n))) - y(n) * z(n)) / N, "sum", [n])
    yield ("z",)
    b.define("dz", [n], (sigma(z(n)) - y(n)) / N)


def linear(b: SystemBuilder) -> Iterator[Yielded]:
    """Rumelhart, Hinton and Williams 1986: dW = Xᵀg, dX = gWᵀ, db = Σ g."""
    x, w, c = b.leaf("x", N, D), param(b, "W", D, K), param(b, "b", K)
    z = b.define("z", [n, k], x(n, i) * w(i, k), "sum", [i])
    y = b.define("y", [n, k], z(n, k) + c(k))
    g = incoming(b, y, n, k)
    yield "x", "W", "b"
    b.define("dx", [n, i], g(n, k) * w(i, k), "sum", [k])
    b.define("dW", [i, k], x(n, i) * g(n, k), "sum", [n])
    b.define("db", [k], g(n, k), "sum", [n])


def two_layer_net(b: SystemBuilder) -> Iterator[Yielded]:
    """CS231n, assignment 1: softmax after a rectified layer, with a quadratic penalty on the weights."""
    x, y = b.leaf("x", N, D), labels(b, "y", N, below=K)
    w1, b1, w2, b2 = param(b, "W1", D, H), param(b, "b1", H), param(b, "W2", H, K), param(b, "b2", K)
    penalty = positive(b, "reg")
    a1 = b.define("a1", [n, j], x(n, i) * w1(i, j), "sum", [i])
    z1 = b.define("z1", [n, j], a1(n, j) + b1(j))
    h = b.define("h", [n, j], where(less(0, z1(n, j)), z1(n, j)))
    a2 = b.define("a2", [n, k], h(n, j) * w2(j, k), "sum", [j])
    z2 = b.define("z2", [n, k], a2(n, k) + b2(k))
    p = softmax(b, z2, n, k)
    data = b.define("data", [], -log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    r1 = b.define("r1", [], w1(i, j) ** 2, "sum", [i, j])
    r2 = b.define("r2", [], w2(j, k) ** 2, "sum", [j, k])
    b.define("L", [], data() + penalty() * (r1() + r2()))
    yield "W1", "b1", "W2", "b2"
    dz2 = b.define("dz2", [n, k], (p(n, k) - equal(k, y(n))) / N)
    dh = b.define("dh", [n, j], dz2(n, k) * w2(j, k), "sum", [k])
    dz1 = b.define("dz1", [n, j], less(0, z1(n, j)) * dh(n, j))
    m1 = b.define("m1", [i, j], x(n, i) * dz1(n, j), "sum", [n])
    m2 = b.define("m2", [j, k], h(n, j) * dz2(n, k), "sum", [n])
    b.define("dW1", [i, j], m1(i, j) + 2 * penalty() * w1(i, j))
    b.define("dW2", [j, k], m2(j, k) + 2 * penalty() * w2(j, k))
    b.define("db1", [j], dz1(n, j), "sum", [n])
    b.define("db2", [k], dz2(n, k), "sum", [n])


def sum_of_softmax(b: SystemBuilder) -> Iterator[Yielded]:
    """Algebra: Σ softmax = 1."""
    z = param(b, "z", N, K)
    p = softmax(b, z, n, k)
    b.define("L", [], p(n, k), "sum", [n, k])
    yield ("z",)
    b.define("dz", [n, k], 0, ranges={n: N, k: K})


def shift_of_logits(b: SystemBuilder) -> Iterator[Yielded]:
    """Algebra: softmax does not see what is added to a whole row."""
    z, c = b.leaf("z", N, K), param(b, "c", N)
    w = b.leaf("w", N, K)
    shifted = b.define("u", [n, k], z(n, k) + c(n))
    p = softmax(b, shifted, n, k)
    b.define("L", [], w(n, k) * p(n, k) ** 2, "sum", [n, k])
    yield ("c",)
    b.define("dc", [n], 0, ranges={n: N})


def shift_before_centring(b: SystemBuilder) -> Iterator[Yielded]:
    """Algebra: a variance does not see a common shift."""
    x, c, w = b.leaf("x", N, D), param(b, "c", D), b.leaf("w", D)
    u = b.define("u", [n, d], x(n, d) + c(d))
    mu = b.define("mu", [d], u(n, d) / N, "sum", [n])
    centred = b.define("v", [n, d], u(n, d) - mu(d))
    b.define("L", [], w(d) * centred(n, d) ** 2, "sum", [n, d])
    yield ("c",)
    b.define("dc", [d], 0, ranges={d: D})


def sum_of_centred(b: SystemBuilder) -> Iterator[Yielded]:
    """Algebra: centred values sum to zero."""
    x, w = param(b, "x", M, D), b.leaf("w", D)
    mu = b.define("mu", [d], x(i, d) / M, "sum", [i])
    centred = b.define("v", [i, d], x(i, d) - mu(d))
    b.define("L", [], w(d) * centred(i, d), "sum", [i, d])
    yield ("x",)
    b.define("dx", [i, d], 0, ranges={i: M, d: D})


ROWS: tuple[tuple[str, Builder], ...] = (
    ("1 softmax + cross-entropy, simplex", cross_entropy_simplex),
    ("1 softmax + cross-entropy, labels", cross_entropy_labels),
    ("1 softmax + cross-entropy, any weights", cross_entropy_any),
    ("2 its Hessian product, simplex", cross_entropy_hessian_simplex),
    ("2 its Hessian product, any weights", cross_entropy_hessian_any),
    ("3 softmax", softmax_product),
    ("4 log-softmax", log_softmax_product),
    ("4 logsumexp", logsumexp),
    ("4 logsumexp, Hessian product", logsumexp_hessian),
    ("5 sigmoid + binary cross-entropy", binary_cross_entropy),
    ("5 binary cross-entropy from logits", binary_cross_entropy_logits),
    ("6 linear layer", linear),
    ("7 two-layer net + penalty", two_layer_net),
    ("62 sum of softmax", sum_of_softmax),
    ("62 shift of logits", shift_of_logits),
    ("62 shift before centring", shift_before_centring),
    ("62 sum of centred values", sum_of_centred),
)
