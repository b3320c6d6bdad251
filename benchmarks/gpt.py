"""A GPT in index notation, its blocks as separate equations or as one block repeated over a layer index.

    python -m benchmarks.gpt

Prints how long deriving takes either way; the repeated form has as many equations for 12 blocks as for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symbp.derive import derive
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.system import Fact, Role, System

N, T, H, E, F, V, L = sizes(
    "N T H E F V L"
)  # batch, time, heads, width of a head, hidden, vocabulary, layers
n, t, s, h, e, f, c, v, layer = indices("n t s h e f c v l")
D = H * E
RANGES = {n: N, t: T, s: T, h: H, e: E, f: F, c: D}

Reader = Callable[..., Any]


class Block:
    """One block's equations; with `repeated`, each tensor of the block has the layer as its first axis."""

    def __init__(self, builder: SystemBuilder, suffix: str, *, repeated: bool) -> None:
        self.b, self.suffix = builder, suffix
        self.index: tuple[Index, ...] = (layer,) if repeated else ()
        self.extent: tuple[Expr, ...] = (L,) if repeated else ()

    def parameter(self, name: str, *shape: Expr) -> Reader:
        read = self.b.leaf(f"{name}{self.suffix}", *self.extent, *shape, role=Role.PARAMETER)
        return lambda *at: read(*self.index, *at)

    def define(self, name: str, plain: Sequence[Index], body: Expr, *over: Index) -> Reader:
        read = self.b.define(
            f"{name}{self.suffix}", [*self.index, *plain], body, "sum" if over else None, over,
            ranges={**RANGES, layer: L} if self.index else RANGES,
        )  # fmt: skip
        return lambda *at: read(*self.index, *at)

    def norm(self, tag: str, x: Reader) -> Reader:
        """Layer normalisation over the width."""
        w, o = self.parameter(f"w{tag}", D), self.parameter(f"o{tag}", D)
        mu = self.define(f"mu{tag}", [n, t], x(n, t, c) / D, c)
        centred = self.define(f"c{tag}", [n, t, c], x(n, t, c) - mu(n, t))
        variance = self.define(f"v{tag}", [n, t], centred(n, t, c) ** 2 / D, c)
        scale = self.define(f"r{tag}", [n, t], 1 / sympy.sqrt(variance(n, t) + sympy.Rational(1, 10**5)))
        unit = self.define(f"u{tag}", [n, t, c], centred(n, t, c) * scale(n, t))
        return self.define(f"y{tag}", [n, t, c], unit(n, t, c) * w(c) + o(c))

    def attention(self, y: Reader) -> Reader:
        """Causal attention over all heads, before its output projection."""
        heads = []
        for part in "qkv":
            weight, offset = self.parameter(f"W{part}", D, H, E), self.parameter(f"b{part}", H, E)
            z = self.define(f"z{part}", [n, t, h, e], y(n, t, c) * weight(c, h, e), c)
            heads.append(self.define(part, [n, t, h, e], z(n, t, h, e) + offset(h, e)))
        q, k, value = heads
        score = self.define("S", [n, h, t, s], q(n, t, h, e) * k(n, s, h, e) / sympy.sqrt(E), e)
        grown = self.define("G", [n, h, t, s], Guard("<=", s, t) * sympy.exp(score(n, h, t, s)))
        total = self.define("Z", [n, h, t], grown(n, h, t, s), s)
        weight = self.define("A", [n, h, t, s], grown(n, h, t, s) / total(n, h, t))
        return self.define("O", [n, t, h, e], weight(n, h, t, s) * value(n, s, h, e), s)

    def through(self, x: Reader, name: str) -> Reader:
        """The whole block, pre-norm; its result is called `name`."""
        heads = self.attention(self.norm("a", x))
        project, offset = self.parameter("Wo", H, E, D), self.parameter("bo", D)
        mixed = self.define("zo", [n, t, c], heads(n, t, h, e) * project(h, e, c), h, e)
        middle = self.define("m", [n, t, c], x(n, t, c) + mixed(n, t, c) + offset(c))
        y = self.norm("b", middle)
        w1, b1, w2, b2 = (self.parameter(*p) for p in (("W1", D, F), ("b1", F), ("W2", F, D), ("b2", D)))
        z = self.define("z1", [n, t, f], y(n, t, c) * w1(c, f), c)
        a = self.define("a1", [n, t, f], z(n, t, f) + b1(f))(n, t, f)
        inner = sympy.sqrt(2 / sympy.pi) * (a + sympy.Rational("0.044715") * a**3)
        g = self.define("g", [n, t, f], a * (1 + sympy.tanh(inner)) / 2)
        z2 = self.define("z2", [n, t, c], g(n, t, f) * w2(f, c), f)
        self.suffix = ""
        return self.define(name, [n, t, c], middle(n, t, c) + z2(n, t, c) + b2(c))


def gpt(blocks: int | None) -> System:
    """The loss of a GPT with so many separate blocks, or with one block repeated L times (None)."""
    b = SystemBuilder()
    below = [Fact("below", bound=V)]
    tokens, targets = (
        b.leaf("tok", N, T, integer=True, facts=below),
        b.leaf("y", N, T, integer=True, facts=below),
    )
    embed, place = b.leaf("We", V, D, role=Role.PARAMETER), b.leaf("Wp", T, D, role=Role.PARAMETER)
    x: Reader = b.define("x0", [n, t, c], embed(tokens(n, t), c) + place(t, c))
    if blocks is None:
        b.declare("x", L, N, T, D)
        Block(b, "_", repeated=True).through(
            lambda *at: Access("x", layer - 1, *at, outside=Access("x0", *at)), "x"
        )
        x = b.define("xl", [n, t, c], Access("x", L - 1, n, t, c), ranges=RANGES)
    else:
        for number in range(1, blocks + 1):
            x = Block(b, f"_{number}", repeated=False).through(x, f"x{number}")
    y = Block(b, "_f", repeated=False).norm("f", x)
    logits = b.define("logits", [n, t, v], y(n, t, c) * embed(v, c), "sum", [c])
    grown = b.define("g", [n, t, v], sympy.exp(logits(n, t, v)))
    total = b.define("Z", [n, t], grown(n, t, v), "sum", [v])
    p = b.define("p", [n, t, v], grown(n, t, v) / total(n, t), role=Role.OUTPUT)
    b.define("loss", [], -sympy.log(p(n, t, targets(n, t))) / (N * T), "sum", [n, t], ranges={n: N, t: T})
    return b.system("loss", ["p"])


def main() -> None:
    print("blocks     seconds   equations")
    for blocks in (None, 1, 3, 6, 12):
        system = gpt(blocks)
        start = time.perf_counter()
        derivation = derive(system)
        taken = time.perf_counter() - start
        print(f"{blocks or 'repeated':>8}   {taken:7.2f}   {len(derivation.system.equations):9d}", flush=True)


if __name__ == "__main__":
    main()
