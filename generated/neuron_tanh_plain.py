"""neuron_tanh in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np


def initial_parameters():
    """The parameters' starting values."""
    return {
        "x1": np.ones(()), "x2": np.ones(()), "w1": np.ones(()), "w2": np.ones(()),
        "b": np.zeros(()),
    }


def loss_and_gradients(params):
    """The loss, and its derivative by each parameter."""
    x1, x2, w1, w2, b = params["x1"], params["x2"], params["w1"], params["w2"], params["b"]
    u = w1 * x1  # (1)
    v = w2 * x2  # (2)
    s = u + v  # (3)
    n = b + s  # (4)
    o = np.tanh(n)  # (5)
    db = 1 - o**2  # (6)
    dx2 = (1 - o**2) * w2  # (7)
    dw2 = (1 - o**2) * x2  # (8)
    dx1 = (1 - o**2) * w1  # (9)
    dw1 = (1 - o**2) * x1  # (10)
    return o, {"x1": dx1, "x2": dx2, "w1": dw1, "w2": dw2, "b": db}


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
