"""contrastive in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, H, C = 64, 128, 16


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W1": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)), "b1": np.zeros(H),
        "W2": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)), "b2": np.zeros(C),
    }


def loss_and_gradients(params, a, b):
    """The loss, and its derivative by each parameter."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N = a.shape[0]
    a1 = a @ W1 + b1  # (1)
    h1 = np.tanh(a1)  # (2)
    a2 = h1 @ W2 + b2  # (3)
    s1 = (a2**2).sum(-1)  # (4)
    p = a2 / np.sqrt(s1)[:, None]  # (5)
    a3 = b @ W1 + b1  # (6)
    h3 = np.tanh(a3)  # (7)
    a4 = h3 @ W2 + b2  # (8)
    s2 = (a4**2).sum(-1)  # (9)
    q = a4 / np.sqrt(s2)[:, None]  # (10)
    z1 = p @ q.T * 5  # (11)
    loss = (
        (
            np.logaddexp.reduce(z1, 0) + np.logaddexp.reduce(z1, -1)
            - 2 * z1[np.arange(N), np.arange(N)]
        ).mean() / 2
    )  # (12)
    dz1 = (
        softmax(z1) + softmax(z1, axis=0) - 1 * (np.arange(N) == np.arange(N)[:, None]) * 2
    ) / (2 * N)  # (13)
    z2 = dz1.T @ p  # (14)
    da4 = (
        5 * (z2 - np.where((s2 > 0)[:, None], (z2 * q).sum(-1, keepdims=True) * q, 0))
        / np.sqrt(s2)[:, None]
    )  # (15)
    dh3 = da4 @ W2.T  # (16)
    da3 = (1 - h3**2) * dh3  # (17)
    z3 = dz1 @ q  # (18)
    da2 = (
        5 * (z3 - np.where((s1 > 0)[:, None], (z3 * p).sum(-1, keepdims=True) * p, 0))
        / np.sqrt(s1)[:, None]
    )  # (19)
    db2 = da2.sum(0) + da4.sum(0)  # (20)
    dh1 = da2 @ W2.T  # (21)
    dW2 = h1.T @ da2 + h3.T @ da4  # (22)
    da1 = (1 - h1**2) * dh1  # (23)
    dW1 = a.T @ da1 + b.T @ da3  # (24)
    db1 = ((1 - h1**2) * dh1).sum(0) + ((1 - h3**2) * dh3).sum(0)  # (25)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def train(params, a, b, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.002, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(a)), max(1, len(a) // batch)):
            loss, gradients = loss_and_gradients(params, a[rows], b[rows])
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
