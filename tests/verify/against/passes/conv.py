"""Two convolutions with a relu between them, the mean of each channel, and half the squared error."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import symbp as bp


def net() -> bp.Network:
    N, C, S, F, G = bp.dims("N C S F G")
    x, t = bp.input("x", (N, C, S, S)), bp.target("t", (N, G))
    K1, c1 = bp.param("K1", (F, C, 3, 3)), bp.param("c1", (F,))
    K2, c2 = bp.param("K2", (G, F, 3, 3)), bp.param("c2", (G,))
    z1 = bp.conv2d(x, K1, c1, padding=1)
    h = bp.relu(z1)
    z2 = bp.conv2d(h, K2, c2, padding=1)
    o = z2.mean(axis=(2, 3))
    return bp.Network("conv", loss=bp.sum((o - t) ** 2) / (2 * N), outputs={"o": o})


def padded(a):
    return np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1)))


def loss_and_gradients(params, x, t):
    K1, c1, K2, c2 = params["K1"], params["c1"], params["K2"], params["c2"]
    N, _C, S, _ = x.shape
    F, G = len(K1), len(K2)

    x_pad = padded(x)
    z1 = np.zeros((N, F, S, S)) + c1[None, :, None, None]
    for i in range(3):
        for j in range(3):
            z1 += np.einsum("ncrs,fc->nfrs", x_pad[:, :, i : i + S, j : j + S], K1[:, :, i, j])
    h = np.maximum(z1, 0)
    h_pad = padded(h)
    z2 = np.zeros((N, G, S, S)) + c2[None, :, None, None]
    for i in range(3):
        for j in range(3):
            z2 += np.einsum("nfrs,gf->ngrs", h_pad[:, :, i : i + S, j : j + S], K2[:, :, i, j])
    o = z2.mean(axis=(2, 3))
    loss = ((o - t) ** 2).sum() / (2 * N)

    do = (o - t) / N
    dz2 = np.zeros_like(z2) + do[:, :, None, None] / (S * S)
    dc2 = dz2.sum(axis=(0, 2, 3))
    dK2 = np.zeros_like(K2)
    dh_pad = np.zeros_like(h_pad)
    for i in range(3):
        for j in range(3):
            dK2[:, :, i, j] += np.einsum("nfrs,ngrs->gf", h_pad[:, :, i : i + S, j : j + S], dz2)
            dh_pad[:, :, i : i + S, j : j + S] += np.einsum("gf,ngrs->nfrs", K2[:, :, i, j], dz2)
    dh = dh_pad[:, :, 1:-1, 1:-1]
    dz1 = dh * (z1 > 0)
    dc1 = np.sum(dz1, axis=(0, 2, 3))
    dK1 = np.zeros_like(K1)
    for i in range(3):
        for j in range(3):
            patch = x_pad[:, :, i : i + S, j : j + S]
            dK1[:, :, i, j] = np.tensordot(dz1, patch, axes=((0, 2, 3), (0, 2, 3)))
    gradients = {"do": do, "dz2": dz2, "c2": dc2, "K2": dK2, "dh": dh, "dz1": dz1, "c1": dc1, "K1": dK1}
    return loss, gradients


def columns(a):
    """im2col: each position's patch as a row."""
    N, C, S, _ = a.shape
    patches = sliding_window_view(padded(a), (3, 3), axis=(2, 3))  # (N, C, S, S, 3, 3)
    return patches.transpose(0, 2, 3, 1, 4, 5).reshape(N * S * S, C * 9)


def forward(params, x, t):
    N, S = len(x), x.shape[2]
    cols1 = columns(x)
    z1 = cols1 @ params["K1"].reshape(len(params["K1"]), -1).T + params["c1"]
    h = np.where(z1 > 0, z1, 0).reshape(N, S, S, -1).transpose(0, 3, 1, 2)
    cols2 = columns(h)
    z2 = cols2 @ params["K2"].reshape(len(params["K2"]), -1).T + params["c2"]
    o = z2.reshape(N, S * S, -1).mean(axis=1)
    return 0.5 * ((o - t) ** 2).sum() / N, (params, cols1, z1, cols2, o - t, S)


