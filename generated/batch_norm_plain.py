"""batch_norm in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

N, D = 3, 2
eps = 1e-05


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W": np.sqrt(3 / D) * rng.uniform(-1, 1, (D, D)), "gamma": np.ones(D), "beta": np.zeros(D)
    }


def loss_and_gradients(params, x, t):
    """The loss, and its derivative by each parameter."""
    W, gamma_, beta = params["W"], params["gamma"], params["beta"]
    z = x @ W  # (1)
    mu = z.mean(0)  # (2)
    var = ((z - mu) ** 2).mean(0)  # (3)
    sigma = np.sqrt(var + eps)  # (4)
    z_hat = (z - mu) / sigma  # (5)
    y = z_hat * gamma_ + beta  # (6)
    s = ((y - t) ** 2).sum()  # (7)
    loss = s / 2  # (8)
    dy = y - t  # (9)
    dgamma = (dy * z_hat).sum(0)  # (10)
    dbeta = dy.sum(0)  # (11)
    dz = (dy - z_hat * dgamma / N - dbeta / N) * gamma_ / sigma  # (12)
    dW = x.T @ dz  # (13)
    return loss, {"W": dW, "gamma": dgamma, "beta": dbeta}


def train(params, x, t, epochs=10, batch=32):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    step = 0
    lr, beta1, beta2, eps_ = 0.001, 0.9, 0.999, 1e-08
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
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps_))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
