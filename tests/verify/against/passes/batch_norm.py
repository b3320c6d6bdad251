"""A layer with batch normalisation and tanh, a linear one, and mean squared error."""

import numpy as np

import symbp as bp

EPS = 1e-5


def net() -> bp.Network:
    N, D, H, K = bp.dims("N D H K")
    n, j = bp.indices("n j")
    x, t = bp.input("x", (N, D)), bp.target("t", (N, K))
    W, gamma, beta = bp.param("W", (D, H)), bp.param("gamma", (H,)), bp.param("beta", (H,))
    V, c = bp.param("V", (H, K)), bp.param("c", (K,))
    z = x @ W
    mu = bp.define("mu", [j], bp.Sum(z[n, j], n) / N)
    var = bp.define("var", [j], bp.Sum((z[n, j] - mu[j]) ** 2, n) / N)
    z_hat = bp.define("z_hat", [n, j], (z[n, j] - mu[j]) / bp.sqrt(var[j] + EPS))
    y = gamma * z_hat + beta
    h = bp.tanh(y)
    o = h @ V + c
    return bp.Network("batch_norm", loss=bp.mse(o, t), outputs={"o": o})


def loss_and_gradients(params, x, t):
    W, gamma, beta, V, c = (params[k] for k in ("W", "gamma", "beta", "V", "c"))
    N = x.shape[0]
    z = x @ W
    mu = z.mean(axis=0)
    var = z.var(axis=0)
    std = np.sqrt(var + EPS)
    z_hat = (z - mu) / std
    y = gamma * z_hat + beta
    h = np.tanh(y)
    o = h @ V + c
    loss = np.mean((o - t) ** 2)

    do = 2 * (o - t) / o.size
    dV = h.T @ do
    dc = do.sum(axis=0)
    dh = do @ V.T
    dy = dh * (1 - h**2)
    dgamma = np.sum(dy * z_hat, axis=0)
    dbeta = np.sum(dy, axis=0)
    dz_hat = dy * gamma
    dvar = np.sum(dz_hat * (z - mu), axis=0) * -0.5 * (var + EPS) ** -1.5
    dmu = -dz_hat.sum(axis=0) / std
    dz = dz_hat / std + dvar * 2 * (z - mu) / N + dmu / N
    dW = x.T @ dz
    gradients = {"do": do, "V": dV, "c": dc, "dh": dh, "dy": dy, "gamma": dgamma, "beta": dbeta}
    return loss, gradients | {"dz_hat": dz_hat, "dvar": dvar, "dmu": dmu, "dz": dz, "W": dW}


def forward(params, x, t):
    z = x.dot(params["W"])
    centred = z - z.mean(0)
    istd = 1 / np.sqrt(np.mean(centred**2, 0) + EPS)
    norm = centred * istd
    h = np.tanh(params["gamma"] * norm + params["beta"])
    residual = h.dot(params["V"]) + params["c"] - t
    return (residual**2).mean(), (params, x, norm, istd, h, residual)


def backward(cache):
    """The compact form."""
    params, x, norm, istd, h, residual = cache
    N, K = residual.shape
    dout = 2.0 / (N * K) * residual
    dh = dout.dot(params["V"].T)
    dy = (1 - h) * (1 + h) * dh
    dgamma = (dy * norm).sum(0)
    dbeta = dy.sum(0)
    dz = params["gamma"] * istd / N * (N * dy - dbeta - norm * dgamma)
    dW = x.T.dot(dz)
    return {"dV": h.T.dot(dout), "dc": dout.sum(0), "dgamma": dgamma, "dbeta": dbeta, "dW": dW}


def by_jacobians(x, t, W, gamma, beta, V, c):
    """The Jacobian of each feature's normalisation as a matrix over examples."""
    N = len(x)
    z = x @ W
    centring = np.eye(N) - np.full((N, N), 1 / N)
    m = centring @ z
    s2 = np.einsum("nj,nj->j", m, m) / N + EPS
    u = m / s2**0.5
    h = np.tanh(u * gamma + beta)
    r = h @ V + c - t
    d = r * (2 / r.size)
    g = np.einsum("nk,jk,nj->nj", d, V, 1 - h * h)
    dz = np.empty_like(z)
    for j in range(z.shape[1]):
        jacobian = centring @ (np.eye(N) - np.outer(u[:, j], u[:, j]) / N) / s2[j] ** 0.5
        dz[:, j] = jacobian.T @ g[:, j] * gamma[j]
    return (r * r).mean(), (x.T @ dz, (g * u).sum(0), g.sum(0), h.T @ d, d.sum(0))


