"""dropout in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

N, D, H = 2, 2, 4


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "v": np.sqrt(6 / (1 + H)) * rng.uniform(-1, 1, H),
    }


def draw(rng):
    """What is random in one step."""
    return [1.0 * (rng.random((N, H)) < 0.75)]


def loss_and_gradients(params, x, t, mask1):
    """The loss, and its derivative by each parameter."""
    W, v = params["W"], params["v"]
    z1 = x @ W  # (1)
    h = np.tanh(z1)  # (2)
    k = 4 * h * mask1 / 3  # (3)
    y = k @ v  # (4)
    loss = ((y - t) ** 2).mean()  # (5)
    dy = 2 * (y - t) / N  # (6)
    dv = k.T @ dy  # (7)
    dz1 = (4 * dy)[:, None] * (1 - h**2) * mask1 * v / 3  # (8)
    dW = x.T @ dz1  # (9)
    return loss, {"W": dW, "v": dv}


def train(params, x, t, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            random = draw(rng)
            loss, gradients = loss_and_gradients(params, x, t, *random)
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