def backward(cache):
    """By matrices, and the gradient by the image as a convolution with the turned kernel."""
    params, cols1, z1, cols2, error, S = cache
    K1, K2 = params["K1"], params["K2"]
    N, G = error.shape
    dz2 = np.repeat(error / (N * S * S), S * S, axis=0)
    dK2 = (dz2.T @ cols2).reshape(K2.shape)
    dc2 = dz2.sum(axis=0)
    image = dz2.reshape(N, S, S, G).transpose(0, 3, 1, 2)
    turned = K2[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dh = columns(image) @ turned.reshape(K2.shape[1], -1).T
    dz1 = dh * (z1 > 0)
    dK1 = (dz1.T @ cols1).reshape(K1.shape)
    dc1 = dz1.sum(axis=0)
    return {"K2": dK2, "c2": dc2, "K1": dK1, "c1": dc1}


def by_windows(x, t, K1, c1, K2, c2):
    """Sliding windows and einsum throughout."""
    N, S = len(x), x.shape[-1]
    xs = sliding_window_view(padded(x), (3, 3), axis=(2, 3))
    z1 = np.einsum("ncrsij,fcij->nfrs", xs, K1) + c1.reshape(-1, 1, 1)
    hs = sliding_window_view(padded(z1 * (z1 > 0)), (3, 3), axis=(2, 3))
    z2 = np.einsum("nfrsij,gfij->ngrs", hs, K2) + c2.reshape(-1, 1, 1)
    e = z2.mean((2, 3)) - t
    share = e / (N * S**2)
    d2 = np.broadcast_to(share[:, :, None, None], z2.shape)
    back = sliding_window_view(padded(d2), (3, 3), axis=(2, 3))
    d1 = np.einsum("ngrsij,gfij->nfrs", back, np.flip(K2, (2, 3)))
    d1 = np.where(z1 > 0, d1, 0.0)
    gK1 = np.einsum("ncrsij,nfrs->fcij", xs, d1)
    gK2 = np.einsum("nfrsij,ng->gfij", hs, share)
    return np.sum(e * e) / 2 / N, (gK1, d1.sum((0, 2, 3)), gK2, e.sum(0) / N)


class Net:
    """Loops over everything but the channels."""

    def __init__(self, params):
        self.__dict__.update(params)

    def forward(self, x, t):
        self.x, n, side = x, len(x), x.shape[2]
        self.z = self.convolve(x, self.K1, self.c1)
        self.h = np.maximum(self.z, 0)
        self.error = self.convolve(self.h, self.K2, self.c2).sum((2, 3)) / side**2 - t
        return np.sum(self.error**2) / (2 * n)

    def places(self, side):
        for r in range(side):
            for i in range(max(0, 1 - r), min(3, side + 1 - r)):
                yield r, i, r + i - 1

    def convolve(self, a, K, c):
        z = np.tile(c[:, None, None], (len(a), 1, a.shape[2], a.shape[2]))
        for r, i, above in self.places(a.shape[2]):
            for s, j, beside in self.places(a.shape[2]):
                z[:, :, r, s] += a[:, :, above, beside] @ K[:, :, i, j].T
        return z

    def backward(self):
        n, side = len(self.x), self.x.shape[2]
        d = self.error / n / side**2
        gK1, gK2, dh = np.zeros_like(self.K1), np.zeros_like(self.K2), np.zeros_like(self.h)
        for _, i, above in self.places(side):
            for _, j, beside in self.places(side):
                gK2[:, :, i, j] += d.T @ self.h[:, :, above, beside]
                dh[:, :, above, beside] += d @ self.K2[:, :, i, j]
        dh[self.z <= 0] = 0
        for r, i, above in self.places(side):
            for s, j, beside in self.places(side):
                gK1[:, :, i, j] += dh[:, :, r, s].T @ self.x[:, :, above, beside]
        return {"dK1": gK1, "dc1": dh.sum(3).sum(2).sum(0), "dK2": gK2, "dc2": d.sum(0) * side**2}


RIGHT = (loss_and_gradients, (forward, backward), by_windows, Net)

FAULTS = {
    0: """
    factor/sum for mean | do   | (o - t) / N => o - t
    sign             | do      | (o - t) / N => (t - o) / N
    factor/sum for mean | dz2  | / (S * S) =>
    factor           | dz2     | / (S * S) => / S
    mean for sum     | c2      | dz2.sum(axis=(0, 2, 3)) => dz2.mean(axis=(0, 2, 3))
    stale value      | K2      | h_pad[:, :, i : i + S, j : j + S], dz2)
        => padded(z1)[:, :, i : i + S, j : j + S], dz2)
    transpose        | dh      | K2[:, :, i, j], dz2 => K2[:, :, j, i], dz2
    transpose        | dh      | K2[:, :, i, j], dz2 => K2[:, :, 2 - i, 2 - j], dz2
    missing sum      | dh      | dh_pad[:, :, i : i + S, j : j + S] += => dh_pad[:, :, i : i + S, j : j + S] =
    missing slope    | dz1     | dh * (z1 > 0) => dh
    wrong slope      | dz1     | dh * (z1 > 0) => dh * z1
    wrong slope      | dz1     | dh * (z1 > 0) => dh * (z1 < 0)
    wrong slope      | dz1     | dh * (z1 > 0) => dh * (dh > 0)
    mean for sum     | c1      | np.sum(dz1, axis=(0, 2, 3)) => np.mean(dz1, axis=(0, 2, 3))
    mean for sum     | c1      | np.sum(dz1, axis=(0, 2, 3)) => np.sum(dz1, axis=(2, 3)).mean(0)
    missing sum      | c1      | np.sum(dz1, axis=(0, 2, 3)) => np.sum(dz1, axis=(2, 3))
    missing slope/stale value | K1 | np.tensordot(dz1, patch => np.tensordot(dh, patch
    transpose        | K1      | dK1[:, :, i, j] = => dK1[:, :, j, i] =
    sum too many     | c1      | np.sum(dz1, axis=(0, 2, 3)) => np.full_like(c1, np.sum(dz1))
    missing term     | do      | (o - t) / N => o / N
    """,
    1: """
    transpose        | K1/c1   | turned = K2[:, :, ::-1, ::-1] => turned = K2
    factor/sum for mean | K2/c2 | error / (N * S * S) => error / (S * S)
    missing slope    | K1/c1   | dh * (z1 > 0) => dh
    transpose        | K2      | (dz2.T @ cols2).reshape(K2.shape)
        => (dz2.T @ cols2).reshape(K2.shape).transpose(0, 1, 3, 2)
    """,
    3: """
    missing sum      | dK2     | gK2[:, :, i, j] += d.T => gK2[:, :, i, j] = d.T
    """,
}
