"""Causal attention with split heads and a shifted softmax."""

import numpy as np
from sympy import exp, sqrt

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.system import Role

N, T, D, A, E = sizes("N T D A E")
n, q, k, i, j, a, e = indices("n q k i j a e")


def test_causal_attention(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, T, D)
    wq, wk, wv = (b.leaf(name, D, A * E, role=Role.PARAMETER) for name in ("wq", "wk", "wv"))
    over = {q: T, k: T, a: A, e: E}
    query, key, value = (
        b.define(name, [n, q, j], x(n, q, i) * w(i, j), "sum", [i])
        for name, w in (("query", wq), ("key", wk), ("value", wv))
    )
    score = b.define(
        "score",
        [n, a, q, k],
        query(n, q, a * E + e) * key(n, k, a * E + e) / sqrt(E),
        "sum",
        [e],
        ranges=over,
    )
    seen = Guard("<=", k, q)
    top = b.define("top", [n, a, q], score(n, a, q, k), "max", [k], where=[seen], constant=True)
    weight = b.define("weight", [n, a, q, k], seen * exp(score(n, a, q, k) - top(n, a, q)))
    total = b.define("total", [n, a, q], weight(n, a, q, k), "sum", [k])
    p = b.define("p", [n, a, q, k], weight(n, a, q, k) / total(n, a, q))
    out = b.define("out", [n, a, q, e], p(n, a, q, k) * value(n, k, a * E + e), "sum", [k], ranges=over)
    b.define("loss", [], out(n, a, q, e) ** 2 * (q + 1), "sum", [n, a, q, e])
    rng = np.random.default_rng(9)
    values = {name: rng.normal(size=(4, 6)) for name in ("wq", "wk", "wv")} | {
        "x": rng.normal(size=(2, 5, 4))
    }

    def torch_loss(x, wq, wk, wv):
        import torch

        def heads(w):
            return (x @ w).unflatten(-1, (2, 3)).transpose(1, 2)

        score = heads(wq) @ heads(wk).transpose(-1, -2) / 3**0.5
        hidden = torch.ones(5, 5, dtype=torch.bool).triu(1)
        out = score.masked_fill(hidden, -torch.inf).softmax(-1) @ heads(wv)
        return (out**2 * torch.arange(1, 6)[:, None]).sum()

    checked = probe(
        b.system("loss"),
        values,
        {"N": 2, "T": 5, "D": 4, "A": 2, "E": 3},
        ["x", "wq", "wk", "wv"],
        torch_loss,
    )
    np.testing.assert_allclose(checked.tensors["p"].sum(-1), 1, rtol=1e-14)
