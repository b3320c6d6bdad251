"""Rows 42, 43, 52 to 57, 59 and 61: mixtures, embeddings, likelihoods, energies, policies, least squares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
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
    sqrt,
    swept,
    times,
)

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Expr, Guard
from symbp.ir.system import Fact, Role

digamma, loggamma = sympy.digamma, sympy.loggamma


def mixture_density(b: SystemBuilder) -> Iterator[Yielded]:
    """Bishop 1994: π − γ for the weights' logits, γ (μ − t)/σ² for the means."""
    a, mu = param(b, "a", N, K), param(b, "mu", N, K)
    ls, target = param(b, "ls", N, K), b.leaf("t", N, role=Role.TARGET)
    p = softmax(b, a, n, k)
    u = b.define("u", [n, k], (target(n) - mu(n, k)) * exp(-ls(n, k)))
    density = b.define("q", [n, k], p(n, k) * exp(-(u(n, k) ** 2) / 2 - ls(n, k)))
    total = b.define("f", [n], density(n, k), "sum", [k])
    b.define("L", [], -log(total(n)), "sum", [n])
    yield "a", "mu", "ls"
    gamma = b.define("gamma", [n, k], density(n, k) / total(n))
    b.define("da", [n, k], p(n, k) - gamma(n, k))
    b.define("dmu", [n, k], -gamma(n, k) * u(n, k) * exp(-ls(n, k)))
    b.define("dls", [n, k], gamma(n, k) * (1 - u(n, k) ** 2))


def gaussian_mixture(b: SystemBuilder) -> Iterator[Yielded]:
    """ADBench, gmm, without its prior: responsibilities; a triangular factor with log-diagonal."""
    alpha, mu = param(b, "alpha", K), param(b, "mu", K, D)
    lq, low = param(b, "lq", K, D), param(b, "low", K, D, D)
    x = b.leaf("x", N, D)
    c = b.define("c", [n, k, d], x(n, d) - mu(k, d))
    off = b.define("w", [n, k, d], less(j, d) * low(k, d, j) * c(n, k, j), "sum", [j])
    v = b.define("v", [n, k, d], exp(lq(k, d)) * c(n, k, d) + off(n, k, d))
    square = b.define("sq", [n, k], v(n, k, d) ** 2, "sum", [d])
    volume = b.define("ld", [k], lq(k, d), "sum", [d])
    z = b.define("z", [n, k], alpha(k) + volume(k) - square(n, k) / 2)
    first = b.define("e", [n, k], exp(z(n, k)))
    total = b.define("s", [n], first(n, k), "sum", [k])
    prior = b.define("ea", [], exp(alpha(k)), "sum", [k])
    b.define("L", [], log(total(n)) - log(prior()), "sum", [n])
    yield "alpha", "mu", "lq", "low"
    r = b.define("r", [n, k], first(n, k) / total(n))
    mass = b.define("mass", [k], r(n, k), "sum", [n])
    b.define("dalpha", [k], mass(k) - N * (exp(alpha(k)) / prior()))
    rv = b.define("rv", [n, k, d], r(n, k) * v(n, k, d))
    moment = b.define("moment", [k, d], rv(n, k, d) * c(n, k, d), "sum", [n])
    b.define("dlq", [k, d], mass(k) - exp(lq(k, d)) * moment(k, d))
    b.define("dlow", [k, d, j], -less(j, d) * rv(n, k, d) * c(n, k, j), "sum", [n])
    mean = b.define("rvs", [k, d], rv(n, k, d), "sum", [n])
    back = b.define("back", [k, d], less(d, j) * low(k, j, d) * mean(k, j), "sum", [j])
    b.define("dmu", [k, d], exp(lq(k, d)) * mean(k, d) + back(k, d))


def _clusters(b: SystemBuilder) -> tuple[Reader, Reader, Reader]:
    x, centre, member = b.leaf("x", N, D), param(b, "c", K, D), labels(b, "a", N, below=K)
    loss = b.define("F", [], (x(n, d) - centre(member(n), d)) ** 2, "sum", [n, d], ranges={n: N, d: D})
    return x, member, loss


