"""Recurrent systems written by hand, and their derivations, for the tests of loops over time and depth."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from modules_by_name import generate_source
from target_nets import sgd

from symbp.derive import adjoints
from symbp.derive.derivation import Derivation
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.points.sampling import sample_leaf
from symbp.ir.system import Fact, Role, System
from symbp.targets.loading import load

N, T, D, H, G, K, L = sizes("N T D H G K L")
n, t, i, j, k, g, d = indices("n t i j k g d")
EXTENTS = {"N": 3, "T": 5, "D": 2, "H": 4, "G": 3, "K": 3, "L": 3}


def sigmoid(u: Any) -> Any:
    return 1 / (1 + sympy.exp(-u))


def parameters(builder: SystemBuilder, /, **shapes: Any) -> Any:
    return [builder.leaf(name, *shape, role=Role.PARAMETER) for name, shape in shapes.items()]


def read_out(b: SystemBuilder, last: Any, V: Any) -> None:
    """Softmax and cross-entropy on the last state."""
    y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    z = b.define("z", [n, k], last * V(j, k), "sum", [j])
    m = b.define("m", [n], z(n, k), "max", [k], constant=True)
    e = b.define("e", [n, k], sympy.exp(z(n, k) - m(n)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    b.define("loss", [], (m(n) + sympy.log(s(n)) - z(n, y(n))) / N, "sum", [n])


def rnn() -> System:
    b = SystemBuilder()
    x = b.leaf("x", N, T, D)
    W, U, c, V = parameters(b, W=(D, H), U=(H, H), c=(H,), V=(H, K))
    h = b.declare("h", N, T, H)
    a = b.define("a", [n, t, j], x(n, t, i) * W(i, j), "sum", [i])
    r = b.define("r", [n, t, j], h(n, t - 1, i, outside=0) * U(i, j), "sum", [i], ranges={n: N, t: T, i: H})
    b.define("h", [n, t, j], sympy.tanh(a(n, t, j) + r(n, t, j) + c(j)))
    read_out(b, h(n, T - 1, j), V)
    return b.system("loss", ["z"])


def lstm() -> System:
    """The four gates beside each other in one axis: input, forget, output, candidate."""
    b = SystemBuilder()
    x, h0, c0 = b.leaf("x", N, T, D), b.leaf("h0", N, H), b.leaf("c0", N, H)
    W, U, bias, V = parameters(b, W=(D, 4, H), U=(H, 4, H), b=(4, H), V=(H, K))
    over = {n: N, t: T}
    h, c = b.declare("h", N, T, H), b.declare("c", N, T, H)
    a = b.define("a", [n, t, g, j], x(n, t, i) * W(i, g, j), "sum", [i])
    r = b.define("r", [n, t, g, j], h(n, t - 1, i, outside=h0(n, i)) * U(i, g, j), "sum", [i], ranges=over)
    p = [a(n, t, q, j) + r(n, t, q, j) + bias(q, j) for q in range(4)]
    into, keep = b.define("into", [n, t, j], sigmoid(p[0])), b.define("keep", [n, t, j], sigmoid(p[1]))
    out, new = b.define("out", [n, t, j], sigmoid(p[2])), b.define("new", [n, t, j], sympy.tanh(p[3]))
    before = c(n, t - 1, j, outside=c0(n, j))
    b.define("c", [n, t, j], keep(n, t, j) * before + into(n, t, j) * new(n, t, j))
    b.define("h", [n, t, j], out(n, t, j) * sympy.tanh(c(n, t, j)))
    read_out(b, h(n, T - 1, j), V)
    return b.system("loss", ["z"])


def gru() -> System:
    """Backwards in time, with lengths: beyond its length an example keeps its state."""
    b = SystemBuilder()
    x, length = b.leaf("x", N, T, D), b.leaf("length", N, integer=True, facts=[Fact("below", bound=T)])
    W, U, h0, V = parameters(b, W=(3, D, H), U=(3, H, H), h0=(H,), V=(H, K))
    over = {n: N, t: T}
    h = b.declare("h", N, T, H)
    before = h(n, t + 1, j, outside=h0(j))
    a = b.define("a", [g, n, t, j], x(n, t, i) * W(g, i, j), "sum", [i])
    u = [
        b.define(f"u{q}", [n, t, j], h(n, t + 1, i, outside=h0(i)) * U(q, i, j), "sum", [i], ranges=over)
        for q in range(2)
    ]
    update = b.define("update", [n, t, j], sigmoid(a(0, n, t, j) + u[0](n, t, j)))
    reset = b.define("reset", [n, t, j], sigmoid(a(1, n, t, j) + u[1](n, t, j)))
    some = b.define("some", [n, t, j], reset(n, t, j) * before)
    u2 = b.define("u2", [n, t, j], some(n, t, i) * U(2, i, j), "sum", [i])
    new = b.define("new", [n, t, j], sympy.tanh(a(2, n, t, j) + u2(n, t, j)))
    step = (1 - update(n, t, j)) * new(n, t, j) + update(n, t, j) * before
    b.define("h", [n, t, j], Guard("<=", t, length(n)) * step + Guard("<", length(n), t) * before)
    read_out(b, h(n, 0, j), V)
    return b.system("loss", ["z"])


def stack() -> System:
    """Recurrent layers repeated over depth: time inside of depth."""
    b = SystemBuilder()
    x = b.leaf("x", N, T, H)
    W, U, V = parameters(b, W=(L, H, H), U=(L, H, H), V=(H, K))
    over = {d: L, n: N, t: T}
    h = b.declare("h", L, N, T, H)
    a = b.define(
        "a", [d, n, t, j], h(d - 1, n, t, i, outside=x(n, t, i)) * W(d, i, j), "sum", [i], ranges=over
    )
    r = b.define("r", [d, n, t, j], h(d, n, t - 1, i, outside=0) * U(d, i, j), "sum", [i], ranges=over)
    b.define("h", [d, n, t, j], sympy.tanh(a(d, n, t, j) + r(d, n, t, j)))
    read_out(b, h(L - 1, n, T - 1, j), V)
    return b.system("loss", ["z"])


def residual() -> System:
    """A block with two layers, repeated over depth."""
    b = SystemBuilder()
    x = b.leaf("x", N, H)
    W, c, U, V = parameters(b, W=(L, H, G), c=(L, G), U=(L, G, H), V=(H, K))
    over = {d: L, n: N}
    h = b.declare("h", L, N, H)
    below = h(d - 1, n, i, outside=x(n, i))
    z = b.define("q", [d, n, g], below * W(d, i, g), "sum", [i], ranges=over)
    y = b.define("w", [d, n, i], sympy.tanh(z(d, n, g) + c(d, g)) * U(d, g, i), "sum", [g])
    b.define("h", [d, n, i], below + y(d, n, i), ranges=over)
    read_out(b, h(L - 1, n, j), V)
    return b.system("loss", ["z"])


def alignment() -> System:
    """A shorter tensor inside of a longer loop, a maximum and its place in each step."""
    b = SystemBuilder()
    x = b.leaf("x", T, H)
    (A,) = parameters(b, A=(H, H))
    v, short = b.declare("v", T, H), b.declare("short", T - 1, H)
    best = b.define("best", [t, j], v(t - 1, i, outside=0) + A(i, j), "max", [i], ranges={t: T, i: H, j: H})
    b.define(
        "at", [t, j], v(t - 1, i, outside=0) + A(i, j), "argmax", [i], ranges={t: T, i: H, j: H},
    )  # fmt: skip
    inside = Guard("<=", t + 2, T)  # always: what follows it may run less far than what it reads
    b.define("short", [t, j], inside * 2 * best(t, j), ranges={t: T - 1, j: H})
    b.define("v", [t, j], x(t, j) + best(t, j) / 2 + short(t - 1, j, outside=0) / 8, ranges={t: T, j: H})
    total = b.define("total", [], sympy.exp(v(T - 1, j)), "sum", [j])
    b.define("loss", [], sympy.log(total()))
    return b.system("loss", ["v", "at"])


SYSTEMS = {
    "rnn": rnn, "lstm": lstm, "gru": gru, "stack": stack, "residual": residual, "alignment": alignment,
}  # fmt: skip


def swept(system: System, name: str = "net") -> Derivation:
    """The reverse sweep as it comes, before any closed form."""
    assert system.loss is not None
    found = adjoints(system, system.loss, [p.name for p in system.parameters])
    return Derivation(name, system, found.system, found.gradients)


def source(system: System, target: str, dtype: str = "float64", bound: dict[str, int] | None = None) -> str:
    return generate_source(
        swept(system), target=target, dtype=dtype, update=sgd(), initial={}, sizes=bound or {}
    )


def module(system: System, target: str, *, compiled: bool = True, **more: Any) -> Any:
    """The training module; Numba's kernels run as plain Python where `compiled` is false."""
    found = load(source(system, target, **more), "net" if compiled else "loops")
    if not compiled and hasattr(found, "_compile"):
        found._compile, found.math = (lambda: None), LOOPS
    return found


# The functions of one element as compiled code has them: NaN or infinity where Python's raise.
ARC = {f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
SAME = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "log1p", "expm1")
LOOPS = SimpleNamespace(**{**vars(math), **ARC, **{name: getattr(np, name) for name in SAME}})


def values(system: System, seed: int = 0, extents: dict[str, int] = EXTENTS) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {leaf.name: sample_leaf(leaf, extents, rng) for leaf in system.leaves}
