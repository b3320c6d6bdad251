"""softmax_regression in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, K = 2, 3


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng):
    """The parameters' starting values."""
    return {"W": np.sqrt(6 / (D + K)) * rng.uniform(-1, 1, (D, K)), "b": np.zeros(K)}


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    W, b = params["W"], params["b"]
    N = x.shape[0]
    a1 = x @ W + b  # (1)
    p = softmax(a1)  # (2)
    loss = -np.log(p[np.arange(N), y]).mean()  # (3)
    da1 = (p - (np.arange(K) == y[:, None])) / N  # (4)
    dW = x.T @ da1  # (5)
    db = da1.sum(0)  # (6)
    return loss, {"W": dW, "b": db}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
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