def k_means(b: SystemBuilder) -> Iterator[Yielded]:
    """Bottou and Bengio 1994: 2(n_k c_k − Σ x) over the members of cluster k."""
    x, member, loss = _clusters(b)
    centre = b._tensors["c"].at
    b.define("L", [], loss())
    yield ("c",)
    count = b.define("count", [k], equal(k, member(n)), "sum", [n], ranges={k: K, n: N})
    total = b.define("total", [k, d], equal(k, member(n)) * x(n, d), "sum", [n], ranges={k: K})
    b.define("dc", [k, d], times(2, count(k) * centre(k, d) - total(k, d)))


def k_means_hessian(b: SystemBuilder) -> Iterator[Yielded]:
    """Bottou and Bengio 1994: the Hessian is 2 n_k I."""
    _, member, _ = _clusters(b)
    v = b.leaf("v", K, D)
    (dc,) = swept(b, "F", "c")
    b.define("L", [], v(k, d) * dc(k, d), "sum", [k, d])
    yield ("c",)
    count = b.define("count", [k], equal(k, member(n)), "sum", [n], ranges={k: K, n: N})
    b.define("dc_", [k, d], 2 * count(k) * v(k, d))


def t_sne(b: SystemBuilder) -> Iterator[Yielded]:
    """van der Maaten and Hinton 2008, eq. 5: 4 Σ_j (p − q)(y_i − y_j)/(1 + ‖y_i − y_j‖²), p symmetric."""
    y, p = param(b, "y", N, D), b.leaf("p", N, N, facts=[Fact("symmetric"), Fact("positive")])
    distance = b.define("d2", [i, j], (y(i, d) - y(j, d)) ** 2, "sum", [d])
    near = b.define("w", [i, j], Guard("!=", i, j) / (1 + distance(i, j)))
    total = b.define("Z", [], near(i, j), "sum", [i, j])
    mass = b.define("P", [], Guard("!=", i, j) * p(i, j), "sum", [i, j])
    cost = b.define("F", [], Guard("!=", i, j) * p(i, j) * log(1 + distance(i, j)), "sum", [i, j])
    b.define("L", [], cost() + mass() * log(total()))
    yield ("y",)
    off = Guard("!=", i, j) * (p(i, j) - near(i, j) * (mass() / total()))
    force = b.define("force", [i, j], off * near(i, j))
    b.define("dy", [i, d], 4 * force(i, j) * (y(i, d) - y(j, d)), "sum", [j])


def neighbourhood_components(b: SystemBuilder) -> Iterator[Yielded]:
    """Goldberger 2004, eq. 5, by the embedded points: weights p_ij (p_i − [same class]), symmetrised."""
    y, label = param(b, "y", N, D), labels(b, "a", N, below=sympy.Integer(3))
    distance = b.define("d2", [i, j], (y(i, d) - y(j, d)) ** 2, "sum", [d])
    raised = b.define("e", [i, j], Guard("!=", i, j) * exp(-distance(i, j)))
    total = b.define("s", [i], raised(i, j), "sum", [j])
    p = b.define("p", [i, j], raised(i, j) / total(i))
    same = equal(label(i), label(j))
    right = b.define("r", [i], same * p(i, j), "sum", [j])
    b.define("L", [], right(i), "sum", [i])
    yield ("y",)
    w = b.define("w", [i, j], p(i, j) * (right(i) - same))
    b.define("dy", [i, d], 2 * (w(i, j) + w(j, i)) * (y(i, d) - y(j, d)), "sum", [j])