class Graph:
    """Batch norm gate by gate, as a well-known note does it."""

    def __init__(self, params):
        self.params = params

    def forward(self, x, t):
        p = self.params
        self.x, z = x, x @ p["W"]
        N = len(z)
        self.zmu = z - 1.0 / N * np.sum(z, axis=0)
        self.sqrtvar = np.sqrt(1.0 / N * np.sum(self.zmu**2, axis=0) + EPS)
        self.ivar = 1.0 / self.sqrtvar
        self.zhat = self.zmu * self.ivar
        self.out = np.tanh(p["gamma"] * self.zhat + p["beta"])
        self.error = self.out @ p["V"] + p["c"] - t
        return np.sum(self.error**2) / self.error.size

    def backward(self):
        N, H = self.zmu.shape
        derror = self.error / (self.error.size / 2)
        dpre = (derror @ self.params["V"].T) * (1 - self.out**2)
        dbeta = np.sum(dpre, axis=0)
        dgamma = np.sum(dpre * self.zhat, axis=0)
        dzhat = dpre * self.params["gamma"]
        divar = np.sum(dzhat * self.zmu, axis=0)
        dzmu1 = dzhat * self.ivar
        dsqrtvar = -1.0 / (self.sqrtvar**2) * divar
        dvar = 0.5 * 1.0 / self.sqrtvar * dsqrtvar
        dsq = 1.0 / N * np.ones((N, H)) * dvar
        dzmu2 = 2 * self.zmu * dsq
        dz1 = dzmu1 + dzmu2
        dmu = -1 * np.sum(dzmu1 + dzmu2, axis=0)
        dz2 = 1.0 / N * np.ones((N, H)) * dmu
        dW, dV = self.x.T @ (dz1 + dz2), self.out.T @ derror
        return {"W": dW, "gamma": dgamma, "beta": dbeta, "V": dV, "c": derror.sum(0)}


RIGHT = (loss_and_gradients, (forward, backward), by_jacobians, Graph)

FAULTS = {
    0: """
    factor           | do      | 2 * (o - t) / o.size => (o - t) / o.size
    sign             | do      | 2 * (o - t) => 2 * (t - o)
    mean for sum     | c       | do.sum(axis=0) => do.mean(axis=0)
    missing slope    | dy      | dh * (1 - h**2) => dh
    wrong slope      | dy      | (1 - h**2) => (1 - y**2)
    stale value      | gamma   | dy * z_hat, axis=0 => dy * z, axis=0
    stale value/missing slope | gamma | dy * z_hat, axis=0 => dh * z_hat, axis=0
    stale value      | dz_hat  | dy * gamma => dy * beta
    missing slope/factor | dz_hat | dy * gamma => dy
    factor           | dvar    | -0.5 * (var => -1.0 * (var
    sign             | dvar    | * -0.5 * (var => * 0.5 * (var
    wrong slope/factor | dvar  | ** -1.5 => ** -0.5
    missing term     | dvar    | (z - mu), axis=0) * -0.5 => z, axis=0) * -0.5
    sign             | dmu     | -dz_hat.sum(axis=0) / std => dz_hat.sum(axis=0) / std
    mean for sum     | dmu     | -dz_hat.sum(axis=0) / std => -dz_hat.mean(axis=0) / std
    missing term     | dz      | + dmu / N =>
    factor/sum for mean | dz  | dmu / N => dmu
    missing term     | dz      | + dvar * 2 * (z - mu) / N =>
    factor           | dz      | dvar * 2 * (z - mu) / N => dvar * (z - mu) / N
    sum too many     | c       | do.sum(axis=0) => do.sum()
    factor/sum for mean | dz  | dvar * 2 * (z - mu) / N => dvar * 2 * (z - mu)
    """,
    1: """
    missing term     | dW      | (N * dy - dbeta - norm * dgamma) => (N * dy - dbeta)
    elementwise/missing term | dW | (N * dy - dbeta - norm * dgamma) => (N * dy)
    sign             | dW      | - norm * dgamma) => + norm * dgamma)
    factor           | dW      | istd / N * => istd *
    """,
}
