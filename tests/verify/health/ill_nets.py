"""Networks that don't learn, each with its cause, and networks that are well: `ILL` and `WELL`.

A case is a function that declares a network and gives what it is trained with.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np

import symbp as bp
from symbp.optim import initial as start

SGD, ADAM = bp.optim.SGD, bp.optim.Adam


@dataclass(frozen=True)
class Trained:
    """A network, its data, its optimizer."""

    net: object
    data: dict = field(default_factory=dict)
    optimizer: object = None
    batch_size: int = 32


def clouds(count=256, features=8, classes=4, seed=0, scale=1.0, shift=0.0, noise=1.0):
    """Classes around centres of their own."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, count)
    centres = 1.5 * np.random.default_rng(99).normal(size=(classes, features))
    x = (centres[y] + noise * rng.normal(size=(count, features))) / 1.8
    return {"x": scale * x + shift, "y": y}


def line(count=256, features=5, seed=0, shift=0.0, scale=1.0):
    """A noisy linear function."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features))
    w = np.random.default_rng(98).normal(size=features)
    return {"x": x, "y": shift + scale * (x @ w + 0.1 * rng.normal(size=count))}


@cache
def classifier(*, layers=1, width=32, activation=bp.tanh, init=None, last=None, bias=None, name="net",
               features=8, classes=4, skip=False, head=bp.softmax):  # fmt: skip
    """A multilayer perceptron with so many hidden layers; `init` and `bias` start weights and offsets."""
    N, D, H, K = bp.dim("N"), bp.dim("D", features), bp.dim("H", width), bp.dim("K", classes)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    h, size = x, D
    for k in range(1, layers + 1):
        W = bp.param(f"W{k}", (size, H), init=init)
        b = bp.param(f"b{k}", (H,), init=bias)
        new = activation(h @ W + b)
        h, size = (h + new if skip and k > 1 else new), H
    V, c = bp.param("V", (size, K), init=last or init), bp.param("c", (K,))
    p = head(h @ V + c)
    return bp.Network(name, loss=bp.cross_entropy(p, y), outputs={"p": p})


def regression(*, activation=bp.tanh, width=16, features=5):
    N, D, H = bp.dim("N"), bp.dim("D", features), bp.dim("H", width)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b, v, c = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("v", (H,)), bp.param("c", ())
    n, j = bp.indices("n j")
    h = activation(x @ W + b)
    o = bp.define("o", [n], bp.Sum(h[n, j] * v[j], j) + c)
    return bp.Network("regression", loss=bp.mean((o - y) ** 2), outputs={"o": o})


def recurrent(*, init=None, activation=bp.tanh, steps=24, width=16):
    """A recurrence over time, of which the last state is read."""
    N, T, D, H = bp.dim("N"), bp.dim("T", steps), bp.dim("D", 3), bp.dim("H", width)
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N,))
    U, R = bp.param("U", (D, H)), bp.param("R", (H, H), init=init)
    v = bp.param("v", (H,), init=start.normal(0.3))
    n, t, i, j, k = bp.indices("n t i j k")
    z = bp.define("z", [n, t, j], bp.Sum(x[n, t, i] * U[i, j], i))
    state = bp.recurrent("h", (N, T, H))
    back = bp.define("back", [n, t, j], bp.Sum(state.at(n, t - 1, k, outside=0) * R[k, j], k), ranges={t: T})
    h = bp.define(state, [n, t, j], activation(z[n, t, j] + back[n, t, j]))
    o = bp.define("o", [n], bp.Sum(h[n, T - 1, j] * v[j], j))
    return bp.Network("recurrent", loss=bp.mean((o - y) ** 2), outputs={"o": o})


def waves(count=128, steps=24, seed=0):
    """Sequences, and a sum over some of their steps."""
    x = np.random.default_rng(seed).normal(size=(count, steps, 3))
    return {"x": x, "y": x[:, -4:, 0].sum(1)}


# --- ill: (cause, tensors that are named, or none)
def zero_start():
    return Trained(classifier(init=start.zeros), clouds(), ADAM(1e-2))


def constant_start():
    return Trained(classifier(init=start.constant(0.1)), clouds(), SGD(0.1))


def huge_start():
    return Trained(classifier(init=start.normal(10)), clouds(), SGD(0.1))


def huge_start_of_relus():
    return Trained(classifier(layers=4, activation=bp.relu, init=start.normal(2)), clouds(), SGD(0.01))


def tiny_start_of_a_deep_net():
    return Trained(classifier(layers=8, init=start.normal(0.01)), clouds(), SGD(0.1))


def dead_by_offset():
    net = classifier(activation=bp.relu, bias=start.constant(-10))
    return Trained(net, clouds(), SGD(0.1))


def saturated_by_offset():
    net = classifier(bias=start.constant(8))
    return Trained(net, clouds(), SGD(0.1))


def deep_sigmoids():
    return Trained(classifier(layers=8, activation=bp.sigmoid), clouds(), SGD(0.5))


def rate_of_100():
    return Trained(classifier(), clouds(), SGD(100))


def rate_of_adam():
    return Trained(classifier(layers=2), clouds(), ADAM(3.0))


def rate_that_diverges():
    return Trained(regression(activation=bp.relu), line(), SGD(2.0))


def rate_too_low():
    return Trained(classifier(), clouds(), SGD(1e-6))


def raw_inputs():
    return Trained(classifier(), clouds(scale=1e4), SGD(0.1))


def inputs_off_centre():
    return Trained(classifier(), clouds(shift=300.0), SGD(0.1))


def recurrence_explodes():
    return Trained(recurrent(init=start.normal(3 / 4), activation=lambda u: 1 * u), waves(), SGD(1e-3))


def recurrence_forgets():
    return Trained(recurrent(init=start.normal(0.01 / 4)), waves(), SGD(0.05))


def logarithm_of_0():
    """Shares that may be 0, by a rectifier, inside a logarithm."""
    net = classifier(head=lambda a: bp.relu(a))
    return Trained(net, clouds(), SGD(0.1))


def softmax_decided():
    return Trained(classifier(last=start.normal(60)), clouds(noise=3.0), SGD(0.05))


def unused_layer():
    N, D, H, K = bp.dim("N"), bp.dim("D", 8), bp.dim("H", 16), bp.dim("K", 4)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, W2, V = bp.param("W1", (D, H)), bp.param("W2", (H, H)), bp.param("V", (H, K))
    h = bp.tanh(x @ W1)
    spare = bp.tanh(h @ W2)
    p = bp.softmax(h @ V)
    net = bp.Network("unused", loss=bp.cross_entropy(p, y), outputs={"p": p, "spare": spare})
    return Trained(net, clouds(), SGD(0.1))


def stopped_layer():
    N, D, H, K = bp.dim("N"), bp.dim("D", 8), bp.dim("H", 16), bp.dim("K", 4)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, V = bp.param("W1", (D, H)), bp.param("V", (H, K))
    h = bp.stop_gradient(bp.tanh(x @ W1))
    p = bp.softmax(h @ V)
    return Trained(bp.Network("stopped", loss=bp.cross_entropy(p, y), outputs={"p": p}), clouds(), SGD(0.1))


def targets_far_off():
    return Trained(regression(), line(shift=1e4, scale=10.0), ADAM(1e-3))


def clipped_away():
    return Trained(classifier(), clouds(), SGD(0.1, clip_norm=1e-6))


def decayed():
    return Trained(classifier(), clouds(), SGD(0.1, weight_decay=9.0))


def division_by_0():
    """A layer divided by its sum, which is 0 for some examples."""
    N, D, H = bp.dim("N"), bp.dim("D", 5), bp.dim("H", 4)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, v = bp.param("W", (D, H)), bp.param("v", (H,))
    n, j = bp.indices("n j")
    h = bp.relu(x @ W)
    total = bp.define("total", [n], bp.Sum(h[n, j], j))
    o = bp.define("o", [n], bp.Sum(h[n, j] * v[j], j) / total[n])
    return Trained(bp.Network("shares", loss=bp.mean((o - y) ** 2), outputs={"o": o}), line(), SGD(0.1))


def exponential_of_raw_inputs():
    """A rate of events, of inputs in the hundreds."""
    N, D = bp.dim("N"), bp.dim("D", 5)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w = bp.param("w", (D,), init=start.normal(1))
    n, i = bp.indices("n i")
    a = bp.define("a", [n], bp.Sum(x[n, i] * w[i], i))
    data = line(scale=0.1)
    data = {"x": 500 * data["x"], "y": np.exp(data["y"])}
    return Trained(bp.Network("events", loss=bp.mean(bp.exp(a) - y * a)), data, SGD(0.05))


def dead_by_shift():
    N, D, H = bp.dim("N"), bp.dim("D", 5), bp.dim("H", 8)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, v = bp.param("W", (D, H)), bp.param("v", (H,), init=start.normal(0.3))
    n, j = bp.indices("n j")
    h = bp.relu(x @ W - 50)
    o = bp.define("o", [n], bp.Sum(h[n, j] * v[j], j))
    return Trained(bp.Network("shifted", loss=bp.mean((o - y) ** 2), outputs={"o": o}), line(), SGD(0.1))


def same_inputs():
    data = clouds()
    return Trained(classifier(), {**data, "x": np.ones_like(data["x"])}, SGD(0.1))


def forgetful_gates():
    """An LSTM whose forget gates begin shut."""
    N, T, D, H = bp.dim("N"), bp.dim("T", 24), bp.dim("D", 3), bp.dim("H", 12)
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N,))
    n, t, j = bp.indices("n t j")
    R, U = bp.param("R", (H, 4, H)), bp.param("U", (D, 4, H))
    i, k, g = bp.indices("i k g")
    b = bp.param("b", (H,), init=start.constant(-10))
    v = bp.param("v", (H,), init=start.normal(0.3))
    z = bp.define("z", [n, t, g, j], bp.Sum(x[n, t, i] * U[i, g, j], i))
    state, memory = bp.recurrent("h", (N, T, H)), bp.recurrent("m", (N, T, H))
    back = bp.define(
        "back", [n, t, g, j], bp.Sum(state.at(n, t - 1, k, outside=0) * R[k, g, j], k), ranges={t: T}
    )
    forget = bp.define("f", [n, t, j], bp.sigmoid(z[n, t, 0, j] + back[n, t, 0, j] + b[j]))
    enter = bp.define("e", [n, t, j], bp.sigmoid(z[n, t, 1, j] + back[n, t, 1, j]))
    new = bp.define("new", [n, t, j], bp.tanh(z[n, t, 2, j] + back[n, t, 2, j]))
    leave = bp.define("l", [n, t, j], bp.sigmoid(z[n, t, 3, j] + back[n, t, 3, j]))
    m = bp.define(
        memory, [n, t, j],
        forget[n, t, j] * memory.at(n, t - 1, j, outside=0) + enter[n, t, j] * new[n, t, j],
    )  # fmt: skip
    h = bp.define(state, [n, t, j], leave[n, t, j] * bp.tanh(m[n, t, j]))
    o = bp.define("o", [n], bp.Sum(h[n, T - 1, j] * v[j], j))
    return Trained(bp.Network("gates", loss=bp.mean((o - y) ** 2), outputs={"o": o}), waves(), ADAM(5e-3))


ILL = {
    zero_start: "zero start",
    constant_start: "constant start",
    huge_start: "start too large",
    huge_start_of_relus: "start too large",
    tiny_start_of_a_deep_net: "start too small",
    dead_by_offset: "dead units by their offset",
    saturated_by_offset: "saturated units by their offset",
    deep_sigmoids: "gradient vanishes through layers",
    rate_of_100: "learning rate too high",
    rate_of_adam: "learning rate too high",
    rate_that_diverges: "learning rate too high",
    rate_too_low: "learning rate too low",
    raw_inputs: "inputs not standardised",
    inputs_off_centre: "inputs not standardised",
    recurrence_explodes: "gradient explodes through time",
    recurrence_forgets: "gradient vanishes through time",
    logarithm_of_0: "not finite",
    softmax_decided: "start too large",
    unused_layer: "unused parameter",
    stopped_layer: "gradient stopped",
    targets_far_off: "targets not standardised",
    clipped_away: "gradient clipped away",
    decayed: "weight decay too strong",
    division_by_0: "not finite",
    exponential_of_raw_inputs: "inputs not standardised",
    dead_by_shift: "dead units",
    same_inputs: "inputs without information",
    forgetful_gates: "saturated units by their offset",
}


# --- well
WELL = {
    "shallow": lambda: Trained(classifier(), clouds(), SGD(0.1)),
    "adam": lambda: Trained(classifier(layers=3), clouds(), ADAM(1e-3)),
    "slow but steady": lambda: Trained(classifier(), clouds(), ADAM(1e-4)),
    "rectifiers": lambda: Trained(
        classifier(layers=3, activation=bp.relu, init=start.he_normal), clouds(), SGD(0.05)
    ),
    "few rectifiers": lambda: Trained(classifier(width=6, activation=bp.relu), clouds(), SGD(0.1)),
    "small start": lambda: Trained(classifier(init=start.normal(0.01)), clouds(), ADAM(1e-2)),
    "last layer from 0": lambda: Trained(classifier(layers=2, last=start.zeros), clouds(), SGD(0.2)),
    "one layer from 0": lambda: Trained(classifier(layers=0, init=start.zeros), clouds(), SGD(0.5)),
    "deep tanh": lambda: Trained(classifier(layers=6), clouds(), ADAM(3e-3)),
    "skips": lambda: Trained(classifier(layers=8, skip=True), clouds(), ADAM(1e-3)),
    "sigmoids": lambda: Trained(classifier(layers=1, activation=bp.sigmoid), clouds(), SGD(1.0)),
    "gelu": lambda: Trained(classifier(layers=2, activation=bp.gelu), clouds(), ADAM(3e-3)),
    "raw but fine": lambda: Trained(classifier(), clouds(scale=3.0, shift=1.0), ADAM(1e-2)),
    "regression": lambda: Trained(regression(), line(), ADAM(1e-2)),
    "regression of relus": lambda: Trained(regression(activation=bp.relu), line(scale=3.0), SGD(0.02)),
    "recurrent": lambda: Trained(recurrent(), waves(), ADAM(5e-3)),
    "momentum": lambda: Trained(classifier(layers=2), clouds(), bp.optim.Momentum(0.05, 0.9)),
    "decay": lambda: Trained(classifier(layers=2), clouds(), bp.optim.AdamW(3e-3)),
    "clipped": lambda: Trained(classifier(layers=2), clouds(), ADAM(3e-3, clip_norm=1.0)),
}
