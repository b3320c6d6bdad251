"""ctc in NumPy, one line for each equation.

The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

H = 32


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = True, [slice(None)] * first
    for k, n in zip(places, x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(np.clip(k, 0, n - 1))
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
    lse = np.logaddexp.reduce(z, -1)  # (5)
    log_p = z - lse[..., None]  # (6)
    y_there____ = taken(y, 1, np.arange(2 * S + 1) // 2)
    e = (
        np.where(
            (np.arange(2 * S + 1) % 2 == 1)[:, None], log_p[np.arange(N)[:, None], :, y_there____],
            0,
        ).swapaxes(-1, -2) + log_p[:, :, 0][..., None] * (1 - (np.arange(2 * S + 1) % 2 == 1))
    )  # (7)
    alpha = np.zeros((N, T, 2 * S + 1))
    y_there__ = taken(y, 1, np.arange(2 * S + 1) // 2 - 1, outside=-1)
    y_there___ = taken(y, 1, np.arange(2 * S + 1) // 2, outside=-1)
    for t in range(T):
        alpha[:, t] = (
            e[:, t]
            + np.logaddexp.reduce(
                np.where(
                    np.arange(3)
                    <= (np.where((np.arange(2 * S + 1) % 2 == 1) & (y_there__ != y_there___), 1, 0) + 1)[..., None],
                    taken(
                        alpha, 1, t - 1, np.arange(2 * S + 1)[:, None] - np.arange(3),
                        outside=np.where(np.arange(2 * S + 1)[:, None] != np.arange(3), -np.inf, 0),
                    ),
                    -np.inf,
                ),
                -1,
            )
        )  # (8)
    nll = -np.logaddexp.reduce(
        taken(
            alpha, 0, np.arange(N)[:, None], T - 1, (2 * length)[:, None] - np.arange(2),
            outside=np.where(np.arange(2) != (2 * length)[:, None], -np.inf, 0),
        ),
        -1,
    )  # (9)
    loss = (nll / (1 * (length == 0) + length)).mean()  # (10)
    m1, u1, u2 = np.zeros((3, N, T, 2 * S + 1))
    for t in range(T):
        u2_there = taken(
            u2, 1, t - 1, np.arange(2 * S + 1)[:, None] - np.arange(3),
            outside=np.where(np.arange(2 * S + 1)[:, None] != np.arange(3), -np.inf, 0),
        )
        y_there = y_there__
        y_there_ = y_there___
        m1[:, t] = np.where(
            np.arange(3)
            <= (np.where((np.arange(2 * S + 1) % 2 == 1) & (y_there != y_there_), 1, 0) + 1)[..., None],
            u2_there, -np.inf,
        ).max(-1, initial=-np.inf)  # (11)
        u1[:, t] = (
            1
            * (
                np.where(
                    np.arange(3)
                    <= (np.where((np.arange(2 * S + 1) % 2 == 1) & (y_there != y_there_), 1, 0) + 1)[..., None],
                    np.exp(u2_there - np.where(m1[:, t] > -np.inf, m1[:, t], 0)[..., None]), 0,
                ).sum(-1) == 0
            )
            + np.where(
                np.arange(3)
                <= (np.where((np.arange(2 * S + 1) % 2 == 1) & (y_there != y_there_), 1, 0) + 1)[..., None],
                np.exp(u2_there - np.where(m1[:, t] > -np.inf, m1[:, t], 0)[..., None]), 0,
            ).sum(-1)
        )  # (12)
        u2[:, t] = e[:, t] + np.log(u1[:, t]) + m1[:, t]  # (13)
    u2_there_ = taken(
        u2, 0, np.arange(N)[:, None], T - 1, (2 * length)[:, None] - np.arange(2),
        outside=np.where(np.arange(2) != (2 * length)[:, None], -np.inf, 0),
    )
    m2 = u2_there_.max(-1)  # (14)
    u3 = (
        1 * (np.exp(u2_there_ - np.where(m2 > -np.inf, m2, 0)[:, None]).sum(-1) == 0)
        + np.exp(u2_there_ - np.where(m2 > -np.inf, m2, 0)[:, None]).sum(-1)
    )  # (15)
    u4 = -(1 / (N * (1 * (length == 0) + length) * u3))  # (16)
    s1 = np.where(
        np.arange(2 * S + 1)[:, None] + np.arange(2) == (2 * length)[:, None, None],
        np.exp(u2_there_ - np.where(m2 > -np.inf, m2, 0)[:, None])[:, None, :], 0,
    ).sum(-1)  # (17)
    s2, u5 = np.zeros((2, N, T, 2 * S + 1))
    for t in reversed(range(T)):
        m1_there = taken(m1, 1, t + 1, np.arange(2 * S + 1)[:, None] + np.arange(3))
        s2[:, t] = np.where(
            (t < T - 1) & (np.arange(2 * S + 1)[:, None] + np.arange(3) <= 2 * S)
            & (
                np.arange(3)
                <= (
                    np.where(
                        ((np.arange(2 * S + 1)[:, None] + np.arange(3)) % 2 == 1)
                        & (
                            taken(
                                y, 1, (np.arange(2 * S + 1)[:, None] + np.arange(3)) // 2 - 1,
                                outside=-1,
                            )
                            != taken(
                                y, 1, (np.arange(2 * S + 1)[:, None] + np.arange(3)) // 2,
                                outside=-1,
                            )
                        ),
                        1, 0,
                    ) + 1
                )
            ),
            taken(u5, 1, t + 1, np.arange(2 * S + 1)[:, None] + np.arange(3))
            * np.exp(u2[:, t][..., None] - np.where(m1_there > -np.inf, m1_there, 0))
            / taken(u1, 1, t + 1, np.arange(2 * S + 1)[:, None] + np.arange(3)),
            0,
        ).sum(-1)  # (18)
        u5[:, t] = (u4[:, None] * s1 if t == T - 1 else np.zeros((N, 2 * S + 1))) + s2[:, t]  # (19)
    dlog_p = (
        np.where(np.arange(K) == 0, (u5 @ (1 - (np.arange(2 * S + 1) % 2 == 1)))[..., None], 0)
        + np.where(
            ((np.arange(2 * S + 1) % 2 == 1) & (np.arange(K)[:, None] == y_there____[:, None, :]))[:, None, :, :],
            u5[:, :, None, :], 0,
        ).sum(-1)
    )  # (20)
    dz = dlog_p - dlog_p.sum(-1, keepdims=True) * p  # (21)
    dc = dz.sum((0, 1))  # (22)
    da1 = np.zeros((N, T, H))
    for t in reversed(range(T)):
        da1[:, t] = (
            1 - h1[:, t] ** 2
        ) * ((da1[:, t + 1] if t < T - 1 else np.zeros((N, H))) @ U.T + dz[:, t] @ R.T)  # (23)
    dU = np.einsum("ntj,nta->ja", np.pad(h1, ((0, 0), (1, 0), (0, 0)))[:, :-1], da1)  # (24)
    dR = np.einsum("ntj,ntk->jk", h1, dz)  # (25)
    db = da1.sum((0, 1))  # (26)
    dW = np.einsum("nti,ntj->ij", x, da1)  # (27)
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
