"""More networks, ill and well, on which no threshold was chosen: `ILL` and `WELL`, by name."""

import numpy as np
from ill_nets import ADAM, SGD, Trained, classifier, clouds, line, regression

import symbp as bp
from symbp.optim import initial as start


def convolution(bias=None):
    """Images of digits through one convolution."""
    x, y = bp.input("x", (bp.dim("N"), 1, 8, 8)), bp.labels("y", (bp.dim("N"),), classes=bp.dim("K", 10))
    C, c = bp.param("C", (6, 1, 3, 3)), bp.param("c", (6,), init=bias)
    W, b = bp.param("W", (6 * 36, 10)), bp.param("b", (10,))
    p = bp.softmax(bp.flatten(bp.relu(bp.conv2d(x, C, c))) @ W + b)
    return bp.Network("convolution", loss=bp.cross_entropy(p, y), outputs={"p": p})


def digits(scale=1.0):
    found = bp.data.digits()
    return {"x": scale * found["x"].reshape(-1, 1, 8, 8), "y": found["y"]}


def two_classes(init=None):
    """Rectifiers, and a sigmoid at the end."""
    N, D, H = bp.dim("N"), bp.dim("D", 6), bp.dim("H", 12)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,), facts="binary")
    W, b = bp.param("W", (D, H), init=init), bp.param("b", (H,))
    v, c = bp.param("v", (H,), init=start.normal(0.3)), bp.param("c", ())
    n, j = bp.indices("n j")
    h = bp.relu(x @ W + b)
    p = bp.sigmoid(bp.define("a", [n], bp.Sum(h[n, j] * v[j], j) + c))
    return bp.Network("two", loss=bp.binary_cross_entropy(p, y), outputs={"p": p})


def halves():
    found = clouds(features=6, classes=2, seed=3)
    return {"x": found["x"], "y": found["y"].astype(float)}


def normalised(init=None):
    """Layers with batch normalisation."""
    N, D, H, K = bp.dim("N"), bp.dim("D", 8), bp.dim("H", 24), bp.dim("K", 4)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    h, size = x, D
    for k in range(4):
        W = bp.param(f"W{k}", (size, H), init=init)
        g, b = bp.param(f"g{k}", (H,), init=start.constant(1)), bp.param(f"b{k}", (H,))
        z = h @ W
        m = bp.mean(z, axis=0)
        h = bp.relu(g * (z - m) / bp.sqrt(bp.mean((z - m) ** 2, axis=0) + 1e-5) + b)
        size = H
    p = bp.softmax(h @ bp.param("V", (size, K)))
    return bp.Network("normalised", loss=bp.cross_entropy(p, y), outputs={"p": p})


def reader(init=None, steps=20):
    """A recurrence whose last state is told into classes."""
    N, D, H, K = bp.dim("N"), bp.dim("D", 3), bp.dim("H", 16), bp.dim("K", 3)
    x, y = bp.input("x", (N, bp.dim("T", steps), D)), bp.labels("y", (N,), classes=K)
    W, U, b, V = (
        bp.param("W", (D, H)), bp.param("U", (H, H), init=init), bp.param("b", (H,)), bp.param("V", (H, K)),
    )  # fmt: skip
    h = bp.rnn(x, W, U, b)
    n, j = bp.indices("n j")
    p = bp.softmax(bp.define("last", [n, j], h[n, steps - 1, j]) @ V)
    return bp.Network("reader", loss=bp.cross_entropy(p, y), outputs={"p": p})


def sequences(count=128, steps=20):
    x = np.random.default_rng(0).normal(size=(count, steps, 3))
    return {"x": x, "y": np.argmax(x[:, -3:].sum(1), 1)}


def raw_line():
    found = line()
    return {**found, "x": 1000 * found["x"]}


def rare():
    """One class in eight, of the four that there might be."""
    found = clouds()
    return {**found, "y": (found["y"] == 0) * (np.arange(256) % 8 == 0) * 1}


RELU, SIGMOID, MOMENTUM = bp.relu, bp.sigmoid, bp.optim.Momentum

