"""The networks of the benchmarks, each a plain declaration.

Sizes are open; `benchmarks.rows` says how large they are. What `bp.nn` and the ops have is taken from there,
the rest stands in index notation: recurrences over time, equal layers as a recurrence over the layer index.
"""

from __future__ import annotations

import sympy

import symbp as bp
from benchmarks.gpt import gpt as gpt_system
from symbp.ir.system import System
from symbp.ir.training import Initial

N, T, D, H, K, L, F, B, E = bp.dims("N T D H K L F B E")
n, t, s, i, j, k, c, l = bp.indices("n t s i j k c l")  # noqa: E741


def standard_normal(shape: tuple[sympy.Expr, ...]) -> Initial:  # noqa: ARG001
    """Entries of variance one, for tensors that stand for activations."""
    return Initial("normal", sympy.Integer(1), reason="as activations after a normalisation")


def one(shape: tuple[sympy.Expr, ...]) -> Initial:  # noqa: ARG001
    """The identity, for the weights of a norm."""
    return Initial("constant", shift=sympy.Integer(1), reason="starts as the plain norm")


def dense(hidden: int, activation: str, *, regression: bool = False) -> bp.Network:
    """Dense layers, the hidden ones with an activation; cross-entropy, or the mean squared error."""
    widths = bp.dims(" ".join(f"H{number}" for number in range(1, hidden + 1)))
    layers = [bp.nn.Dense(width, activation=activation) for width in widths]
    x = bp.input("x", (N, D))
    z = bp.nn.Sequential(*layers, bp.nn.Dense(K))(x)
    if regression:
        loss = bp.mse(z, bp.target("t", (N, K)))
    else:
        loss = bp.cross_entropy(bp.softmax(z), bp.labels("y", (N,), classes=K))
    return bp.Network("dense", loss=loss, outputs={"z": z})


def stack() -> bp.Network:
    """Equal tanh layers, as a recurrence over the layer index, then a read-out."""
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (L, D, D)), bp.param("b", (L, D))
    V, c = bp.param("V", (D, K)), bp.param("c", (K,))
    h = bp.recurrent("h", (L, N, D))
    z = bp.define(
        "z", [l, n, j], bp.Sum(h.at(l - 1, n, i, outside=x[n, i]) * W[l, i, j], i), ranges={l: L, n: N}
    )
    h = bp.define(h, [l, n, j], bp.tanh(z[l, n, j] + b[l, j]))
    top = bp.define("top", [n, j], h[L - 1, n, j])
    return bp.Network("stack", loss=bp.cross_entropy(bp.softmax(top @ V + c), y))


def lenet() -> bp.Network:
    """Two convolutions, each rectified and pooled, and a dense layer, on images of 28 × 28."""
    x, y = bp.input("x", (N, 1, 28, 28)), bp.labels("y", (N,), classes=10)
    K1, c1 = bp.param("K1", (8, 1, 5, 5)), bp.param("c1", (8,))
    K2, c2 = bp.param("K2", (16, 8, 5, 5)), bp.param("c2", (16,))
    W, b = bp.param("W", (256, 10)), bp.param("b", (10,))
    h1 = bp.max_pool2d(bp.relu(bp.conv2d(x, K1, c1)), 2)
    h2 = bp.flatten(bp.max_pool2d(bp.relu(bp.conv2d(h1, K2, c2)), 2))
    return bp.Network("lenet", loss=bp.cross_entropy(bp.softmax(h2 @ W + b), y))


def _read_out(h: bp.Tensor) -> bp.Tensor:
    """The cross-entropy of the classes read from the last step's state."""
    V, o = bp.param("V", (H, K)), bp.param("o", (K,))
    last = bp.define("last", [n, j], h[n, T - 1, j])
    return bp.cross_entropy(bp.softmax(last @ V + o), bp.labels("y", (N,), classes=K))


def rnn() -> bp.Network:
    """tanh of the projected input, the projected last state and an offset."""
    x = bp.input("x", (N, T, D))
    W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
    h = bp.recurrent("h", (N, T, H))
    a = bp.define("a", [n, t, j], bp.Sum(x[n, t, i] * W[i, j], i))
    r = bp.define("r", [n, t, j], bp.Sum(h.at(n, t - 1, i, outside=0) * U[i, j], i), ranges={n: N, t: T})
    h = bp.define(h, [n, t, j], bp.tanh(a[n, t, j] + r[n, t, j] + b[j]))
    return bp.Network("rnn", loss=_read_out(h))


