"""neuron in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D = 2


def initial_parameters(rng):
    """The parameters' starting values."""
    return {"w": np.sqrt(6 / (1 + D)) * rng.uniform(-1, 1, D), "b": np.zeros(())}


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    w, b = params["w"], params["b"]
    N = x.shape[0]
    s = x @ w  # (1)
    a = s + b  # (2)
    e = np.exp(-a)  # (3)
    d = 1 + e  # (4)
    p = 1 / d  # (5)
    loss = (-((1 - y) * np.log(1 - p)) - np.log(p) * y).mean()  # (6)
    da = (p - y) / N  # (7)
    dw = x.T @ da  # (8)
    db = da.sum()  # (9)
    return loss, {"w": dw, "b": db}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """SGD on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr = 0.5
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows])
            step += 1
            for name, gradient in gradients.items():
                params[name] = params[name] - lr * gradient
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
