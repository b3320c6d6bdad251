"""A layer over channels, max-pooling, tanh, a layer over what is left, softmax and cross-entropy."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, C, P, F, K = bp.dims("N C P F K")
    x, y = bp.input("x", (N, C, 2 * P, 2 * P)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (F, C, 1, 1)), bp.param("b", (F,))
    V, c = bp.param("V", (F, K)), bp.param("c", (K,))
    z = bp.conv2d(x, W, b)
    m = bp.max_pool2d(z, 2)
    h = bp.tanh(m)
    u = h.mean(axis=(2, 3))
    a = u @ V + c
    p = bp.softmax(a)
    return bp.Network("max_pool", loss=bp.cross_entropy(p, y), outputs={"p": p})


def loss_and_gradients(params, x, y):
    W, b, V, c = params["W"][:, :, 0, 0], params["b"], params["V"], params["c"]
    N, P = len(x), x.shape[2] // 2
    z = np.einsum("ncrs,fc->nfrs", x, W) + b[:, None, None]
    windows = z.reshape(N, len(b), P, 2, P, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, len(b), P, P, 4)
    winner = windows.argmax(axis=-1)
    m = windows.max(axis=-1)
    h = np.tanh(m)
    u = h.mean(axis=(2, 3))
    a = u @ V + c
    e = np.exp(a - a.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()

    da = p.copy()
    da[np.arange(N), y] -= 1
    da /= N
    dV = u.T @ da
    dc = da.sum(axis=0)
    du = da @ V.T
    dh = np.repeat(np.repeat(du[:, :, None, None], P, axis=2), P, axis=3) / P**2
    dm = dh * (1 - h**2)
    dwindows = np.zeros_like(windows)
    np.put_along_axis(dwindows, winner[..., None], dm[..., None], axis=-1)
    dz = dwindows.reshape(N, len(b), P, P, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(z.shape)
    dW = np.einsum("ncrs,nfrs->fc", x, dz)[:, :, None, None]
    db = dz.sum(axis=(0, 2, 3))
    return loss, {"da": da, "V": dV, "c": dc, "du": du, "dh": dh, "dm": dm, "dz": dz, "W": dW, "b": db}


def forward(params, x, y):
    w = params["W"].reshape(params["W"].shape[:2])
    z = np.tensordot(x, w, axes=(1, 1)).transpose(0, 3, 1, 2) + params["b"].reshape(1, -1, 1, 1)
    m = np.maximum(
        np.maximum(z[:, :, ::2, ::2], z[:, :, ::2, 1::2]), np.maximum(z[:, :, 1::2, ::2], z[:, :, 1::2, 1::2])
    )
    h = np.tanh(m)
    a = h.mean((2, 3)) @ params["V"] + params["c"]
    logp = a - np.log(np.exp(a).sum(1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean(), (params, x, y, z, m, h, logp)


def backward(cache):
    """The mask of the pooling by comparing with the maximum."""
    params, x, y, z, m, h, logp = cache
    V = params["V"]
    N, _F, P, _ = m.shape
    dlogits = (np.exp(logp) - np.eye(len(params["c"]))[y]) / N
    dV = h.mean((2, 3)).T @ dlogits
    dc = dlogits.sum(0)
    dpool = (dlogits @ V.T)[:, :, None, None] * (1 - h**2) / (P * P)
    mask = z == m.repeat(2, axis=2).repeat(2, axis=3)
    dz = mask * dpool.repeat(2, axis=2).repeat(2, axis=3)
    dW = np.tensordot(dz, x, axes=((0, 2, 3), (0, 2, 3))).reshape(params["W"].shape)
    db = dz.sum((0, 2, 3))
    return {"dV": dV, "dc": dc, "dpool": dpool, "dW": dW, "db": db}


def by_loops(x, y, W, b, V, c):
    """Window after window."""
    gW, gb, gV, gc = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V), np.zeros_like(c)
    loss, P = 0.0, x.shape[2] // 2
    for image, label in zip(x, y, strict=True):
        best, u = {}, np.zeros(len(b))
        for f in range(len(b)):
            z = (W[f] * image).sum(0) + b[f]
            for r in range(P):
                for s in range(P):
                    window = z[2 * r : 2 * r + 2, 2 * s : 2 * s + 2]
                    i, j = np.unravel_index(window.argmax(), (2, 2))
                    best[f, r, s] = 2 * r + i, 2 * s + j, np.tanh(window[i, j])
                    u[f] += best[f, r, s][2] / P**2
        scores = u @ V + c
        p = np.exp(scores) / np.exp(scores).sum()
        loss -= np.log(p[label]) / len(y)
        p[label] -= 1
        d = p / len(y)
        gV += np.outer(u, d)
        gc += d
        du = V @ d / P**2
        for (f, _, _), (row, column, h) in best.items():
            dz = du[f] * (1 - h * h)
            gW[f, :, 0, 0] += dz * image[:, row, column]
            gb[f] += dz
    return loss, (gW, gb, gV, gc)


class Pooled:
    """Only the winners are kept: gathered forward, nothing to scatter."""

    def __init__(self, params):
        self.params = params

    def forward(self, x, y):
        W, b, V, c = self.params.values()
        N, C, side, _ = x.shape
        P = side // 2
        x = x.reshape(N, C, P, 2, P, 2).swapaxes(3, 4).reshape(N, C, P * P, 4)
        z = np.einsum("fc,ncqw->nfqw", W[..., 0, 0], x)
        at = z.argmax(3)
        n, _f, q = np.ogrid[:N, : len(b), : P * P]
        self.x = np.moveaxis(x, 1, -1)[n, q, at]  # (N, F, P², C)
        self.h = np.tanh(np.einsum("nfqc,fc->nfq", self.x, W[..., 0, 0]) + b[:, None])
        self.u = self.h.mean(2)
        a = self.u @ V + c
        self.p = np.exp(a - np.logaddexp.reduce(a, 1)[:, None])
        self.y = y
        return -np.log(np.take_along_axis(self.p, y[:, None], 1)).mean()

    def backward(self):
        V, N, Q = self.params["V"], len(self.y), self.h.shape[2]
        d = self.p / N
        np.subtract.at(d, (np.arange(N), self.y), 1 / N)
        dm = (d @ V.T)[..., None] / Q * (1 - self.h**2)
        dW = np.einsum("nfq,nfqc->fc", dm, self.x)
        return {"W": dW[..., None, None], "b": dm.sum((0, 2)), "V": self.u.T @ d, "c": d.sum(0)}


RIGHT = (loss_and_gradients, (forward, backward), by_loops, Pooled)
NAMES = {"dpool": "dm"}

FAULTS = {
    0: """
    factor/sum for mean | da   | da /= N => pass
    sign             | da      | -= 1 => += 1
    missing term     | da      | da[np.arange(N), y] -= 1 => pass
    stale value      | V       | u.T @ da => h[:, :, 0, 0].T @ da
    mean for sum     | c       | da.sum(axis=0) => da.mean(axis=0)
    missing sum      | c       | da.sum(axis=0) => da
    factor/sum for mean | dh   | / P**2 =>
    factor           | dh      | / P**2 => / P
    factor           | dh      | / P**2 => / (2 * P) ** 2
    missing slope    | dm      | dh * (1 - h**2) => dh
    wrong slope      | dm      | (1 - h**2) => (1 - m**2)
    wrong slope      | dm      | (1 - h**2) => (1 - h)
    missing slope/stale value | dz | winner[..., None], dm[..., None] => winner[..., None], dh[..., None]
    elementwise/missing slope | dz | np.put_along_axis(dwindows, winner[..., None], dm[..., None], axis=-1)
        => dwindows += dm[..., None]
    elementwise/missing slope | dz | np.put_along_axis(dwindows, winner[..., None], dm[..., None], axis=-1)
        => dwindows += dm[..., None] / 4
    wrong slope/stale value | dz | winner[..., None], dm => windows.argmin(axis=-1)[..., None], dm
    transpose        | dz      | P, P, 2, 2).transpose(0, 1, 2, 4, 3, 5)
        => P, P, 2, 2).transpose(0, 1, 2, 5, 3, 4)
    transpose        | dz      | P, P, 2, 2).transpose(0, 1, 2, 4, 3, 5) => P, P, 2, 2)
    mean for sum     | b       | dz.sum(axis=(0, 2, 3)) => dz.mean(axis=(0, 2, 3))
    mean for sum     | b       | dz.sum(axis=(0, 2, 3)) => dz.mean(axis=(2, 3)).sum(0)
    term too many    | V       | u.T @ da => u.T @ da + 1e-2 * V
    """,
    1: """
    missing slope    | dW/db   | dz = mask * dpool => dz = dpool
    wrong slope      | dpool   | * (1 - h**2) / (P => * (1 - h) / (P
    factor           | dpool   | / (P * P) => / (4 * P * P)
    """,
    2: """
    missing sum      | W       | gW[f, :, 0, 0] += dz => gW[f, :, 0, 0] = dz
    """,
}
