"""Nets that took long to derive, each as people declare it: what grows with the number of equations.

Enters: nothing. Leaves: a `Network` for each name in `SLOW`, for the figures of `python tests/trust slow`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symbp as bp


def gpt_blocks(count: int) -> bp.Network:
    """`count` separate blocks, each with parameters of its own, not repeated by `nn.Repeat`."""
    n, t, v = bp.dims("N T V")
    x, y = bp.tokens("x", (n, t), vocabulary=v), bp.labels("y", (n, t), classes=v)
    h = bp.embedding(x, bp.param("E", (v, 16)))
    for _ in range(count):
        h = bp.nn.TransformerEncoderBlock(2, 32, causal=True, approximate="tanh")(h)
    h = bp.nn.LayerNorm()(h)
    z = bp.nn.Dense(v)(h)
    return bp.Network("gpt_blocks", loss=bp.cross_entropy(z, y, from_logits=True))


def conv_lstm() -> bp.Network:
    """Shi et al. 2015: an LSTM over images, its products convolutions of 3×3 with a margin of zeros."""
    n, t, ch, f, a, b, p, q = bp.indices("n t m f a b p q")
    size, steps, high, wide = bp.dims("N T H W")
    channels, hidden, kernel = bp.dim("C", 2), bp.dim("F", 3), bp.dim("P", 3)
    x = bp.input("x", (size, steps, channels, high, wide))
    y = bp.target("y", (size, hidden, high, wide))
    kernels = {g: bp.param(f"K{g}", (hidden, channels, kernel, kernel)) for g in "ifgo"}
    again = {g: bp.param(f"R{g}", (hidden, hidden, kernel, kernel)) for g in "ifgo"}
    offsets = {g: bp.param(f"b{g}", (hidden,)) for g in "ifgo"}
    e = bp.index("e")
    state = bp.recurrent("hidden", (size, steps, hidden, high, wide))
    cell = bp.recurrent("cell", (size, steps, hidden, high, wide))
    at = (n, t, f, a, b)
    own = {t: steps, a: high, b: wide}

    def gate(letter: str) -> Any:
        read = x.at(n, t, ch, a + p - 1, b + q - 1, outside=0)
        before = state.at(n, t - 1, e, a + p - 1, b + q - 1, outside=0)
        taken, kept = read * kernels[letter][f, ch, p, q], before * again[letter][f, e, p, q]
        z = bp.define(f"z{letter}", at, bp.Sum(taken, ch, p, q), own)
        r = bp.define(f"r{letter}", at, bp.Sum(kept, e, p, q), own)
        function = bp.tanh if letter == "g" else bp.sigmoid
        return bp.define(f"{letter}_gate", at, function(z[at] + r[at] + offsets[letter][f]))

    i, o, keep, new = gate("i"), gate("o"), gate("f"), gate("g")
    cell = bp.define(cell, at, keep[at] * cell.at(n, t - 1, f, a, b, outside=0) + i[at] * new[at])
    state = bp.define(state, at, o[at] * bp.tanh(cell[at]))
    last = bp.define("last", [n, f, a, b], state[n, steps - 1, f, a, b])
    return bp.Network("conv_lstm", loss=bp.mse(last, y))


def vision_transformer() -> bp.Network:
    """Dosovitskiy et al. 2021: patches of 4×4, a class token, learned positions, one block."""
    n = bp.dim("N")
    x, y = bp.input("x", (n, 3, 16, 16)), bp.labels("y", (n,), classes=10)
    patches = bp.nn.Conv2d(16, 4, stride=4)(x)
    rows = bp.transpose(bp.flatten(patches, 2), 1, 2)
    token = bp.param("token", (1, 1, 16))
    joined = bp.concat(bp.expand(token, (n, 1, 16)), rows, axis=1) + bp.param("positions", (17, 16))
    h = bp.nn.TransformerEncoderBlock(2, 32)(joined)
    z = bp.nn.Dense(10)(bp.nn.LayerNorm()(h)[:, 0, :])
    return bp.Network("vit", loss=bp.cross_entropy(z, y, from_logits=True))


def capsules(rounds: int = 3) -> bp.Network:
    """Sabour et al. 2017: routing by agreement between 8 capsules of 4 and 3 of 5, a margin loss."""
    n, i, j, d, e = bp.indices("n i j d e")
    size = bp.dim("N")
    inputs, outputs = bp.dim("I", 8), bp.dim("J", 3)
    u = bp.input("u", (size, inputs, 4))
    y = bp.target("y", (size, outputs), facts="one hot")
    weight = bp.param("W", (inputs, outputs, 4, 5))
    votes = bp.define("votes", [n, i, j, e], bp.Sum(u[n, i, d] * weight[i, j, d, e], d))
    logits = None
    for k in range(rounds):
        share = 1 / outputs if logits is None else bp.softmax(logits)[n, i, j]
        s = bp.define(f"s{k}", [n, j, e], bp.Sum(share * votes[n, i, j, e], i))
        square = bp.define(f"q{k}", [n, j], bp.Sum(s[n, j, e] ** 2, e))
        v = bp.define(f"v{k}", [n, j, e], s[n, j, e] * bp.sqrt(square[n, j] + 1e-9) / (1 + square[n, j]))
        agree = bp.Sum(votes[n, i, j, e] * v[n, j, e], e)
        before = 0 if logits is None else logits[n, i, j]
        logits = bp.define(f"logits{k + 1}", [n, i, j], before + agree)
    length = bp.sqrt(bp.sum(v**2, axis=-1) + 1e-9)
    loss = y * bp.relu(0.9 - length) ** 2 + 0.5 * (1 - y) * bp.relu(length - 0.1) ** 2
    return bp.Network("capsules", loss=bp.mean(bp.sum(loss, axis=-1)))


def physics(equation: str) -> bp.Network:
    """Raissi et al. 2019 with three hidden layers: heat, Burgers' or a wave equation, and a start."""
    n = bp.dim("N")
    h = bp.dim("H", 8)
    t, x = bp.input("t", (n, 1)), bp.input("x", (n, 1))
    first, second = bp.param("Wt", (1, h)), bp.param("Wx", (1, h))
    b = [bp.param(f"b{k}", (h,)) for k in range(3)]
    w = [bp.param(f"W{k}", (h, h)) for k in range(2)]
    out = bp.param("Wo", (h, 1))

    def solution(t: Any, x: Any) -> Any:
        z = bp.tanh(t @ first + x @ second + b[0])
        for k in range(2):
            z = bp.tanh(z @ w[k] + b[k + 1])
        return z @ out

    u = solution(t, x)
    u_t, u_x = bp.grad(u, t), bp.grad(u, x)
    u_xx = bp.grad(u_x, x)
    if equation == "heat":
        residual = u_t - 0.1 * u_xx
    elif equation == "burgers":
        residual = u_t + u * u_x - 0.01 * u_xx
    else:
        residual = bp.grad(u_t, t) - u_xx
    start = bp.input("x0", (n, 1))
    zero = bp.input("t0", (n, 1))
    loss = (residual**2).mean() + ((solution(zero, start) - bp.sin(3.14 * start)) ** 2).mean()
    return bp.Network(equation, loss=loss)


