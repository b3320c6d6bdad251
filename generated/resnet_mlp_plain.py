"""resnet_mlp in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

H, L = 32, 6


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = True, [slice(None)] * first
    for k, n in zip(places, x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(np.clip(k, 0, max(n - 1, 0)))
    if not x.size:  # something to read, where nothing is inside
        places = slice(first, len(safe))
        shape = (*x.shape[:first], *np.maximum(x.shape[places], 1), *x.shape[len(safe) :])
        x = np.zeros(shape, x.dtype)
    inside = np.reshape(inside, np.shape(inside) + (1,) * (x.ndim - len(safe)))
    return np.where(inside, x[tuple(safe)], outside)


def initial_parameters(rng, D, K):
    """The parameters' starting values."""
    return {
        "W0": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)), "b0": np.zeros(H),
        "W": np.sqrt(3 / H) * rng.uniform(-1, 1, (L, H, H)), "b": np.zeros((L, H)),
        "V": np.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)), "c": np.zeros(K),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    W0, b0, W, b, V = params["W0"], params["b0"], params["W"], params["b"], params["V"]
    c = params["c"]
    N = x.shape[0]
    K = V.shape[1]
    a1 = x @ W0 + b0  # (1)
    first = np.tanh(a1)  # (2)
    z, h = np.zeros((2, L, N, H))
    for t in range(L):
        h_previous = h[t - 1] if t > 0 else first
        z[t] = h_previous @ W[t]  # (3)
        h[t] = h_previous + np.tanh(z[t] + b[t])  # (4)
    top = h[L - 1]  # (5)
    a2 = top @ V + c  # (6)
    p = softmax(a2)  # (7)
    loss = -np.log(p[np.arange(N), y]).mean()  # (8)
    da2 = (p - (np.arange(K) == y[:, None])) / N  # (9)
    dc = da2.sum(0)  # (10)
    dtop = da2 @ V.T  # (11)
    dV = top.T @ da2  # (12)
    dh, dz = np.zeros((2, L, N, H))
    for t in reversed(range(L)):
        dh[t] = (
            (dtop if t == L - 1 else np.zeros((N, H)))
            + (dh[t + 1] if t < L - 1 else np.zeros((N, H)))
            + (dz[t + 1] if t < L - 1 else np.zeros((N, H)))
            @ (W[t + 1] if t < L - 1 else np.zeros((H, H))).T
        )  # (13)
        dz[t] = (1 - np.tanh(z[t] + b[t]) ** 2) * dh[t]  # (14)
    dW = taken(h, 0, np.arange(L) - 1, outside=first).swapaxes(-1, -2) @ dz  # (15)
    db = dz.sum(1)  # (16)
    da1 = (1 - first**2) * (dh[0] + dz[0] @ W[0].T)  # (17)
    dW0 = x.T @ da1  # (18)
    db0 = da1.sum(0)  # (19)
    return loss, {"W0": dW0, "b0": db0, "W": dW, "b": db, "V": dV, "c": dc}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.003, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows])
            step += 1
            for name, gradient in gradients.items():
                m[name] = (1 - beta1) * gradient + beta1 * m[name]
                v[name] = (1 - beta2) * gradient**2 + beta2 * v[name]
                params[name] = (
                    params[name]
                    - lr * m[name]
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
