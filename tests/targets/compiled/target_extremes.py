"""Systems whose gradients are asked for far out: where floats overflow, cancel, or have nothing to add up.

Each function adds one part to a system; `together` makes one system of many parts, each with a parameter and
a loss term of its own, so that a module compiles once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import Expr, FloorDiv, Guard, Mod
from symbp.ir.system import Fact, Role, System

N, M, K, D, T, S, V = sizes("N M K D T S V")
n, m, k, j, d, t, s, v, a, c = indices("n m k j d t s v a c")
exp, log, tanh, cosh, sqrt = sympy.exp, sympy.log, sympy.tanh, sympy.cosh, sympy.sqrt
BINARY, POSITIVE = [Fact("binary")], [Fact("nonnegative")]
LOWEST = -sympy.oo
Part = Callable[[SystemBuilder, str], Expr]
Reader = Callable[..., Any]


def sigma(x: Expr) -> Expr:
    return 1 / (1 + exp(-x))


FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {
    "sigmoid": sigma,
    "sigmoid_quotient": lambda x: exp(x) / (1 + exp(x)),
    "log_sigmoid": lambda x: log(sigma(x)),
    "softplus": lambda x: log(1 + exp(x)),
    "logistic": lambda x: log(1 + exp(-x)),
    "silu": lambda x: x * sigma(x),
    "mish": lambda x: x * tanh(log(1 + exp(x))),
    "gelu": lambda x: x * (1 + tanh(sqrt(2 / sympy.pi) * (x + sympy.Rational("0.044715") * x**3))) / 2,
    "tanh_quotient": lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
    "log_cosh": lambda x: log(cosh(x)),
    "log_mean_exp": lambda x: log((exp(x) + exp(-x)) / 2),
    "sech": lambda x: 1 / cosh(x) ** 2,
    "elu": lambda x: where(Guard("<", 0, x), x, exp(x) - 1),
    "focal": lambda x: -((1 - sigma(x)) ** 2) * log(sigma(x)),
    "unit": lambda x: x / sqrt(1 + x**2),
    "bell": lambda x: exp(-(x**2)),
}


def elementwise(name: str) -> Part:
    """Σ g·f(z)."""

    def part(b: SystemBuilder, z: str) -> Expr:
        x = b.leaf(z, N, K, role=Role.PARAMETER)
        h = b.define(f"h_{z}", [n, k], FUNCTIONS[name](x(n, k)))
        return weighted(b, z, h, n, k)

    return part


def weighted(b: SystemBuilder, z: str, out: Reader, *at: Any) -> Expr:
    """Σ g·out as a scalar of its own, with the weights as an input."""
    g = b.leaf(f"g_{z}", *b._tensors[out(*at).name].shape)
    return b.define(f"L_{z}", [], g(*at) * out(*at), "sum", at)()


def softmax(b: SystemBuilder, z: str, logit: Callable[..., Any], *at: Any, seen: Any = 1) -> Reader:
    e = b.define(f"e_{z}", at, seen * exp(logit(*at)))
    total = b.define(f"s_{z}", at[:-1], e(*at), "sum", at[-1:])
    return b.define(f"p_{z}", at, e(*at) / total(*at[:-1]))


def logsumexp(b: SystemBuilder, z: str, logit: Callable[..., Any], *at: Any, seen: Any = 1) -> Reader:
    total = b.define(f"s_{z}", at[:-1], seen * exp(logit(*at)), "sum", at[-1:])
    return b.define(f"lse_{z}", at[:-1], log(total(*at[:-1])))


# --- losses and rows
def cross_entropy(b: SystemBuilder, z: str) -> Expr:
    x, y = b.leaf(z, N, K, role=Role.PARAMETER), labels(b, f"y_{z}", N, below=K)
    p = softmax(b, z, x, n, k)
    return b.define(f"L_{z}", [], -log(p(n, y(n))) / N, "sum", [n], ranges={n: N})()


def cross_entropy_of_distributions(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    y = b.leaf(f"y_{z}", N, K, role=Role.TARGET, facts=[Fact("sums to one", 1)])
    p = softmax(b, z, x, n, k)
    return b.define(f"L_{z}", [], -y(n, k) * log(p(n, k)) / N, "sum", [n, k])()


def log_softmax(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    lse = logsumexp(b, z, x, n, k)
    return weighted(b, z, b.define(f"lp_{z}", [n, k], x(n, k) - lse(n)), n, k)


def binary_cross_entropy(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    y = b.leaf(f"y_{z}", N, K, role=Role.TARGET, facts=BINARY)
    p = b.define(f"p_{z}", [n, k], sigma(x(n, k)))
    body = -y(n, k) * log(p(n, k)) - (1 - y(n, k)) * log(1 - p(n, k))
    return b.define(f"L_{z}", [], body / N, "sum", [n, k])()


def binary_cross_entropy_of_logits(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    y = b.leaf(f"y_{z}", N, K, role=Role.TARGET, facts=BINARY)
    return b.define(f"L_{z}", [], (log(1 + exp(x(n, k))) - y(n, k) * x(n, k)) / N, "sum", [n, k])()


def masked_softmax(b: SystemBuilder, z: str) -> Expr:
    x, mask = b.leaf(z, N, K, role=Role.PARAMETER), b.leaf(f"mask_{z}", N, K, facts=BINARY)
    return weighted(b, z, softmax(b, z, x, n, k, seen=mask(n, k)), n, k)


def additively_masked_softmax(b: SystemBuilder, z: str) -> Expr:
    x, mask = b.leaf(z, N, K, role=Role.PARAMETER), b.leaf(f"mask_{z}", N, K, facts=BINARY)
    u = b.define(f"u_{z}", [n, k], where(Guard("=", mask(n, k), 1), x(n, k), LOWEST))
    return weighted(b, z, softmax(b, z, u, n, k), n, k)


def masked_logsumexp(b: SystemBuilder, z: str) -> Expr:
    """Weights only where something is left: the value elsewhere is −∞."""
    x, mask = b.leaf(z, N, K, role=Role.PARAMETER), b.leaf(f"mask_{z}", N, K, facts=BINARY)
    lse = logsumexp(b, z, x, n, k, seen=mask(n, k))
    g = b.leaf(f"g_{z}", N)
    return b.define(f"L_{z}", [], Guard("<", LOWEST, lse(n)) * g(n) * lse(n), "sum", [n])()


def attention(b: SystemBuilder, z: str) -> Expr:
    """Causal, without the first `length` keys: the first rows see nothing."""
    query, key = (b.leaf(f"{name}{z}", M, D, role=Role.PARAMETER) for name in "qk")
    value, length = b.leaf(f"v{z}", M, D, role=Role.PARAMETER), b.leaf(f"length_{z}", integer=True)
    score = b.define(f"S_{z}", [m, j], query(m, d) * key(j, d) / sqrt(D), "sum", [d])
    p = softmax(b, z, score, m, j, seen=Guard("<=", j, m) * Guard("<=", length(), j))
    return weighted(b, z, b.define(f"O_{z}", [m, d], p(m, j) * value(j, d), "sum", [j]), m, d)


def entropy(b: SystemBuilder, z: str) -> Expr:
    """x log x of leaves that may be 0."""
    x = b.leaf(z, N, K, role=Role.PARAMETER, facts=POSITIVE)
    return weighted(b, z, b.define(f"h_{z}", [n, k], x(n, k) * log(x(n, k))), n, k)


def softmax_entropy(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    p = softmax(b, z, x, n, k)
    return weighted(b, z, b.define(f"H_{z}", [n], -p(n, k) * log(p(n, k)), "sum", [k]), n)


def norm(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    square = b.define(f"q_{z}", [n], x(n, k) ** 2, "sum", [k])
    return weighted(b, z, b.define(f"r_{z}", [n], sqrt(square(n))), n)


def distance(b: SystemBuilder, z: str) -> Expr:
    x = b.leaf(z, N, K, role=Role.PARAMETER)
    square = b.define(f"q_{z}", [n, m], (x(n, k) - x(m, k)) ** 2, "sum", [k])
    return weighted(b, z, b.define(f"r_{z}", [n, m], sqrt(square(n, m))), n, m)


def labels(b: SystemBuilder, name: str, *shape: Any, below: Any) -> Reader:
    return b.leaf(name, *shape, role=Role.TARGET, integer=True, facts=[Fact("below", bound=below)])


# --- recurrences
def crf(b: SystemBuilder, z: str) -> Expr:
    """log Z of a chain with forbidden transitions; the first state is 0."""
    x, A = b.leaf(z, T, N, S, role=Role.PARAMETER), b.leaf(f"A_{z}", S, S, role=Role.PARAMETER)
    allowed = b.leaf(f"mask_{z}", S, S, facts=BINARY)
    alpha = b.declare(f"alpha_{z}", T, N, S)
    before = alpha(t - 1, n, a, outside=where(Guard("=", a, 0), 0, LOWEST))
    total = b.define(
        f"s_{z}", [t, n, c], allowed(a, c) * exp(before + A(a, c)), "sum", [a], ranges={t: T, n: N}
    )
    b.define(f"alpha_{z}", [t, n, c], log(total(t, n, c)) + x(t, n, c))
    end = b.define(f"q_{z}", [n], exp(alpha(T - 1, n, a)), "sum", [a])
    lz = b.define(f"lz_{z}", [n], log(end(n)))
    return b.define(f"L_{z}", [], Guard("<", LOWEST, lz(n)) * lz(n), "sum", [n])()


def ctc(b: SystemBuilder, z: str) -> Expr:
    """Graves et al. 2006, equations 6 to 8, by logarithms: blanks at even states, each label between."""
    x, label = b.leaf(z, N, T, V, role=Role.PARAMETER), labels(b, f"y_{z}", N, S, below=V)
    states = 2 * S + 1
    over = {n: N, t: T, s: states, k: 3}
    lse = logsumexp(b, z, x, n, t, v)
    b.declare(f"state_{z}", N, states, integer=True)
    state = b.define(f"state_{z}", [n, s], Guard("=", Mod(s, 2), 1) * label(n, FloorDiv(s, 2)), ranges=over)
    alpha = b.declare(f"alpha_{z}", N, T, states)
    skips = Guard("!=", state(n, s), 0) * Guard("!=", state(n, s), state(n, s - 2, outside=0))
    path = alpha(n, t - 1, s - k, outside=Guard("!=", s, k) * LOWEST)
    allowed = Guard("<=", k, 1) + Guard("=", k, 2) * skips
    reach = b.define(f"w_{z}", [n, t, s], allowed * exp(path), "sum", [k], ranges=over)
    b.define(f"alpha_{z}", [n, t, s], log(reach(n, t, s)) + x(n, t, state(n, s)) - lse(n, t))
    last = b.define(f"end_{z}", [n], exp(alpha(n, T - 1, 2 * S - k)), "sum", [k], ranges={n: N, k: 2})
    return b.define(f"L_{z}", [], -log(last(n)), "sum", [n])()


PARTS: dict[str, Part] = {
    **{name: elementwise(name) for name in FUNCTIONS},
    "cross_entropy": cross_entropy,
    "cross_entropy_of_distributions": cross_entropy_of_distributions,
    "log_softmax": log_softmax,
    "bce": binary_cross_entropy,
    "bce_of_logits": binary_cross_entropy_of_logits,
    "masked_softmax": masked_softmax,
    "additively_masked_softmax": additively_masked_softmax,
    "masked_logsumexp": masked_logsumexp,
    "attention": attention,
    "entropy": entropy,
    "softmax_entropy": softmax_entropy,
    "norm": norm,
    "distance": distance,
    "crf": crf,
    "ctc": ctc,
}


def together(names: Sequence[str]) -> System:
    """One system with the loss Σ of the parts."""
    b = SystemBuilder()
    losses = [PARTS[name](b, name) for name in names]
    b.define("L", [], sympy.Add(*losses))
    outputs = [f"h_{name}" for name in names if name in FUNCTIONS]
    return b.system("L", outputs)
