"""crf in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng, V, K):
    """The parameters' starting values."""
    return {
        "W": np.sqrt(6 / (K + V)) * rng.uniform(-1, 1, (V, K)),
        "A": np.sqrt(3 / K) * rng.uniform(-1, 1, (K, K)),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    W, A = params["W"], params["A"]
    N, T = x.shape
    V, K = W.shape
    scores = W[x]  # (1)
    alpha = np.zeros((N, T, K))
    for t in range(T):
        alpha[:, t] = (
            (
                np.logaddexp.reduce(alpha[:, t - 1][:, None, :] + A.T, -1) if t > 0
                else np.zeros((N, K))
            ) + scores[:, t]
        )  # (2)
    total = np.logaddexp.reduce(alpha[:, T - 1], -1)  # (3)
    marginal = np.zeros((N, T, K))
    for t in reversed(range(T)):
        marginal[:, t] = (
            (softmax(alpha[:, t]) if t == T - 1 else np.zeros((N, K)))
            + (
                softmax(alpha[:, t][..., None] + A, axis=1)
                * (marginal[:, t + 1] if t < T - 1 else np.zeros((N, K)))[:, None, :]
            ).sum(-1)
        )  # (4)
    steps = np.where(np.arange(T) >= 1, A[np.pad(y, ((0, 0), (1, 0)))[:, :-1], y], 0).sum(-1)  # (5)
    words = scores[np.arange(N)[:, None], np.arange(T), y].sum(-1)  # (6)
    loss = (total - steps - words).mean()  # (7)
    dA = (
        np.where(
            np.arange(T) >= 1,
            softmax(
                np.pad(alpha, ((0, 0), (1, 0), (0, 0)))[:, :-1].transpose(2, 0, 1)[:, None, :, :]
                + A[..., None, None],
                axis=0,
            ) * marginal.transpose(2, 0, 1),
            0,
        ).sum((2, 3)) / N
        - (
            (np.arange(T) >= 1) & (np.arange(K)[:, None, None] == y)
            & (np.arange(K)[:, None, None] == np.pad(y, ((0, 0), (1, 0)))[:, :-1])[:, None, :, :]
        ).sum((2, 3)) / N
    )  # (8)
    dscores = (marginal - (np.arange(K) == y[..., None])) / N  # (9)
    dW = np.zeros((V, K))
    np.add.at(dW, x, dscores)  # (10)
    return loss, {"W": dW, "A": dA}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.02, 0.9, 0.999, 1e-08
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