ILL = {
    "convolution, dead": (
        lambda: Trained(convolution(start.constant(-30)), digits(), ADAM(3e-3)),
        "dead units by their offset",
    ),
    "convolution, raw": (
        lambda: Trained(convolution(), digits(1000.0), SGD(0.1)),
        "inputs not standardised",
    ),
    "convolution, fast": (lambda: Trained(convolution(), digits(), ADAM(1.0)), "learning rate too high"),
    "two classes, huge": (
        lambda: Trained(two_classes(start.normal(30)), halves(), SGD(0.05)),
        "start too large",
    ),
    "two classes, zero": (lambda: Trained(two_classes(start.zeros), halves(), SGD(0.1)), "zero start"),
    "two classes, fast": (
        lambda: Trained(two_classes(), halves(), MOMENTUM(20.0, 0.9)),
        "learning rate too high",
    ),
    "rectifiers die": (
        lambda: Trained(classifier(layers=2, activation=RELU), clouds(), SGD(20)),
        "learning rate too high",
    ),
    "tanh from 3": (
        lambda: Trained(classifier(layers=3, init=start.normal(3)), clouds(noise=2.5), SGD(0.05)),
        "start too large",
    ),
    "raw line": (
        lambda: Trained(regression(activation=RELU), raw_line(), SGD(0.01)),
        "inputs not standardised",
    ),
    "reader forgets": (
        lambda: Trained(reader(start.normal(0.001)), sequences(), ADAM(5e-3)),
        "gradient vanishes through time",
    ),
    "reader, huge": (lambda: Trained(reader(start.normal(5)), sequences(), SGD(0.1)), "start too large"),
    "rectifiers, constant": (
        lambda: Trained(classifier(layers=2, activation=RELU, init=start.constant(0.2)), clouds(), SGD(0.05)),
        "constant start",
    ),
    "deep rectifiers, tiny": (
        lambda: Trained(classifier(layers=10, activation=RELU, init=start.normal(0.02)), clouds(), SGD(0.1)),
        "start too small",
    ),
    "deep sigmoids, Adam": (
        lambda: Trained(classifier(layers=10, activation=SIGMOID), clouds(), ADAM(1e-3)),
        "gradient vanishes through layers",
    ),
    "skips swell": (
        lambda: Trained(
            classifier(layers=12, activation=RELU, init=start.normal(0.7), skip=True), clouds(), SGD(0.1)
        ),
        "start too large",
    ),
    "slow Adam": (lambda: Trained(classifier(layers=2), clouds(), ADAM(1e-8)), "learning rate too low"),
    "slow line": (lambda: Trained(regression(), line(), SGD(1e-7)), "learning rate too low"),
    "tiny inputs": (
        lambda: Trained(classifier(), clouds(scale=1e-4), SGD(0.1)),
        "inputs not standardised",
    ),
}

WELL = {
    "convolution": lambda: Trained(convolution(), digits(), ADAM(3e-3)),
    "convolution, SGD": lambda: Trained(convolution(), digits(), SGD(0.1)),
    "two classes": lambda: Trained(two_classes(), halves(), SGD(0.1)),
    "normalised": lambda: Trained(normalised(), clouds(), SGD(0.1)),
    "normalised, large start": lambda: Trained(normalised(start.normal(3)), clouds(), ADAM(3e-3)),
    "reader": lambda: Trained(reader(), sequences(), ADAM(1e-2)),
    "deep rectifiers": lambda: Trained(
        classifier(layers=10, activation=RELU, init=start.he_normal), clouds(), ADAM(1e-3)
    ),
    "RMSprop": lambda: Trained(classifier(layers=2), clouds(), bp.optim.RMSprop(1e-3)),
    "targets around 5": lambda: Trained(regression(), line(shift=5.0), ADAM(3e-2)),
    "noise": lambda: Trained(classifier(), clouds(noise=6.0), ADAM(3e-3)),
    "rare class": lambda: Trained(classifier(), rare(), ADAM(1e-2)),
    "pixels": lambda: Trained(classifier(features=64, classes=10), bp.data.digits(), SGD(0.3)),
    "wide": lambda: Trained(classifier(width=256), clouds(), ADAM(1e-3)),
    "narrow": lambda: Trained(classifier(width=3, activation=RELU), clouds(), ADAM(1e-2)),
    "smaller start": lambda: Trained(classifier(layers=2, init=start.normal(0.05)), clouds(), ADAM(3e-3)),
    "slow SGD": lambda: Trained(classifier(layers=2), clouds(), SGD(1e-2)),
    "drawn data": lambda: Trained(classifier(layers=2), None, ADAM(1e-3)),
    "drawn line": lambda: Trained(regression(), None, SGD(1e-2)),
    "one example": lambda: Trained(classifier(), {k: v[:1] for k, v in clouds().items()}, ADAM(1e-2)),
    "standardised": lambda: Trained(
        bp.standardised(classifier()), clouds(scale=1e4, shift=300.0), ADAM(1e-2)
    ),
    "no signal": lambda: Trained(
        regression(), {**line(), "y": np.random.default_rng(5).normal(size=256)}, ADAM(1e-2)
    ),
}
