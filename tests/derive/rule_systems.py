"""Small systems on which rules fire that few networks need, each named after its rule."""

from __future__ import annotations

from typing import Any

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import Guard
from symbp.ir.system import Role, System

N, K = sizes("N K")
n, k, j = indices("n k j")
exp, log = sympy.exp, sympy.log


def finished(b: SystemBuilder, result: Any, *over: Any) -> System:
    """The loss is Σ g·result, for a gradient g that comes in."""
    shape = {n: N, k: K}
    g = b.leaf("g", *[shape[i] for i in over])
    b.define("L", [], g(*over) * result(*over), "sum", list(over))
    return b.system("L")


def masked() -> System:
    """A softmax of what is −∞ where a mask is 0: rows may be empty."""
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=Role.PARAMETER)
    mask = b.leaf("mask", N, K, integer=True)
    u = b.define("u", [n, k], where(Guard("=", mask(n, k), 1), z(n, k), -sympy.oo))
    e = b.define("e", [n, k], exp(u(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    return finished(b, b.define("p", [n, k], e(n, k) / s(n)), n, k)


def excluded_logarithm() -> System:
    """u − logsumexp u, −∞ where u is."""
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=Role.PARAMETER)
    mask = b.leaf("mask", N, K, integer=True)
    holds = Guard("=", mask(n, k), 1)
    u = b.define("u", [n, k], where(holds, z(n, k), -sympy.oo))
    s = b.define("s", [n], exp(u(n, k)), "sum", [k])
    lse = b.define("lse", [n], log(s(n)))
    lp = b.define("lp", [n, k], u(n, k) - lse(n))
    g = b.leaf("g", N, K)
    b.define("L", [], holds * g(n, k) * lp(n, k), "sum", [n, k])
    return b.system("L", ["lp"])


def elementwise(body: Any) -> System:
    """A map of a body of one tensor."""
    b = SystemBuilder()
    x = b.leaf("x", N, K, role=Role.PARAMETER)
    return finished(b, b.define("y", [n, k], body(x(n, k))), n, k)


def twice() -> System:
    """The same definition under two names."""
    b = SystemBuilder()
    x = b.leaf("x", N, K, role=Role.PARAMETER)
    u = b.define("u", [n, k], sympy.tanh(x(n, k)))
    v = b.define("v", [n, k], sympy.tanh(x(n, k)))
    return finished(b, b.define("y", [n, k], u(n, k) * v(n, k) + u(n, k)), n, k)


def quadratic() -> System:
    """v'·A·v, whose gradient has two sums over one box."""
    b = SystemBuilder()
    a, v = b.leaf("A", K, K), b.leaf("v", K, role=Role.PARAMETER)
    b.define("L", [], v(j) * a(j, k) * v(k), "sum", [j, k])
    return b.system("L")


def repeated() -> System:
    """A row that a map repeats."""
    b = SystemBuilder()
    x, w = b.leaf("x", K, role=Role.PARAMETER), b.leaf("w", N, K, role=Role.PARAMETER)
    r = b.define("r", [n, k], x(k), ranges={n: N})
    return finished(b, b.define("y", [n, k], sympy.tanh(r(n, k) * w(n, k))), n, k)


def recurrent() -> System:
    """h[t] is made of step t − 1, its derivative at step t is in h[t + 1]; a number is before the first."""
    b = SystemBuilder()
    first = b.leaf("first", role=Role.PARAMETER)
    u, w = b.leaf("u", N, K, role=Role.PARAMETER), b.leaf("w", K, role=Role.PARAMETER)
    h = b.define("h", [n, k], sympy.tanh(u(n - 1, k, outside=first()) * w(k)), ranges={n: N})
    return finished(b, h, n, k)


def length() -> System:
    """The length of each row."""
    b = SystemBuilder()
    x = b.leaf("x", N, K, role=Role.PARAMETER)
    q = b.define("q", [n], x(n, k) ** 2, "sum", [k])
    return finished(b, b.define("y", [n], sympy.sqrt(q(n))), n)


def windows() -> System:
    """y[i] = Σ_a g[a]·w[a − 2i + 1]: the kernel w is shorter than g."""
    b = SystemBuilder()
    g, w = b.leaf("g", 2 * N), b.leaf("w", 3)
    b.define("y", [n], g(j) * w(j - 2 * n + 1, outside=0), "sum", [j], ranges={n: N, j: 2 * N})
    return b.system()


def sums() -> System:
    """A sum over both axes beside one over the last, of a product that a map scales."""
    b = SystemBuilder()
    x, y, c = b.leaf("x", N, K), b.leaf("y", N, K), b.leaf("c", N)
    b.define("r", [n], x(n, k) * y(n, k), "sum", [k])
    v = b.define("v", [n, k], c(n) * x(n, k))
    b.define("all", [], x(n, k) * y(n, k), "sum", [n, k])
    b.define("scaled", [n], v(n, k) * y(n, k), "sum", [k])
    return b.system()


SYSTEMS = {
    "masked": masked,
    "excluded logarithm": excluded_logarithm,
    "written sigmoid": lambda: elementwise(lambda x: exp(x) / (1 + exp(x))),
    "written loss": lambda: elementwise(lambda x: log(1 - 1 / (1 + exp(-x)))),
    "entropy": lambda: elementwise(lambda x: x * log(x)),
    "elu": lambda: elementwise(lambda x: where(Guard("<", 0, x), x, exp(x) - 1)),
    "twice": twice,
    "quadratic": quadratic,
    "repeated": repeated,
    "recurrent": recurrent,
    "windows": windows,
    "sums": sums,
    "length": length,
}
