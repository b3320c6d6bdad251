"""char_gru in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

E, H = 32, 64


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng, V):
    """The parameters' starting values."""
    return {
        "table": np.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": np.sqrt(6 / (3 * H + E)) * rng.uniform(-1, 1, (E, 3, H)),
        "U": np.sqrt(3 / (2 * H)) * rng.uniform(-1, 1, (H, 3, H)), "b": np.zeros((3, H)),
        "d": np.zeros((3, H)), "R": np.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        "c": np.zeros(V),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    table, W, U, b, d = params["table"], params["W"], params["U"], params["b"], params["d"]
    R, c = params["R"], params["c"]
    N, T = x.shape
    V = table.shape[0]
    x1 = table[x]  # (1)
    a1 = np.einsum("ntk,klm->ntlm", x1, W) + b  # (2)
    a_hat1 = np.zeros((N, T, 3, H))
    r, u, n_hat, h = np.zeros((4, N, T, H))
    for t in range(T):
        h_previous = h[:, t - 1] if t > 0 else np.zeros((N, H))
        a_hat1[:, t] = np.einsum("na,alm->nlm", h_previous, U) + d  # (3)
        r[:, t] = sigmoid(a1[:, t, 0] + a_hat1[:, t, 0])  # (4)
        u[:, t] = sigmoid(a1[:, t, 1] + a_hat1[:, t, 1])  # (5)
        n_hat[:, t] = np.tanh(a_hat1[:, t, 2] * r[:, t] + a1[:, t, 2])  # (6)
        h[:, t] = (1 - u[:, t]) * n_hat[:, t] + h_previous * u[:, t]  # (7)
    a2 = h @ R + c  # (8)
    p = softmax(a2)  # (9)
    loss = -np.log(p[np.arange(N)[:, None], np.arange(T), y]).mean()  # (10)
    da2 = (p - (np.arange(V) == y[..., None])) / (N * T)  # (11)
    dc = da2.sum((0, 1))  # (12)
    dh, dn_hat, dr = np.zeros((3, N, T, H))
    da_hat1 = np.zeros((N, T, 3, H))
    for t in reversed(range(T)):
        da_hat1_next = da_hat1[:, t + 1] if t < T - 1 else np.zeros((N, 3, H))
        dh[:, t] = (
            (dh[:, t + 1] if t < T - 1 else np.zeros((N, H)))
            * (u[:, t + 1] if t < T - 1 else np.zeros((N, H))) + da2[:, t] @ R.T
            + np.einsum("nla,mla->nm", da_hat1_next, U)
        )  # (13)
        dn_hat[:, t] = (1 - u[:, t]) * dh[:, t]  # (14)
        dr[:, t] = (1 - n_hat[:, t] ** 2) * a_hat1[:, t, 2] * dn_hat[:, t]  # (15)
        da_hat1[:, t, 0] = (1 - r[:, t]) * dr[:, t] * r[:, t]  # (16)
        da_hat1[:, t, 1] = (
            dn_hat[:, t] * ((h[:, t - 1] if t > 0 else np.zeros((N, H))) - n_hat[:, t]) * u[:, t]
        )  # (17)
        da_hat1[:, t, 2] = (1 - n_hat[:, t] ** 2) * dn_hat[:, t] * r[:, t]  # (18)
    dU = np.einsum("ntm,ntla->mla", np.pad(h, ((0, 0), (1, 0), (0, 0)))[:, :-1], da_hat1)  # (19)
    dR = np.einsum("ntm,ntj->mj", h, da2)  # (20)
    dd = da_hat1.sum((0, 1))  # (21)
    da1 = np.zeros((N, T, 3, H))
    da1[:, :, 0] = (1 - r) * dr * r  # (22)
    da1[:, :, 1] = dn_hat * (np.pad(h, ((0, 0), (1, 0), (0, 0)))[:, :-1] - n_hat) * u  # (23)
    da1[:, :, 2] = (1 - n_hat**2) * dn_hat  # (24)
    db = da1.sum((0, 1))  # (25)
    dx1 = np.einsum("ntlm,klm->ntk", da1, W)  # (26)
    dtable = np.zeros((V, E))
    np.add.at(dtable, x, dx1)  # (27)
    dW = np.einsum("ntk,ntlm->klm", x1, da1)  # (28)
    return loss, {"table": dtable, "W": dW, "U": dU, "b": db, "d": dd, "R": dR, "c": dc}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps, clip_norm = 0.005, 0.9, 0.999, 1e-08, 1.0
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows])
            step += 1
            flat = np.concatenate([gradient.ravel() for gradient in gradients.values()])
            g_squares = (flat**2).sum()
            g_norm = np.sqrt(g_squares)
            g_scale = (0 if g_norm <= clip_norm else clip_norm / g_norm) + (g_norm <= clip_norm)
            for name, gradient in gradients.items():
                g_clipped = g_scale * gradient
                m[name] = (1 - beta1) * g_clipped + beta1 * m[name]
                v[name] = (1 - beta2) * g_clipped**2 + beta2 * v[name]
                params[name] = (
                    params[name]
                    - lr * m[name]
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
