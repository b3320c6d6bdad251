"""Losses written in every way that people write them, in one formula, in lines, in index notation.

Each is a network; what is unsafe as it stands must come out safe, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symbp as bp

N, K = bp.dims("N K")
n, j, k, row = bp.indices("n j k row")


def P(name: str = "z") -> Any:
    """A parameter of N rows."""
    return bp.param(name, (N, K))


CASES: dict[str, Callable[[], Any]] = {}


def case(f: Callable[[], Any]) -> Callable[[], Any]:
    """Registers a network."""
    CASES[f.__name__] = f
    return f


def tot(p: Any) -> Any:
    """The sum of g·p as the loss."""
    return bp.Network("n", loss=(p * bp.input("g", p.shape)).sum())


@case
def softmax_index() -> Any:
    z = P()
    return tot(bp.define("p", [n, k], bp.exp(z[n, k]) / bp.Sum(bp.exp(z[n, j]), j)))


@case
def softmax_tensors() -> Any:
    z = P()
    e = bp.exp(z)
    return tot(e / bp.unsqueeze(e.sum(1), 1))


@case
def softmax_temperature_index() -> Any:
    z = P()
    return tot(bp.define("p", [n, k], bp.exp(z[n, k] / 0.1) / bp.Sum(bp.exp(z[n, j] / 0.1), j)))


@case
def softmax_masked_where() -> Any:
    z = P()
    m = bp.input("m", (N, K), facts="binary")
    e = bp.where(m > 0, bp.exp(z), 0)
    return tot(e / bp.unsqueeze(e.sum(1), 1))


@case
def softmax_masked_product() -> Any:
    z = P()
    m = bp.input("m", (N, K), facts="binary")
    e = bp.exp(z) * m
    return tot(e / bp.unsqueeze(e.sum(1), 1))


@case
def softmax_masked_index() -> Any:
    z = P()
    m = bp.input("m", (N, K), facts="binary")
    return tot(bp.define("p", [n, k], m[n, k] * bp.exp(z[n, k]) / bp.Sum(m[n, j] * bp.exp(z[n, j]), j)))


@case
def softmax_causal_index() -> Any:
    z = bp.param("z", (N, N))
    i, j2 = bp.indices("i j2")
    return tot(
        bp.define(
            "p",
            [i, k],
            bp.where(k <= i, bp.exp(z[i, k]), 0) / bp.Sum(bp.where(j2 <= i, bp.exp(z[i, j2]), 0), j2),
        )
    )


@case
def softmax_weighted() -> Any:
    z = P()
    w = bp.input("w", (K,), facts="positive")
    e = bp.exp(z) * w
    return tot(e / bp.unsqueeze(e.sum(1), 1))


@case
def softmax_eps() -> Any:
    z = P()
    e = bp.exp(z)
    return tot(e / bp.unsqueeze(e.sum(1) + 1e-8, 1))


@case
def softmax_plus_one() -> Any:
    z = P()
    e = bp.exp(z)
    return tot(e / bp.unsqueeze(1 + e.sum(1), 1))


@case
def log_softmax_index() -> Any:
    z = P()
    return tot(bp.define("p", [n, k], bp.log(bp.exp(z[n, k]) / bp.Sum(bp.exp(z[n, j]), j))))


@case
def log_softmax_two() -> Any:
    z = P()
    e = bp.exp(z)
    return tot(bp.log(e / bp.unsqueeze(e.sum(1), 1)))


@case
def logsumexp_tensors() -> Any:
    z = P()
    return tot(bp.log(bp.exp(z).sum(1)))


@case
def logmeanexp() -> Any:
    z = P()
    return tot(bp.log(bp.exp(z).mean(1)))


@case
def logsumexp_plus_one() -> Any:
    z = P()
    return tot(bp.log(1 + bp.exp(z).sum(1)))


@case
def infonce() -> Any:
    z = P()
    p = bp.param("q", (N,))
    return tot(-bp.log(bp.exp(p) / (bp.exp(p) + bp.exp(z).sum(1))))


@case
def logaddexp2() -> Any:
    z = P()
    q = P("q")
    return tot(bp.log(bp.exp(z) + bp.exp(q)))


@case
def logaddexp2_lines() -> Any:
    z = P()
    q = P("q")
    a = bp.exp(z)
    b = bp.exp(q)
    return tot(bp.log(a + b))


@case
def logaddexp3() -> Any:
    z = P()
    q = P("q")
    r = P("r")
    return tot(bp.log(bp.exp(z) + bp.exp(q) + bp.exp(r)))


@case
def log_exp_2exp() -> Any:
    z = P()
    return tot(bp.log(bp.exp(z) + bp.exp(2 * z)))


@case
def log_c_exp() -> Any:
    z = P()
    return tot(bp.log(0.1 + bp.exp(z)))


@case
def log_7_exp() -> Any:
    z = P()
    return tot(bp.log(7 + 2 * bp.exp(-z)))


@case
def log1p_exp_neg() -> Any:
    z = P()
    return tot(bp.log(1 + bp.exp(-z)))


@case
def sigmoid_lines() -> Any:
    z = P()
    e = bp.exp(-z)
    d = 1 + e
    return tot(1 / d)


@case
def sigmoid_exp_over() -> Any:
    z = P()
    e = bp.exp(z)
    return tot(e / (1 + e))


@case
def bce_by_hand() -> Any:
    z = P()
    y = bp.target("y", (N, K), facts="binary")
    e = bp.exp(-z)
    d = 1 + e
    return bp.Network("n", loss=bp.binary_cross_entropy(1 / d, y))


@case
def bce_formula() -> Any:
    z = P()
    y = bp.target("y", (N, K), facts="binary")
    p = 1 / (1 + bp.exp(-z))
    return bp.Network("n", loss=-(y * bp.log(p) + (1 - y) * bp.log(1 - p)).mean())


@case
def mse_sigmoid_hand() -> Any:
    z = P()
    y = bp.target("y", (N, K))
    e = bp.exp(-z)
    d = 1 + e
    return bp.Network("n", loss=((1 / d - y) ** 2).mean())


@case
def two_class() -> Any:
    z = P()
    q = P("q")
    a = bp.exp(z)
    b = bp.exp(q)
    return tot(a / (a + b))


@case
def two_class_formula() -> Any:
    z = P()
    q = P("q")
    return tot(bp.exp(z) / (bp.exp(z) + bp.exp(q)))


@case
def three_class() -> Any:
    z = P()
    q = P("q")
    r = P("r")
    a = bp.exp(z)
    b = bp.exp(q)
    c = bp.exp(r)
    return tot(a / (a + b + c))


@case
def tanh_exp() -> Any:
    z = P()
    return tot((bp.exp(z) - bp.exp(-z)) / (bp.exp(z) + bp.exp(-z)))


@case
def tanh_lines() -> Any:
    z = P()
    a = bp.exp(z)
    b = bp.exp(-z)
    return tot((a - b) / (a + b))


@case
def tanh_2z() -> Any:
    z = P()
    e = bp.exp(2 * z)
    return tot((e - 1) / (e + 1))


@case
def logit_sigmoid() -> Any:
    z = P()
    p = bp.sigmoid(z)
    return tot(bp.log(p / (1 - p)))


@case
def logit_sigmoid2() -> Any:
    z = P()
    p = bp.sigmoid(z)
    return tot(bp.log(p) - bp.log(1 - p))


@case
def log_diff_logistic() -> Any:
    z = P()
    q = bp.input("q", (N, K), facts="positive")
    return tot(bp.log(bp.sigmoid(z + q) - bp.sigmoid(z)))


@case
def log1mexp() -> Any:
    z = P()
    return tot(bp.log(1 - bp.exp(-(z**2) - 1e-3)))


@case
def entropy() -> Any:
    z = P()
    p = bp.softmax(z)
    return bp.Network("n", loss=-(p * bp.log(p)).sum())


@case
def kl() -> Any:
    z = P()
    q = P("q")
    p = bp.softmax(z)
    r = bp.softmax(q)
    return bp.Network("n", loss=(p * (bp.log(p) - bp.log(r))).sum())


@case
def kl_quotient() -> Any:
    z = P()
    q = P("q")
    p = bp.softmax(z)
    r = bp.softmax(q)
    return bp.Network("n", loss=(p * bp.log(p / r)).sum())


@case
def xlogx() -> Any:
    x = bp.param("z", (N, K))
    return bp.Network("n", loss=(bp.relu(x) * bp.log(bp.relu(x))).sum())


@case
def silu_hand() -> Any:
    z = P()
    return tot(z / (1 + bp.exp(-z)))


@case
def silu_lines() -> Any:
    z = P()
    e = bp.exp(-z)
    d = 1 + e
    return tot(z / d)


@case
def glu_hand() -> Any:
    z = P()
    q = P("q")
    e = bp.exp(-z)
    return tot(q / (1 + e))


@case
def softplus_c_log() -> Any:
    z = P()
    return tot(bp.log(bp.softplus(z) + 1e-3))


@case
def sech2() -> Any:
    z = P()
    return tot(4 / (bp.exp(z) + bp.exp(-z)) ** 2)


@case
def mish_hand() -> Any:
    z = P()
    return tot(z * bp.tanh(bp.log(1 + bp.exp(z))))


@case
def std1() -> Any:
    z = P()
    return tot(bp.std(z, 1, correction=1))


@case
def std_hand() -> Any:
    z = P()
    m = z.mean(1)
    return tot(bp.sqrt(((z - bp.unsqueeze(m, 1)) ** 2).sum(1) / (K - 1)))


@case
def relu15() -> Any:
    z = P()
    return tot(bp.relu(z) ** 1.5)


@case
def relu25() -> Any:
    z = P()
    return tot(bp.relu(z) ** 2.5)


@case
def relupy() -> Any:
    z = P()
    y = bp.param("y", (N, K))
    return tot(bp.relu(z) ** (2 + y**2))


@case
def softmax_cubed_log() -> Any:
    z = P()
    p = bp.softmax(z)
    return tot(bp.log(p**2 * 3))


@case
def log_sig_prod() -> Any:
    z = P()
    q = P("q")
    return tot(bp.log(bp.sigmoid(z) * bp.sigmoid(q)))


@case
def noisy_or() -> Any:
    z = P()
    q = P("q")
    return tot(bp.log(1 - bp.sigmoid(z) * bp.sigmoid(q)))


@case
def gumbel_log() -> Any:
    z = P()
    return tot(bp.exp(-bp.exp(-z)))


@case
def gompertz_loglog() -> Any:
    z = P()
    y = bp.target("y", (N, K), facts="binary")
    p = 1 - bp.exp(-bp.exp(z))
    return bp.Network("n", loss=-(y * bp.log(p) + (1 - y) * bp.log(1 - p)).mean())


@case
def ce_index() -> Any:
    z = P()
    y = bp.labels("y", (N,), classes=K)
    p = bp.define("p", [n, k], bp.exp(z[n, k]) / bp.Sum(bp.exp(z[n, j]), j))
    return bp.Network("n", loss=bp.cross_entropy(p, y))


@case
def ce_logits() -> Any:
    z = P()
    y = bp.labels("y", (N,), classes=K)
    return bp.Network("n", loss=bp.cross_entropy(z, y, from_logits=True))


@case
def mixture_lse() -> Any:
    z = P()
    mu = bp.param("q", (K,))
    x = bp.input("x", (N,))
    return bp.Network(
        "n", loss=-bp.log((bp.softmax(z) * bp.exp(-((bp.unsqueeze(x, 1) - mu) ** 2) / 2)).sum(1)).sum()
    )


@case
def attention_ctx() -> Any:
    z = P()
    v = bp.param("v", (K,))
    e = bp.exp(z)
    return tot((e * v).sum(1) / e.sum(1))


@case
def attention_ctx_index() -> Any:
    z = P()
    v = bp.param("v", (K,))
    return tot(bp.define("c", [n], bp.Sum(bp.exp(z[n, k]) * v[k], k) / bp.Sum(bp.exp(z[n, j]), j)))
