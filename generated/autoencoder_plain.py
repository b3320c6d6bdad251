"""autoencoder in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, H, C = 64, 48, 8


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W1": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)), "b1": np.zeros(H),
        "W2": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)), "b2": np.zeros(C),
        "W3": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (C, H)), "b3": np.zeros(H),
        "W4": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)), "b4": np.zeros(D),
    }


def loss_and_gradients(params, x):
    """The loss, and its derivative by each parameter."""
    W1, b1, W2, b2, W3 = params["W1"], params["b1"], params["W2"], params["b2"], params["W3"]
    b3, W4, b4 = params["b3"], params["W4"], params["b4"]
    N = x.shape[0]
    a1 = x @ W1 + b1  # (1)
    h1 = np.tanh(a1)  # (2)
    code = h1 @ W2 + b2  # (3)
    a3 = code @ W3 + b3  # (4)
    h3 = np.tanh(a3)  # (5)
    a4 = h3 @ W4 + b4  # (6)
    shown = sigmoid(a4)  # (7)
    loss = ((shown - x) ** 2).mean()  # (8)
    da4 = 2 * (1 - shown) * shown * (shown - x) / (D * N)  # (9)
    db4 = da4.sum(0)  # (10)
    dh3 = da4 @ W4.T  # (11)
    dW4 = h3.T @ da4  # (12)
    da3 = (1 - h3**2) * dh3  # (13)
    db3 = da3.sum(0)  # (14)
    dcode = da3 @ W3.T  # (15)
    dW3 = code.T @ da3  # (16)
    db2 = dcode.sum(0)  # (17)
    dh1 = dcode @ W2.T  # (18)
    dW2 = h1.T @ dcode  # (19)
    da1 = (1 - h1**2) * dh1  # (20)
    dW1 = x.T @ da1  # (21)
    db1 = da1.sum(0)  # (22)
    return loss, {
        "W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3, "W4": dW4, "b4": db4
    }


def train(params, x, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.003, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows])
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
