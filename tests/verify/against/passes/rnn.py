"""A recurrent layer of tanh units, softmax at every step, cross-entropy."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, T, D, H, K = bp.dims("N T D H K")
    x, y = bp.input("x", (N, T, D)), bp.labels("y", (N, T), classes=K)
    W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
    R, c = bp.param("R", (H, K)), bp.param("c", (K,))
    h = bp.rnn(x, W, U, b)
    o = h @ R + c
    return bp.Network("rnn", loss=bp.cross_entropy(o, y, from_logits=True), outputs={"o": o})


def loss_and_gradients(params, x, y):
    W, U, b, R, c = (params[name] for name in ["W", "U", "b", "R", "c"])
    N, T, _ = x.shape
    H = len(b)
    h = np.zeros((N, T, H))
    before = np.zeros((N, H))
    for t in range(T):
        before = h[:, t] = np.tanh(x[:, t] @ W + before @ U + b)
    o = h @ R + c
    e = np.exp(o - o.max(axis=2, keepdims=True))
    p = e / e.sum(axis=2, keepdims=True)
    onehot = np.eye(len(c))[y]
    loss = -(onehot * np.log(p)).sum() / (N * T)

    do = (p - onehot) / (N * T)
    dR, dc = np.zeros_like(R), np.zeros_like(c)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dh, da = np.zeros_like(h), np.zeros_like(h)
    da_next = np.zeros((N, H))
    for t in reversed(range(T)):
        dR += h[:, t].T @ do[:, t]
        dc += do[:, t].sum(axis=0)
        dh[:, t] = do[:, t] @ R.T + da_next @ U.T
        da[:, t] = dh[:, t] * (1 - h[:, t] ** 2)
        dW += x[:, t].T @ da[:, t]
        if t > 0:
            dU += h[:, t - 1].T @ da[:, t]
        db += da[:, t].sum(axis=0)
        da_next = da[:, t]
    return loss, {"do": do, "R": dR, "c": dc, "dh": dh, "da": da, "W": dW, "U": dU, "b": db}


def forward(params, x, y):
    """As the smallest of character models does it: a sequence at a time, states in a dictionary."""
    W, U, b, R, c = params["W"], params["U"], params["b"], params["R"], params["c"]
    loss, runs = 0, []
    for xs, targets in zip(x, y, strict=True):
        hs, ps = {-1: np.zeros(len(b))}, {}
        for t, target in enumerate(targets):
            hs[t] = np.tanh(np.dot(xs[t], W) + np.dot(hs[t - 1], U) + b)
            ys = np.dot(hs[t], R) + c
            ps[t] = np.exp(ys) / np.sum(np.exp(ys))
            loss += -np.log(ps[t][target])
        runs.append((xs, targets, hs, ps))
    return loss / y.size, (params, runs, y.size)


def backward(cache):
    params, runs, count = cache
    U, R = params["U"], params["R"]
    dW, dU, db, dR, dc = (np.zeros_like(params[name]) for name in "WUbRc")
    for xs, targets, hs, ps in runs:
        dhnext = np.zeros_like(hs[0])
        for t in reversed(range(len(targets))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dR += np.outer(hs[t], dy)
            dc += dy
            dh = np.dot(R, dy) + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            db += dhraw
            dW += np.outer(xs[t], dhraw)
            dU += np.outer(hs[t - 1], dhraw)
            dhnext = np.dot(U, dhraw)
    return {"R": dR / count, "c": dc / count, "W": dW / count, "U": dU / count, "b": db / count}


def with_products_last(x, y, W, U, b, R, c):
    """The deltas through time first, then one product for each weight."""
    N, T, D = x.shape
    z = np.einsum("ntd,dh->tnh", x, W) + b
    h = np.empty((T + 1, *z.shape[1:]))
    h[0] = 0
    for t in range(T):
        h[t + 1] = np.tanh(z[t] + h[t] @ U)
    o = h[1:] @ R + c
    logp = o - np.logaddexp.reduce(o, axis=-1)[..., None]
    d = np.exp(logp)
    rows, columns = np.indices((T, N))
    loss = -logp[rows, columns, y.T].mean()
    d[rows, columns, y.T] -= 1
    d /= N * T
    delta = d @ R.T
    slope = 1 - h[1:] ** 2
    delta[-1] *= slope[-1]
    for t in range(T - 2, -1, -1):
        delta[t] = slope[t] * (delta[t] + delta[t + 1] @ U.T)
    flat = delta.reshape(N * T, -1)
    gW = x.transpose(1, 0, 2).reshape(N * T, D).T @ flat
    gU = h[:-1].reshape(N * T, -1).T @ flat
    gR = h[1:].reshape(N * T, -1).T @ d.reshape(N * T, -1)
    return loss, (gW, gU, flat.sum(0), gR, d.sum((0, 1)))


class Recurrent:
    """Input and state side by side under one stacked matrix."""

    def __init__(self, params):
        self.split = len(params["W"])
        self.M = np.concatenate([params["W"], params["U"], params["b"][None]])
        self.R, self.c = params["R"], params["c"]

    def forward(self, x, y):
        self.y, self.inputs, self.states = y, [], []
        h, ones = np.zeros((len(x), self.M.shape[1])), np.ones((len(x), 1))
        loss = 0.0
        for step in x.swapaxes(0, 1):
            self.inputs.append(np.hstack([step, h, ones]))
            h = np.tanh(self.inputs[-1] @ self.M)
            self.states.append(h)
        self.probabilities = []
        for h, labels in zip(self.states, y.T, strict=True):
            a = h @ self.R + self.c
            a -= a.max(1, keepdims=True)
            p = np.exp(a)
            p /= p.sum(1, keepdims=True)
            loss -= np.log(p[np.arange(len(p)), labels]).sum()
            self.probabilities.append(p)
        return loss / y.size

    def backward(self):
        gM, gR, gc = np.zeros_like(self.M), 0, 0
        carried = 0
        steps = list(zip(self.inputs, self.states, self.probabilities, self.y.T, strict=True))
        for entered, h, p, labels in steps[::-1]:
            error = (p - (labels[:, None] == np.arange(p.shape[1]))) / self.y.size
            gR, gc = gR + h.T @ error, gc + error.sum(0)
            d = (error @ self.R.T + carried) * (1 + h) * (1 - h)
            gM += entered.T @ d
            carried = (d @ self.M.T)[:, self.split : -1]
        return {"W": gM[: self.split], "U": gM[self.split : -1], "b": gM[-1], "R": gR, "c": gc}


NAMES = {"da": "dr_h"}
CYCLE = ("dh", "da")
RIGHT = (loss_and_gradients, (forward, backward), with_products_last, Recurrent)

FAULTS = {
    0: """
    factor/sum for mean | do   | (p - onehot) / (N * T) => (p - onehot) / N
    factor/sum for mean | do   | (p - onehot) / (N * T) => p - onehot
    sign             | do      | (p - onehot) / (N * T) => (onehot - p) / (N * T)
    missing sum      | R       | dR += => dR =
    step in time     | R       | dR += h[:, t].T => dR += h[:, t - 1].T
    missing term     | dh      | + da_next @ U.T =>
    missing slope    | dh      | da_next = da[:, t] => da_next = dh[:, t]
    transpose        | dh      | da_next @ U.T => da_next @ U
    missing term/step in time | dh | reversed(range(T)) => range(T)
    missing slope    | da      | dh[:, t] * (1 - h[:, t] ** 2) => dh[:, t]
    step in time     | da      | (1 - h[:, t] ** 2) => (1 - h[:, t - 1] ** 2)
    wrong slope      | da      | (1 - h[:, t] ** 2) => (1 - h[:, t]) * h[:, t]
    wrong slope      | da      | (1 - h[:, t] ** 2) => (1 - h[:, t])
    missing sum      | W       | dW += => dW =
    step in time     | W       | dW += x[:, t].T => dW += x[:, t - 1].T
    step in time     | U       | dU += h[:, t - 1].T => dU += h[:, t].T
    transpose        | U       | h[:, t - 1].T @ da[:, t] => da[:, t].T @ h[:, t - 1]
    missing slope/stale value | b | db += da[:, t].sum(axis=0) => db += dh[:, t].sum(axis=0)
    mean for sum     | b       | da[:, t].sum(axis=0) => da[:, t].mean(axis=0)
    sum too many     | b       | da[:, t].sum(axis=0) => da[:, t].sum()
    term too many    | dh      | + da_next @ U.T => + da_next @ U.T + da_next
    """,
    1: """
    transpose        | W/U/b   | dhnext = np.dot(U, dhraw) => dhnext = np.dot(dhraw, U)
    missing term     | W/U/b   | np.dot(R, dy) + dhnext => np.dot(R, dy)
    step in time     | U       | np.outer(hs[t - 1], dhraw) => np.outer(hs[t], dhraw)
    """,
    2: """
    step in time     | W/U/b   | slope[t] * (delta => slope[t + 1] * (delta
    """,
}
