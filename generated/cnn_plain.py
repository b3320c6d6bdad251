"""cnn in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

D, F1, E, F, F2, G, H = 1, 16, 3, 3, 32, 3, 3


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = True, [slice(None)] * first
    for k, n in zip(places, x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(np.clip(k, 0, max(n - 1, 0)))
    if not x.size:  # something to read, where nothing is inside
        places = slice(first, len(safe))
        shape = (*x.shape[:first], *np.maximum(x.shape[places], 1), *x.shape[len(safe) :])
        x = np.zeros(shape, x.dtype)
    inside = np.reshape(inside, np.shape(inside) + (1,) * (x.ndim - len(safe)))
    return np.where(inside, x[tuple(safe)], outside)


def first_maximum(u, count, component):
    """One subscript of the first maximum over the last `count` axes."""
    batch, shape = u.shape[: u.ndim - count], u.shape[u.ndim - count :]
    return np.unravel_index(u.reshape(*batch, -1).argmax(-1), shape)[component]


def initial_parameters(rng, S, K):
    """The parameters' starting values."""
    return {
        "C1": np.sqrt(2 / (D * E * F)) * rng.standard_normal((F1, D, E, F)), "c1": np.zeros(F1),
        "C2": np.sqrt(2 / (F1 * G * H)) * rng.standard_normal((F2, F1, G, H)), "c2": np.zeros(F2),
        "W": (
            np.sqrt(6)
            * np.sqrt(1 / (F2 * (4 + (S + 1 - E) // 2 - G) * (4 + (S + 1 - F) // 2 - H) + K))
            * rng.uniform(-1, 1, (F2 * ((S + 1 - E) // 2 + 4 - G) * ((S + 1 - F) // 2 + 4 - H), K))
        ),
        "b": np.zeros(K),
    }


def draw(rng, x):
    """What is random in one step."""
    N, S = x.shape[0], x.shape[2]
    B, C = (S + 1 - E) // 2 + 4 - G, (S + 1 - F) // 2 + 4 - H
    return [1.0 * (rng.random((N, B * C * F2)) < 0.7)]


def loss_and_gradients(params, x, y, mask2):
    """The loss, and its derivative by each parameter."""
    C1, c1, C2, c2, W = params["C1"], params["c1"], params["C2"], params["c2"], params["W"]
    b = params["b"]
    N, S = x.shape[0], x.shape[2]
    K = W.shape[1]
    P, Q, R = S + 3 - E, S + 3 - F, (S + 1 - E) // 2 + 1
    A, B, C = (S + 1 - F) // 2 + 1, (S + 1 - E) // 2 + 4 - G, (S + 1 - F) // 2 + 4 - H
    x_windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (E, F), (2, 3))
    a1 = np.einsum("njwalm,kjlm->nkwa", x_windows, C1) + c1[:, None, None]  # (1)
    h_hat1 = np.maximum(a1, 0)  # (2)
    h_hat1_windows = sliding_window_view(
        h_hat1, (2, 2), (2, 3)
    )[:, :, : 2 * R - 1 : 2, : 2 * A - 1 : 2]
    h1 = h_hat1_windows.max((4, 5))  # (3)
    h1_windows = sliding_window_view(np.pad(h1, ((0, 0), (0, 0), (1, 1), (1, 1))), (G, H), (2, 3))
    a2 = np.einsum("nkcdrs,qkrs->nqcd", h1_windows, C2) + c2[:, None, None]  # (4)
    h2 = np.maximum(a2, 0)  # (5)
    flat_infer = h2.reshape(N, B * C * F2)  # (6)
    flat_ = 10 * mask2 * flat_infer / 7  # (7)
    a3 = flat_ @ W + b  # (8)
    p = softmax(a3)  # (9)
    loss = -np.log(p[np.arange(N), y]).mean()  # (10)
    c4 = first_maximum(h_hat1_windows, 2, 0)  # (11)
    c5 = first_maximum(h_hat1_windows, 2, 1)  # (12)
    da3 = (p - (np.arange(K) == y[:, None])) / N  # (13)
    db = da3.sum(0)  # (14)
    dflat = da3 @ W.T  # (15)
    dW = flat_.T @ da3  # (16)
    da2 = np.where(
        a2 > 0, 10 * dflat.reshape(N, F2, B, C) * mask2.reshape(N, F2, B, C) / 7, 0
    )  # (17)
    dc2 = da2.sum((0, 2, 3))  # (18)
    da2_windows = sliding_window_view(
        np.pad(da2, ((0, 0), (0, 0), (G - 2, G - 2), (H - 2, H - 2))), (G, H), (2, 3)
    )[:, :, :, :, ::-1, ::-1]
    dh1 = np.einsum("nqefrs,qkrs->nkef", da2_windows, C2)  # (19)
    dC2 = np.einsum("nqcd,nkcdrs->qkrs", da2, h1_windows)  # (20)
    da1 = np.where(
        (a1 > 0)
        & (taken(c5, 2, (np.arange(P) // 2)[:, None], np.arange(Q) // 2) == np.arange(Q) % 2)
        & (
            taken(c4, 2, (np.arange(P) // 2)[:, None], np.arange(Q) // 2)
            == (np.arange(P) % 2)[:, None]
        ),
        taken(dh1, 2, (np.arange(P) // 2)[:, None], np.arange(Q) // 2), 0,
    )  # (21)
    dC1 = np.einsum("nkwa,njwalm->kjlm", da1, x_windows)  # (22)
    dc1 = da1.sum((0, 2, 3))  # (23)
    return loss, {"C1": dC1, "c1": dc1, "C2": dC2, "c2": dc2, "W": dW, "b": db}


def train(params, x, y, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.003, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            random = draw(rng, x[rows])
            loss, gradients = loss_and_gradients(params, x[rows], y[rows], *random)
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
