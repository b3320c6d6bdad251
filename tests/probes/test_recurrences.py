"""Stacked recurrences, one reversed in time, with lengths; a block repeated over depth, and around time."""

import numpy as np
import sympy

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.groups import groups
from symbp.ir.system import Role

N, T, D, H, G, L = sizes("N T D H G L")
n, t, i, j, k, d = indices("n t i j k d")


def stacked():
    """A recurrence forwards over the input, and one backwards over the first one's states; each example has
    its length, past which the forward state is kept and the backward one is the initial state."""
    b = SystemBuilder()
    x, length = b.leaf("x", N, T, D), b.leaf("length", N, integer=True)
    w, u, h0 = (b.leaf(a, *s, role=Role.PARAMETER) for a, s in (("w", (D, H)), ("u", (H, H)), ("h0", (N, H))))
    v, r, g0 = (b.leaf(a, *s, role=Role.PARAMETER) for a, s in (("v", (H, G)), ("r", (G, G)), ("g0", (G,))))
    inside, past = Guard("<", t, length(n)), Guard("<=", length(n), t)
    over = {n: N, t: T}

    h = b.declare("h", N, T, H)
    before = h(n, t - 1, j, outside=h0(n, j))
    a = b.define("a", [n, t, j], x(n, t, i) * w(i, j), "sum", [i])
    s = b.define("s", [n, t, k], before * u(j, k), "sum", [j], ranges=over)
    b.define("h", [n, t, j], inside * sympy.tanh(a(n, t, j) + s(n, t, j)) + past * before, ranges=over)

    g = b.declare("g", N, T, G)
    after = g(n, t + 1, j, outside=g0(j))
    e = b.define("e", [n, t, j], h(n, t, i) * v(i, j), "sum", [i])
    q = b.define("q", [n, t, k], after * r(j, k), "sum", [j], ranges=over)
    b.define("g", [n, t, j], inside * sympy.sin(e(n, t, j) + q(n, t, j)) + past * g0(j), ranges=over)
    b.define("loss", [], g(n, t, j) ** 2 / (t + 1) + h(n, T - 1, 0) / T, "sum", [n, t, j])
    return b.system("loss")


def torch_stacked(x, length, w, u, h0, v, r, g0):
    import torch

    steps = x.shape[1]
    h, states = h0, []
    for t in range(steps):
        inside = (t < length)[:, None]
        h = torch.where(inside, (x[:, t] @ w + h @ u).tanh(), h)
        states.append(h)
    g, loss = g0.expand(x.shape[0], -1), 0
    for t in reversed(range(steps)):
        inside = (t < length)[:, None]
        g = torch.where(inside, (states[t] @ v + g @ r).sin(), g0)
        loss = loss + (g**2).sum() / (t + 1)
    return loss + states[-1][:, 0].sum() * g0.shape[0]


def test_stacked_recurrences_one_reversed_in_time_with_lengths(probe):
    rng = np.random.default_rng(6)
    shapes = {"x": (3, 5, 2), "w": (2, 3), "u": (3, 3), "h0": (3, 3), "v": (3, 2), "r": (2, 2), "g0": (2,)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()} | {
        "length": np.array([5, 2, 3])
    }
    extents = {"N": 3, "T": 5, "D": 2, "H": 3, "G": 2}
    checked = probe(stacked(), values, extents, list(shapes), torch_stacked)
    order = {name: k for k, group in enumerate(groups(checked.first.system)) for name in group.targets}
    loops = {name: group.loop for group in groups(checked.first.system) for name in group.targets}
    assert loops["h"].step == 1
    assert loops["g"].step == -1
    assert loops["a"] is None
    assert loops[checked.first.gradients["w"]] is None
    assert loops[checked.first.gradients["u"]] is None
    assert order["h"] < order["g"] < order[checked.first.gradients["u"]]


def test_a_block_repeated_over_depth_with_stacked_parameters(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    up, bias, down = (
        b.leaf(a, *s, role=Role.PARAMETER)
        for a, s in (("up", (L, D, H)), ("bias", (L, H)), ("down", (L, H, D)))
    )
    over = {d: L, n: N}
    h = b.declare("h", L, N, D)
    below = h(d - 1, n, i, outside=x(n, i))
    z = b.define("z", [d, n, j], below * up(d, i, j), "sum", [i], ranges=over)
    y = b.define("y", [d, n, i], sympy.tanh(z(d, n, j) + bias(d, j)) * down(d, j, i), "sum", [j])
    b.define("h", [d, n, i], below + y(d, n, i), ranges=over)
    b.define("loss", [], sympy.cos(h(L - 1, n, i)), "sum", [n, i])
    rng = np.random.default_rng(7)
    shapes = {"x": (2, 3), "up": (4, 3, 5), "bias": (4, 5), "down": (4, 5, 3)}
    values = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}

    def torch_loss(x, up, bias, down):
        for block in range(4):
            x = x + (x @ up[block] + bias[block]).tanh() @ down[block]
        return x.cos().sum()

    probe(b.system("loss"), values, {"N": 2, "D": 3, "H": 5, "L": 4}, list(shapes), torch_loss)


def test_recurrent_layers_repeated_over_depth(probe):
    b = SystemBuilder()
    x = b.leaf("x", N, T, H)
    w, u = b.leaf("w", L, H, H, role=Role.PARAMETER), b.leaf("u", L, H, H, role=Role.PARAMETER)
    over = {d: L, n: N, t: T}
    h = b.declare("h", L, N, T, H)
    a = b.define(
        "a", [d, n, t, j], h(d - 1, n, t, i, outside=x(n, t, i)) * w(d, i, j), "sum", [i], ranges=over
    )
    s = b.define("s", [d, n, t, j], h(d, n, t - 1, i, outside=0) * u(d, i, j), "sum", [i], ranges=over)
    b.define("h", [d, n, t, j], sympy.tanh(a(d, n, t, j) + s(d, n, t, j)))
    b.define("loss", [], h(L - 1, n, t, j) ** 2, "sum", [n, t, j], ranges={n: N, t: T, j: H})
    rng = np.random.default_rng(8)
    shapes = {"x": (2, 4, 2), "w": (3, 2, 2), "u": (3, 2, 2)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def torch_loss(x, w, u):
        import torch

        layer = list(x.unbind(1))
        for depth in range(3):
            state, states = torch.zeros_like(layer[0]), []
            for value in layer:
                state = (value @ w[depth] + state @ u[depth]).tanh()
                states.append(state)
            layer = states
        return sum((state**2).sum() for state in layer)

    probe(b.system("loss"), values, {"N": 2, "T": 4, "H": 2, "L": 3}, list(shapes), torch_loss)
