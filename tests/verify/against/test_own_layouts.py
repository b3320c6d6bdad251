"""Code with layouts of its own: one vector of all parameters, lists by kind, layers in lists, sizes and
functions under names that say nothing."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

import symbp as bp
from symbp.verify.against import check_against


def declared() -> bp.Network:
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, K))
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    return bp.Network("two", loss=bp.sum((bp.relu(x @ W1 + b1) @ W2 + b2 - y) ** 2) / N)


net = declared()


@pytest.fixture(scope="module")
def asked():
    derivation = bp.derive(net)
    return lambda code: bp.check(net, derivation=derivation, against=code)


def passed(x, y, W1, b1, W2, b2, sign=1):
    a = x @ W1 + b1
    h = np.maximum(a, 0)
    error = h @ W2 + b2 - y
    do = 2 * error / len(x)
    da = (do @ W2.T) * (a > 0)
    return np.sum(error**2) / len(x), (sign * x.T @ da, da.sum(0), h.T @ do, do.sum(0))


def by_kind(x, y, W1, b1, W2, b2):
    loss, (one, two, three, four) = passed(x, y, W1, b1, W2, b2)
    return loss, [one, three], [two, four]


def by_layer(x, y, W1, b1, W2, b2):
    loss, (one, two, three, four) = passed(x, y, W1, b1, W2, b2)
    return loss, [(three, four), (one, two)]


def in_a_vector(theta, x, y):
    D, K = x.shape[1], y.shape[1]
    H = (theta.size - K) // (D + 1 + K)
    shapes = ((D, H), (H,), (H, K), (K,))
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]
    cut = [part.reshape(shape) for part, shape in zip(np.split(theta, ends), shapes, strict=True)]
    loss, found = passed(x, y, *cut)
    return loss, np.concatenate([g.ravel() for g in found])


class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(0)
        return g @ self.W.T


class Rectifier:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class Stack:
    def __init__(self, inputs, hidden, outputs):
        self.layers = [Linear(inputs, hidden), Rectifier(), Linear(hidden, outputs)]

    def forward(self, x, y):
        for layer in self.layers:
            x = layer.forward(x)
        self.error = x - y
        return np.sum(self.error**2) / len(x)

    def backward(self):
        g = 2 * self.error / len(self.error)
        for layer in reversed(self.layers):
            g = layer.backward(g)
        return g


class Shared(Stack):
    """Parameters and gradients are in lists, too, as optimizers like them."""

    def __init__(self, inputs, hidden, outputs):
        super().__init__(inputs, hidden, outputs)
        linear = (self.layers[0], self.layers[2])
        self.params = [array for layer in linear for array in (layer.W, layer.b)]
        self.grads = []

    def backward(self):
        g = super().backward()
        self.grads[:] = [array for k in (0, 2) for array in (self.layers[k].dW, self.layers[k].db)]
        return g


def test_layouts_are_read(asked):
    for code in (by_kind, by_layer, in_a_vector, Stack, Shared):
        report = asked(code)
        assert report.ok, str(report)
        assert {"dW1", "db1", "dW2", "db2"} <= {row.tensor for row in report.rows}


def test_a_mistake_in_a_layer_is_found(asked, monkeypatch):
    monkeypatch.setattr(Rectifier, "backward", lambda _, g: g)
    report = asked(Stack)
    assert {row.tensor for row in report.wrong} == {"dW1", "db1"}


def test_a_sign_is_told_although_all_units_are_off_at_some_point(asked):
    assert asked(lambda x, y, W1, b1, W2, b2: passed(x, y, W1, b1, W2, b2, -1))["dW1"].slip == "sign"


FILE = """
    import numpy as np

    def square(u):
        return u * u

    def feed_forward(x, w, y):
        return square(x @ w - y).mean(), (x, x @ w - y)

    def back_propagate(cache):
        x, r = cache
        return {"w": 2 * x.T @ r / len(r)}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("feed_forward", "forward_propagation"),
        ("feed_forward", "model_forward"),
        ("feed_forward", "feedforward"),
    ],
)
def test_what_a_file_is_there_for_is_found(tmp_path, old, new):
    N, D = bp.dims("N D")
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    line = bp.Network("line", loss=bp.mse(x @ w, y))
    back = {"forward_propagation": "backward_propagation", "model_forward": "model_backward"}
    text = textwrap.dedent(FILE).replace(old, new).replace("back_propagate", back.get(new, "backprop"))
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    assert bp.check(line, against=str(tmp_path / "mine.py")).ok
    whole = f"{text}\ndef step(x, y, w):\n    loss, kept = {new}(x, w, y)\n"
    whole += f"    return loss, {back.get(new, 'backprop')}(kept)\n"
    (tmp_path / "mine.py").write_text(whole, encoding="utf-8")
    assert bp.check(line, against=str(tmp_path / "mine.py")).ok


def test_a_factor_may_be_a_length_made_of_sizes():
    N, S = bp.dims("N S")
    k = bp.dim("k", 3)
    n, t, j = bp.indices("n t j")
    R = S - k + 1
    x, w = bp.input("x", (N, S)), bp.param("w", (k,))
    y = bp.define("y", [n, t], bp.Sum(x[n, t + j] * w[j], j), ranges={n: N, t: R})
    line = bp.Network("averaged", loss=bp.sum(bp.mean(y, 1) ** 2))

    def summed(x, w):
        windows = np.lib.stride_tricks.sliding_window_view(x, len(w), axis=1)
        means = (windows @ w).mean(1)
        return np.sum(means**2), {"w": np.einsum("n,ntj->j", 2 * means, windows)}

    row = check_against(bp.derive(line), summed)["dw"]
    assert (row.slip, "S - k + 1" in row.repair) == ("factor", True)
