"""Flattening, concatenation, embedding with repeated tokens, a dropout mask."""

import numpy as np
import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.system import Fact, Role

N, C, H, W, D, J, T, V = sizes("N C H W D J T V")
n, c, h, w, d, j, m, t = indices("n c h w d j m t")


def test_flatten_and_concatenate(probe):
    """One tensor is flattened by quotients and remainders and joined to another by guarded reads; the same
    weights then see it flattened once by a mixed-radix subscript."""
    b = SystemBuilder()
    a, e = b.leaf("a", N, C, H, W), b.leaf("e", N, D)
    weight = b.leaf("weight", C * H * W + D, J, role=Role.PARAMETER)
    flat = b.define(
        "flat",
        [n, m],
        a(n, FloorDiv(m, H * W), Mod(FloorDiv(m, W), H), Mod(m, W)),
        ranges={n: N, m: C * H * W},
    )
    both = b.define(
        "both",
        [n, m],
        Guard("<", m, C * H * W) * flat(n, m, outside=0)
        + Guard("<=", C * H * W, m) * sympy.sin(e(n, m - C * H * W)),
        ranges={n: N, m: C * H * W + D},
    )
    y = b.define("y", [n, j], both(n, m) * weight(m, j), "sum", [m])
    z = b.define(
        "z",
        [n, j],
        a(n, c, h, w) ** 2 * weight(c * H * W + h * W + w, j),
        "sum",
        [c, h, w],
        ranges={j: J},
    )
    b.define("loss", [], sympy.tanh(y(n, j)) * sympy.cos(z(n, j)), "sum", [n, j])
    rng = np.random.default_rng(3)
    values = {
        "a": rng.normal(size=(2, 2, 3, 2)),
        "e": rng.normal(size=(2, 4)),
        "weight": rng.normal(size=(16, 3)) / 2,
    }

    def torch_loss(a, e, weight):
        import torch

        y = torch.cat([a.flatten(1), e.sin()], dim=1) @ weight
        return (y.tanh() * ((a**2).flatten(1) @ weight[:12]).cos()).sum()

    extents = {"N": 2, "C": 2, "H": 3, "W": 2, "D": 4, "J": 3}
    probe(b.system("loss"), values, extents, ["a", "e", "weight"], torch_loss)


def test_embedding_with_repeated_tokens(probe):
    b = SystemBuilder()
    token = b.leaf("token", N, T, integer=True, facts=[Fact("below", bound=V)])
    table, weight = b.leaf("table", V, D, role=Role.PARAMETER), b.leaf("weight", D, role=Role.PARAMETER)
    s = b.define("s", [n, t], table(token(n, t), d) * weight(d), "sum", [d])
    b.define("loss", [], sympy.exp(s(n, t) / T) * (t + 1), "sum", [n, t])
    rng = np.random.default_rng(4)
    values = {
        "token": np.array([[1, 1, 4, 1], [4, 0, 0, 2]]),
        "table": rng.normal(size=(6, 3)),
        "weight": rng.normal(size=3),
    }

    def torch_loss(token, table, weight):
        import torch

        return ((table[token] @ weight / 4).exp() * torch.arange(1, 5)).sum()

    extents = {"N": 2, "T": 4, "V": 6, "D": 3}
    checked = probe(b.system("loss"), values, extents, ["table", "weight"], torch_loss)
    assert not checked.gradients["table"][[3, 5]].any()


def test_dropout_mask(probe):
    b = SystemBuilder()
    x, rate = b.leaf("x", N, D), b.leaf("rate", role=Role.HYPER)
    mask = b.leaf("mask", N, J, role=Role.RANDOM, facts=[Fact("binary")])
    weight = b.leaf("weight", D, J, role=Role.PARAMETER)
    z = b.define("z", [n, j], x(n, d) * weight(d, j), "sum", [d])
    kept = b.define("kept", [n, j], sympy.tanh(z(n, j)) * mask(n, j) / (1 - rate()))
    b.define("loss", [], kept(n, j) ** 2 / N, "sum", [n, j])
    rng = np.random.default_rng(5)
    values = {
        "x": rng.normal(size=(4, 3)),
        "rate": 0.25,
        "mask": (rng.random((4, 5)) > 0.25).astype(float),
        "weight": rng.normal(size=(3, 5)),
    }

    def torch_loss(x, rate, mask, weight):
        return (((x @ weight).tanh() * mask / (1 - rate)) ** 2).sum() / 4

    probe(b.system("loss"), values, {"N": 4, "D": 3, "J": 5}, ["x", "weight"], torch_loss)
