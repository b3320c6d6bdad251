"""Backward passes by hand, of networks of the gallery, and slips that change a line of one.

A slip is the tensor that it makes wrong first, the part of a line, what stands in its place, and its kind.
"""

MLP = """
a1 = x @ W1 + b1
h = np.tanh(a1)
a2 = h @ W2 + b2
e = np.exp(a2 - a2.max(1, keepdims=True))
p = e / e.sum(1, keepdims=True)
N = len(x)
da2 = p.copy()
da2[np.arange(N), y] -= 1
da2 = da2 / N
dW2 = h.T @ da2
db2 = da2.sum(0)
dh = da2 @ W2.T
dz1 = dh * (1 - h**2)
dW1 = x.T @ dz1
db1 = dz1.sum(0)
"""

LSTM = """
N, T = x.shape
H = U.shape[0]
sigma = lambda v: 1 / (1 + np.exp(-v))
h, c1, gates = np.zeros((N, T + 1, H)), np.zeros((N, T + 1, H)), np.zeros((N, T, 4, H))
x1 = table[x]
for t in range(T):
    z = np.einsum("nk,klm->nlm", x1[:, t], W) + np.einsum("nj,jlm->nlm", h[:, t - 1], U) + b
    gates[:, t] = np.stack([sigma(z[:, 0]), sigma(z[:, 1]), np.tanh(z[:, 2]), sigma(z[:, 3])], 1)
    i, f, g, o = gates[:, t].transpose(1, 0, 2)
    c1[:, t] = f * c1[:, t - 1] + i * g
    h[:, t] = o * np.tanh(c1[:, t])
a2 = h[:, :T] @ R + c
e = np.exp(a2 - a2.max(-1, keepdims=True))
p = e / e.sum(-1, keepdims=True)
da2 = p - np.eye(len(c))[y]
da2 = da2 / (N * T)
dR = np.einsum("ntm,ntj->mj", h[:, :T], da2)
dc = da2.sum((0, 1))
dU, dW, db, dtable = np.zeros_like(U), np.zeros_like(W), np.zeros_like(b), np.zeros_like(table)
dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
for t in reversed(range(T)):
    i, f, g, o = gates[:, t].transpose(1, 0, 2)
    dh = da2[:, t] @ R.T + dh_next
    dct = dh * o * (1 - np.tanh(c1[:, t]) ** 2) + dc_next
    da = np.stack(
        [
            dct * g * i * (1 - i),
            dct * c1[:, t - 1] * f * (1 - f),
            dct * i * (1 - g**2),
            dh * np.tanh(c1[:, t]) * o * (1 - o),
        ],
        1,
    )
    dU += np.einsum("nj,nlm->jlm", h[:, t - 1], da)
    dW += np.einsum("nk,nlm->klm", x1[:, t], da)
    db += da.sum(0)
    np.add.at(dtable, x[:, t], np.einsum("nlm,klm->nk", da, W))
    dh_next = np.einsum("nlm,jlm->nj", da, U)
    dc_next = dct * f
"""

ATTENTION = """
q, k, v = x @ Wq, x @ Wk, x @ Wv
s = q @ k.T / np.sqrt(x.shape[1])
e = np.exp(s - s.max(1, keepdims=True))
p = e / e.sum(1, keepdims=True)
o = p @ v
do = o - y
dv = p.T @ do
dp = do @ v.T
ds = p * (dp - (dp * p).sum(1, keepdims=True))
dz = ds / np.sqrt(x.shape[1])
dq = dz @ k
dk = dz.T @ q
dWq, dWk, dWv = x.T @ dq, x.T @ dk, x.T @ dv
"""

BATCH_NORM = """
N = len(x)
z = x @ W
mu = z.mean(0)
var = z.var(0)
sigma = np.sqrt(var + eps)
z_hat = (z - mu) / sigma
y = z_hat * gamma + beta
dy = y - t
dgamma = (dy * z_hat).sum(0)
dbeta = dy.sum(0)
dz_hat = dy * gamma
dvar = (dz_hat * (z - mu) * -0.5 * sigma**-3).sum(0)
dmu = -(dz_hat / sigma).sum(0) - 2 * dvar * (z - mu).mean(0)
dz = dz_hat / sigma + dvar * 2 * (z - mu) / N + dmu / N
dW = x.T @ dz
"""

