"""pinn in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, H = 1, 24


def initial_parameters(rng):
    """The parameters' starting values."""
    return {
        "W1": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)), "b1": np.zeros(H),
        "W2": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)), "b2": np.zeros(H),
        "W3": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)), "b3": np.zeros(D),
    }


def loss_and_gradients(params, t):
    """The loss, and its derivative by each parameter."""
    W1, b1, W2, b2, W3 = params["W1"], params["b1"], params["W2"], params["b2"], params["W3"]
    b3 = params["b3"]
    N = t.shape[0]
    a1 = t @ W1 + b1  # (1)
    h1 = np.tanh(a1)  # (2)
    a2 = h1 @ W2 + b2  # (3)
    h2 = np.tanh(a2)  # (4)
    v = h2 @ W3 + b3  # (5)
    u = 1 + t**2 * v  # (6)
    s1 = t**2 @ W3.T  # (7)
    u1 = (1 - h2**2) * s1  # (8)
    z1 = u1 @ W2.T  # (9)
    s2 = np.broadcast_to(W1.sum(0), (N, H))  # (10)
    u2 = (1 - h1**2) * s2  # (11)
    z2 = u2 @ W2  # (12)
    u3 = (1 - h2**2) * z2  # (13)
    z3 = u3 @ W3  # (14)
    z4 = t @ W3.T * 2  # (15)
    u4 = (1 - h2**2) * (z4 - 2 * z2 * s1 * h2)  # (16)
    z5 = u4 @ W2.T  # (17)
    u5 = (1 - h1**2) * (z5 - 2 * s2 * z1 * h1)  # (18)
    u_tt = 2 * z3 * t + 2 * v + u5 @ W1.T  # (19)
    loss = ((u + u_tt) ** 2).mean()  # (20)
    du_tt = 2 * (u + u_tt) / (D * N)  # (21)
    du5 = du_tt @ W1  # (22)
    dz5 = (1 - h1**2) * du5  # (23)
    du4 = dz5 @ W2  # (24)
    dz4 = (1 - h2**2) * du4  # (25)
    dz3 = 2 * du_tt * t  # (26)
    du3 = dz3 @ W3.T  # (27)
    dz2 = (1 - h2**2) * (du3 - 2 * du4 * s1 * h2)  # (28)
    du2 = dz2 @ W2.T  # (29)
    dz1 = -(2 * u2 * du5 * h1)  # (30)
    du1 = dz1 @ W2  # (31)
    ds1 = (2 * z2 * du4 * h2 - du1) * (h2**2 - 1)  # (32)
    dv = (2 + t**2) * du_tt  # (33)
    db3 = dv.sum(0)  # (34)
    dW3 = dz4.T @ t * 2 + u3.T @ dz3 + ds1.T @ t**2 + h2.T @ dv  # (35)
    da2 = (
        (1 - h2**2)
        * (
            2 * (3 * z2 * du4 * s1 * h2 - z2 * du3 - z4 * du4 - du1 * s1) * h2 + dv @ W3.T
            - 2 * z2 * du4 * s1
        )
    )  # (36)
    db2 = da2.sum(0)  # (37)
    dW2 = u2.T @ dz2 + dz5.T @ u4 + dz1.T @ u1 + h1.T @ da2  # (38)
    da1 = (
        (1 - h1**2)
        * (2 * (3 * du5 * z1 * h1**2 - du2 * h1 - du5 * z1) * s2 + da2 @ W2.T - 2 * z5 * du5 * h1)
    )  # (39)
    dW1 = du_tt.T @ u5 + t.T @ da1 + ((1 - h1**2) * (du2 - 2 * du5 * z1 * h1)).sum(0)  # (40)
    db1 = da1.sum(0)  # (41)
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "W3": dW3, "b3": db3}


def train(params, t, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.005, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(t)), max(1, len(t) // batch)):
            loss, gradients = loss_and_gradients(params, t[rows])
            step += 1
            rate = (1 / 2 + np.cos(np.pi * step / 2400) / 2) * lr if step <= 2399 else 0
            for name, gradient in gradients.items():
                m[name] = (1 - beta1) * gradient + beta1 * m[name]
                v[name] = (1 - beta2) * gradient**2 + beta2 * v[name]
                params[name] = (
                    params[name]
                    - rate * m[name]
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
