"""Small systems that several tests derive, written by hand in index notation."""

from __future__ import annotations

from itertools import pairwise

import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Fact, Role, System

N, D, H, K = sizes("N D H K")
n, i, j, k = indices("n i j k")


def softmax(builder: SystemBuilder, logits: object) -> object:
    """Exponentials, their sum, probabilities."""
    e = builder.define("e", [n, k], sympy.exp(logits(n, k)))
    s = builder.define("s", [n], e(n, k), "sum", [k])
    return builder.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT)


def softmax_cross_entropy(target: str = "labels") -> System:
    """Cross-entropy from softmax probabilities; target "labels", "simplex" or "any" distribution."""
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=Role.PARAMETER)
    if target == "labels":
        y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
        p = softmax(b, z)
        b.define("L", [], -sympy.log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    else:
        facts = [Fact("sums to one", 1)] if target == "simplex" else []
        y = b.leaf("y", N, K, role=Role.TARGET, facts=facts)
        p = softmax(b, z)
        b.define("L", [], -y(n, k) * sympy.log(p(n, k)) / N, "sum", [n, k])
    return b.system("L", ["p"])


def binary_cross_entropy() -> System:
    """Binary cross-entropy from sigmoid probabilities."""
    b = SystemBuilder()
    z = b.leaf("z", N, role=Role.PARAMETER)
    y = b.leaf("y", N, role=Role.TARGET)
    p = b.define("p", [n], 1 / (1 + sympy.exp(-z(n))), role=Role.OUTPUT)
    b.define("L", [], -(y(n) * sympy.log(p(n)) + (1 - y(n)) * sympy.log(1 - p(n))) / N, "sum", [n])
    return b.system("L", ["p"])


def mlp(hidden: int = 1) -> System:
    """tanh layers and softmax cross-entropy with labels; every layer has its own width."""
    b = SystemBuilder()
    widths = [D, *sizes(" ".join(f"H{layer + 1}" for layer in range(hidden))), K]
    y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    h = b.leaf("x", N, D)
    for layer, (wide, next_) in enumerate(pairwise(widths), start=1):
        w = b.leaf(f"W{layer}", wide, next_, role=Role.PARAMETER)
        c = b.leaf(f"b{layer}", next_, role=Role.PARAMETER)
        z = b.define(f"z{layer}", [n, j], h(n, i) * w(i, j), "sum", [i])
        last = layer == hidden + 1
        body = z(n, j) + c(j)
        h = b.define(f"h{layer}" if not last else "a", [n, j], body if last else sympy.tanh(body))
    p = softmax(b, h)
    b.define("L", [], -sympy.log(p(n, y(n))) / N, "sum", [n], ranges={n: N})
    return b.system("L", ["p"])
