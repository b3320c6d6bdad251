"""vae in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, H, C = 64, 48, 4


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W1": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)), "b1": np.zeros(H),
        "Wm": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)), "bm": np.zeros(C),
        "Wv": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)), "bv": np.zeros(C),
        "W2": np.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (C, H)), "b2": np.zeros(H),
        "W3": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)), "b3": np.zeros(D),
    }


def draw(rng, x):
    """What is random in one step."""
    N = x.shape[0]
    return [rng.standard_normal((N, C))]


def loss_and_gradients(params, x, eps):
    """The loss, and its derivative by each parameter."""
    W1, b1, Wm, bm, Wv = params["W1"], params["b1"], params["Wm"], params["bm"], params["Wv"]
    bv, W2, b2, W3, b3 = params["bv"], params["W2"], params["b2"], params["W3"], params["b3"]
    N = x.shape[0]
    a1 = x @ W1 + b1  # (1)
    h = np.tanh(a1)  # (2)
    mu = h @ Wm + bm  # (3)
    log_var = h @ Wv + bv  # (4)
    z = eps * np.exp(log_var / 2) + mu  # (5)
    a4 = z @ W2 + b2  # (6)
    h4 = np.tanh(a4)  # (7)
    a6 = h4 @ W3 + b3  # (8)
    shown = sigmoid(a6)  # (9)
    binary_cross_entropy = -((1 - x) * np.log(1 - shown) + np.log(shown) * x).sum()  # (10)
    bits = binary_cross_entropy / N  # (11)
    kl = (np.exp(log_var) + mu**2 - 1 - log_var).sum() / (2 * N)  # (12)
    loss = bits + kl  # (13)
    da6 = (shown - x) / N  # (14)
    db3 = da6.sum(0)  # (15)
    dh4 = da6 @ W3.T  # (16)
    dW3 = h4.T @ da6  # (17)
    da4 = (1 - h4**2) * dh4  # (18)
    db2 = da4.sum(0)  # (19)
    dz = da4 @ W2.T  # (20)
    dW2 = z.T @ da4  # (21)
    dlog_var = dz * eps * np.exp(log_var / 2) / 2 + (np.exp(log_var) - 1) / (2 * N)  # (22)
    dbv = dlog_var.sum(0)  # (23)
    dmu = mu / N + dz  # (24)
    dbm = dmu.sum(0)  # (25)
    dWm = h.T @ dmu  # (26)
    dWv = h.T @ dlog_var  # (27)
    da1 = (1 - h**2) * (dlog_var @ Wv.T + dmu @ Wm.T)  # (28)
    dW1 = x.T @ da1  # (29)
    db1 = da1.sum(0)  # (30)
    return loss, {
        "W1": dW1, "b1": db1, "Wm": dWm, "bm": dbm, "Wv": dWv, "bv": dbv, "W2": dW2, "b2": db2,
        "W3": dW3, "b3": db3,
    }


def train(params, x, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps_ = 0.003, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            random = draw(rng, x[rows])
            loss, gradients = loss_and_gradients(params, x[rows], *random)
            step += 1
            for name, gradient in gradients.items():
                m[name] = (1 - beta1) * gradient + beta1 * m[name]
                v[name] = (1 - beta2) * gradient**2 + beta2 * v[name]
                params[name] = (
                    params[name]
                    - lr * m[name]
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps_))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
