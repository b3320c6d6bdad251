"""sigmoid_2_2_2 in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, K, H = 2, 2, 2
b1 = 0.35
b2 = 0.6


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W1": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "W2": np.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (K, H)),
    }


def loss_and_gradients(params, x, t):
    """The loss, and its derivative by each parameter."""
    W1, W2 = params["W1"], params["W2"]
    a1 = W1 @ x + b1  # (1)
    h = sigmoid(a1)  # (2)
    a2 = W2 @ h + b2  # (3)
    o = sigmoid(a2)  # (4)
    s = ((t - o) ** 2).sum()  # (5)
    loss = s / 2  # (6)
    da2 = (1 - o) * o * (o - t)  # (7)
    dh = W2.T @ da2  # (8)
    dW2 = da2[:, None] * h  # (9)
    da1 = (1 - h) * dh * h  # (10)
    dW1 = da1[:, None] * x  # (11)
    return loss, {"W1": dW1, "W2": dW2}


def train(params, x, t, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params, x, t)
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
