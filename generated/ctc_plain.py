"""ctc in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

H = 32


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def log_softmax(u, axis=-1):
    """The logarithm of softmax, without overflow."""
    return u - np.expand_dims(np.logaddexp.reduce(u, axis), axis)


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


def initial_parameters(rng, D, K):
    """The parameters' starting values."""
    return {
        "W": np.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "U": np.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)), "b": np.zeros(H),
        "R": np.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)), "c": np.zeros(K),
    }


@np.errstate(all="ignore")
def loss_and_gradients(params, x, y, length):
    """The loss, and its derivative by each parameter."""
    W, U, b, R, c = params["W"], params["U"], params["b"], params["R"], params["c"]
    N, T = x.shape[0], x.shape[1]
    S = y.shape[1]
    K = R.shape[1]
    a1, h1 = np.zeros((2, N, T, H))
    for t in range(T):
        a1[:, t] = x[:, t] @ W + (h1[:, t - 1] if t > 0 else np.zeros((N, H))) @ U + b  # (1)
        h1[:, t] = np.tanh(a1[:, t])  # (2)
    z = h1 @ R + c  # (3)
    p = softmax(z)  # (4)
    log_p = log_softmax(z)  # (5)
    y_there = taken(y, 1, np.arange(2 * S + 1) // 2)
    e = (
        np.where(np.arange(2 * S + 1) % 2 == 0, log_p[:, :, 0][..., None], 0)
        + np.where(
            (np.arange(2 * S + 1) % 2 == 1)[:, None], log_p[np.arange(N)[:, None], :, y_there], 0
        ).swapaxes(-1, -2)
    )  # (6), (7)
    r = (
        np.where(
            (np.arange(2 * S + 1) % 2 == 1)
            & (
                taken(y, 1, np.arange(2 * S + 1) // 2 - 1, outside=-1)
                != taken(y, 1, np.arange(2 * S + 1) // 2, outside=-1)
            ),
            1, 0,
        ) + 1
    )  # (8)
    lse, alpha = np.zeros((2, N, T, 2 * S + 1))
    for t in range(T):
        lse[:, t] = np.logaddexp.reduce(
            np.where(
                np.arange(3) <= r[..., None],
                taken(
                    alpha, 1, t - 1, np.arange(2 * S + 1)[:, None] - np.arange(3),
                    outside=np.where(np.arange(2 * S + 1)[:, None] != np.arange(3), -np.inf, 0),
                ),
                -np.inf,
            ),
            -1,
        )  # (9)
        alpha[:, t] = e[:, t] + lse[:, t]  # (10)
    nll = -np.logaddexp.reduce(
        taken(
            alpha, 0, np.arange(N)[:, None], T - 1, (2 * length)[:, None] - np.arange(2),
            outside=np.where(np.arange(2) != (2 * length)[:, None], -np.inf, 0),
        ),
        -1,
    )  # (11)
    loss = (nll / (1 * (length == 0) + length)).mean()  # (12)
    dalpha = np.zeros((N, T, 2 * S + 1))
    for t in reversed(range(T)):
        lse_there = taken(lse, 1, t + 1, np.arange(2 * S + 1)[:, None] + np.arange(3))
        dalpha[:, t] = (
            np.where(
                np.arange(3) <= sliding_window_view(np.pad(r, ((0, 0), (0, 2))), 3, 1),
                np.where(
                    lse_there <= -np.inf, 0,
                    taken(dalpha, 1, t + 1, np.arange(2 * S + 1)[:, None] + np.arange(3))
                    * np.exp(alpha[:, t][..., None] - lse_there),
                ),
                0,
            ).sum(-1)
            - np.where(
                t == T - 1,
                np.where(
                    (nll >= np.inf)[:, None], 0,
                    np.exp(alpha[:, t] + nll[:, None])
                    * (
                        1 * (np.arange(2 * S + 1) + 1 == (2 * length)[:, None])
                        + (np.arange(2 * S + 1) == (2 * length)[:, None])
                    ) / (N * (1 * (length == 0) + length))[:, None],
                ),
                0,
            )
        )  # (13)
    dlog_p = (
        np.where(
            np.arange(K) == 0,
            np.where(np.arange(2 * S + 1) % 2 == 0, dalpha, 0).sum(-1, keepdims=True), 0,
        )
        + np.where(
            ((np.arange(2 * S + 1) % 2 == 1) & (np.arange(K)[:, None] == y_there[:, None, :]))[:, None, :, :],
            dalpha[:, :, None, :], 0,
        ).sum(-1)
    )  # (14)
    dz = dlog_p - dlog_p.sum(-1, keepdims=True) * p  # (15)
    dc = dz.sum((0, 1))  # (16)
    da1 = np.zeros((N, T, H))
    for t in reversed(range(T)):
        da1[:, t] = (
            1 - h1[:, t] ** 2
        ) * ((da1[:, t + 1] if t < T - 1 else np.zeros((N, H))) @ U.T + dz[:, t] @ R.T)  # (17)
    dU = np.einsum("ntj,nta->ja", np.pad(h1, ((0, 0), (1, 0), (0, 0)))[:, :-1], da1)  # (18)
    dR = np.einsum("ntj,ntk->jk", h1, dz)  # (19)
    db = da1.sum((0, 1))  # (20)
    dW = np.einsum("nti,ntj->ij", x, da1)  # (21)
    return loss, {"W": dW, "U": dU, "b": db, "R": dR, "c": dc}


def train(params, x, y, length, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.005, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows], length[rows])
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
