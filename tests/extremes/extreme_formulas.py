"""Losses written in every way that people write them, in one formula, in lines, in index notation.

Each is a network; what is unsafe as it stands must come out safe, whatever it is called. A case is a function
of what it is made of: z, q, r are parameters of N rows, v one of a row, w a positive row, m a mask, y binary
targets, t real ones, c labels. If it isn't a scalar, its sum weighted by g is the loss.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import symbp as bp

N, K = bp.dims("N K")
n, j, k, i = bp.indices("n j k i")
exp, log, sigmoid, softmax, relu = bp.exp, bp.log, bp.sigmoid, bp.softmax, bp.relu

LEAVES: dict[str, Callable[[], Any]] = {
    "z": lambda: bp.param("z", (N, K)),
    "q": lambda: bp.param("q", (N, K)),
    "r": lambda: bp.param("r", (N, K)),
    "s": lambda: bp.param("z", (N, N)),
    "u": lambda: bp.param("q", (N,)),
    "v": lambda: bp.param("v", (K,)),
    "mu": lambda: bp.param("q", (K,)),
    "a": lambda: bp.param("y", (N, K)),
    "x": lambda: bp.input("x", (N,)),
    "w": lambda: bp.input("w", (K,), facts="positive"),
    "d": lambda: bp.input("q", (N, K), facts="positive"),
    "m": lambda: bp.input("m", (N, K), facts="binary"),
    "y": lambda: bp.target("y", (N, K), facts="binary"),
    "t": lambda: bp.target("y", (N, K)),
    "c": lambda: bp.labels("y", (N,), classes=K),
}


def network(case: str) -> bp.Network:
    """The network of a case."""
    formula = CASES[case]
    value = formula(*(LEAVES[name]() for name in inspect.signature(formula).parameters))
    loss = (value * bp.input("g", value.shape)).sum() if value.rank else value
    return bp.Network("n", loss=loss)


def shared(e: Any, plus: Any = 0) -> Any:
    """Each element's share of its row."""
    return e / bp.unsqueeze(e.sum(1) + plus if plus else e.sum(1), 1)


def by_index(e: Callable[[Any], Any]) -> Any:
    """The same in index notation."""
    return bp.define("p", [n, k], e(k) / bp.Sum(e(j), j))


def lines(e: Any, f: Callable[[Any], Any]) -> Any:
    """Definitions with names of their own, read on another line."""
    return f(tuple(one.named(f"e{at}") for at, one in enumerate(e)) if isinstance(e, tuple) else e.named("e"))


def cross_entropy(p: Any, y: Any) -> Any:
    return -(y * log(p) + (1 - y) * log(1 - p)).mean()


def causal(s: Any) -> Any:
    below = bp.Sum(bp.where(j <= i, exp(s[i, j]), 0), j)
    return bp.define("p", [i, k], bp.where(k <= i, exp(s[i, k]), 0) / below)


