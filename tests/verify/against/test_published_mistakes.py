"""Backward passes by hand as notes and libraries have printed them, with a mistake each, and without."""

import numpy as np
import pytest

import symbp as bp
from symbp import gallery
from symbp.verify.against import check_against


@pytest.fixture(scope="module")
def of_gallery():
    known = {}

    def derived(name):
        if name not in known:
            net = gallery.find(name).load().net
            known[name] = net, bp.derive(net)
        return known[name]

    return derived


def softmax(u):
    e = np.exp(u - u.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


# --- the mean of squares has the derivative 2/N, not 1/N
def squares(factor):
    def loss_and_gradients(params, x, y):
        r = x @ params["w"] + params["b"] - y
        dr = factor * r / len(x)
        return np.mean(r**2), {"w": x.T @ dr, "b": dr.sum()}

    return loss_and_gradients


# --- batch norm: the mean and the variance depend on what is normalised
def batch_norm(with_statistics):
    def loss_and_gradients(params, x, t, eps):
        W, gamma, beta = params["W"], params["gamma"], params["beta"]
        z = x @ W
        mu, sigma = z.mean(0), np.sqrt(z.var(0) + eps)
        z_hat = (z - mu) / sigma
        y = z_hat * gamma + beta
        dy = y - t
        dz = dy * gamma / sigma
        if with_statistics:
            dz = dz - dz.mean(0) - z_hat * (dz * z_hat).mean(0)
        gradients = {"dW": x.T @ dz, "dgamma": (dy * z_hat).sum(0), "dbeta": dy.sum(0), "dz": dz}
        return ((y - t) ** 2).sum() / 2, gradients

    return loss_and_gradients


# --- the forget gate multiplies the cell state before the step
def lstm_cell(stale):
    def loss_and_gradients(params, x, h0, c0, t):
        p = params
        i, f, o = (sigmoid(p[f"W{k}"] @ x + p[f"U{k}"] @ h0) for k in "ifo")
        g = np.tanh(p["Wg"] @ x + p["Ug"] @ h0)
        c = f * c0 + i * g
        m = np.tanh(c)
        h = o * m
        dh = h - t
        dc = dh * o * (1 - m**2)
        da = {
            "o": dh * m * o * (1 - o),
            "f": dc * (c if stale else c0) * f * (1 - f),
            "i": dc * g * i * (1 - i),
            "g": dc * i * (1 - g**2),
        }
        found = {f"dW{k}": np.outer(a, x) for k, a in da.items()}
        found |= {f"dU{k}": np.outer(a, h0) for k, a in da.items()}
        return ((h - t) ** 2).sum() / 2, found, {"c": c, "h": h, "dc": dc, "dh": dh}

    return loss_and_gradients


# --- through time the state has two readers: the output of its step, and the next state
def char_rnn(recurrent):
    def forward(params, x, y):
        (N, T), H = x.shape, len(params["U"])
        x1, h, before = params["table"][x], np.zeros((N, T, H)), np.zeros((N, H))
        for t in range(T):
            before = h[:, t] = np.tanh(x1[:, t] @ params["W"] + before @ params["U"] + params["b"])
        p = softmax(h @ params["R"] + params["c"])
        chosen = np.take_along_axis(p, y[..., None], 2)
        return -np.log(chosen).mean(), {"x": x, "y": y, "x1": x1, "h": h, "p": p, "params": params}

    def backward(cache):
        x, y, x1, h, p, params = cache.values()
        (N, T), da2 = x.shape, p.copy()
        np.put_along_axis(da2, y[..., None], np.take_along_axis(p, y[..., None], 2) - 1, 2)
        da2 /= N * T
        da1, after = np.zeros_like(h), np.zeros_like(h[:, 0])
        for t in reversed(range(T)):
            dh = da2[:, t] @ params["R"].T + (after @ params["U"].T if recurrent else 0)
            after = da1[:, t] = dh * (1 - h[:, t] ** 2)
        before = np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], 1)
        dtable = np.zeros_like(params["table"])
        np.add.at(dtable, x, da1 @ params["W"].T)
        return {
            "table": dtable,
            "W": np.einsum("nte,nth->eh", x1, da1), "U": np.einsum("ntg,nth->gh", before, da1),
            "b": da1.sum((0, 1)), "R": np.einsum("nth,ntv->hv", h, da2), "c": da2.sum((0, 1)), "a1": da1,
        }  # fmt: skip

    return forward, backward


# --- softmax has a full Jacobian: each probability depends on every score
def mlp(elementwise):
    def loss_and_gradients(x, y, W1, b1, W2, b2):
        N = len(x)
        h = np.tanh(x @ W1 + b1)
        p = softmax(h @ W2 + b2)
        dp = np.zeros_like(p)
        dp[np.arange(N), y] = -1 / (N * p[np.arange(N), y])
        da2 = dp * p * (1 - p) if elementwise else p * (dp - (dp * p).sum(1, keepdims=True))
        dz = (da2 @ W2.T) * (1 - h**2)
        cache = {"p": p, "dp": dp, "da2": da2, "h": h}
        return -np.log(p[np.arange(N), y]).mean(), (x.T @ dz, dz.sum(0), h.T @ da2, da2.sum(0)), cache

    return loss_and_gradients


CASES = {
    "1/N for 2/N": ("linear_regression", squares(1), squares(2), {"db", "dw"}, set()),
    "statistics held constant": ("batch_norm", batch_norm(False), batch_norm(True), {"dz"}, {"dW"}),
    "a stale cell state": ("lstm_cell", lstm_cell(True), lstm_cell(False), {"dWf", "dUf"}, set()),
    "no recurrent term": ("char_rnn", char_rnn(False), char_rnn(True), {"da1"}, {"dU", "dW", "db", "dtable"}),
    "softmax elementwise": ("mlp", mlp(True), mlp(False), {"da2"}, {"dW2", "db2", "dW1", "db1"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_published_mistakes_are_found_and_the_first_wrong_tensor_is_named(case, of_gallery):
    name, wrong, right, first, following = CASES[case]
    net, derivation = of_gallery(name)
    report = bp.check(net, derivation=derivation, against=right)
    assert report.ok, report
    report = check_against(derivation, wrong, hyper=net.hyper, find_repair=lambda *_: None)
    assert not report.ok
    assert report.first in first, report
    assert {row.tensor for row in report.rows if row.verdict == "follows"} == following, report
    assert f"first wrong: {report.first}" in str(report)
    if name == "lstm_cell":
        assert "dUf, dWf rest on da4, and nothing that is right does: look there first" in report.notes