def lstm() -> bp.Network:
    """Gates beside each other in one axis: candidate, input, forget, output."""
    x = bp.input("x", (N, T, D))
    W, U, b = bp.param("W", (D, 4, H)), bp.param("U", (H, 4, H)), bp.param("b", (4, H))
    g = bp.index("g", 4)
    h, cell = bp.recurrent("h", (N, T, H)), bp.recurrent("cell", (N, T, H))
    a = bp.define("a", [n, t, g, j], bp.Sum(x[n, t, i] * W[i, g, j], i))
    r = bp.define(
        "r", [n, t, g, j], bp.Sum(h.at(n, t - 1, i, outside=0) * U[i, g, j], i), ranges={n: N, t: T}
    )
    new, into, keep, out = (a[n, t, q, j] + r[n, t, q, j] + b[q, j] for q in range(4))
    new = bp.define("new", [n, t, j], bp.tanh(new))
    into, keep, out = (
        bp.define(name, [n, t, j], bp.sigmoid(gate))
        for name, gate in (("into", into), ("keep", keep), ("out", out))
    )
    kept = keep[n, t, j] * cell.at(n, t - 1, j, outside=0)
    cell = bp.define(cell, [n, t, j], kept + into[n, t, j] * new[n, t, j])
    h = bp.define(h, [n, t, j], out[n, t, j] * bp.tanh(cell[n, t, j]))
    return bp.Network("lstm", loss=_read_out(h))


def gru() -> bp.Network:
    """The reset gate after the recurrent product; gates reset, update, new."""
    x = bp.input("x", (N, T, D))
    W, U = bp.param("W", (D, 3, H)), bp.param("U", (H, 3, H))
    b, c = bp.param("b", (3, H)), bp.param("c", (3, H))
    g = bp.index("g", 3)
    h = bp.recurrent("h", (N, T, H))
    a = bp.define("a", [n, t, g, j], bp.Sum(x[n, t, i] * W[i, g, j], i))
    r = bp.define(
        "r", [n, t, g, j], bp.Sum(h.at(n, t - 1, i, outside=0) * U[i, g, j], i), ranges={n: N, t: T}
    )
    own = [a[n, t, q, j] + b[q, j] for q in range(3)]
    last = [r[n, t, q, j] + c[q, j] for q in range(3)]
    reset = bp.define("reset", [n, t, j], bp.sigmoid(own[0] + last[0]))
    update = bp.define("update", [n, t, j], bp.sigmoid(own[1] + last[1]))
    new = bp.define("new", [n, t, j], bp.tanh(own[2] + reset[n, t, j] * last[2]))
    kept = update[n, t, j] * h.at(n, t - 1, j, outside=0)
    h = bp.define(h, [n, t, j], (1 - update[n, t, j]) * new[n, t, j] + kept)
    return bp.Network("gru", loss=_read_out(h))


def residual_mlp() -> bp.Network:
    """Blocks of layer norm, dense, GELU, dense around a residual stream, as a recurrence over the blocks."""
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    w, g = bp.param("w", (L, D), init=one), bp.param("g", (L, D))
    W, b = bp.param("W", (L, D, F)), bp.param("b", (L, F))
    U, c = bp.param("U", (L, F, D)), bp.param("c", (L, D))
    V, o = bp.param("V", (D, K)), bp.param("o", (K,))
    h = bp.recurrent("h", (L, N, D))
    below = h.at(l - 1, n, j, outside=x[n, j])
    over = {l: L, n: N, j: D}
    mean = bp.define("mean", [l, n], bp.Sum(below / D, j), ranges=over)
    centred = bp.define("centred", [l, n, j], below - mean[l, n], ranges=over)
    variance = bp.define("variance", [l, n], bp.Sum(centred[l, n, j] ** 2 / D, j))
    scale = bp.define("scale", [l, n], 1 / bp.sqrt(variance[l, n] + sympy.Rational(1, 10**5)))
    unit = bp.define("unit", [l, n, j], centred[l, n, j] * scale[l, n])
    normed = bp.define("normed", [l, n, j], unit[l, n, j] * w[l, j] + g[l, j])
    z = bp.define("z", [l, n, k], bp.Sum(normed[l, n, j] * W[l, j, k], j))
    a = bp.define("a", [l, n, k], bp.gelu(z[l, n, k] + b[l, k], approximate="tanh"))
    added = bp.define("added", [l, n, j], bp.Sum(a[l, n, k] * U[l, k, j], k))
    h = bp.define(h, [l, n, j], below + added[l, n, j] + c[l, j])
    top = bp.define("top", [n, j], h[L - 1, n, j])
    return bp.Network("residual_mlp", loss=bp.cross_entropy(bp.softmax(top @ V + o), y))


