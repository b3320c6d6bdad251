"""conv in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

S, F = 3, 2


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "x": (
            np.sqrt(6 / (1 + 2 * F**2 + 2 * S + S**2 - 2 * F * S - 2 * F))
            * rng.uniform(-1, 1, (S, S))
        ),
        "k": np.sqrt(3 / F**2) * rng.uniform(-1, 1, (F, F)),
    }


def loss_and_gradients(params, t):
    """The loss, and its derivative by each parameter."""
    x, k = params["x"], params["k"]
    x_windows = sliding_window_view(x, (F, F), (0, 1))
    y = (x_windows * k).sum((2, 3))  # (1)
    s = ((y - t) ** 2).sum()  # (2)
    loss = s / 2  # (3)
    dy = y - t  # (4)
    dx = (
        sliding_window_view(
            np.pad(dy, ((F - 1, F - 1), (F - 1, F - 1))), (F, F), (0, 1)
        )[:, :, ::-1, ::-1] * k
    ).sum((2, 3))  # (5)
    dk = (x_windows * dy[..., None, None]).sum((0, 1))  # (6)
    return loss, {"x": dx, "k": dk}


def train(params, t, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params, t)
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
