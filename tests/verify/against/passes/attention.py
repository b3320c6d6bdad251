"""Attention of one head over each sequence, with a residual connection, and mean squared error."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, T, D = bp.dims("N T D")
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, T, D))
    Wq, Wk, Wv, Wo = (bp.param(name, (D, D)) for name in ("Wq", "Wk", "Wv", "Wo"))
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    n, s, t, d = bp.indices("n s t d")
    scores = bp.define("scores", [n, t, s], bp.Sum(q[n, t, d] * k[n, s, d], d) / bp.sqrt(D))
    p = bp.softmax(scores)
    o = p @ v
    u = o @ Wo + x
    return bp.Network("attention", loss=bp.mse(u, y), outputs={"u": u})


def softmax(a):
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def loss_and_gradients(params, x, y):
    Wq, Wk, Wv, Wo = (params[name] for name in ("Wq", "Wk", "Wv", "Wo"))
    D = x.shape[-1]
    scale = 1 / np.sqrt(D)
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = q @ k.transpose(0, 2, 1) * scale
    p = softmax(scores)
    o = p @ v
    u = o @ Wo + x
    loss = ((u - y) ** 2).mean()

    du = 2 * (u - y) / u.size
    dWo = np.einsum("ntd,nte->de", o, du)
    do = du @ Wo.T
    dv = p.transpose(0, 2, 1) @ do
    dp = do @ v.transpose(0, 2, 1)
    dscores = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dq = dscores @ k * scale
    dk = dscores.transpose(0, 2, 1) @ q * scale
    dWq = np.tensordot(x, dq, axes=((0, 1), (0, 1)))
    dWk = np.tensordot(x, dk, axes=((0, 1), (0, 1)))
    dWv = np.tensordot(x, dv, axes=((0, 1), (0, 1)))
    gradients = {"du": du, "Wo": dWo, "do": do, "dv": dv, "dp": dp, "dscores": dscores, "dq": dq, "dk": dk}
    return loss, gradients | {"Wq": dWq, "Wk": dWk, "Wv": dWv}


def forward(params, x, y):
    """A sequence at a time."""
    cache, loss = [], 0.0
    for X, Y in zip(x, y, strict=True):
        Q, K, V = X @ params["Wq"], X @ params["Wk"], X @ params["Wv"]
        P = softmax(Q @ K.T / np.sqrt(X.shape[1]))
        residual = P @ V @ params["Wo"] + X - Y
        loss += np.sum(residual**2) / y.size
        cache.append((X, Q, K, V, P, residual))
    return loss, (params, cache)


def backward(cache):
    params, runs = cache
    dWq, dWk, dWv, dWo = (np.zeros_like(params[name]) for name in ("Wq", "Wk", "Wv", "Wo"))
    for X, Q, K, V, P, residual in runs:
        dU = residual * 2 / (residual.size * len(runs))
        dWo += (P @ V).T @ dU
        dO = dU @ params["Wo"].T
        dV = P.T @ dO
        dP = dO @ V.T
        dS = np.zeros_like(P)
        for t in range(len(P)):
            jacobian = np.diag(P[t]) - np.outer(P[t], P[t])
            dS[t] = jacobian @ dP[t]
        dS /= np.sqrt(X.shape[1])
        dQ, dK = dS @ K, dS.T @ Q
        dWq += X.T @ dQ
        dWk += X.T @ dK
        dWv += X.T @ dV
    return {"dWo": dWo, "dWq": dWq, "dWk": dWk, "dWv": dWv}


def by_outputs(x, y, Wq, Wk, Wv, Wo):
    """The inner sum of the derivative of softmax as the product of the output and its adjoint."""
    D = x.shape[2]
    a = np.einsum("nti,ij,kj,nsk->nts", x, Wq, Wk, x) * D**-0.5
    p = np.exp(a - np.logaddexp.reduce(a, 2, keepdims=True))
    mixed = np.einsum("nts,nsi->nti", p, x)  # of what is read, before its matrix
    o = mixed @ Wv
    r = x - y + o @ Wo
    g = r * (2.0 / r.size)
    back = np.einsum("nte,de->ntd", g, Wo)
    inner = (o * back).sum(2)
    d = p * (np.einsum("ntd,id,nsi->nts", back, Wv, x) - inner[:, :, None]) / D**0.5
    kx, qx = np.einsum("nts,nsi->nti", d, x), np.einsum("nts,nti->nsi", d, x)
    gq = np.einsum("nti,ntk,kj->ij", x, kx, Wk)
    gk = np.einsum("nsi,nsk,kj->ij", x, qx, Wq)
    gv = np.einsum("nti,ntd->id", mixed, back)
    return (r**2).mean(), (gq, gk, gv, np.einsum("ntd,nte->de", o, g))


class Head:
    """Queries, keys and values by one matrix."""

    def __init__(self, params):
        self.M = np.hstack([params["Wq"], params["Wk"], params["Wv"]])
        self.Wo = params["Wo"]

    def forward(self, x, y):
        self.x, self.width = x.reshape(-1, x.shape[2]), x.shape[2]
        self.shape = x.shape
        self.q, self.k, self.v = np.split((self.x @ self.M).reshape(*x.shape[:2], -1), 3, axis=2)
        self.q = self.q / np.sqrt(self.width)
        self.p = softmax(np.matmul(self.q, self.k.swapaxes(1, 2)))
        self.o = np.matmul(self.p, self.v)
        self.error = np.matmul(self.o, self.Wo) + x - y
        return np.mean(np.abs(self.error) ** 2)

    def backward(self):
        du = self.error * (2 / self.error.size)
        flat = du.reshape(-1, self.width)
        gWo = self.o.reshape(-1, self.width).T @ flat
        do = (flat @ self.Wo.T).reshape(self.shape)
        weighted = self.p * np.matmul(do, self.v.swapaxes(1, 2))
        ds = weighted - self.p * weighted.sum(2)[:, :, None]
        dq, dk = np.matmul(ds, self.k) / np.sqrt(self.width), np.matmul(ds.swapaxes(1, 2), self.q)
        dv = np.matmul(self.p.swapaxes(1, 2), do)
        gM = self.x.T @ np.concatenate([dq, dk, dv], axis=2).reshape(len(self.x), -1)
        return dict(zip(("Wq", "Wk", "Wv", "Wo"), (*np.hsplit(gM, 3), gWo), strict=True))


RIGHT = (loss_and_gradients, (forward, backward), by_outputs, Head)

FAULTS = {
    0: """
    factor           | du      | 2 * (u - y) / u.size => (u - y) / u.size
    factor/sum for mean | du   | 2 * (u - y) / u.size => 2 * (u - y) / len(x)
    sign             | du      | 2 * (u - y) / u.size => 2 * (y - u) / u.size
    missing sum      | Wo      | np.einsum("ntd,nte->de", o, du) => np.einsum("ntd,nte->nde", o, du)
    transpose        | do      | du @ Wo.T => du @ Wo
    transpose        | dv      | dv = p.transpose(0, 2, 1) @ do => dv = p @ do
    stale value      | dv      | dv = p.transpose(0, 2, 1) @ do => dv = scores.transpose(0, 2, 1) @ do
    stale value      | dp      | do @ v.transpose(0, 2, 1) => do @ k.transpose(0, 2, 1)
    elementwise      | dscores | p * (dp - (dp * p).sum(axis=-1, keepdims=True)) => p * (1 - p) * dp
    missing term/elementwise | dscores | p * (dp - (dp * p).sum(axis=-1, keepdims=True)) => p * dp
    missing slope    | dscores | p * (dp - (dp * p).sum(axis=-1, keepdims=True)) => dp
    mean for sum     | dscores | (dp * p).sum(axis=-1 => (dp * p).mean(axis=-1
    sign             | dscores | (dp - (dp => (dp + (dp
    sum too many     | dscores | (dp * p).sum(axis=-1, => (dp * p).sum(axis=(-1, -2),
    transpose        | dscores | (dp * p).sum(axis=-1 => (dp * p).sum(axis=-2
    missing term     | dscores | (dp * p).sum(axis=-1, keepdims=True) => dp.sum(axis=-1, keepdims=True)
    factor           | dq      | dscores @ k * scale => dscores @ k
    transpose        | dk      | dscores.transpose(0, 2, 1) @ q => dscores @ q
    stale value      | dq      | dscores @ k * scale => dscores @ q * scale
    stale value      | dk      | @ q * scale => @ k * scale
    term too many    | do      | du @ Wo.T => du @ Wo.T + du
    """,
    1: """
    elementwise      | dWq/dWk | jacobian = np.diag(P[t]) - np.outer(P[t], P[t])
        => jacobian = np.diag(P[t] * (1 - P[t]))
    factor           | dWq/dWk | dS /= np.sqrt(X.shape[1]) => pass
    missing sum      | dWv     | dWv += => dWv =
    transpose        | dWk     | dS.T @ Q => dS @ Q
    """,
}
