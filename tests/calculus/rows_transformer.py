"""Row 29: a GPT-2 block with a tied embedding, forward and the backward that llm.c writes by hand."""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from rows import (
    HALF,
    Builder,
    D,
    H,
    N,
    Reader,
    T,
    V,
    Yielded,
    c,
    d,
    equal,
    exp,
    i,
    j,
    k,
    labels,
    log,
    n,
    param,
    pi,
    positive,
    softmax,
    sqrt,
    t,
    tanh,
    v,
)

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Guard

CUBIC = sympy.Rational("0.044715")


class _Norm:
    """Layer normalisation over d of a tensor (n, t, d), and its backward."""

    def __init__(self, b: SystemBuilder, name: str, x: Reader, eps: Reader) -> None:
        self.b, self.name = b, name
        self.w, self.beta = param(b, f"w{name}", D), param(b, f"b{name}", D)
        mu = b.define(f"mu{name}", [n, t], x(n, t, d) / D, "sum", [d])
        centred = b.define(f"c{name}", [n, t, d], x(n, t, d) - mu(n, t))
        var = b.define(f"var{name}", [n, t], centred(n, t, d) ** 2 / D, "sum", [d])
        self.r = b.define(f"r{name}", [n, t], 1 / sqrt(var(n, t) + eps()))
        self.hat = b.define(f"hat{name}", [n, t, d], centred(n, t, d) * self.r(n, t))
        self.y = b.define(f"y{name}", [n, t, d], self.w(d) * self.hat(n, t, d) + self.beta(d))

    def backward(self, dy: Reader) -> Reader:
        """∂/∂x as a tensor; the gradients of scale and shift."""
        b, name, hat = self.b, self.name, self.hat
        b.define(f"db{name}", [d], dy(n, t, d), "sum", [n, t])
        b.define(f"dw{name}", [d], dy(n, t, d) * hat(n, t, d), "sum", [n, t])
        dhat = b.define(f"dhat{name}", [n, t, d], dy(n, t, d) * self.w(d))
        first = b.define(f"first{name}", [n, t], dhat(n, t, d), "sum", [d])
        second = b.define(f"second{name}", [n, t], dhat(n, t, d) * hat(n, t, d), "sum", [d])
        inner = dhat(n, t, d) - first(n, t) / D - hat(n, t, d) * (second(n, t) / D)
        return b.define(f"dx{name}", [n, t, d], self.r(n, t) * inner)


class _Attention:
    """Causal attention with one head and its projections, and its backward."""

    def __init__(self, b: SystemBuilder, x: Reader) -> None:
        self.b, self.x = b, x
        self.weights = {name: param(b, f"W{name}", D, D) for name in "qkvo"}
        self.query, self.key, self.value = (
            b.define(f"{name}", [n, t, c], x(n, t, d) * self.weights[name[0]](d, c), "sum", [d])
            for name in ("query", "key", "value")
        )
        product = self.query(n, i, c) * self.key(n, j, c) / sqrt(D)
        score = b.define("S", [n, i, j], product, "sum", [c])
        raised = b.define("eS", [n, i, j], Guard("<=", j, i) * exp(score(n, i, j)))
        total = b.define("sS", [n, i], raised(n, i, j), "sum", [j])
        self.p = b.define("P", [n, i, j], raised(n, i, j) / total(n, i))
        self.out = b.define("O", [n, i, c], self.p(n, i, j) * self.value(n, j, c), "sum", [j])
        self.y = b.define("proj", [n, t, d], self.out(n, t, c) * self.weights["o"](c, d), "sum", [c])

    def backward(self, dy: Reader) -> Reader:
        """∂/∂x as a tensor; the gradients of the projections."""
        b, w, p = self.b, self.weights, self.p
        b.define("dWo", [c, d], self.out(n, t, c) * dy(n, t, d), "sum", [n, t])
        do = b.define("dO", [n, t, c], dy(n, t, d) * w["o"](c, d), "sum", [d])
        dp = b.define("dP", [n, i, j], do(n, i, c) * self.value(n, j, c), "sum", [c])
        delta = b.define("delta", [n, i], do(n, i, c) * self.out(n, i, c), "sum", [c])
        ds = b.define("dS", [n, i, j], p(n, i, j) * (dp(n, i, j) - delta(n, i)))
        grads = {
            "q": b.define("dquery", [n, i, c], ds(n, i, j) * self.key(n, j, c) / sqrt(D), "sum", [j]),
            "k": b.define("dkey", [n, j, c], ds(n, i, j) * self.query(n, i, c) / sqrt(D), "sum", [i]),
            "v": b.define("dvalue", [n, j, c], p(n, i, j) * do(n, i, c), "sum", [i]),
        }
        parts = []
        for name, grad in grads.items():
            b.define(f"dW{name}", [d, c], self.x(n, t, d) * grad(n, t, c), "sum", [n, t])
            parts.append(b.define(f"part{name}", [n, t, d], grad(n, t, c) * w[name](d, c), "sum", [c]))
        return b.define("dx_attention", [n, t, d], sum(part(n, t, d) for part in parts))


