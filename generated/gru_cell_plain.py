"""gru_cell in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, H = 2, 2


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "Wz": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wr": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wn": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Uz": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ur": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Un": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
    }


def loss_and_gradients(params, x, h0, t):
    """The loss, and its derivative by each parameter."""
    Wz, Wr, Wn, Uz, Ur = params["Wz"], params["Wr"], params["Wn"], params["Uz"], params["Ur"]
    Un = params["Un"]
    a2 = Wz @ x + Uz @ h0  # (1)
    z = sigmoid(a2)  # (2)
    a4 = Wr @ x + Ur @ h0  # (3)
    r = sigmoid(a4)  # (4)
    u = h0 * r  # (5)
    a5 = Wn @ x + Un @ u  # (6)
    n = np.tanh(a5)  # (7)
    h = (1 - z) * h0 + n * z  # (8)
    s = ((h - t) ** 2).sum()  # (9)
    loss = s / 2  # (10)
    dh = h - t  # (11)
    da5 = (1 - n**2) * dh * z  # (12)
    du = Un.T @ da5  # (13)
    dUn = da5[:, None] * u  # (14)
    dWn = da5[:, None] * x  # (15)
    da4 = (1 - r) * du * u  # (16)
    dUr = da4[:, None] * h0  # (17)
    dWr = da4[:, None] * x  # (18)
    da2 = (1 - z) * dh * (n - h0) * z  # (19)
    dUz = da2[:, None] * h0  # (20)
    dWz = da2[:, None] * x  # (21)
    return loss, {"Wz": dWz, "Wr": dWr, "Wn": dWn, "Uz": dUz, "Ur": dUr, "Un": dUn}


def train(params, x, h0, t, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params, x, h0, t)
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
