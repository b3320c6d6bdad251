"""Layer normalisation behind a layer, a residual connection around it, softmax and cross-entropy."""

import numpy as np

import symbp as bp

EPS = 1e-5


def net() -> bp.Network:
    N, D, K = bp.dims("N D K")
    n, i = bp.indices("n i")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, g, b = bp.param("W", (D, D)), bp.param("g", (D,)), bp.param("b", (D,))
    V = bp.param("V", (D, K))
    a = x @ W
    z = bp.tanh(a) + a
    mu = bp.define("mu", [n], bp.Sum(z[n, i], i) / D)
    var = bp.define("var", [n], bp.Sum((z[n, i] - mu[n]) ** 2, i) / D)
    z_hat = bp.define("z_hat", [n, i], (z[n, i] - mu[n]) / bp.sqrt(var[n] + EPS))
    h = g * z_hat + b
    o = h @ V
    return bp.Network("layer_norm", loss=bp.cross_entropy(o, y, from_logits=True), outputs={"o": o})


def loss_and_gradients(params, x, y):
    W, g, b, V = params["W"], params["g"], params["b"], params["V"]
    N, _D = x.shape
    a = x @ W
    r = np.tanh(a)
    z = r + a
    mu = z.mean(axis=1, keepdims=True)
    var = ((z - mu) ** 2).mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt(var + EPS)
    z_hat = (z - mu) * rstd
    h = g * z_hat + b
    o = h @ V
    p = np.exp(o - o.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y]))

    target = np.eye(p.shape[1])[y]
    do = (p - target) / N
    dV = h.T @ do
    dh = do @ V.T
    dg = (dh * z_hat).sum(axis=0)
    db = dh.sum(axis=0)
    dz_hat = dh * g
    mean1 = dz_hat.mean(axis=1, keepdims=True)
    mean2 = (dz_hat * z_hat).mean(axis=1, keepdims=True)
    dz = rstd * (dz_hat - mean1 - z_hat * mean2)
    da = dz + dz * (1 - r**2)
    dW = x.T @ da
    gradients = {"do": do, "V": dV, "dh": dh, "g": dg, "b": db, "dz_hat": dz_hat}
    return loss, gradients | {"dz": dz, "da": da, "W": dW}


def forward(params, x, y):
    a = x @ params["W"]
    z = a + np.tanh(a)
    mean = z.mean(-1)
    rstd = (z.var(-1) + EPS) ** -0.5
    out = (z - mean[:, None]) * rstd[:, None] * params["g"] + params["b"]
    logits = out @ params["V"]
    lse = np.log(np.exp(logits).sum(1))
    cache = {"params": params, "x": x, "y": y, "a": a, "z": z, "mean": mean, "rstd": rstd, "out": out}
    cache |= {"logits": logits, "lse": lse}
    return np.mean(lse - logits[np.arange(len(y)), y]), cache


def backward(cache):
    """Loops, as a kernel in C would have it."""
    x, z, mean, rstd, y = cache["x"], cache["z"], cache["mean"], cache["rstd"], cache["y"]
    W, g, b, V = (cache["params"][name] for name in ("W", "g", "b", "V"))
    dW, dg, db, dV = np.zeros_like(W), np.zeros_like(g), np.zeros_like(b), np.zeros_like(V)
    rows, width = z.shape
    for n in range(rows):
        dlogits = np.exp(cache["logits"][n] - cache["lse"][n])
        dlogits[y[n]] -= 1.0
        dlogits = dlogits / rows
        dV += np.outer(cache["out"][n], dlogits)
        dout = V @ dlogits
        mean_d, mean_dn = 0.0, 0.0
        for i in range(width):
            norm = (z[n, i] - mean[n]) * rstd[n]
            mean_d += dout[i] * g[i] / width
            mean_dn += dout[i] * g[i] * norm / width
        for i in range(width):
            norm = (z[n, i] - mean[n]) * rstd[n]
            db[i] += dout[i]
            dg[i] += norm * dout[i]
            dz = (dout[i] * g[i] - mean_d - norm * mean_dn) * rstd[n]
            da = dz * (2 - np.tanh(cache["a"][n, i]) ** 2)
            dW[:, i] += x[n] * da
    return {"V": dV, "g": dg, "b": db, "W": dW}


