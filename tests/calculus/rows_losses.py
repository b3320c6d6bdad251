"""Rows 30 to 37: regression, margins, focal, smoothed, distilled, contrastive and ranking losses."""

from __future__ import annotations

from collections.abc import Iterator

from rows import (
    Builder,
    D,
    K,
    N,
    Reader,
    Yielded,
    d,
    equal,
    exp,
    i,
    j,
    k,
    labels,
    less,
    log,
    n,
    param,
    positive,
    sigma,
    size_of,
    softmax,
    tanh,
)

from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Expr, Guard
from symbp.ir.system import Fact, Role


def _residual(b: SystemBuilder) -> tuple[Reader, Expr]:
    """A prediction and its residual y − t."""
    y, target = param(b, "y", N), b.leaf("t", N, role=Role.TARGET)
    return y, y(n) - target(n)


def mean_squared_error(b: SystemBuilder) -> Iterator[Yielded]:
    """Legendre 1805: 2(y − t)/N."""
    _, u = _residual(b)
    b.define("L", [], u**2 / N, "sum", [n])
    yield ("y",)
    b.define("dy", [n], u * (2 / N))


def huber(b: SystemBuilder) -> Iterator[Yielded]:
    """Huber 1964: the residual, clipped at ±δ."""
    _, u = _residual(b)
    delta = positive(b, "delta")()
    inside = Guard("<=", -delta, u) * Guard("<=", u, delta)
    tails = less(delta, u) * (delta * u - delta**2 / 2) + less(u, -delta) * (-delta * u - delta**2 / 2)
    b.define("L", [], inside * u**2 / 2 + tails, "sum", [n])
    yield ("y",)
    b.define("dy", [n], inside * u + delta * (less(delta, u) - less(u, -delta)))


def hinge(b: SystemBuilder) -> Iterator[Yielded]:
    """Cortes and Vapnik 1995: −t where 1 − t y > 0."""
    y, target = param(b, "y", N), b.leaf("t", N, role=Role.TARGET)
    margin = 1 - target(n) * y(n)
    b.define("L", [], where(less(0, margin), margin), "sum", [n])
    yield ("y",)
    b.define("dy", [n], -less(0, margin) * target(n))


def pinball(b: SystemBuilder) -> Iterator[Yielded]:
    """Koenker and Bassett 1978, quantile q of t − y: −q above, 1 − q below."""
    y, target = param(b, "y", N), b.leaf("t", N, role=Role.TARGET)
    quantile = positive(b, "q")()
    u = target(n) - y(n)
    b.define("L", [], where(less(0, u), quantile * u, (quantile - 1) * u), "sum", [n])
    yield ("y",)
    b.define("dy", [n], where(less(0, u), -quantile, 1 - quantile))