def grouped_queries() -> bp.Network:
    """Ainslie et al. 2023: 4 query heads, 2 of keys and values, rotary positions, one block of Llama's."""
    n, t = bp.dims("N T")
    x = bp.input("x", (n, t, 16))
    h = bp.nn.TransformerEncoderBlock(
        4, 32, causal=True, norm="rms", kv_heads=2, rotary=True, bias=False, activation="silu"
    )(x)
    return bp.Network("grouped_queries", loss=(h**2).mean())


def poincare() -> bp.Network:
    """Nickel and Kiela 2017: distances in the ball, guarded against 0, among a word's neighbours."""
    n, k, v, d = bp.dim("N"), bp.dim("K"), bp.dim("V"), bp.dim("D", 3)
    word, other = bp.tokens("word", (n,), vocabulary=v), bp.tokens("other", (n, k), vocabulary=v)
    table = bp.param("E", (v, d))
    a, b = bp.unsqueeze(bp.embedding(word, table), 1), bp.embedding(other, table)
    square = bp.sum((a - b) ** 2, axis=-1)
    inside = bp.maximum(1 - bp.sum(a**2, axis=-1), 1e-5) * bp.maximum(1 - bp.sum(b**2, axis=-1), 1e-5)
    argument = 1 + 2 * square / inside
    distance = bp.where(square > 0, bp.acosh(bp.maximum(argument, 1 + 1e-7)), 0)
    loss = -bp.mean(bp.log_softmax(-distance, axis=-1)[:, 0])
    return bp.Network("poincare", loss=loss)


def dilated_attention() -> bp.Network:
    """conv1d(dilation=2) before self-attention."""
    n, t = bp.dim("N"), bp.dim("T")
    x = bp.input("x", (n, 3, t))
    z = bp.conv1d(x, bp.param("K", (4, 3, 3)), bp.param("k", (4,)), dilation=2)
    rows = bp.transpose(bp.relu(z), 1, 2)
    q, k, v = (rows @ bp.param(f"W{letter}", (4, 4)) for letter in "qkv")
    o = bp.scaled_dot_product_attention(q, k, v)
    return bp.Network("dilated_attention", loss=(o**2).mean())


def windows_3d(*, sized: bool) -> bp.Network:
    """Five layers of windows over volumes: three convolutions, a max- and a mean-pooling."""
    n = bp.dim("N")
    space = (8, 8, 8) if sized else bp.dims("D H W")
    x, y = bp.input("x", (n, 1, *space)), bp.target("y", (n, 2))
    h = bp.relu(bp.conv3d(x, bp.param("K1", (2, 1, 3, 3, 3)), bp.param("k1", (2,)), padding=1))
    h = bp.max_pool3d(h, 2)
    h = bp.relu(bp.conv3d(h, bp.param("K2", (2, 2, 3, 3, 3)), bp.param("k2", (2,)), padding=1))
    h = bp.avg_pool3d(h, 2)
    h = bp.relu(bp.conv3d(h, bp.param("K3", (2, 2, 2, 2, 2)), bp.param("k3", (2,))))
    return bp.Network("windows_3d", loss=bp.mse(bp.global_avg_pool(h), y))


SLOW: dict[str, Callable[[], bp.Network]] = {
    "gpt_blocks_1": lambda: gpt_blocks(1),
    "gpt_blocks_6": lambda: gpt_blocks(6),
    "gpt_blocks_12": lambda: gpt_blocks(12),
    "gpt_blocks_24": lambda: gpt_blocks(24),
    "conv_lstm": conv_lstm,
    "vision_transformer": vision_transformer,
    "capsules": capsules,
    "physics_heat": lambda: physics("heat"),
    "physics_burgers": lambda: physics("burgers"),
    "physics_wave": lambda: physics("wave"),
    "grouped_queries": grouped_queries,
    "poincare": poincare,
    "dilated_attention": dilated_attention,
    "windows_3d": lambda: windows_3d(sized=True),
    "windows_3d_open": lambda: windows_3d(sized=False),
}
