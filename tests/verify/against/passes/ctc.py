"""A layer of tanh at each step and connectionist temporal classification of what it says."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, S, D, H, K = bp.dims("N S D H K")
    T = 2 * S + 2
    x, y = bp.input("x", (N, T, D)), bp.labels("y", (N, S), classes=K)
    W, b = bp.param("W", (D, H)), bp.param("b", (H,))
    V, c = bp.param("V", (H, K)), bp.param("c", (K,))
    h = bp.tanh(x @ W + b)
    a = h @ V + c
    return bp.Network("ctc", loss=bp.ctc(a, y, from_logits=True), outputs={"a": a})


def loss_and_gradients(params, x, y):
    """Forward and backward variables in logarithms (Graves et al. 2006)."""
    W, b, V, c = params["W"], params["b"], params["V"], params["c"]
    N, T, _ = x.shape
    S = y.shape[1]
    h = np.tanh(x @ W + b)
    a = h @ V + c
    logp = a - np.logaddexp.reduce(a, axis=2, keepdims=True)
    p = np.exp(logp)
    loss, gamma = 0.0, np.zeros_like(p)
    for n in range(N):
        path = np.zeros(2 * S + 1, dtype=int)
        path[1::2] = y[n]
        skip = np.array([s >= 2 and path[s] != path[s - 2] for s in range(len(path))])
        emitted = logp[n][:, path]
        alpha, beta = np.full((T, len(path)), -np.inf), np.full((T, len(path)), -np.inf)
        alpha[0, :2] = emitted[0, :2]
        for t in range(1, T):
            for s in range(len(path)):
                total = alpha[t - 1, s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[t - 1, s - 1])
                if skip[s]:
                    total = np.logaddexp(total, alpha[t - 1, s - 2])
                alpha[t, s] = total + emitted[t, s]
        log_likelihood = np.logaddexp(alpha[-1, -1], alpha[-1, -2])
        loss -= log_likelihood / (N * S)
        beta[-1, -2:] = 0
        for t in range(T - 2, -1, -1):
            later = beta[t + 1] + emitted[t + 1]
            for s in range(len(path)):
                total = later[s]
                if s + 1 < len(path):
                    total = np.logaddexp(total, later[s + 1])
                if s + 2 < len(path) and skip[s + 2]:
                    total = np.logaddexp(total, later[s + 2])
                beta[t, s] = total
        posterior = np.exp(alpha + beta - log_likelihood)
        for s, label in enumerate(path):
            gamma[n, :, label] += posterior[:, s]

    da = (p - gamma) / (N * S)
    dV = np.tensordot(h, da, axes=((0, 1), (0, 1)))
    dc = da.sum(axis=(0, 1))
    dh = da @ V.T
    dz = dh * (1 - h**2)
    dW = np.tensordot(x, dz, axes=((0, 1), (0, 1)))
    db = dz.sum(axis=(0, 1))
    return loss, {"da": da, "V": dV, "c": dc, "dh": dh, "W": dW, "b": db}


def forward(params, x, y):
    """Probabilities made to sum to one at every step, as the early code for graphics cards did it."""
    h = np.tanh(x @ params["W"] + params["b"])
    a = h @ params["V"] + params["c"]
    p = np.exp(a - a.max(2, keepdims=True))
    p /= p.sum(2, keepdims=True)
    loss, runs = 0.0, []
    for probs, labels in zip(p, y, strict=True):
        ext = [*np.stack([np.zeros_like(labels), labels], axis=1).ravel().tolist(), 0]
        alphas, likelihood = scan(probs, ext)
        loss -= likelihood / y.size
        runs.append((ext, alphas))
    return loss, (params, x, h, p, runs, y.size)


def scan(probs, ext):
    """Scaled forward variables from the first step to the last, and their log-likelihood."""
    T, L = len(probs), len(ext)
    alphas = np.zeros((T, L))
    likelihood = 0.0
    for t in range(T):
        if t == 0:
            alphas[0, :2] = probs[0, ext[:2]]
        else:
            for s in range(L):
                way = alphas[t - 1, s] + (alphas[t - 1, s - 1] if s > 0 else 0)
                if s > 1 and ext[s] != ext[s - 2]:
                    way += alphas[t - 1, s - 2]
                alphas[t, s] = way * probs[t, ext[s]]
        if t == T - 1:
            alphas[t, : L - 2] = 0
        scale = alphas[t].sum()
        alphas[t] /= scale
        likelihood += np.log(scale)
    return alphas, likelihood


def backward(cache):
    params, x, h, p, runs, count = cache
    dlogits = p.copy()
    for n, (ext, alphas) in enumerate(runs):
        betas = scan(p[n, ::-1], ext[::-1])[0][::-1, ::-1]
        ab = alphas * betas / p[n][:, ext]
        ab /= ab.sum(axis=1, keepdims=True)
        for s, label in enumerate(ext):
            dlogits[n, :, label] -= ab[:, s]
    dlogits /= count
    rows = dlogits.reshape(-1, dlogits.shape[2])
    hidden = h.reshape(len(rows), -1)
    grads = {"dV": hidden.T @ rows, "dc": rows.sum(0)}
    delta = (1 - hidden**2) * (rows @ params["V"].T)
    return grads | {"dW": x.reshape(len(rows), -1).T @ delta, "db": delta.sum(0)}


def through_the_recurrence(x, y, W, b, V, c):
    """The forward variables differentiated as any recurrence is; no backward variables."""
    S, T = y.shape[1], x.shape[1]
    h = np.tanh(np.einsum("ntd,dh->nth", x, W) + b)
    a = np.einsum("nth,hk->ntk", h, V) + c
    logp = a - a.max(2)[..., None]
    logp = logp - np.log(np.exp(logp).sum(2))[..., None]
    ext = np.zeros((len(y), 2 * S + 1), int)
    ext[:, 1::2] = y
    emitted = np.take_along_axis(logp, np.broadcast_to(ext[:, None], (len(y), T, 2 * S + 1)), 2)
    may_skip = np.pad(ext[:, 2:] != ext[:, :-2], ((0, 0), (2, 0)))

    def ways(row):
        one = np.pad(row, ((0, 0), (1, 0)), constant_values=-np.inf)[:, :-1]
        two = np.pad(row, ((0, 0), (2, 0)), constant_values=-np.inf)[:, :-2]
        return np.stack([row, one, np.where(may_skip, two, -np.inf)])

    alpha = np.full(emitted.shape, -np.inf)
    alpha[:, 0, :2] = emitted[:, 0, :2]
    for t in range(1, T):
        alpha[:, t] = np.logaddexp.reduce(ways(alpha[:, t - 1]), axis=0) + emitted[:, t]
    total = np.logaddexp(alpha[:, -1, -1], alpha[:, -1, -2])
    d = np.zeros_like(alpha)
    d[:, -1, -2:] = -np.exp(alpha[:, -1, -2:] - total[:, None]) / y.size
    for t in range(T - 1, 0, -1):
        before = ways(alpha[:, t - 1])
        top = before.max(0)
        shares = np.exp(before - np.where(top > -np.inf, top, 0))
        shares = shares / np.maximum(shares.sum(0), 1e-300) * d[:, t]
        d[:, t - 1] = shares[0]
        d[:, t - 1, :-1] += shares[1][:, 1:]
        d[:, t - 1, :-2] += shares[2][:, 2:]
    dlogp = np.zeros_like(logp)
    n, t = np.ogrid[: len(y), :T]
    np.add.at(dlogp, (n[..., None], t[..., None], ext[:, None]), d)
    da = dlogp - np.exp(logp) * dlogp.sum(2, keepdims=True)
    dz = np.einsum("ntk,hk->nth", da, V) * (1 - h * h)
    gW, gV = np.einsum("ntd,nth->dh", x, dz), np.einsum("nth,ntk->hk", h, da)
    return -total.sum() / y.size, (gW, dz.sum((0, 1)), gV, da.sum((0, 1)))


class Speller:
    """Each step of the recurrence as a matrix of states by states."""

    def __init__(self, params):
        self.p = params

    def forward(self, x, y):
        self.x, self.y = x, y
        self.h = np.tanh(x @ self.p["W"] + self.p["b"])
        a = self.h @ self.p["V"] + self.p["c"]
        self.q = np.exp(a) / np.exp(a).sum(-1, keepdims=True)
        self.kept = [self.states(q, labels) for q, labels in zip(self.q, y, strict=True)]
        return -sum(np.log(ways) for *_, ways in self.kept) / y.size

    def states(self, q, labels):
        L = 2 * len(labels) + 1
        classes = np.array([labels[s // 2] if s % 2 else 0 for s in range(L)])
        far = np.r_[0, 0, classes[2:] != classes[:-2]]
        step = np.eye(L) + np.eye(L, k=1) + np.eye(L, k=2) * far
        prefix = [np.eye(L)[0] + np.eye(L)[1]]
        for row in q[:-1]:
            prefix.append(prefix[-1] * row[classes] @ step)
        suffix = [np.eye(L)[-1] + np.eye(L)[-2]]
        for row in q[:0:-1]:
            suffix.insert(0, step @ (row[classes] * suffix[0]))
        return classes, np.array(prefix), np.array(suffix), prefix[-1] * q[-1, classes] @ suffix[-1]

    def backward(self):
        da = np.zeros_like(self.q)
        for d, q, (classes, prefix, suffix, ways) in zip(da, self.q, self.kept, strict=True):
            dq = -prefix * suffix / ways @ np.eye(q.shape[1])[classes]
            d += q * (dq - (q * dq).sum(1, keepdims=True))
        da /= self.y.size
        dz = da @ self.p["V"].T * (1 - self.h**2)
        products = {"V": np.einsum("nti,ntj->ij", self.h, da), "W": np.einsum("nti,ntj->ij", self.x, dz)}
        return products | {"c": da.sum((0, 1)), "b": dz.sum((0, 1))}


RIGHT = (loss_and_gradients, (forward, backward), through_the_recurrence, Speller)

FAULTS = {
    0: """
    factor/sum for mean | da   | (p - gamma) / (N * S) => (p - gamma) / N
    factor/sum for mean | da   | (p - gamma) / (N * S) => (p - gamma) / S
    sign             | da      | (p - gamma) / (N * S) => (gamma - p) / (N * S)
    missing term     | da      | (p - gamma) / (N * S) => -gamma / (N * S)
    missing term     | da      | (p - gamma) / (N * S) => p / (N * S)
    elementwise      | da      | (p - gamma) / (N * S) => gamma * (p - 1) / (N * S)
    missing sum      | da      | gamma[n, :, label] += => gamma[n, :, label] =
    missing term     | da      | enumerate(path) => list(enumerate(path))[1::2]
    missing term     | da      | if s + 2 < len(path) and skip[s + 2]: => if False:
    term too many    | da      | if s + 2 < len(path) and skip[s + 2]: => if s + 2 < len(path):
    missing term     | da      | beta[-1, -2:] = 0 => beta[-1, -1:] = 0
    step in time     | da      | beta[t + 1] + emitted[t + 1] => beta[t + 1] + emitted[t]
    term too many    | da      | np.exp(alpha + beta - log_likelihood)
        => np.exp(alpha + beta + emitted - log_likelihood)
    missing term     | da      | beta[t + 1] + emitted[t + 1] => beta[t + 1]
    stale value      | V       | np.tensordot(h, da => np.tensordot(x @ W + b, da
    mean for sum     | c       | da.sum(axis=(0, 1)) => da.mean(axis=(0, 1))
    missing sum      | c       | da.sum(axis=(0, 1)) => da.sum(axis=0)
    missing slope    | W/b     | dh * (1 - h**2) => dh
    wrong slope      | W/b     | (1 - h**2) => h * (1 - h)
    step in time     | W       | np.tensordot(x, dz => np.tensordot(np.roll(x, 1, 1), dz
    mean for sum     | b       | dz.sum(axis=(0, 1)) => dz.mean(axis=0).sum(axis=0)
    term too many    | dh      | da @ V.T => da @ V.T + (da * p).sum(axis=2, keepdims=True)
    """,
    1: """
    missing sum      | dV/dc   | dlogits[n, :, label] -= ab[:, s]
        => dlogits[n, :, label] = p[n, :, label] - ab[:, s]
    missing term     | dV/dc   | alphas * betas / p[n][:, ext] => alphas * betas
    factor/sum for mean | dV/dc | dlogits /= count => dlogits /= len(x)
    """,
}