def log_cosh(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: tanh of the residual; log cosh u = |u| + log(1 + exp(−2|u|)) − log 2."""
    _, u = _residual(b)
    b.define("L", [], size_of(u) + log(1 + exp(-2 * size_of(u))), "sum", [n])
    yield ("y",)
    b.define("dy", [n], tanh(u))


def log_cosh_direct(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: tanh of the residual, from log((exp u + exp(−u))/2)."""
    _, u = _residual(b)
    b.define("L", [], log((exp(u) + exp(-u)) / 2), "sum", [n])
    yield ("y",)
    b.define("dy", [n], tanh(u))


def focal(b: SystemBuilder) -> Iterator[Yielded]:
    """Lin 2017, appendix A, γ = 2, the positive class: (1 − p)² (2 p log p + p − 1)."""
    z = param(b, "z", N)
    p = b.define("p", [n], sigma(z(n)))
    b.define("L", [], -((1 - p(n)) ** 2) * log(p(n)), "sum", [n])
    yield ("z",)
    b.define("dz", [n], (1 - p(n)) ** 2 * (2 * p(n) * log(p(n)) + p(n) - 1))


def focal_softmax(b: SystemBuilder) -> Iterator[Yielded]:
    """Lin 2017 with softmax, γ = 2: (1 − p_y)(2 p_y log p_y + p_y − 1)·(δ − p)."""
    z, y = param(b, "z", N, K), labels(b, "y", N, below=K)
    p = softmax(b, z, n, k)
    chosen = b.define("q", [n], p(n, y(n)), ranges={n: N})
    lp = b.define("lp", [n], log(chosen(n)))
    b.define("L", [], -((1 - chosen(n)) ** 2) * lp(n), "sum", [n])
    yield ("z",)
    q = chosen(n)
    factor = b.define("f", [n], (1 - q) * (2 * q * lp(n) + q - 1))
    b.define("dz", [n, k], factor(n) * (equal(k, y(n)) - p(n, k)))


def label_smoothing(b: SystemBuilder) -> Iterator[Yielded]:
    """Szegedy 2016: s − ((1 − ε) y + ε/K)."""
    z, eps = param(b, "z", N, K), positive(b, "eps")()
    y = b.leaf("y", N, K, role=Role.TARGET, facts=[Fact("sums to one", 1)])
    p = softmax(b, z, n, k)
    smooth = b.define("q", [n, k], (1 - eps) * y(n, k) + eps / K)
    b.define("L", [], -smooth(n, k) * log(p(n, k)), "sum", [n, k])
    yield ("z",)
    b.define("dz", [n, k], p(n, k) - smooth(n, k))


def distillation(b: SystemBuilder) -> Iterator[Yielded]:
    """Hinton 2015: T² KL(q_t ‖ q_s) at temperature T gives T (q_s − q_t)."""
    student, teacher, heat = param(b, "z", N, K), b.leaf("z2", N, K), positive(b, "T")()
    u1 = b.define("u1", [n, k], student(n, k) / heat)
    u2 = b.define("u2", [n, k], teacher(n, k) / heat)
    q1 = softmax(b, u1, n, k, names="e1 s1 q1")
    q2 = softmax(b, u2, n, k, names="e2 s2 q2")
    b.define("L", [], heat**2 * q2(n, k) * (log(q2(n, k)) - log(q1(n, k))), "sum", [n, k])
    yield ("z",)
    b.define("dz", [n, k], heat * (q1(n, k) - q2(n, k)))


def poly_one(b: SystemBuilder) -> Iterator[Yielded]:
    """Leng 2022: cross-entropy + ε (1 − p_y): (1 + ε p_y)(p − δ)."""
    z, y, eps = param(b, "z", N, K), labels(b, "y", N, below=K), positive(b, "eps")()
    p = softmax(b, z, n, k)
    b.define("L", [], -log(p(n, y(n))) + eps * (1 - p(n, y(n))), "sum", [n], ranges={n: N})
    yield ("z",)
    factor = b.define("f", [n], 1 + eps * p(n, y(n)), ranges={n: N})
    b.define("dz", [n, k], factor(n) * (p(n, k) - equal(k, y(n))))


def triplet(b: SystemBuilder) -> Iterator[Yielded]:
    """Schroff 2015: 2(n − p), 2(p − a), 2(a − n) where the margin is violated."""
    anchor, near, far = (param(b, name, N, D) for name in ("a", "p", "f"))
    margin = positive(b, "margin")()
    u = b.define("u", [n], (anchor(n, d) - near(n, d)) ** 2, "sum", [d])
    v = b.define("v", [n], (anchor(n, d) - far(n, d)) ** 2, "sum", [d])
    t = b.define("t", [n], u(n) - v(n) + margin)
    b.define("L", [], where(less(0, t(n)), t(n)), "sum", [n])
    yield "a", "p", "f"
    active = 2 * less(0, t(n))
    b.define("da", [n, d], active * (far(n, d) - near(n, d)))
    b.define("dp", [n, d], active * (near(n, d) - anchor(n, d)))
    b.define("df", [n, d], active * (anchor(n, d) - far(n, d)))


def info_nce(b: SystemBuilder) -> Iterator[Yielded]:
    """van den Oord 2018: dS = (softmax of the rows − I)/N."""
    first, second = param(b, "a", N, D), param(b, "b", N, D)
    score = b.define("S", [i, j], first(i, d) * second(j, d), "sum", [d])
    p = softmax(b, score, i, j)
    b.define("L", [], -log(p(i, i)) / N, "sum", [i])
    yield "a", "b"
    ds = b.define("dS", [i, j], (p(i, j) - equal(i, j)) / N)
    b.define("da", [i, d], ds(i, j) * second(j, d), "sum", [j])
    b.define("db", [j, d], ds(i, j) * first(i, d), "sum", [i])


def clip(b: SystemBuilder) -> Iterator[Yielded]:
    """Radford 2021: the average over rows and columns, (P + R − 2I)/2N."""
    score = param(b, "S", N, N)
    p = softmax(b, score, i, j)
    raised = b.define("e2", [i, j], exp(score(i, j)))
    total = b.define("s2", [j], raised(i, j), "sum", [i])
    r = b.define("r", [i, j], raised(i, j) / total(j))
    b.define("L", [], -(log(p(i, i)) + log(r(i, i))) / (2 * N), "sum", [i])
    yield ("S",)
    b.define("dS", [i, j], (p(i, j) + r(i, j) - 2 * equal(i, j)) / (2 * N))


def rank_net(b: SystemBuilder) -> Iterator[Yielded]:
    """Burges 2005: λ_ij = −σ(−(s_i − s_j)) for each pair i above j, added to i, subtracted from j."""
    s, above = param(b, "s", N), b.leaf("w", N, N, role=Role.TARGET, facts=[Fact("binary")])
    b.define("L", [], above(i, j) * log(1 + exp(-(s(i) - s(j)))), "sum", [i, j])
    yield ("s",)
    pair = b.define("lam", [i, j], above(i, j) * sigma(s(j) - s(i)))
    lost = b.define("u", [i], pair(i, j), "sum", [j])
    won = b.define("v", [j], pair(i, j), "sum", [i])
    b.define("ds", [i], won(i) - lost(i))


def list_net(b: SystemBuilder) -> Iterator[Yielded]:
    """Cao 2007: the difference of the two top-one distributions."""
    z, relevance = param(b, "z", N, K), b.leaf("y", N, K, role=Role.TARGET)
    p = softmax(b, z, n, k)
    q = softmax(b, relevance, n, k, names="e2 s2 q")
    b.define("L", [], -q(n, k) * log(p(n, k)), "sum", [n, k])
    yield ("z",)
    b.define("dz", [n, k], p(n, k) - q(n, k))


def dice(b: SystemBuilder) -> Iterator[Yielded]:
    """Milletari 2016: with U = Σ p y and S = Σ p + Σ y, 2(U − y S)/S²."""
    p, y = positive(b, "p", N), positive(b, "y", N)
    inter = b.define("U", [], p(n) * y(n), "sum", [n])
    first = b.define("A", [], p(n), "sum", [n])
    second = b.define("B", [], y(n), "sum", [n])
    total = b.define("S", [], first() + second())
    b.define("L", [], 1 - 2 * inter() / total())
    yield ("p",)
    b.define("dp", [n], 2 * (inter() / total() ** 2) - y(n) * (2 / total()))


def tversky(b: SystemBuilder) -> Iterator[Yielded]:
    """Salehi 2017: TI = U/S with S = U + α(A − U) + β(B − U), by the quotient rule."""
    p, y = positive(b, "p", N), positive(b, "y", N)
    alpha, beta = positive(b, "alpha")(), positive(b, "beta")()
    inter = b.define("U", [], p(n) * y(n), "sum", [n])
    first = b.define("A", [], p(n), "sum", [n])
    second = b.define("B", [], y(n), "sum", [n])
    u = inter()
    total = b.define("S", [], u + alpha * (first() - u) + beta * (second() - u))
    b.define("L", [], 1 - u / total())
    yield ("p",)
    slope = u * (1 - alpha - beta) / total() ** 2 - 1 / total()
    b.define("dp", [n], y(n) * slope + alpha * u / total() ** 2)


ROWS: tuple[tuple[str, Builder], ...] = (
    ("30 mean squared error", mean_squared_error),
    ("30 Huber", huber),
    ("30 hinge", hinge),
    ("30 pinball", pinball),
    ("30 log-cosh", log_cosh),
    ("30 log-cosh, direct", log_cosh_direct),
    ("31 focal", focal),
    ("31 focal, softmax", focal_softmax),
    ("32 label smoothing", label_smoothing),
    ("32 distillation", distillation),
    ("33 poly-1", poly_one),
    ("34 triplet", triplet),
    ("35 InfoNCE", info_nce),
    ("35 CLIP", clip),
    ("36 RankNet", rank_net),
    ("36 ListNet", list_net),
    ("37 Dice", dice),
    ("37 Tversky", tversky),
)
