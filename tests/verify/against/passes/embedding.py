"""Words and their places embedded, a layer of tanh, the mean over a sentence, softmax and cross-entropy."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, T, V, D, H, K = bp.dims("N T V D H K")
    x, y = bp.tokens("x", (N, T), vocabulary=V), bp.labels("y", (N,), classes=K)
    E, P = bp.param("E", (V, D)), bp.param("P", (T, D))
    W, b = bp.param("W", (D, H)), bp.param("b", (H,))
    R, c = bp.param("R", (H, K)), bp.param("c", (K,))
    e = bp.embedding(x, E) + P
    h = bp.tanh(e @ W + b)
    m = h.mean(axis=1)
    a = m @ R + c
    return bp.Network("embedding", loss=bp.cross_entropy(a, y, from_logits=True), outputs={"a": a})


def loss_and_gradients(params, x, y):
    E, P, W, b, R, c = (params[name] for name in "EPWbRc")
    N, T = x.shape
    e = E[x] + P
    h = np.tanh(e @ W + b)
    m = h.mean(axis=1)
    a = m @ R + c
    p = np.exp(a - a.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()

    da = p.copy()
    da[np.arange(N), y] -= 1
    da = da / N
    dR = m.T @ da
    dc = da.sum(axis=0)
    dm = da @ R.T
    dh = np.repeat(dm[:, None] / T, T, axis=1)
    dz = dh * (1 - h**2)
    dW = np.einsum("ntd,nth->dh", e, dz)
    db = dz.sum(axis=(0, 1))
    de = dz @ W.T
    dP = de.sum(axis=0)
    dE = np.zeros_like(E)
    np.add.at(dE, x, de)
    gradients = {"da": da, "R": dR, "c": dc, "dm": dm, "dh": dh, "W": dW, "b": db, "de": de}
    return loss, gradients | {"P": dP, "E": dE}


def forward(params, x, y):
    """One-hot rows in place of a table; products over flattened axes."""
    rows, count = np.eye(len(params["E"]))[x.ravel()], len(y)
    e = (rows @ params["E"]).reshape(count, -1, params["E"].shape[1]) + params["P"]
    e = e.reshape(len(rows), -1)
    h = np.tanh(e @ params["W"] + params["b"])
    m = h.reshape(count, -1, h.shape[1]).sum(1) / x.shape[1]
    logits = m @ params["R"] + params["c"]
    lse = np.logaddexp.reduce(logits, axis=1)
    loss = (lse - logits[range(count), y]).sum() / count
    return loss, {
        "params": params,
        "rows": rows,
        "e": e,
        "h": h,
        "m": m,
        "logits": logits - lse[:, None],
        "y": y,
    }


def backward(cache):
    params, h, y = cache["params"], cache["h"], cache["y"]
    count, length = len(y), len(h) // len(y)
    d = np.exp(cache["logits"]) - np.eye(len(params["c"]))[y]
    d /= count
    grads = {"dR": cache["m"].T @ d, "dc": d.sum(0)}
    d = np.kron(d @ params["R"].T, np.ones((length, 1))) / length
    d = d - d * h * h
    grads |= {"dW": cache["e"].T @ d, "db": d.sum(0)}
    d = d @ params["W"].T
    grads |= {"dE": cache["rows"].T @ d, "dP": d.reshape(count, length, -1).sum(0)}
    return grads


def word_by_word(x, y, E, P, W, b, R, c):
    grads = [np.zeros_like(w) for w in (E, P, W, b, R, c)]
    gE, gP, gW, gb, gR, gc = grads
    loss = 0.0
    for sentence, label in zip(x, y, strict=True):
        states = [np.tanh((E[word] + P[t]) @ W + b) for t, word in enumerate(sentence)]
        mean = sum(states) / len(states)
        scores = mean @ R + c
        scores = scores - scores.max()
        loss -= (scores[label] - np.log(np.exp(scores).sum())) / len(x)
        d = np.exp(scores) / np.exp(scores).sum() / len(x)
        d[label] -= 1 / len(x)
        gR += mean[:, None] * d
        gc += d
        for t, (word, h) in enumerate(zip(sentence, states, strict=True)):
            dz = (R * d).sum(1) / len(states) * (1 - h) * (1 + h)
            gW += np.outer(E[word] + P[t], dz)
            gb += dz
            gE[word] += W @ dz
            gP[t] += W @ dz
    return loss, tuple(grads)


class Sentences:
    """The table's rows counted with np.bincount, column by column."""

    def __init__(self, params):
        self.p = params

    def forward(self, x, y):
        p = self.p
        self.x, self.y = x, y
        self.h = np.tanh(np.take(p["E"] @ p["W"], x, axis=0) + p["P"] @ p["W"] + p["b"])
        self.m = np.einsum("nth->nh", self.h) / x.shape[1]
        a = self.m @ p["R"] + p["c"]
        self.q = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
        return -sum(np.log(row[k]) for row, k in zip(self.q, y, strict=True)) / len(y)

    def backward(self):
        p, (N, T) = self.p, self.x.shape
        d = (self.q - (self.y[:, None] == np.arange(len(p["c"])))) / N
        dz = (d @ p["R"].T / T)[:, None, :] * (1 - self.h**2)
        columns = [
            np.bincount(self.x.ravel(), weights=w, minlength=len(p["E"])) for w in dz.reshape(N * T, -1).T
        ]
        by_word, by_place = np.stack(columns, axis=1), dz.sum(0)
        g = {"E": by_word @ p["W"].T, "P": by_place @ p["W"].T, "b": by_place.sum(0)}
        g["W"] = p["E"].T @ by_word + p["P"].T @ by_place
        return g | {"R": self.m.T @ d, "c": d.sum(0)}


