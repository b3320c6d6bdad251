"""lstm_cell in NumPy, one line for each equation.
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
        "Wi": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wf": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wg": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Wo": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        "Ui": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uf": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Ug": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        "Uo": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
    }


def loss_and_gradients(params, x, h0, c0, t):
    """The loss, and its derivative by each parameter."""
    Wi, Wf, Wg, Wo, Ui = params["Wi"], params["Wf"], params["Wg"], params["Wo"], params["Ui"]
    Uf, Ug, Uo = params["Uf"], params["Ug"], params["Uo"]
    a2 = Wi @ x + Ui @ h0  # (1)
    i = sigmoid(a2)  # (2)
    a4 = Wf @ x + Uf @ h0  # (3)
    f = sigmoid(a4)  # (4)
    a5 = Wg @ x + Ug @ h0  # (5)
    g = np.tanh(a5)  # (6)
    a8 = Wo @ x + Uo @ h0  # (7)
    o = sigmoid(a8)  # (8)
    c = c0 * f + g * i  # (9)
    m = np.tanh(c)  # (10)
    h = m * o  # (11)
    s = ((h - t) ** 2).sum()  # (12)
    loss = s / 2  # (13)
    dh = h - t  # (14)
    dc = (1 - m**2) * dh * o  # (15)
    da8 = (1 - o) * dh * h  # (16)
    dUo = da8[:, None] * h0  # (17)
    dWo = da8[:, None] * x  # (18)
    da5 = (1 - g**2) * dc * i  # (19)
    dUg = da5[:, None] * h0  # (20)
    dWg = da5[:, None] * x  # (21)
    da4 = (1 - f) * c0 * dc * f  # (22)
    dUf = da4[:, None] * h0  # (23)
    dWf = da4[:, None] * x  # (24)
    da2 = (1 - i) * dc * g * i  # (25)
    dUi = da2[:, None] * h0  # (26)
    dWi = da2[:, None] * x  # (27)
    return loss, {
        "Wi": dWi, "Wf": dWf, "Wg": dWg, "Wo": dWo, "Ui": dUi, "Uf": dUf, "Ug": dUg, "Uo": dUo
    }


def train(params, x, h0, c0, t, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for _ in range(batch):
            loss, gradients = loss_and_gradients(params, x, h0, c0, t)
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