def through_the_variance(x, y, W, g, b, V):
    """By dvar and dmu, log-softmax by its own Jacobian."""
    a = x @ W
    r = np.tanh(a)
    z = r + a
    D = z.shape[1]
    xmu = z - np.sum(z, 1, keepdims=True) / D
    std = np.sqrt(np.sum(xmu * xmu, 1, keepdims=True) / D + EPS)
    h = xmu / std * g + b
    o = h @ V
    logp = o - np.logaddexp.reduce(o, axis=1, keepdims=True)
    picked = np.arange(V.shape[1]) == y[:, None]
    dlogp = -1 / len(y) * picked
    do = dlogp - np.exp(logp) * dlogp.sum(1, keepdims=True)
    dh = np.einsum("nk,ik->ni", do, V)
    dn = g * dh
    dstd = -np.sum(dn * xmu, 1, keepdims=True) / std**2
    dxmu = dn / std + dstd * xmu / (D * std)
    dz = dxmu - dxmu.mean(1, keepdims=True)
    dW = x.T @ (dz * (1 + np.cosh(a) ** -2.0))
    return -logp[picked].mean(), (dW, (dh * xmu / std).sum(0), dh.sum(0), h.T @ do)


class Model:
    def __init__(self, params):
        self.W, self.g, self.b, self.V = params["W"], params["g"], params["b"], params["V"]

    def forward(self, x, y):
        self.x, self.y = x, y
        self.a = np.dot(x, self.W)
        z = self.a + np.tanh(self.a)
        P = np.eye(z.shape[1]) - 1 / z.shape[1]
        self.centred = z @ P
        self.scale = np.sqrt((self.centred**2).mean(1) + EPS)[:, None]
        self.u = self.centred / self.scale
        self.h = self.u * self.g + self.b
        o = self.h @ self.V
        self.p = np.exp(o) / np.exp(o).sum(1)[:, None]
        return -np.log(self.p[range(len(y)), y]).sum() / len(y)

    def backward(self):
        do = self.p.copy()
        do[range(len(self.y)), self.y] -= 1
        do /= len(self.y)
        dV, dh = self.h.T @ do, do @ self.V.T
        du = dh * self.g
        width = du.shape[1]
        along = np.sum(du * self.u, axis=1, keepdims=True)
        dz = (width * du - du.sum(axis=1, keepdims=True) - self.u * along) / (width * self.scale)
        dW = self.x.T @ (dz * (2 - np.tanh(self.a) ** 2))
        return {"W": dW, "g": (dh * self.u).sum(0), "b": np.ones(len(dh)) @ dh, "V": dV}


RIGHT = (loss_and_gradients, (forward, backward), through_the_variance, Model)

FAULTS = {
    0: """
    factor/sum for mean | do   | (p - target) / N => p - target
    sign             | do      | (p - target) / N => (p + target) / N
    elementwise      | do      | (p - target) / N => -target * (1 - p) / N
    stale value      | V       | h.T @ do => z_hat.T @ do
    stale value      | g       | (dh * z_hat).sum(axis=0) => (dh * z).sum(axis=0)
    factor/stale value | g     | (dh * z_hat).sum(axis=0) => (dh * z_hat * g).sum(axis=0)
    sum too many     | b       | dh.sum(axis=0) => dh.sum()
    missing sum      | b       | dh.sum(axis=0) => dh
    missing slope/factor | dz_hat | dh * g => dh
    stale value      | dz_hat  | dh * g => dh * b
    sum for mean     | dz      | dz_hat.mean(axis=1, keepdims=True) => dz_hat.sum(axis=1, keepdims=True)
    sum for mean     | dz      | (dz_hat * z_hat).mean( => (dz_hat * z_hat).sum(
    sum too many     | dz      | dz_hat.mean(axis=1, keepdims=True) => dz_hat.mean()
    missing term     | dz      | dz_hat - mean1 - z_hat * mean2 => dz_hat - mean1
    missing term     | dz      | dz_hat - mean1 - z_hat * mean2 => dz_hat - z_hat * mean2
    factor           | dz      | z_hat * mean2 => mean2
    sign             | dz      | - z_hat * mean2 => + z_hat * mean2
    missing term/wrong slope | da | dz + dz * (1 - r**2) => dz * (1 - r**2)
    missing term/missing slope | da | dz + dz * (1 - r**2) => dz
    wrong slope      | da      | (1 - r**2) => (1 - a**2)
    transpose        | W       | x.T @ da => da.T @ x
    term too many    | V       | h.T @ do => h.T @ do + 0.01 * V
    """,
    1: """
    missing sum      | b       | db[i] += => db[i] =
    missing term     | W       | - norm * mean_dn) => )
    sum for mean     | W       | mean_dn += dout[i] * g[i] * norm / width => mean_dn += dout[i] * g[i] * norm
    """,
}
