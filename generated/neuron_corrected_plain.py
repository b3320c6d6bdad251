"""neuron_corrected in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D = 2


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng):
    """The parameters' starting values."""
    return {"w": np.sqrt(6 / (1 + D)) * rng.uniform(-1, 1, D), "b": np.zeros(())}


def loss_and_gradients(params, x, t):
    """The loss, and its derivative by each parameter."""
    w, b = params["w"], params["b"]
    a = b + w @ x  # (1)
    y = sigmoid(a)  # (2)
    loss = (t - y) ** 2 / 2  # (3)
    dw = (1 - y) * y * (y - t) * x  # (4)
    db = (1 - y) * y * (y - t)  # (5)
    return loss, {"w": dw, "b": db}


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
