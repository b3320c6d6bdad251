"""attention in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D = 2


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "Wq": np.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wk": np.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
        "Wv": np.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    Wq, Wk, Wv = params["Wq"], params["Wk"], params["Wv"]
    q = x @ Wq  # (1)
    k = x @ Wk  # (2)
    v = x @ Wv  # (3)
    z4 = q @ k.T  # (4)
    s = z4 / np.sqrt(D)  # (5)
    p = softmax(s)  # (6)
    o = p @ v  # (7)
    s_hat = ((o - y) ** 2).sum()  # (8)
    loss = s_hat / 2  # (9)
    do = o - y  # (10)
    dp = do @ v.T  # (11)
    dz4 = (dp - (dp * p).sum(-1, keepdims=True)) * p / np.sqrt(D)  # (12)
    dv = p.T @ do  # (13)
    dWv = x.T @ dv  # (14)
    dk = dz4.T @ q  # (15)
    dWk = x.T @ dk  # (16)
    dq = dz4 @ k  # (17)
    dWq = x.T @ dq  # (18)
    return loss, {"Wq": dWq, "Wk": dWk, "Wv": dWv}


def train(params, x, y, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params, x, y)
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
