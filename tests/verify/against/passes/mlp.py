"""Two layers of tanh, softmax, cross-entropy, and a penalty on the last weights."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, H)), bp.param("b2", (H,))
    W3, b3 = bp.param("W3", (H, K)), bp.param("b3", (K,))
    h1 = bp.tanh(x @ W1 + b1)
    h2 = bp.tanh(h1 @ W2 + b2)
    p = bp.softmax(h2 @ W3 + b3)
    loss = bp.cross_entropy(p, y) + 0.05 * bp.sum(W3**2)
    return bp.Network("mlp", loss=loss, outputs={"p": p})


def loss_and_gradients(params, x, y):
    W1, b1, W2, b2, W3, b3 = (params[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    N = len(x)
    h1 = np.tanh(x @ W1 + b1)
    h2 = np.tanh(h1 @ W2 + b2)
    a3 = h2 @ W3 + b3
    e = np.exp(a3 - a3.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean() + 0.05 * (W3**2).sum()

    onehot = np.zeros_like(p)
    onehot[np.arange(N), y] = 1
    da3 = (p - onehot) / N
    dW3 = h2.T @ da3 + 0.1 * W3
    db3 = da3.sum(axis=0)
    dh2 = da3 @ W3.T
    da2 = dh2 * (1 - h2**2)
    dW2 = h1.T @ da2
    db2 = da2.sum(0)
    dh1 = da2 @ W2.T
    da1 = dh1 * (1 - h1 * h1)
    dW1 = x.T @ da1
    db1 = np.sum(da1, axis=0)
    gradients = {"da3": da3, "W3": dW3, "b3": db3, "dh2": dh2, "da2": da2, "W2": dW2, "b2": db2}
    return loss, gradients | {"dh1": dh1, "da1": da1, "W1": dW1, "b1": db1}


def forward(params, x, y):
    cache = {"params": params, "x": x, "y": y}
    h = x
    for layer in (1, 2):
        h = np.tanh(h @ params[f"W{layer}"] + params[f"b{layer}"])
        cache[f"h{layer}"] = h
    logits = h @ params["W3"] + params["b3"]
    logits = logits - logits.max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    cache["logp"] = logp
    loss = -logp[range(len(y)), y].sum() / len(y) + 0.05 * np.sum(params["W3"] ** 2)
    return loss, cache


def backward(cache):
    params, y, gradients = cache["params"], cache["y"], {}
    delta = np.exp(cache["logp"])
    delta[range(len(y)), y] -= 1
    delta /= len(y)
    gradients["dW3"] = cache["h2"].T.dot(delta) + 2 * 0.05 * params["W3"]
    gradients["db3"] = delta.sum(axis=0)
    for layer in (2, 1):
        h, below = cache[f"h{layer}"], cache["h1"] if layer == 2 else cache["x"]
        delta = delta.dot(params[f"W{layer + 1}"].T) * (1 - np.square(h))
        gradients[f"dW{layer}"] = below.T.dot(delta)
        gradients[f"db{layer}"] = delta.sum(axis=0)
    return gradients


def by_examples(x, y, W1, b1, W2, b2, W3, b3):
    """An example at a time, the loss by log p, the softmax by its Jacobian."""
    gW1, gb1, gW2, gb2, gb3 = (np.zeros_like(w) for w in (W1, b1, W2, b2, b3))
    gW3 = 0.1 * W3
    loss = 0.05 * np.sum(W3 * W3)
    for row, label in zip(x, y, strict=True):
        h1 = np.tanh(row @ W1 + b1)
        h2 = np.tanh(h1 @ W2 + b2)
        p = np.exp(h2 @ W3 + b3)
        p = p / p.sum()
        loss -= np.log(p[label]) / len(y)
        d_p = np.zeros_like(p)
        d_p[label] = -1 / (p[label] * len(y))
        d_a3 = (np.diag(p) - np.outer(p, p)) @ d_p
        d_a2 = (W3 @ d_a3) * (1 - h2) * (1 + h2)
        d_a1 = (W2 @ d_a2) / np.cosh(row @ W1 + b1) ** 2
        gW3 += np.outer(h2, d_a3)
        gb3 += d_a3
        gW2 += np.outer(h1, d_a2)
        gb2 += d_a2
        gW1 += np.outer(row, d_a1)
        gb1 += d_a1
    return loss, (gW1, gb1, gW2, gb2, gW3, gb3)


class Net:
    """Layers as objects would have it: what forward leaves on `self`, backward takes up."""

    def __init__(self, params):
        self.params = params

    def forward(self, x, y):
        w = self.params
        self.x, self.y = np.c_[x, np.ones(len(x))], np.eye(len(w["b3"]))[y]
        self.h1 = np.tanh(self.x @ np.vstack([w["W1"], w["b1"]]))
        self.h2 = np.tanh(np.einsum("ni,ij->nj", self.h1, w["W2"]) + w["b2"])
        a = self.h2 @ w["W3"] + w["b3"]
        shift = a.max(1)
        lse = shift + np.log(np.exp(a - shift[:, None]).sum(1))
        self.p = np.exp(a - lse[:, None])
        return np.mean(lse - (a * self.y).sum(1)) + np.linalg.norm(w["W3"]) ** 2 / 20

    def backward(self):
        w, g = self.params, {}
        d = np.multiply(self.p - self.y, 1 / len(self.x))
        g["W3"] = np.einsum("nj,nk->jk", self.h2, d) + w["W3"] / 10
        g["b3"] = np.einsum("nk->k", d)
        d = np.einsum("nk,jk->nj", d, w["W3"])
        d -= d * self.h2**2
        g["W2"], g["b2"] = np.einsum("ni,nj->ij", self.h1, d), d.sum(0)
        d = (1 - self.h1**2) * np.einsum("nj,ij->ni", d, w["W2"])
        both = self.x.T @ d
        g["W1"], g["b1"] = both[:-1], both[-1]
        return g


NAMES = {"da1": "dz1", "da2": "dz2"}
RIGHT = (loss_and_gradients, (forward, backward), by_examples, Net)

FAULTS = {
    0: """
    factor           | da3     | (p - onehot) / N => 2 * (p - onehot) / N
    factor/sum for mean | da3  | (p - onehot) / N => p - onehot
    sign             | da3     | (p - onehot) / N => (onehot - p) / N
    missing term     | da3     | (p - onehot) / N => p / N
    elementwise      | da3     | (p - onehot) / N => (p - 1) * onehot / N
    missing term     | W3      | da3 + 0.1 * W3 => da3
    factor           | W3      | 0.1 * W3 => 0.05 * W3
    term too many    | W2      | h1.T @ da2 => h1.T @ da2 + 0.1 * W2
    mean for sum     | b3      | da3.sum(axis=0) => da3.mean(axis=0)
    transpose        | dh1     | da2 @ W2.T => da2 @ W2
    transpose        | W2      | h1.T @ da2 => da2.T @ h1
    stale value      | W2      | h1.T @ da2 => h2.T @ da2
    missing slope    | da2     | dh2 * (1 - h2**2) => dh2
    wrong slope      | da2     | (1 - h2**2) => (1 - h2)
    wrong slope      | da1     | (1 - h1 * h1) => h1 * (1 - h1)
    slope of another layer | da1 | (1 - h1 * h1) => (1 - h2 * h2)
    missing sum      | b2      | da2.sum(0) => da2
    term too many    | b3      | da3.sum(axis=0) => da3.sum(axis=0) + 0.1 * b3
    """,
    1: """
    factor/sum for mean | dW3/db3 | delta /= len(y) => pass
    sign             | dW3/db3 | -= 1 => += 1
    slope of another layer | dW2/db2 | (1 - np.square(h)) => (1 - np.square(cache["h1"]))
    wrong slope      | dW2/db2 | (1 - np.square(h)) => (1 - h)
    """,
    2: """
    sum too many     | b1      | gb1 += d_a1 => gb1 += d_a1.sum()
    missing sum      | W2      | gW2 += np.outer => gW2 = np.outer
    elementwise      | W3/b3   | (np.diag(p) - np.outer(p, p)) @ d_p => p * (1 - p) * d_p
    """,
}