def _likelihood(source: str, f: Callable[..., Expr], score: Callable[..., Expr], names: str) -> Builder:
    """The row of a negative log-likelihood −Σ log f(y; parameters per example), by its score functions."""

    def row(b: SystemBuilder) -> Iterator[Yielded]:
        leaves = [positive(b, name, N)(n) for name in names.split()]
        y = positive(b, "y", N)(n)
        b.define("L", [], -f(y, *leaves), "sum", [n])
        yield tuple(names.split())
        for name, slope in zip(names.split(), score(y, *leaves), strict=True):
            b.define(f"d{name}", [n], -slope)

    row.__doc__ = source
    return row


def poisson_regression(b: SystemBuilder) -> Iterator[Yielded]:
    """McCullagh and Nelder 1989: Xᵀ(exp(Xw) − y)."""
    x, w, y = b.leaf("x", N, D), param(b, "w", D), b.leaf("y", N, role=Role.TARGET)
    eta = b.define("eta", [n], x(n, d) * w(d), "sum", [d])
    rate = b.define("rate", [n], exp(eta(n)))
    b.define("L", [], rate(n) - y(n) * eta(n), "sum", [n])
    yield ("w",)
    residual = b.define("r", [n], rate(n) - y(n))
    b.define("dw", [d], x(n, d) * residual(n), "sum", [n])


def cox(b: SystemBuilder) -> Iterator[Yielded]:
    """Cox 1972, partial likelihood: each event minus its expectation over the risk set (j ≥ i)."""
    theta, event = param(b, "theta", N), b.leaf("event", N, facts=[Fact("binary")])
    risk = b.define("e", [i], exp(theta(i)))
    total = b.define("s", [i], Guard("<=", i, j) * risk(j), "sum", [j], ranges={i: N, j: N})
    b.define("L", [], event(i) * (log(total(i)) - theta(i)), "sum", [i])
    yield ("theta",)
    hazard = b.define("h", [i], event(i) / total(i))
    past = b.define("past", [j], Guard("<=", i, j) * hazard(i), "sum", [i], ranges={i: N, j: N})
    b.define("dtheta", [j], risk(j) * past(j) - event(j))


def _binomial(y: Expr, r: Expr, p: Expr) -> Expr:
    return loggamma(y + r) - loggamma(r) + r * log(1 / (1 + p)) + y * log(p / (1 + p))


def boltzmann_machine(b: SystemBuilder) -> Iterator[Yielded]:
    """Hinton 2010: free energy −a·v − Σ log(1 + exp(c + vW)); its gradient by W is −vᵀσ."""
    v, w = b.leaf("v", N, D), param(b, "W", D, H)
    a, c = param(b, "a", D), param(b, "c", H)
    z = b.define("z", [n, j], v(n, d) * w(d, j), "sum", [d])
    u = b.define("u", [n, j], z(n, j) + c(j))
    hidden = b.define("F", [n], log(1 + exp(u(n, j))), "sum", [j])
    visible = b.define("A", [n], v(n, d) * a(d), "sum", [d])
    b.define("L", [], -visible(n) - hidden(n), "sum", [n])
    yield "W", "a", "c"
    s = b.define("s", [n, j], -sigma(u(n, j)))
    b.define("dW", [d, j], v(n, d) * s(n, j), "sum", [n])
    b.define("dc", [j], s(n, j), "sum", [n])
    b.define("da", [d], -v(n, d), "sum", [n])


def hopfield(b: SystemBuilder) -> Iterator[Yielded]:
    """Ramsauer 2021: E = ‖q‖²/2 − β⁻¹ logsumexp(β X q) has gradient q − Xᵀ softmax(β X q)."""
    x, q, beta = b.leaf("x", N, D), param(b, "q", D), positive(b, "beta")()
    score = b.define("z", [n], beta * x(n, d) * q(d), "sum", [d])
    raised = b.define("e", [n], exp(score(n)))
    total = b.define("s", [], raised(n), "sum", [n])
    square = b.define("q2", [], q(d) ** 2 / 2, "sum", [d])
    b.define("L", [], square() - log(total()) / beta)
    yield ("q",)
    p = b.define("p", [n], raised(n) / total())
    mean = b.define("m", [d], p(n) * x(n, d), "sum", [n])
    b.define("dq", [d], q(d) - mean(d))