CASES: dict[str, Callable[..., Any]] = {
    "softmax_index": lambda z: by_index(lambda k: exp(z[n, k])),
    "softmax_tensors": lambda z: shared(exp(z)),
    "softmax_temperature_index": lambda z: by_index(lambda k: exp(z[n, k] / 0.1)),
    "softmax_masked_where": lambda z, m: shared(bp.where(m > 0, exp(z), 0)),
    "softmax_masked_product": lambda z, m: shared(exp(z) * m),
    "softmax_masked_index": lambda z, m: by_index(lambda k: m[n, k] * exp(z[n, k])),
    "softmax_causal_index": causal,
    "softmax_weighted": lambda z, w: shared(exp(z) * w),
    "softmax_eps": lambda z: shared(exp(z), 1e-8),
    "softmax_plus_one": lambda z: shared(exp(z), 1),
    "log_softmax_index": lambda z: bp.define("p", [n, k], log(exp(z[n, k]) / bp.Sum(exp(z[n, j]), j))),
    "log_softmax_two": lambda z: log(shared(exp(z))),
    "logsumexp_tensors": lambda z: log(exp(z).sum(1)),
    "logmeanexp": lambda z: log(exp(z).mean(1)),
    "logsumexp_plus_one": lambda z: log(1 + exp(z).sum(1)),
    "infonce": lambda z, u: -log(exp(u) / (exp(u) + exp(z).sum(1))),
    "logaddexp2": lambda z, q: log(exp(z) + exp(q)),
    "logaddexp2_lines": lambda z, q: lines((exp(z), exp(q)), lambda e: log(e[0] + e[1])),
    "logaddexp3": lambda z, q, r: log(exp(z) + exp(q) + exp(r)),
    "log_exp_2exp": lambda z: log(exp(z) + exp(2 * z)),
    "log_c_exp": lambda z: log(0.1 + exp(z)),
    "log_7_exp": lambda z: log(7 + 2 * exp(-z)),
    "log1p_exp_neg": lambda z: log(1 + exp(-z)),
    "sigmoid_lines": lambda z: lines(exp(-z), lambda e: 1 / (1 + e)),
    "sigmoid_exp_over": lambda z: lines(exp(z), lambda e: e / (1 + e)),
    "bce_by_hand": lambda z, y: bp.binary_cross_entropy(1 / (1 + exp(-z)), y),
    "bce_formula": lambda z, y: cross_entropy(1 / (1 + exp(-z)), y),
    "mse_sigmoid_hand": lambda z, t: lines(1 + exp(-z), lambda d: ((1 / d - t) ** 2).mean()),
    "two_class": lambda z, q: lines((exp(z), exp(q)), lambda e: e[0] / (e[0] + e[1])),
    "two_class_formula": lambda z, q: exp(z) / (exp(z) + exp(q)),
    "three_class": lambda z, q, r: lines((exp(z), exp(q), exp(r)), lambda e: e[0] / (e[0] + e[1] + e[2])),
    "tanh_exp": lambda z: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
    "tanh_lines": lambda z: lines((exp(z), exp(-z)), lambda e: (e[0] - e[1]) / (e[0] + e[1])),
    "tanh_2z": lambda z: lines(exp(2 * z), lambda e: (e - 1) / (e + 1)),
    "logit_sigmoid": lambda z: lines(sigmoid(z), lambda p: log(p / (1 - p))),
    "logit_sigmoid2": lambda z: lines(sigmoid(z), lambda p: log(p) - log(1 - p)),
    "log_diff_logistic": lambda z, d: log(sigmoid(z + d) - sigmoid(z)),
    "log1mexp": lambda z: log(1 - exp(-(z**2) - 1e-3)),
    "entropy": lambda z: lines(softmax(z), lambda p: -(p * log(p)).sum()),
    "kl": lambda z, q: lines((softmax(z), softmax(q)), lambda p: (p[0] * (log(p[0]) - log(p[1]))).sum()),
    "kl_quotient": lambda z, q: lines((softmax(z), softmax(q)), lambda p: (p[0] * log(p[0] / p[1])).sum()),
    "xlogx": lambda z: (relu(z) * log(relu(z))).sum(),
    "silu_hand": lambda z: z / (1 + exp(-z)),
    "silu_lines": lambda z: lines(1 + exp(-z), lambda d: z / d),
    "glu_hand": lambda z, q: q / (1 + exp(-z)),
    "softplus_c_log": lambda z: log(bp.softplus(z) + 1e-3),
    "sech2": lambda z: 4 / (exp(z) + exp(-z)) ** 2,
    "mish_hand": lambda z: z * bp.tanh(log(1 + exp(z))),
    "std1": lambda z: bp.std(z, 1, correction=1),
    "std_hand": lambda z: bp.sqrt(((z - bp.unsqueeze(z.mean(1), 1)) ** 2).sum(1) / (K - 1)),
    "relu15": lambda z: relu(z) ** 1.5,
    "relu25": lambda z: relu(z) ** 2.5,
    "relupy": lambda z, a: relu(z) ** (2 + a**2),
    "softmax_cubed_log": lambda z: log(softmax(z) ** 2 * 3),
    "log_sig_prod": lambda z, q: log(sigmoid(z) * sigmoid(q)),
    "noisy_or": lambda z, q: log(1 - sigmoid(z) * sigmoid(q)),
    "gumbel_log": lambda z: exp(-exp(-z)),
    "gompertz_loglog": lambda z, y: cross_entropy(1 - exp(-exp(z)), y),
    "ce_index": lambda z, c: bp.cross_entropy(by_index(lambda k: exp(z[n, k])), c),
    "ce_logits": lambda z, c: bp.cross_entropy(z, c, from_logits=True),
    "mixture_lse": lambda z, mu, x: (
        -log((softmax(z) * exp(-((bp.unsqueeze(x, 1) - mu) ** 2) / 2)).sum(1)).sum()
    ),
    "attention_ctx": lambda z, v: lines(exp(z), lambda e: (e * v).sum(1) / e.sum(1)),
    "attention_ctx_index": lambda z, v: bp.define(
        "c", [n], bp.Sum(exp(z[n, k]) * v[k], k) / bp.Sum(exp(z[n, j]), j)
    ),
}