class _Feedforward:
    """Two dense layers with GELU in its tanh form between, and its backward."""

    def __init__(self, b: SystemBuilder, x: Reader) -> None:
        self.b, self.x = b, x
        self.up, self.b1 = param(b, "Wu", D, H), param(b, "bu", H)
        self.down, self.b2 = param(b, "Wd", H, D), param(b, "bd", D)
        z = b.define("zu", [n, t, k], x(n, t, d) * self.up(d, k), "sum", [d])
        self.a = b.define("au", [n, t, k], z(n, t, k) + self.b1(k))
        a = self.a(n, t, k)
        self.u = b.define("u", [n, t, k], tanh(sqrt(2 / pi) * (a + CUBIC * a**3)))
        self.h = b.define("h", [n, t, k], a * (1 + self.u(n, t, k)) / 2)
        zd = b.define("zd", [n, t, d], self.h(n, t, k) * self.down(k, d), "sum", [k])
        self.y = b.define("yd", [n, t, d], zd(n, t, d) + self.b2(d))

    def backward(self, dy: Reader) -> Reader:
        """∂/∂x as a tensor; the gradients of both layers."""
        b, a, u = self.b, self.a(n, t, k), self.u(n, t, k)
        b.define("dbd", [d], dy(n, t, d), "sum", [n, t])
        b.define("dWd", [k, d], self.h(n, t, k) * dy(n, t, d), "sum", [n, t])
        dh = b.define("dh", [n, t, k], dy(n, t, d) * self.down(k, d), "sum", [d])
        steep = (1 - u**2) * sqrt(2 / pi) * (1 + 3 * CUBIC * a**2)
        da = b.define("da", [n, t, k], dh(n, t, k) * HALF * (1 + u + a * steep))
        b.define("dbu", [k], da(n, t, k), "sum", [n, t])
        b.define("dWu", [d, k], self.x(n, t, d) * da(n, t, k), "sum", [n, t])
        return b.define("dx_feedforward", [n, t, d], da(n, t, k) * self.up(d, k), "sum", [k])


NAMES = ("E", "pos", "w1", "b1", "Wq", "Wk", "Wv", "Wo", "w2", "b2", "Wu", "bu", "Wd", "bd", "w3", "b3")


def transformer(b: SystemBuilder) -> Iterator[Yielded]:
    """Karpathy, llm.c, train_gpt2.c: the backward of encoder, block, final norm, tied logits and loss."""
    eps, table, position = positive(b, "eps"), param(b, "E", V, D), param(b, "pos", T, D)
    token, target = labels(b, "token", N, T, below=V), labels(b, "target", N, T, below=V)
    over = {n: N, t: T, d: D}
    x0 = b.define("x0", [n, t, d], table(token(n, t), d) + position(t, d), ranges=over)
    norm1 = _Norm(b, "1", x0, eps)
    attention = _Attention(b, norm1.y)
    x1 = b.define("x1", [n, t, d], x0(n, t, d) + attention.y(n, t, d))
    norm2 = _Norm(b, "2", x1, eps)
    feedforward = _Feedforward(b, norm2.y)
    x2 = b.define("x2", [n, t, d], x1(n, t, d) + feedforward.y(n, t, d))
    norm3 = _Norm(b, "3", x2, eps)
    logits = b.define("z", [n, t, v], norm3.y(n, t, d) * table(v, d), "sum", [d])
    p = softmax(b, logits, n, t, v, names="e s p")
    chosen = p(n, t, target(n, t))
    b.define("L", [], -log(chosen) / (N * T), "sum", [n, t], ranges={n: N, t: T})
    yield NAMES
    dz = b.define("dz", [n, t, v], (p(n, t, v) - equal(v, target(n, t))) / (N * T))
    dy3 = b.define("dy3", [n, t, d], dz(n, t, v) * table(v, d), "sum", [v])
    dx2 = norm3.backward(dy3)
    back2 = norm2.backward(feedforward.backward(dx2))
    dx1 = b.define("dx1_", [n, t, d], dx2(n, t, d) + back2(n, t, d))
    back1 = norm1.backward(attention.backward(dx1))
    dx0 = b.define("dx0_", [n, t, d], dx1(n, t, d) + back1(n, t, d))
    b.define("dpos", [t, d], dx0(n, t, d), "sum", [n])
    read = b.define("dread", [v, d], dx0(n, t, d) * equal(v, token(n, t)), "sum", [n, t], ranges={v: V})
    tied = b.define("dtied", [v, d], dz(n, t, v) * norm3.y(n, t, d), "sum", [n, t])
    b.define("dE", [v, d], read(v, d) + tied(v, d))


ROWS: tuple[tuple[str, Builder], ...] = (("29 GPT-2 block with tied embedding", transformer),)