def optimal_transport(b: SystemBuilder) -> Iterator[Yielded]:
    """Cuturi 2013, the dual: a − P1 and b − Pᵀ1 with P = exp((f + g − C)/ε)."""
    f, g, eps = param(b, "f", M), param(b, "g", N), positive(b, "eps")()
    left, right, cost = positive(b, "a", M), positive(b, "b", N), b.leaf("C", M, N)
    p = b.define("P", [i, j], exp((f(i) + g(j) - cost(i, j)) / eps))
    first = b.define("u", [], f(i) * left(i), "sum", [i])
    second = b.define("v", [], g(j) * right(j), "sum", [j])
    mass = b.define("m", [], p(i, j), "sum", [i, j])
    b.define("L", [], first() + second() - eps * mass())
    yield "f", "g"
    rows = b.define("rows", [i], p(i, j), "sum", [j])
    columns = b.define("columns", [j], p(i, j), "sum", [i])
    b.define("df", [i], left(i) - rows(i))
    b.define("dg", [j], right(j) - columns(j))


def reinforce(b: SystemBuilder) -> Iterator[Yielded]:
    """Williams 1992: A (onehot − π) ascends, so the loss has A (π − onehot)."""
    z, act, advantage = param(b, "z", N, K), labels(b, "a", N, below=K), b.leaf("A", N)
    p = softmax(b, z, n, k)
    b.define("L", [], -advantage(n) * log(p(n, act(n))), "sum", [n])
    yield ("z",)
    b.define("dz", [n, k], advantage(n) * (p(n, k) - equal(k, act(n))))


def policy_ratio(b: SystemBuilder) -> Iterator[Yielded]:
    """Schulman 2017: ρ A with ρ = π(a)/π_old(a) has gradient ρ A (onehot − π)."""
    z, act, advantage = param(b, "z", N, K), labels(b, "a", N, below=K), b.leaf("A", N)
    old = b.leaf("old", N)
    p = softmax(b, z, n, k)
    ratio = b.define("rho", [n], exp(log(p(n, act(n))) - old(n)), ranges={n: N})
    b.define("L", [], -ratio(n) * advantage(n), "sum", [n])
    yield ("z",)
    weight = b.define("w", [n], ratio(n) * advantage(n))
    b.define("dz", [n, k], weight(n) * (p(n, k) - equal(k, act(n))))


def lennard_jones(b: SystemBuilder) -> Iterator[Yielded]:
    """Textbook: with u = 1/r⁶ over pairs, each point feels Σ_j 24 (u − 2u²)/r² (x_i − x_j)."""
    x = param(b, "x", N, 3)
    square = b.define("r2", [i, j], (x(i, d) - x(j, d)) ** 2, "sum", [d])
    u = b.define("u", [i, j], less(j, i) * square(i, j) ** -3)
    b.define("L", [], 4 * (u(i, j) ** 2 - u(i, j)), "sum", [i, j])
    yield ("x",)
    force = b.define("f", [i, j], less(j, i) * 24 * (u(i, j) - 2 * u(i, j) ** 2) / square(i, j))
    both = (force(i, j) + force(j, i)) * (x(i, d) - x(j, d))
    b.define("dx", [i, d], both, "sum", [j])


def ridge(b: SystemBuilder) -> Iterator[Yielded]:
    """Hoerl and Kennard 1970: 2Xᵀ(Xw − y) + 2λw."""
    x, w, y = b.leaf("x", N, D), param(b, "w", D), b.leaf("y", N, role=Role.TARGET)
    lam = positive(b, "lam")()
    z = b.define("z", [n], x(n, d) * w(d), "sum", [d])
    r = b.define("r", [n], z(n) - y(n))
    data = b.define("F", [], r(n) ** 2, "sum", [n])
    norm = b.define("w2", [], w(d) ** 2, "sum", [d])
    b.define("L", [], data() + lam * norm())
    yield ("w",)
    back = b.define("back", [d], x(n, d) * r(n), "sum", [n])
    b.define("dw", [d], times(2, back(d) + lam * w(d)))


