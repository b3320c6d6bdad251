"""char_rnn in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

E, H = 32, 64


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng, V):
    """The parameters' starting values."""
    return {
        "table": np.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": np.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (E, H)),
        "U": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)), "b": np.zeros(H),
        "R": np.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)), "c": np.zeros(V),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    table, W, U, b, R = params["table"], params["W"], params["U"], params["b"], params["R"]
    c = params["c"]
    N, T = x.shape
    V = table.shape[0]
    x1 = table[x]  # (1)
    a1, h = np.zeros((2, N, T, H))
    for t in range(T):
        a1[:, t] = x1[:, t] @ W + (h[:, t - 1] if t > 0 else np.zeros((N, H))) @ U + b  # (2)
        h[:, t] = np.tanh(a1[:, t])  # (3)
    a2 = h @ R + c  # (4)
    p = softmax(a2)  # (5)
    loss = -np.log(p[np.arange(N)[:, None], np.arange(T), y]).mean()  # (6)
    da2 = (p - (np.arange(V) == y[..., None])) / (N * T)  # (7)
    dc = da2.sum((0, 1))  # (8)
    da1 = np.zeros((N, T, H))
    for t in reversed(range(T)):
        da1[:, t] = (
            1 - h[:, t] ** 2
        ) * (da2[:, t] @ R.T + (da1[:, t + 1] if t < T - 1 else np.zeros((N, H))) @ U.T)  # (9)
    dU = np.einsum("ntl,nta->la", np.pad(h, ((0, 0), (1, 0), (0, 0)))[:, :-1], da1)  # (10)
    dR = np.einsum("ntl,ntj->lj", h, da2)  # (11)
    db = da1.sum((0, 1))  # (12)
    dx1 = da1 @ W.T  # (13)
    dtable = np.zeros((V, E))
    np.add.at(dtable, x, dx1)  # (14)
    dW = np.einsum("ntk,ntl->kl", x1, da1)  # (15)
    return loss, {"table": dtable, "W": dW, "U": dU, "b": db, "R": dR, "c": dc}


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
