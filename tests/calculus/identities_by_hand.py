"""Identities whose expression loops in Python: the same function as a system in index notation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import sympy
from numpy_systems import SIZES, Array, reduced
from rows import Reader

from symbp.ir.build import SystemBuilder, indices
from symbp.ir.expr import Guard

N, M, P = SIZES["n"], SIZES["m"], SIZES["p"]
i, j, k, a, c, t = indices("i j k a c t")
Readers = dict[str, Array]


def convolution(b: SystemBuilder, x: Readers) -> Array:
    """Σ g[i] x[i + k] w[k]."""

    def at(i: object, k: object) -> object:
        return x["g"].at(i) * x["x"].at(i + k) * x["w"].at(k)  # type: ignore[operator]

    return reduced(b, (N, M), at, (), "sum")


def convolution_2d(b: SystemBuilder, x: Readers) -> Array:
    """Σ g[i, j] x[i + a, j + c] w[a, c]; x has room for kernels of two."""
    reader: Reader = b.define(
        "f",
        [],
        x["g"].at(i, j) * x["x"].at(i + a, j + c, outside=0) * x["w"].at(a, c),
        "sum",
        [i, j, a, c],
        ranges={i: N - 1, j: N - 1, a: P, c: P},
    )
    return Array(b, (), reader)


def rank_net(b: SystemBuilder, x: Readers) -> Array:
    """Σ over i < j of log(1 + exp(−(s_i − s_j)))."""
    s = x["s"]
    pair = Guard("<", i, j) * sympy.log(1 + sympy.exp(-(s.at(i) - s.at(j))))
    return Array(b, (), b.define("f", [], pair, "sum", [i, j], ranges={i: N, j: N}))


def linear_chain(b: SystemBuilder, x: Readers) -> Array:
    """Lafferty 2001: log Σ over paths by the forward recursion, minus the score of the path 0, 1, 1, 0."""
    e, transition = x["E"], x["A"]
    alpha = b.declare("alpha", 4, P)
    before = alpha(t - 1, j, outside=0) + transition.at(j, k)
    step = b.define("step", [t, k], sympy.exp(before), "sum", [j], ranges={t: 4})
    earlier = Guard("<=", 1, t) * sympy.log(step(t, k))
    b.define("alpha", [t, k], e.at(t, k) + earlier, ranges={t: 4})
    last = b.define("Z", [], sympy.exp(alpha(3, k)), "sum", [k])
    path = (0, 1, 1, 0)
    score = sum(e.at(t, y) for t, y in enumerate(path))
    score += sum(transition.at(y, z) for y, z in pairwise(path))
    return Array(b, (), b.define("f", [], sympy.log(last()) - score))


def symmetric_trace(b: SystemBuilder, x: Readers) -> Array:
    """tr(AX) for a symmetric X, given by its lower triangle."""
    lower = x["X"]
    whole = Guard("<=", j, i) * lower.at(i, j) + Guard("<", i, j) * lower.at(j, i)
    full = b.define("S", [i, j], whole, ranges={i: N, j: N})
    return Array(b, (), b.define("f", [], x["A"].at(j, i) * full(i, j), "sum", [i, j]))


BY_HAND: dict[str, Callable[[SystemBuilder, Readers], Array]] = {
    "vjp_conv1d_x": convolution,
    "vjp_conv2d_w": convolution_2d,
    "ranknet": rank_net,
    "vjp_crf_emission": linear_chain,
    "mc139": symmetric_trace,
}