def polynomial(b: SystemBuilder) -> Iterator[Yielded]:
    """Gauss 1809: 2 Σ r xᵏ."""
    x, w, y = positive(b, "x", N), param(b, "w", K), b.leaf("y", N, role=Role.TARGET)
    power = b.define("v", [n, k], exp(k * log(x(n))), ranges={k: K})
    z = b.define("z", [n], w(k) * power(n, k), "sum", [k])
    r = b.define("r", [n], z(n) - y(n))
    b.define("L", [], r(n) ** 2, "sum", [n])
    yield ("w",)
    b.define("dw", [k], 2 * r(n) * power(n, k), "sum", [n])


def rosenbrock(b: SystemBuilder) -> Iterator[Yielded]:
    """SciPy, rosen_der: 200(x_i − x_{i−1}²) − 400 x_i (x_{i+1} − x_i²) − 2(1 − x_i)."""
    x, inside = param(b, "x", N), less(i + 1, N)
    u = b.define("u", [i], inside * (x(i + 1, outside=0) - x(i) ** 2), ranges={i: N})
    b.define("L", [], 100 * u(i) ** 2 + inside * (1 - x(i)) ** 2, "sum", [i], ranges={i: N})
    yield ("x",)
    slope = 400 * u(i) * x(i) + inside * (2 - 2 * x(i))
    b.define("dx", [i], 200 * u(i - 1, outside=0) - slope, ranges={i: N})


ROWS: tuple[tuple[str, Builder], ...] = (
    ("42 mixture density", mixture_density),
    ("43 Gaussian mixture", gaussian_mixture),
    ("52 k-means", k_means),
    ("52 k-means, Hessian product", k_means_hessian),
    ("53 t-SNE", t_sne),
    ("53 neighbourhood components", neighbourhood_components),
    ("54 Poisson regression", poisson_regression),
    ("54 Cox", cox),
    ("54 negative binomial", _likelihood("Textbook, mean r p: ψ(y+r) − ψ(r) − log(1+p); (y − r p)/(p(1+p))",
        _binomial, lambda y, r, p: (digamma(y + r) - digamma(r) - log(1 + p), (y - r * p) / (p * (1 + p))),
        "r p")),
    ("54 gamma", _likelihood("Textbook: log β + log y − ψ(α); α/β − y",
        lambda y, a, b: a * log(b) + (a - 1) * log(y) - b * y - loggamma(a),
        lambda y, a, b: (log(b) + log(y) - digamma(a), a / b - y), "alpha beta")),
    ("54 beta", _likelihood("Textbook, odds y: log(y/(1+y)) − ψ(α) + ψ(α+β); −log(1+y) − ψ(β) + ψ(α+β)",
        lambda y, a, b: (a - 1) * log(y / (1 + y)) - (b - 1) * log(1 + y) - loggamma(a) - loggamma(b)
        + loggamma(a + b),
        lambda y, a, b: (log(y / (1 + y)) - digamma(a) + digamma(a + b),
                         -log(1 + y) - digamma(b) + digamma(a + b)), "alpha beta")),
    ("54 Tweedie", _likelihood("Jørgensen 1987, power 3/2: (y − μ)/μ^(3/2)",
        lambda y, mu: -2 * y / sqrt(mu) - 2 * sqrt(mu),
        lambda y, mu: ((y - mu) / mu ** sympy.Rational(3, 2),),
        "mu")),
    ("55 restricted Boltzmann machine", boltzmann_machine),
    ("55 modern Hopfield", hopfield),
    ("56 entropic optimal transport", optimal_transport),
    ("57 REINFORCE", reinforce),
    ("57 policy ratio", policy_ratio),
    ("59 Lennard-Jones", lennard_jones),
    ("61 polynomial least squares", polynomial),
    ("61 ridge", ridge),
    ("61 Rosenbrock", rosenbrock),
)  # fmt: skip
