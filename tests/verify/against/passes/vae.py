"""A variational autoencoder of binary data: tanh on both sides, a normal code."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, D, H, C = bp.dims("N D H C")
    x, eps = bp.input("x", (N, D), "binary"), bp.input("eps", (N, C))
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    Wm, bm = bp.param("Wm", (H, C)), bp.param("bm", (C,))
    Wv, bv = bp.param("Wv", (H, C)), bp.param("bv", (C,))
    W2, b2 = bp.param("W2", (C, H)), bp.param("b2", (H,))
    W3, b3 = bp.param("W3", (H, D)), bp.param("b3", (D,))
    h = bp.tanh(x @ W1 + b1)
    mu = h @ Wm + bm
    log_var = h @ Wv + bv
    z = mu + eps * bp.exp(log_var / 2)
    g = bp.tanh(z @ W2 + b2)
    a = g @ W3 + b3
    shown = bp.sigmoid(a)
    bits = bp.binary_cross_entropy(shown, x, reduction="sum") / N
    kl = bp.sum(mu**2 + bp.exp(log_var) - 1 - log_var) / (2 * N)
    return bp.Network("vae", loss=bits + kl, outputs={"shown": shown})


def loss_and_gradients(params, x, eps):
    W1, b1, Wm, bm, Wv, bv = (params[name] for name in ("W1", "b1", "Wm", "bm", "Wv", "bv"))
    W2, b2, W3, b3 = (params[name] for name in ("W2", "b2", "W3", "b3"))
    N = len(x)
    h = np.tanh(x @ W1 + b1)
    mu, log_var = h @ Wm + bm, h @ Wv + bv
    std = np.exp(0.5 * log_var)
    z = mu + std * eps
    g = np.tanh(z @ W2 + b2)
    a = g @ W3 + b3
    shown = 1 / (1 + np.exp(-a))
    bits = -np.sum(x * np.log(shown) + (1 - x) * np.log(1 - shown)) / N
    kl = -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var)) / N

    da = (shown - x) / N
    dW3, db3 = g.T @ da, da.sum(axis=0)
    dg = da @ W3.T
    dg_pre = dg * (1 - g**2)
    dW2, db2 = z.T @ dg_pre, dg_pre.sum(axis=0)
    dz = dg_pre @ W2.T
    dmu = dz + mu / N
    dlog_var = dz * eps * 0.5 * std + 0.5 * (np.exp(log_var) - 1) / N
    dWm, dbm = h.T @ dmu, np.sum(dmu, axis=0)
    dWv, dbv = h.T @ dlog_var, np.sum(dlog_var, axis=0)
    dh = dmu @ Wm.T + dlog_var @ Wv.T
    dh_pre = dh * (1 - h**2)
    dW1, db1 = x.T @ dh_pre, np.sum(dh_pre, axis=0)
    gradients = {"da": da, "W3": dW3, "b3": db3, "dg": dg, "W2": dW2, "b2": db2, "dz": dz, "dmu": dmu}
    gradients |= {"dlog_var": dlog_var, "Wm": dWm, "bm": dbm, "Wv": dWv, "bv": dbv, "dh": dh}
    return bits + kl, gradients | {"W1": dW1, "b1": db1}


def forward(params, x, eps):
    p = params
    hidden = np.tanh(x.dot(p["W1"]) + p["b1"])
    mean, logvar = hidden.dot(p["Wm"]) + p["bm"], hidden.dot(p["Wv"]) + p["bv"]
    code = mean + eps * np.exp(logvar / 2)
    decoded = np.tanh(code.dot(p["W2"]) + p["b2"])
    logits = decoded.dot(p["W3"]) + p["b3"]
    bits = np.logaddexp(0, logits) - x * logits
    kl = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar)
    return (bits.sum() + kl.sum()) / len(x), (p, x, eps, hidden, mean, logvar, code, decoded, logits)


def backward(cache):
    """The two parts of the loss one after the other; everything is divided at the end."""
    p, x, _eps, hidden, mean, logvar, code, decoded, logits = cache
    grads = {}
    dlogits = 1 / (1 + np.exp(-logits)) - x
    grads["W3"], grads["b3"] = decoded.T.dot(dlogits), dlogits.sum(0)
    ddecoded = (1 - decoded**2) * dlogits.dot(p["W3"].T)
    grads["W2"], grads["b2"] = code.T.dot(ddecoded), ddecoded.sum(0)
    dmean = ddecoded.dot(p["W2"].T)
    dlogvar = dmean * (code - mean) / 2
    dmean = dmean + mean
    dlogvar = dlogvar - (1 - np.exp(logvar)) / 2
    for name, d in (("m", dmean), ("v", dlogvar)):
        grads["W" + name], grads["b" + name] = hidden.T.dot(d), d.sum(0)
    dhidden = dmean.dot(p["Wm"].T) + dlogvar.dot(p["Wv"].T)
    dhidden *= 1 - hidden**2
    grads["W1"], grads["b1"] = x.T.dot(dhidden), dhidden.sum(0)
    return {name: g / len(x) for name, g in grads.items()}


def by_examples(x, eps, W1, b1, Wm, bm, Wv, bv, W2, b2, W3, b3):
    """Column vectors, one example after the other; σ as its own variable."""
    weights = (W1, b1, Wm, bm, Wv, bv, W2, b2, W3, b3)
    names = ("W1", "b1", "Wm", "bm", "Wv", "bv", "W2", "b2", "W3", "b3")
    G = {name: np.zeros_like(w) for name, w in zip(names, weights, strict=True)}
    loss = 0.0
    for xi, ei in zip(x[:, :, None], eps[:, :, None], strict=True):
        h = np.tanh(W1.T @ xi + b1[:, None])
        mu, s = Wm.T @ h + bm[:, None], np.exp((Wv.T @ h + bv[:, None]) / 2)
        z = mu + s * ei
        g = np.tanh(W2.T @ z + b2[:, None])
        q = 1 / (1 + np.exp(-(W3.T @ g + b3[:, None])))
        loss += -np.log(np.where(xi == 1, q, 1 - q)).sum() + 0.5 * (mu**2 + s**2 - 1 - 2 * np.log(s)).sum()
        dq = np.where(xi == 1, -1 / q, 1 / (1 - q))
        da = dq * q * (1 - q)
        dg = W3 @ da * (1 - g**2)
        dmu, ds = W2 @ dg + mu, W2 @ dg * ei + s - 1 / s
        dlv = ds * s / 2
        dh = (Wm @ dmu + Wv @ dlv) * (1 - h**2)
        layers = (("1", xi, dh), ("m", h, dmu), ("v", h, dlv), ("2", z, dg), ("3", g, da))
        for layer, below, d in layers:
            G["W" + layer] += below @ d.T / len(x)
            G["b" + layer] += d[:, 0] / len(x)
    return loss / len(x), tuple(G.values())


class Autoencoder:
    """Dense layers as objects; mean and variance by one layer of twice the width."""

    class Dense:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x):
            self.x = x
            return np.einsum("ni,ij->nj", x, self.W) + self.b

        def backward(self, d):
            self.gW, self.gb = np.einsum("ni,nj->ij", self.x, d), np.einsum("nj->j", d)
            return np.einsum("nj,ij->ni", d, self.W)

    def __init__(self, p):
        heads = self.Dense(np.hstack([p["Wm"], p["Wv"]]), np.concatenate([p["bm"], p["bv"]]))
        self.layers = (
            self.Dense(p["W1"], p["b1"]),
            heads,
            self.Dense(p["W2"], p["b2"]),
            self.Dense(p["W3"], p["b3"]),
        )

    def forward(self, x, eps):
        encode, heads, decode, out = self.layers
        self.x, self.eps = x, eps
        self.h = np.tanh(encode.forward(x))
        self.mu, self.rho = np.split(heads.forward(self.h), 2, axis=1)
        self.g = np.tanh(decode.forward(self.mu + self.eps * np.exp(self.rho / 2)))
        self.a = out.forward(self.g)
        bits = np.log1p(np.exp(-np.abs(self.a))) + np.maximum(self.a, 0) - self.a * x
        kl = np.expm1(self.rho) - self.rho + self.mu**2
        return bits.sum(1).mean() + kl.sum(1).mean() / 2

    def backward(self):
        encode, heads, decode, out = self.layers
        n = len(self.x)
        d = out.backward((0.5 * np.tanh(self.a / 2) + 0.5 - self.x) / n)
        dz = decode.backward(d - d * self.g**2)
        drho = dz * self.eps * np.exp(self.rho / 2) / 2 + np.expm1(self.rho) / (2 * n)
        dh = heads.backward(np.hstack([dz + self.mu / n, drho]))
        encode.backward(dh - dh * self.h * self.h)
        (Wm, Wv), (bm, bv) = np.hsplit(heads.gW, 2), np.split(heads.gb, 2)
        ends = {"dW1": encode.gW, "db1": encode.gb, "dW2": decode.gW, "db2": decode.gb, "dW3": out.gW}
        return ends | {"db3": out.gb, "dWm": Wm, "dWv": Wv, "dbm": bm, "dbv": bv}


RIGHT = (loss_and_gradients, (forward, backward), by_examples, Autoencoder)

FAULTS = {
    0: """
    factor/sum for mean | da   | (shown - x) / N => shown - x
    sign             | da      | (shown - x) / N => (x - shown) / N
    wrong slope/missing slope | da | (shown - x) / N => (shown - x) * shown * (1 - shown) / N
    mean for sum     | b3      | da.sum(axis=0) => da.mean(axis=0)
    missing slope    | W2/b2/dz | dg * (1 - g**2) => dg
    slope of another layer | W2/b2/dz | dg * (1 - g**2) => dg * (1 - h**2)
    wrong slope      | W2/b2/dz | (1 - g**2) => g * (1 - g)
    stale value      | W2      | z.T @ dg_pre => mu.T @ dg_pre
    missing term     | dmu     | dz + mu / N => dz
    factor/sum for mean | dmu  | dz + mu / N => dz + mu
    factor/term too many | dmu | dz + mu / N => dz + 2 * mu / N
    factor/term too many | dlog_var | dz * eps * 0.5 * std => dz * eps * std
    missing slope    | dlog_var | dz * eps * 0.5 * std => dz * eps * 0.5
    missing term     | dlog_var | + 0.5 * (np.exp(log_var) - 1) / N =>
    missing term     | dlog_var | 0.5 * (np.exp(log_var) - 1) / N => 0.5 * np.exp(log_var) / N
    stale value      | dlog_var | 0.5 * (np.exp(log_var) - 1) / N => 0.5 * (std - 1) / N
    missing term     | dh      | dmu @ Wm.T + dlog_var @ Wv.T => dmu @ Wm.T
    stale value      | dh      | dmu @ Wm.T + dlog_var @ Wv.T => dmu @ Wm.T + dlog_var @ Wm.T
    missing slope    | W1/b1   | dh * (1 - h**2) => dh
    stale value      | Wv      | h.T @ dlog_var => h.T @ dmu
    slope of another layer | W1/b1 | dh * (1 - h**2) => dh * (1 - g**2)
    sum too many     | bm      | np.sum(dmu, axis=0) => np.sum(dmu)
    """,
    1: """
    missing term     | Wm/bm   | dmean = dmean + mean => pass
    sign             | Wv/bv   | - (1 - np.exp(logvar)) / 2 => + (1 - np.exp(logvar)) / 2
    stale value      | Wv/bv   | dlogvar = dmean * (code - mean) / 2 => dlogvar = dmean * code / 2
    """,
}