VAE = """
N = len(x)
h = np.tanh(x @ W1 + b1)
mu = h @ Wm + bm
log_var = h @ Wv + bv
z = mu + eps * np.exp(log_var / 2)
h4 = np.tanh(z @ W2 + b2)
shown = 1 / (1 + np.exp(-(h4 @ W3 + b3)))
da5 = (shown - x) / N
dW3, db3 = h4.T @ da5, da5.sum(0)
dh4 = da5 @ W3.T
dz4 = dh4 * (1 - h4**2)
dW2, db2 = z.T @ dz4, dz4.sum(0)
dz = dz4 @ W2.T
dmu = dz + mu / N
dlog_var = dz * eps * 0.5 * np.exp(log_var / 2) + 0.5 * (np.exp(log_var) - 1) / N
dWm, dbm = h.T @ dmu, dmu.sum(0)
dWv, dbv = h.T @ dlog_var, dlog_var.sum(0)
dh = dmu @ Wm.T + dlog_var @ Wv.T
dz1 = dh * (1 - h**2)
dW1, db1 = x.T @ dz1, dz1.sum(0)
"""

PASSES = {"mlp": MLP, "char_lstm": LSTM, "attention": ATTENTION, "batch_norm": BATCH_NORM, "vae": VAE}

SLIPS = {
    "mlp": [
        ("dW2", "da2 = da2 / N", "da2 = da2 / 1", "factor"),
        ("dW2", "dW2 = h.T @ da2", "dW2 = -h.T @ da2", "sign"),
        ("db2", "db2 = da2.sum(0)", "db2 = da2.mean(0)", "mean for sum"),
        ("db1", "db1 = dz1.sum(0)", "db1 = dz1", "missing sum"),
        ("db1", "db1 = dz1.sum(0)", "db1 = dz1[0]", "missing sum"),
        ("db1", "db1 = dz1.sum(0)", "db1 = dz1.sum()", "sum too many"),
        ("dW1", "dW1 = x.T @ dz1", "dW1 = dz1.T @ x", "transpose"),
        ("dW1", "dz1 = dh * (1 - h**2)", "dz1 = dh", "missing slope"),
        ("dW1", "(1 - h**2)", "(1 - a1**2)", "wrong slope"),
        ("dW1", "(1 - h**2)", "h", "wrong slope"),
        ("dW1", "(1 - h**2)", "h * (1 - h)", "wrong slope"),
        ("dW1", "(1 - h**2)", "(1 - np.tanh(h)**2)", "wrong slope"),
        ("dW2", "h.T @ da2", "a1.T @ da2", "stale value"),
        ("dW1", "dW1 = x.T @ dz1", "dW1 = x.T @ dz1 + 0.1 * W1", "term too many"),
        ("db2", "db2 = da2.sum(0)", "db2 = np.roll(da2.sum(0), 1)", "step in time"),
        ("dW2", "da2[np.arange(N), y] -= 1", "", "missing term"),
        ("dW2", "da2[np.arange(N), y] -= 1", "da2[np.arange(N), y] += 1", "sign"),
    ],
    "char_lstm": [
        ("dU", "dh = da2[:, t] @ R.T + dh_next", "dh = da2[:, t] @ R.T", "missing term"),
        ("dU", "(1 - np.tanh(c1[:, t]) ** 2) + dc_next", "(1 - np.tanh(c1[:, t]) ** 2)", "missing term"),
        ("dU", "dct * c1[:, t - 1]", "dct * c1[:, t]", "step in time"),
        ("dU", "(1 - np.tanh(c1[:, t]) ** 2)", "(1 - np.tanh(c1[:, t - 1]) ** 2)", "step in time"),
        ("dU", "(1 - np.tanh(c1[:, t]) ** 2)", "1", "missing slope"),
        ("dU", "(1 - np.tanh(c1[:, t]) ** 2)", "(1 - c1[:, t] ** 2)", "wrong slope"),
        ("dU", 'nlm->jlm", h[:, t - 1], da', 'nlm->jlm", h[:, t], da', "step in time"),
        ("dU", "dct * i * (1 - g**2)", "dct * i * (1 - g)", "wrong slope"),
        ("dU", "o * (1 - o)", "(1 - o)", "wrong slope"),
        ("dU", "dc_next = dct * f", "dc_next = dct", "missing slope"),
        ("db", "db += da.sum(0)", "db = da.sum(0)", "missing sum"),
        ("dtable", "np.add.at(dtable, x[:, t], ", "dtable[x[:, t]] += (", "missing sum"),
        ("dR", "da2 / (N * T)", "da2 / N", "factor"),
        ("dU", "dct * g * i", "dct * g * g", "stale value"),
    ],
    "attention": [
        ("dWq", "(dp - (dp * p).sum(1, keepdims=True))", "dp * (1 - p)", "elementwise"),
        ("dWq", "(dp - (dp * p).sum(1, keepdims=True))", "dp", "missing term"),
        ("dWq", "dz = ds / np.sqrt(x.shape[1])", "dz = ds", "factor"),
        ("dWk", "dk = dz.T @ q", "dk = dz @ q", "transpose"),
        ("dWv", "dv = p.T @ do", "dv = p @ do", "transpose"),
        ("dWq", "dq = dz @ k", "dq = dz @ v", "stale value"),
        ("dWq", "(dp * p).sum(1, keepdims=True)", "(dp * p).sum(0, keepdims=True)", "transpose"),
        ("dWq", "(dp * p).sum(1, keepdims=True)", "(dp * p).sum()", "sum too many"),
        ("dWq", "(dp * p).sum(1, keepdims=True)", "(dp * p).mean(1, keepdims=True)", "mean for sum"),
        ("dWq", "dWq, dWk, dWv = x.T @ dq", "dWq, dWk, dWv = (x.T @ dq).T", "transpose"),
    ],
    "batch_norm": [
        ("dW", "+ dvar * 2 * (z - mu) / N + dmu / N", "", "missing term"),
        ("dW", "+ dmu / N", "", "missing term"),
        ("dW", "+ dvar * 2 * (z - mu) / N", "", "missing term"),
        ("dW", "dvar * 2 * (z - mu) / N", "dvar * 2 * (z - mu) / (N - 1)", "factor"),
        ("dW", "dz_hat = dy * gamma", "dz_hat = dy", "missing slope"),
        ("dgamma", "(dy * z_hat).sum(0)", "(dy * z).sum(0)", "stale value"),
        ("dW", "* -0.5 * sigma**-3", "* 0.5 * sigma**-3", "sign"),
        ("dW", "dmu = -(dz_hat / sigma).sum(0)", "dmu = -(dz_hat / sigma).mean(0)", "mean for sum"),
        ("dW", "sigma**-3", "sigma**-2", "missing slope"),
    ],
    "vae": [
        ("dWm", "dmu = dz + mu / N", "dmu = dz", "missing term"),
        ("dWv", "(np.exp(log_var) - 1)", "np.exp(log_var)", "missing term"),
        ("dWv", "dz * eps * 0.5", "dz * eps", "factor"),
        ("dWv", "dz * eps * 0.5", "dz * 0.5", "missing slope"),
        ("dW1", "dmu @ Wm.T + dlog_var @ Wv.T", "dmu @ Wm.T", "missing term"),
        ("dW1", "dh * (1 - h**2)", "dh * (1 - h4**2)", "slope of another layer"),
        ("dW2", "dW2, db2 = z.T @ dz4", "dW2, db2 = mu.T @ dz4", "stale value"),
        ("dW3", "da5 = (shown - x) / N", "da5 = (shown - x) / N * shown * (1 - shown)", "wrong slope"),
        ("dWm", "mu / N", "mu", "factor"),
        ("dWm", "mu / N", "2 * mu / N", "factor"),
        ("dW1", "dh * (1 - h**2)", "2 * dh", "missing slope"),
    ],
}