def _against(name: str, y: bp.Tensor) -> bp.Network:
    """The loss Σ y·g with a given g, which makes g the gradient by y."""
    g = bp.input("g", y.shape)
    return bp.Network(name, loss=(y * g).sum(), outputs={"y": y})


def layernorm() -> bp.Network:
    """Layer norm of the rows of a matrix."""
    x = bp.param("x", (N, D), init=standard_normal)
    w, b = bp.param("w", (D,), init=one), bp.param("b", (D,))
    mean = bp.define("mean", [n], bp.Sum(x[n, j] / D, j))
    centred = bp.define("centred", [n, j], x[n, j] - mean[n])
    variance = bp.define("variance", [n], bp.Sum(centred[n, j] ** 2 / D, j))
    scale = bp.define("scale", [n], 1 / bp.sqrt(variance[n] + sympy.Rational(1, 10**5)))
    unit = bp.define("unit", [n, j], centred[n, j] * scale[n])
    return _against("layernorm", bp.define("y", [n, j], unit[n, j] * w[j] + b[j]))


def softmax() -> bp.Network:
    """The softmax of the rows of a matrix."""
    return _against("softmax", bp.softmax(bp.param("x", (N, D), init=standard_normal)))


def gelu() -> bp.Network:
    """GELU of the elements of a matrix."""
    return _against("gelu", bp.gelu(bp.param("x", (N, D), init=standard_normal), approximate="tanh"))


def attention() -> bp.Network:
    """softmax(q kᵀ/√E) v, head by head."""
    q, key, v = (bp.param(name, (N, H, T, E), init=standard_normal) for name in "qkv")
    h, e = bp.indices("h e")
    scores = bp.define("S", [n, h, t, s], bp.Sum(q[n, h, t, e] * key[n, h, s, e] / bp.sqrt(E), e))
    A = bp.softmax(scores).named("A")
    return _against("attention", bp.define("O", [n, h, t, e], bp.Sum(A[n, h, t, s] * v[n, h, s, e], s)))


def diagonal_lstm() -> bp.Network:
    """GradBench's: one weight for each gate of a unit, the loss of a sequence of bits."""
    x, after = bp.input("s", (T, B)), bp.input("after", (T, B))
    weight, bias = bp.param("weight", (L, 4, B)), bp.param("bias", (L, 4, B))
    extra = bp.param("extra", (3, B), init=standard_normal)
    hidden, first = bp.param("hidden", (L, B)), bp.param("cell", (L, B))
    h, memory = bp.recurrent("h", (L, T, B)), bp.recurrent("memory", (L, T, B))
    over = {l: L, t: T, j: B}
    below = h.at(l - 1, t, j, outside=x[t, j] * extra[0, j])
    before = h.at(l, t - 1, j, outside=hidden[l, j])
    q = bp.index("q", 2)  # the even gates read the input, the odd ones the layer's own last state
    z = bp.define("z", [l, t, q, j], below * weight[l, 2 * q, j] + bias[l, 2 * q, j], ranges=over)
    a = bp.define("a", [l, t, q, j], before * weight[l, 2 * q + 1, j] + bias[l, 2 * q + 1, j], ranges=over)
    outer = bp.define("outer", [l, t, q, j], bp.sigmoid(z[l, t, q, j]))
    into = bp.define("into", [l, t, j], bp.sigmoid(a[l, t, 0, j]))
    new = bp.define("new", [l, t, j], bp.tanh(a[l, t, 1, j]))
    kept = memory.at(l, t - 1, j, outside=first[l, j]) * outer[l, t, 0, j]
    memory = bp.define(memory, [l, t, j], kept + into[l, t, j] * new[l, t, j])
    h = bp.define(h, [l, t, j], outer[l, t, 1, j] * bp.tanh(memory[l, t, j]))
    p = bp.define("p", [t, j], h[L - 1, t, j] * extra[1, j] + extra[2, j])
    total = bp.define("total", [t], bp.log(2 + bp.Sum(bp.exp(p[t, j]), j)))
    each = after[t, j] * (total[t] - p[t, j]) / (T * B)
    return bp.Network("diagonal_lstm", loss=bp.define("loss", [], bp.Sum(each, t, j)))


def gpt() -> System:
    """The GPT of `benchmarks.gpt`, one block repeated over the layer index."""
    return gpt_system(None)
