"""circuit in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "x": rng.standard_normal(()), "y": rng.standard_normal(()), "z": rng.standard_normal(())
    }


def loss_and_gradients(params):
    """The loss, and its derivative by each parameter."""
    x, y, z = params["x"], params["y"], params["z"]
    q = x + y  # (1)
    f = q * z  # (2)
    dx = z  # (3)
    dy = z  # (4)
    dz = q  # (5)
    return f, {"x": dx, "y": dy, "z": dz}


def train(params, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params)
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
