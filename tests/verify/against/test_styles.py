"""Backward passes in styles of courses and blogs: what they return is known, and what is hidden is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp


def linear() -> bp.Network:
    N, D = bp.dim("N"), bp.dim("D", 3)
    x, t = bp.input("x", (N, D)), bp.target("t", (N,))
    v, w = bp.param("v", (D,)), bp.param("w", (D,))
    return bp.Network("linear", loss=bp.mean((x @ v + (x * x) @ w - t) ** 2))


def reversed_order(x, t, v, w):
    error = x @ v + (x * x) @ w - t
    dv, dw = 2 * x.T @ error / len(t), 2 * (x * x).T @ error / len(t)
    return np.mean(error**2), dw, dv


def with_more(x, t, v, w):
    error = x @ v + (x * x) @ w - t
    dv, dw = 2 * x.T @ error / len(t), 2 * (x * x).T @ error / len(t)
    return np.mean(error**2), dv, dw, error[-1]


def loss_last(params, x, t):
    error = x @ params["v"] + (x * x) @ params["w"] - t
    grads = {"dv": 2 * x.T @ error / len(t), "dw": 2 * (x * x).T @ error / len(t)}
    cost = (error**2).mean()
    return grads, cost


def in_a_list(x, t, v, w):
    error = x @ v + (x * x) @ w - t
    dv, dw = 2 * x.T @ error / len(t), 2 * (x * x).T @ error / len(t)
    grads = [dw, dv]
    return np.mean(error**2), grads


def into_arguments(x, t, v, w, dv, dw):
    error = x @ v + (x * x) @ w - t
    dv += 2 * x.T @ error / len(t)
    dw += 2 * (x * x).T @ error / len(t)
    return np.mean(error**2)


def into_a_mapping(params, grads, x, t):
    error = x @ params["v"] + (x * x) @ params["w"] - t
    grads["v"] += 2 * x.T @ error / len(t)
    grads["w"] = 2 * (x * x).T @ error / len(t)
    return np.mean(error**2)


def error_of(x, t, v, w):
    error = x @ v + (x * x) @ w - t
    return np.mean(error**2), (x, error)


def filling(cache, grads):
    x, error = cache
    grads["v"] += 2 * x.T @ error / len(error)
    grads["w"] += 2 * (x * x).T @ error / len(error)


class Model:
    """Its forward pass gives a prediction that is no tensor of the network, its backward one has the loss."""

    def __init__(self):
        self.v, self.w = np.zeros(3), np.zeros(3)

    def forward(self, x):
        self.x = x
        return x @ self.v + (x * x) @ self.w

    def backward(self, t):
        error = self.forward(self.x) - t
        self.dv = 2 * self.x.T @ error / len(t)
        self.dw = 2 * (self.x**2).T @ error / len(t)


@pytest.mark.parametrize(
    "code",
    [
        reversed_order,
        with_more,
        loss_last,
        in_a_list,
        into_arguments,
        into_a_mapping,
        (error_of, filling),
        Model,
    ],
)
def test_right_ones_are_right(code: Any) -> None:
    report = bp.check(linear(), against=code)
    assert report.ok, str(report)


def wrong_in_another_order(x, t, v, w):
    error = x @ v + (x * x) @ w - t
    dv, dw = x.T @ error / len(t), 2 * (x * x).T @ error / len(t)
    return np.mean(error**2), dw, dv


def test_a_mistake_is_found_where_the_order_is_another() -> None:
    report = bp.check(linear(), against=wrong_in_another_order)
    assert (report.first, report["dv"].slip, report["dw"].ok) == ("dv", "factor", True)


def regression() -> bp.Network:
    N, D = bp.dim("N"), bp.dim("D", 3)
    x, t = bp.input("x", (N, D)), bp.target("t", (N,))
    W = bp.param("W", (D + 1,))
    return bp.Network("regression", loss=bp.mean((bp.pad(x, [(0, 0), (0, 1)], value=1) @ W - t) ** 2))


def folded(theta, x, t):
    """The bias is the last row, a column of ones its input; the one parameter under a name of its own."""
    ones = np.c_[x, np.ones(len(x))]
    error = ones @ theta - t
    return (error**2).mean(), 2 * ones.T @ error / len(t)


def without_bias(theta, x, t):
    loss, gradient = folded(theta, x, t)
    gradient[-1] = 0
    return loss, gradient


def unscaled_bias(theta, x, t):
    loss, gradient = folded(theta, x, t)
    gradient[-1] *= len(t)
    return loss, gradient


def test_one_slice_that_alone_is_wrong_is_told() -> None:
    assert bp.check(regression(), against=folded).ok
    found = bp.check(regression(), against=without_bias)["dW"]
    assert (found.slip, found.repair) == ("missing term", "in W[-1], W stays 0: nothing is added to it")
    found = bp.check(regression(), against=unscaled_bias)["dW"]
    assert found.slip in ("factor", "sum for mean")
    assert found.repair == "in W[-1], W is N times too large: divide by N"


def margins() -> bp.Network:
    N, D, C = bp.dim("N"), bp.dim("D", 3), bp.dim("C", 3)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=C)
    W = bp.param("W", (D, C))
    return bp.Network("margins", loss=bp.multi_margin(x @ W / 4, y))


def without_margin(W, x, y):
    """What keeps its margin counts, too: seen only where one does, which small scores never do."""
    s = x @ W / 4
    others = np.arange(W.shape[1]) != y[:, None]
    m = (1 + s - s[np.arange(len(y)), y][:, None]) * others
    loss = np.maximum(m, 0).sum() / W.shape[1] / len(y)
    ds = others * 1.0
    ds[np.arange(len(y)), y] -= others.sum(1)
    return loss, x.T @ ds / W.shape[1] / len(y) / 4


@pytest.mark.slow
def test_a_branch_that_chance_does_not_take_is_looked_for() -> None:
    assert not bp.check(margins(), against=without_margin).ok


def residual() -> bp.Network:
    N, D = bp.dim("N"), bp.dim("D", 4)
    x, t = bp.input("x", (N, D)), bp.target("t", (N, D))
    A, B = bp.param("A", (D, D)), bp.param("B", (D, D))
    return bp.Network("residual", loss=bp.mse(x + bp.relu(x @ A) @ B, t))


def through_a_rectifier(x, t, A, B):
    r = np.maximum(x @ A, 0)
    error = x + r @ B - t
    dout = 2 * error / error.size
    dr = dout @ B
    da = dr * (r > 0)
    return np.mean(error**2), {"A": x.T @ da, "B": r.T @ dout}, {"into": da, "out_of": dr}


def test_what_a_rectifier_was_given_is_told_from_what_it_passed_back() -> None:
    report = bp.check(residual(), against=through_a_rectifier)
    row = report[report.first]
    assert (row.theirs, row.slip) == ("out_of", "transpose")
    assert "B is transposed" in row.repair
