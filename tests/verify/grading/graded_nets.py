"""Small networks of many kinds, whose gradients answers are about."""

import functools

from derived_once import once

import symbp as bp


def mlp():
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    h = bp.tanh(x @ W1 + b1)
    p = bp.softmax(h @ W2 + b2)
    return bp.Network("mlp", loss=bp.cross_entropy(p, y), outputs={"p": p})


def deep():
    """Three layers, of which two have sigmoids."""
    N, D, H = bp.dims("N D H")
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W1, W2, w = bp.param("W1", (D, H)), bp.param("W2", (H, H)), bp.param("w", (H,))
    h1 = bp.sigmoid(x @ W1)
    h2 = bp.sigmoid(h1 @ W2)
    q = h2 @ w
    return bp.Network("deep", loss=bp.mean((q - y) ** 2), outputs={"q": q})


def rectified():
    N, D, H = bp.dims("N D H")
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, w, b = bp.param("W", (D, H)), bp.param("w", (H,)), bp.param("b", (H,))
    h = bp.relu(x @ W + b)
    return bp.Network("rectified", loss=bp.sum((h @ w - y) ** 2) / 2)


def logistic():
    N, D = bp.dims("N D")
    x, y = bp.input("x", (N, D)), bp.target("y", (N,), facts=["binary"])
    w, b = bp.param("w", (D,)), bp.param("b", ())
    p = bp.sigmoid(x @ w + b)
    return bp.Network("logistic", loss=-bp.mean(y * bp.log(p) + (1 - y) * bp.log(1 - p)), outputs={"p": p})


def linear():
    N, D = bp.dims("N D")
    X, y = bp.input("X", (N, D)), bp.target("y", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    q = X @ w + b
    return bp.Network("linear", loss=bp.mean((q - y) ** 2), outputs={"q": q})


def softmax():
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    p = bp.softmax(x @ W + b)
    return bp.Network("softmax", loss=bp.cross_entropy(p, y), outputs={"p": p})


def recurrent():
    N, T, D, H = bp.dims("N T D H")
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, T, H))
    W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
    h = bp.rnn(x, W, U, b)
    return bp.Network("recurrent", loss=bp.sum((h - y) ** 2) / 2, outputs={"h": h})


def cell():
    """One step of an LSTM."""
    N, D, H = bp.dims("N D H")
    x, y, before = bp.input("x", (N, D)), bp.target("y", (N, H)), bp.input("cp", (N, H))
    W = {g: bp.param(f"W{g}", (D, H)) for g in "ifgo"}
    i, f, o = (bp.sigmoid(x @ W[g]) for g in "ifo")
    g = bp.tanh(x @ W["g"])
    c = f * before + i * g
    h = o * bp.tanh(c)
    outputs = {"i": i, "f": f, "o": o, "g": g, "c": c, "h": h}
    return bp.Network("cell", loss=bp.sum((h - y) ** 2) / 2, outputs=outputs)


def attention():
    T, D = bp.dims("T D")
    Q, K, V = (bp.param(name, (T, D)) for name in "QKV")
    y = bp.target("y", (T, D))
    A = bp.softmax(Q @ K.T)
    o = A @ V
    return bp.Network("attention", loss=bp.sum((o - y) ** 2) / 2, outputs={"A": A, "o": o})


def norm():
    N, D = bp.dims("N D")
    x, y = bp.param("x", (N, D)), bp.target("y", (N, D))
    g, b = bp.param("g", (D,)), bp.param("b", (D,))
    z = bp.layer_norm(x, g, b)
    return bp.Network("norm", loss=bp.sum((z - y) ** 2) / 2, outputs={"z": z})


def conv():
    N, C, L, F, K = bp.dims("N C L F K")
    x, w, b = bp.input("x", (N, C, L)), bp.param("w", (F, C, K)), bp.param("b", (F,))
    h = bp.relu(bp.conv1d(x, w, b))
    return bp.Network("conv", loss=bp.sum(h**2) / 2, outputs={"h": h})


def embedding():
    N, V, D = bp.dims("N V D")
    c, y = bp.labels("c", (N,), classes=V), bp.target("y", (N, D))
    E = bp.param("E", (V, D))
    return bp.Network("embedding", loss=bp.sum((bp.embedding(c, E) - y) ** 2) / 2)


NETS = {f.__name__: f for f in (
    mlp, deep, rectified, logistic, linear, softmax, recurrent, cell, attention, norm, conv, embedding
)}  # fmt: skip


@functools.cache
def derived(name):
    """A derivation, derived once."""
    return once(f"graded {name}", lambda: bp.derive(NETS[name]()))
