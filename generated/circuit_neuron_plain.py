"""circuit_neuron in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters():
    """The parameters' starting values."""
    return {
        "w0": np.ones(()), "w1": np.ones(()), "w2": np.zeros(()), "x0": np.ones(()),
        "x1": np.ones(()),
    }


def loss_and_gradients(params):
    """The loss, and its derivative by each parameter."""
    w0, w1, w2, x0, x1 = params["w0"], params["w1"], params["w2"], params["x0"], params["x1"]
    u = w0 * x0  # (1)
    v = w1 * x1  # (2)
    s = u + v  # (3)
    a = s + w2  # (4)
    m = -a  # (5)
    e = np.exp(m)  # (6)
    d = 1 + e  # (7)
    f = 1 / d  # (8)
    dm = -(f * sigmoid(m))  # (9)
    dw2 = -dm  # (10)
    dw1 = -(dm * x1)  # (11)
    dx1 = -(dm * w1)  # (12)
    dw0 = -(dm * x0)  # (13)
    dx0 = -(dm * w0)  # (14)
    return f, {"w0": dw0, "w1": dw1, "w2": dw2, "x0": dx0, "x1": dx1}


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