RIGHT = (loss_and_gradients, (forward, backward), word_by_word, Sentences)

FAULTS = {
    0: """
    factor/sum for mean | da   | da = da / N => pass
    sign             | da      | -= 1 => += 1
    missing term     | da      | da[np.arange(N), y] -= 1 => pass
    elementwise      | da      | da = p.copy() => da = np.eye(len(c))[y] * p
    mean for sum     | c       | da.sum(axis=0) => da.mean(axis=0)
    factor/sum for mean | dh   | dm[:, None] / T, T => dm[:, None], T
    factor           | dh      | dm[:, None] / T, T => dm[:, None] / N, T
    missing slope    | W/b/de  | dh * (1 - h**2) => dh
    wrong slope      | W/b/de  | (1 - h**2) => (1 - (e @ W + b) ** 2)
    wrong slope      | W/b/de  | (1 - h**2) => h * (1 - h)
    stale value      | W       | np.einsum("ntd,nth->dh", e, dz) => np.einsum("ntd,nth->dh", E[x], dz)
    missing slope/stale value | W | np.einsum("ntd,nth->dh", e, dz) => np.einsum("ntd,nth->dh", e, dh)
    mean for sum     | b       | dz.sum(axis=(0, 1)) => dz.sum(axis=1).mean(axis=0)
    mean for sum     | b       | dz.sum(axis=(0, 1)) => dz.mean(axis=(0, 1))
    missing sum      | b       | dz.sum(axis=(0, 1)) => dz.sum(axis=1)
    missing sum      | b       | dz.sum(axis=(0, 1)) => dz[:, -1].sum(axis=0)
    mean for sum     | P       | de.sum(axis=0) => de.mean(axis=0)
    sum too many     | P       | de.sum(axis=0) => np.zeros_like(P) + de.sum(axis=(0, 1))
    missing sum      | E       | np.add.at(dE, x, de) => dE[x] += de
    missing sum      | E       | np.add.at(dE, x, de) => dE[x] = de
    step in time     | E       | np.add.at(dE, x, de) => np.add.at(dE, x[:, 1:], de[:, :-1])
    sum too many     | E       | np.add.at(dE, x, de) => np.add.at(dE, x, dP)
    wrong slope      | W/b/de  | (1 - h**2) => (1 - h)
    """,
    2: """
    missing sum      | E       | gE[word] += => gE[word] =
    step in time     | P       | gP[t] += => gP[t - 1] +=
    """,
}
