"""moe in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

H, E = 12, 6


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng, D, K):
    """The parameters' starting values."""
    return {
        "G": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "G2": np.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (H, E)), "g1": np.zeros(H),
        "g2": np.zeros(E), "W": np.sqrt(6 / (E * H + D)) * rng.uniform(-1, 1, (E, D, H)),
        "b": np.zeros((E, H)), "V": np.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (E, H, K)),
        "c": np.zeros((E, K)),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    G, G2, g1, g2, W = params["G"], params["G2"], params["g1"], params["g2"], params["W"]
    b, V, c = params["b"], params["V"], params["c"]
    N = x.shape[0]
    K = V.shape[2]
    a1 = x @ G + g1  # (1)
    h1 = np.tanh(a1)  # (2)
    a2 = h1 @ G2 + g2  # (3)
    gate = softmax(a2)  # (4)
    z = np.einsum("ni,eij->nej", x, W)  # (5)
    h = np.tanh(z + b)  # (6)
    o = np.einsum("nej,ejk->nek", h, V)  # (7)
    u1 = o + c  # (8)
    expert = softmax(u1)  # (9)
    p = (expert * gate[..., None]).sum(1)  # (10)
    loss = -np.log(p[np.arange(N), y]).mean()  # (11)
    u2 = (
        a2 + u1[np.arange(N), :, y] - np.logaddexp.reduce(u1, -1)
        - np.logaddexp.reduce(a2, -1)[:, None]
    )  # (12)
    du2 = -(softmax(u2) / N)  # (13)
    du1 = du2[..., None] * ((1 * (np.arange(K) == y[:, None]))[:, None, :] - expert)  # (14)
    dc = du1.sum(0)  # (15)
    dh = np.einsum("nek,ejk->nej", du1, V)  # (16)
    dV = np.einsum("nej,nek->ejk", h, du1)  # (17)
    dz = (1 - h**2) * dh  # (18)
    dW = np.einsum("nej,ni->eij", dz, x)  # (19)
    db = dz.sum(0)  # (20)
    da2 = gate / N + du2  # (21)
    dg2 = da2.sum(0)  # (22)
    dh1 = da2 @ G2.T  # (23)
    dG2 = h1.T @ da2  # (24)
    da1 = (1 - h1**2) * dh1  # (25)
    dG = x.T @ da1  # (26)
    dg1 = da1.sum(0)  # (27)
    return loss, {"G": dG, "G2": dG2, "g1": dg1, "g2": dg2, "W": dW, "b": db, "V": dV, "c": dc}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.005, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows])
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
