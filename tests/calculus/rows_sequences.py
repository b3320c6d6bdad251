"""Rows 18 to 22 and 26 to 28: attention, rotary positions, embeddings, recurrent cells through time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rows import (
    Builder,
    D,
    E,
    G,
    H,
    M,
    N,
    P,
    Reader,
    T,
    V,
    Yielded,
    c,
    d,
    equal,
    exp,
    i,
    incoming,
    j,
    k,
    labels,
    n,
    p,
    param,
    q,
    r,
    sigma,
    softmax,
    sqrt,
    t,
    tanh,
    v,
)

from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Expr, Guard
from symbp.ir.system import Fact


def _attention_backward(
    b: SystemBuilder, query: Reader, key: Reader, value: Reader, prob: Reader, out: Reader, g: Reader
) -> None:
    """FlashAttention, appendix B."""
    b.define("dV", [j, c], prob(i, j) * g(i, c), "sum", [i])
    dp = b.define("dP", [i, j], g(i, c) * value(j, c), "sum", [c])
    delta = b.define("delta", [i], g(i, c) * out(i, c), "sum", [c])
    ds = b.define("dS", [i, j], prob(i, j) * (dp(i, j) - delta(i)))
    b.define("dQ", [i, d], ds(i, j) * key(j, d) / sqrt(D), "sum", [j])
    b.define("dK", [j, d], ds(i, j) * query(i, d) / sqrt(D), "sum", [i])


def _attention(b: SystemBuilder, seen: Expr) -> Iterator[Yielded]:
    """Softmax(QKᵀ/√D) V where `seen` holds."""
    query, key, value = param(b, "Q", M, D), param(b, "K", N, D), param(b, "V", N, E)
    score = b.define("S", [i, j], query(i, d) * key(j, d) / sqrt(D), "sum", [d])
    raised = b.define("e", [i, j], seen * exp(score(i, j)))
    total = b.define("s", [i], raised(i, j), "sum", [j])
    prob = b.define("P", [i, j], raised(i, j) / total(i))
    out = b.define("O", [i, c], prob(i, j) * value(j, c), "sum", [j])
    g = incoming(b, out, i, c)
    yield "Q", "K", "V"
    _attention_backward(b, query, key, value, prob, out, g)


def attention(b: SystemBuilder) -> Iterator[Yielded]:
    """Dao 2022 (FlashAttention), appendix B: dS = P ∘ (dP − rowsum(dO ∘ O))."""
    yield from _attention(b, 1)


def causal_attention(b: SystemBuilder) -> Iterator[Yielded]:
    """Dao 2022, appendix B, with P masked."""
    yield from _attention(b, Guard("<=", j, i))


def masked_attention(b: SystemBuilder) -> Iterator[Yielded]:
    """Dao 2022, appendix B, with P masked by a binary tensor that leaves the first key visible."""
    mask = b.leaf("mask", M, N, facts=[Fact("binary")])
    yield from _attention(b, mask(i, j) + (1 - mask(i, j)) * equal(j, 0))


def key_bias(b: SystemBuilder) -> Iterator[Yielded]:
    """Softmax does not see a shift of a whole row: the gradient by a bias of the keys is 0."""
    query, key, value, bias = b.leaf("Q", M, D), b.leaf("K", N, D), b.leaf("V", N, E), param(b, "b", D)
    score = b.define("S", [i, j], query(i, d) * (key(j, d) + bias(d)) / sqrt(D), "sum", [d])
    prob = softmax(b, score, i, j, names="e s P")
    out = b.define("O", [i, c], prob(i, j) * value(j, c), "sum", [j])
    incoming(b, out, i, c)
    yield ("b",)
    b.define("db", [d], 0, ranges={d: D})


def grouped_attention(b: SystemBuilder) -> Iterator[Yielded]:
    """Ainslie 2023: row 18 for each query head; dK and dV are summed over the heads r of a group q."""
    query, key, value = param(b, "Q", G, H, M, D), param(b, "K", G, N, D), param(b, "V", G, N, E)
    score = b.define("S", [q, r, i, j], query(q, r, i, d) * key(q, j, d) / sqrt(D), "sum", [d])
    prob = softmax(b, score, q, r, i, j, names="e s P")
    out = b.define("O", [q, r, i, c], prob(q, r, i, j) * value(q, j, c), "sum", [j])
    g = incoming(b, out, q, r, i, c)
    yield "Q", "K", "V"
    b.define("dV", [q, j, c], prob(q, r, i, j) * g(q, r, i, c), "sum", [r, i])
    dp = b.define("dP", [q, r, i, j], g(q, r, i, c) * value(q, j, c), "sum", [c])
    delta = b.define("delta", [q, r, i], g(q, r, i, c) * out(q, r, i, c), "sum", [c])
    ds = b.define("dS", [q, r, i, j], prob(q, r, i, j) * (dp(q, r, i, j) - delta(q, r, i)))
    b.define("dQ", [q, r, i, d], ds(q, r, i, j) * key(q, j, d) / sqrt(D), "sum", [j])
    b.define("dK", [q, j, d], ds(q, r, i, j) * query(q, r, i, d) / sqrt(D), "sum", [r, i])


def rotary(b: SystemBuilder) -> Iterator[Yielded]:
    """Su 2021: the gradient is turned back, by −θ."""
    x = param(b, "x", T, P, 2)
    cosine, sine = b.leaf("cosine", T, P), b.leaf("sine", T, P)
    turned = cosine(t, p) * x(t, p, k) + (2 * k - 1) * sine(t, p) * x(t, p, 1 - k)
    y = b.define("y", [t, p, k], turned, ranges={k: 2})
    g = incoming(b, y, t, p, k)
    yield ("x",)
    back = cosine(t, p) * g(t, p, k) + (1 - 2 * k) * sine(t, p) * g(t, p, 1 - k)
    b.define("dx", [t, p, k], back, ranges={k: 2})


def embedding(b: SystemBuilder) -> Iterator[Yielded]:
    """Standard: rows are added where their tokens stand."""
    table, token = param(b, "E", V, D), labels(b, "token", N, T, below=V)
    y = b.define("y", [n, t, d], table(token(n, t), d), ranges={d: D, n: N, t: T})
    g = incoming(b, y, n, t, d)
    yield ("E",)
    b.define("dE", [v, d], g(n, t, d) * equal(v, token(n, t)), "sum", [n, t], ranges={v: V})


def _product(b: SystemBuilder, name: str, x: Reader, w: Reader, back: int = 0) -> Reader:
    """x[t − back] W, zero before the first step."""
    left = x(t - back, n, i, outside=0) if back else x(t, n, i)
    return b.define(name, [t, n, j], left * w(i, j), "sum", [i], ranges={t: T, n: N})


def _parameters_backward(b: SystemBuilder, x: Reader, h: Reader, gates: Sequence[tuple[str, Reader]]) -> None:
    """Gradients of W, U and b of each gate from that of its preactivation."""
    for gate, da in gates:
        b.define(f"dW{gate}", [i, j], x(t, n, i) * da(t, n, j), "sum", [t, n])
        b.define(f"dU{gate}", [i, j], h(t - 1, n, i, outside=0) * da(t, n, j), "sum", [t, n], ranges={i: H})
        b.define(f"db{gate}", [j], da(t, n, j), "sum", [t, n])


def _later(b: SystemBuilder, name: str, da: Reader, w: Reader) -> Reader:
    """Σ_k da[t + 1, k] U[j, k]: what the next step passes back; zero after the last."""
    later = da(t + 1, n, k, outside=0)
    return b.define(name, [t, n, j], later * w(j, k), "sum", [k], ranges={t: T, n: N})


def _gate_leaves(b: SystemBuilder, gates: str) -> tuple[Reader, dict[str, tuple[Reader, Reader, Reader]]]:
    x = b.leaf("x", T, N, D)
    return x, {
        gate: (param(b, f"W{gate}", D, H), param(b, f"U{gate}", H, H), param(b, f"b{gate}", H))
        for gate in gates
    }


def _leaf_names(gates: str) -> Yielded:
    return tuple(f"{kind}{gate}" for gate in gates for kind in "WUb")


def elman(b: SystemBuilder) -> Iterator[Yielded]:
    """Werbos 1990: δ_t = (1 − h_t²)(g_t + U δ_{t+1}), dU = Σ_t h_{t−1} δ_tᵀ."""
    x, w, u, bias = b.leaf("x", T, N, D), param(b, "W", D, H), param(b, "U", H, H), param(b, "b", H)
    h = b.declare("h", T, N, H)
    z, s = _product(b, "z", x, w), _product(b, "s", h, u, 1)
    b.define("h", [t, n, j], tanh(z(t, n, j) + s(t, n, j) + bias(j)))
    g = incoming(b, h, t, n, j)
    yield "W", "U", "b"
    da = b.declare("da", T, N, H)
    back = _later(b, "back", da, u)
    b.define("da", [t, n, j], (1 - h(t, n, j) ** 2) * (g(t, n, j) + back(t, n, j)))
    _parameters_backward(b, x, h, [("", da)])


def lstm(b: SystemBuilder) -> Iterator[Yielded]:
    """Hochreiter and Schmidhuber 1997; Greff 2017, appendix: backpropagation through time of all gates."""
    x, leaves = _gate_leaves(b, "ifgo")
    h, cell = b.declare("h", T, N, H), b.declare("c", T, N, H)
    gate = {}
    for name, (w, u, bias) in leaves.items():
        z, s = _product(b, f"z{name}", x, w), _product(b, f"s{name}", h, u, 1)
        total = z(t, n, j) + s(t, n, j) + bias(j)
        gate[name] = b.define(f"{name}", [t, n, j], tanh(total) if name == "g" else sigma(total))
    at = (t, n, j)
    before = cell(t - 1, n, j, outside=0)
    b.define("c", at, gate["f"](*at) * before + gate["i"](*at) * gate["g"](*at), ranges={t: T})
    squashed = b.define("tc", at, tanh(cell(*at)))
    b.define("h", at, gate["o"](*at) * squashed(*at))
    weight = b.leaf("gh", T, N, H)
    b.define("L", [], weight(*at) * h(*at), "sum", at)
    yield _leaf_names("ifgo")
    da = {name: b.declare(f"da{name}", T, N, H) for name in leaves}
    back = {name: _later(b, f"back{name}", da[name], leaves[name][1]) for name in leaves}
    dh = b.define("dh", at, weight(*at) + sum(back[name](*at) for name in leaves))
    dc = b.declare("dc", T, N, H)
    later = dc(t + 1, n, j, outside=0) * gate["f"](t + 1, n, j, outside=0)
    b.define("dc", at, dh(*at) * gate["o"](*at) * (1 - squashed(*at) ** 2) + later, ranges={t: T})
    value = {name: reader(*at) for name, reader in gate.items()}
    slope = {name: x_ * (1 - x_) for name, x_ in value.items()}
    b.define("dai", at, dc(*at) * value["g"] * slope["i"])
    b.define("daf", at, dc(*at) * before * slope["f"], ranges={t: T})
    b.define("dag", at, dc(*at) * value["i"] * (1 - value["g"] ** 2))
    b.define("dao", at, dh(*at) * squashed(*at) * slope["o"])
    _parameters_backward(b, x, h, list(da.items()))


def _gru(b: SystemBuilder, reset_after: bool) -> Iterator[Yielded]:
    x, leaves = _gate_leaves(b, "zrn")
    (wz, uz, bz), (wr, ur, br), (wn, un, bn) = leaves["z"], leaves["r"], leaves["n"]
    at = (t, n, j)
    h = b.declare("h", T, N, H)
    before = h(t - 1, n, j, outside=0)
    az, ar, an = _product(b, "az", x, wz), _product(b, "ar", x, wr), _product(b, "an", x, wn)
    sz, sr = _product(b, "sz", h, uz, 1), _product(b, "sr", h, ur, 1)
    z = b.define("z", at, sigma(az(*at) + sz(*at) + bz(j)))
    reset = b.define("r", at, sigma(ar(*at) + sr(*at) + br(j)))
    if reset_after:
        inner = b.define("u", at, _product(b, "sn", h, un, 1)(*at) + bn(j))
        new = b.define("m", at, tanh(an(*at) + reset(*at) * inner(*at)))
    else:
        kept = b.define("u", at, reset(*at) * before, ranges={t: T})
        new = b.define("m", at, tanh(an(*at) + _product(b, "sn", kept, un)(*at) + bn(j)))
    b.define("h", at, (1 - z(*at)) * new(*at) + z(*at) * before, ranges={t: T})
    g = incoming(b, h, *at)
    yield _leaf_names("zrn")
    daz, dar, dan = (b.declare(name, T, N, H) for name in ("daz", "dar", "dan"))
    dh = b.declare("dh", T, N, H)
    passed = dh(t + 1, n, j, outside=0) * z(t + 1, n, j, outside=0)
    through = _later(b, "backz", daz, uz)(*at) + _later(b, "backr", dar, ur)(*at)
    if reset_after:
        dinner = b.define("dinner", at, dan(*at) * reset(*at))
        total = g(*at) + passed + through + _later(b, "backn", dinner, un)(*at)
        dreset = dan(*at) * inner(*at)
    else:
        dkept = b.define("dkept", at, dan(t, n, k) * un(j, k), "sum", [k])
        again = dkept(t + 1, n, j, outside=0) * reset(t + 1, n, j, outside=0)
        total = g(*at) + passed + through + again
        dreset = dkept(*at) * before
    b.define("dh", at, total, ranges={t: T})
    b.define("dan", at, dh(*at) * (1 - z(*at)) * (1 - new(*at) ** 2))
    b.define("daz", at, dh(*at) * (before - new(*at)) * z(*at) * (1 - z(*at)), ranges={t: T})
    b.define("dar", at, dreset * reset(*at) * (1 - reset(*at)), ranges={t: T})
    _parameters_backward(b, x, h, [("z", daz), ("r", dar)])
    b.define("dWn", [i, j], x(t, n, i) * dan(*at), "sum", [t, n])
    if reset_after:
        previous = h(t - 1, n, i, outside=0)
        b.define("dUn", [i, j], previous * dinner(*at), "sum", [t, n], ranges={i: H})
        b.define("dbn", [j], dinner(*at), "sum", [t, n])
    else:
        b.define("dUn", [i, j], kept(t, n, i) * dan(*at), "sum", [t, n])
        b.define("dbn", [j], dan(*at), "sum", [t, n])


def gru_reset_after(b: SystemBuilder) -> Iterator[Yielded]:
    """Cho 2014 in cuDNN's form: the reset gate acts after the matrix product."""
    yield from _gru(b, True)


def gru_reset_before(b: SystemBuilder) -> Iterator[Yielded]:
    """Cho 2014: the reset gate acts before the matrix product."""
    yield from _gru(b, False)


ROWS: tuple[tuple[str, Builder], ...] = (
    ("18 attention", attention),
    ("19 bias of the keys", key_bias),
    ("20 causal attention", causal_attention),
    ("20 masked attention", masked_attention),
    ("20 grouped-query attention", grouped_attention),
    ("21 rotary positions", rotary),
    ("22 embedding", embedding),
    ("26 Elman network", elman),
    ("27 LSTM", lstm),
    ("28 GRU, reset after", gru_reset_after),
    ("28 GRU, reset before", gru_reset_before),
)
