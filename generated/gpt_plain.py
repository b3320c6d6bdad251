"""gpt in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D, E, F = 32, 2, 8


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def gelu_tanh(u):
    """u·(1 + tanh(√(2/π)·(u + 0.044715·u³)))/2 (Hendrycks and Gimpel 2016)."""
    return (1 + np.tanh(np.sqrt(2) * (0.044715 * u**3 + u) / np.sqrt(np.pi))) * u / 2


def gelu_tanh_slope(u):
    """The derivative of gelu_tanh."""
    c1 = np.tanh(np.sqrt(2) * (0.044715 * u**3 + u) / np.sqrt(np.pi))
    return (
        1 / 2 + np.sqrt(2) * (1 + 0.134145 * u**2) * (1 - c1**2) * u / (2 * np.sqrt(np.pi)) + c1 / 2
    )


def initial_parameters(rng, T, V):
    """The parameters' starting values."""
    return {
        "tokens_E": 0.02 * rng.standard_normal((V, D)),
        "positions_E": 0.02 * rng.standard_normal((T, D)), "gamma1": np.ones((E, D)),
        "beta1": np.zeros((E, D)), "Wq1": 0.02 * rng.standard_normal((E, D, 4, F)),
        "bq1": np.zeros((E, 4, F)), "Wk2": 0.02 * rng.standard_normal((E, D, 4, F)),
        "bk2": np.zeros((E, 4, F)), "Wv3": 0.02 * rng.standard_normal((E, D, 4, F)),
        "bv3": np.zeros((E, 4, F)), "Wo4": 0.02 * rng.standard_normal((E, 4, F, D)),
        "bo4": np.zeros((E, D)), "gamma4": np.ones((E, D)), "beta4": np.zeros((E, D)),
        "W5": 0.02 * rng.standard_normal((E, D, 4 * D)), "b5": np.zeros((E, 4 * D)),
        "W6": 0.02 * rng.standard_normal((E, 4 * D, D)), "b6": np.zeros((E, D)),
        "gamma6": np.ones(D), "beta6": np.zeros(D),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    tokens_E, positions_E, gamma1 = params["tokens_E"], params["positions_E"], params["gamma1"]
    beta1, Wq1, bq1, Wk2 = params["beta1"], params["Wq1"], params["bq1"], params["Wk2"]
    bk2, Wv3, bv3, Wo4 = params["bk2"], params["Wv3"], params["bv3"], params["Wo4"]
    bo4, gamma4, beta4, W5 = params["bo4"], params["gamma4"], params["beta4"], params["W5"]
    b5, W6, b6, gamma6 = params["b5"], params["W6"], params["b6"], params["gamma6"]
    beta6 = params["beta6"]
    N, T = x.shape
    V = tokens_E.shape[0]
    x1 = tokens_E[x] + positions_E  # (1)
    mu1, v_h1, mu2, v_h4 = np.zeros((4, E, N, T))
    x_hat1, h1, a4, x_hat2, h4, a6 = np.zeros((6, E, N, T, D))
    q1, k2, v3, o = np.zeros((4, E, N, 4, T, F))
    S, P = np.zeros((2, E, N, 4, T, T))
    a5, h5 = np.zeros((2, E, N, T, 4 * D))
    for k in range(E):
        a6_previous = a6[k - 1] if k > 0 else x1
        mu1[k] = a6_previous.mean(-1)  # (2)
        v_h1[k] = ((a6_previous - mu1[k][..., None]) ** 2).mean(-1)  # (3)
        x_hat1[k] = (a6_previous - mu1[k][..., None]) / np.sqrt(1e-5 + v_h1[k])[..., None]  # (4)
        h1[k] = x_hat1[k] * gamma1[k] + beta1[k]  # (5)
        q1[k] = np.einsum("ntj,jlm->nltm", h1[k], Wq1[k]) + bq1[k][:, None, :]  # (6)
        k2[k] = np.einsum("ntj,jlm->nltm", h1[k], Wk2[k]) + bk2[k][:, None, :]  # (7)
        v3[k] = np.einsum("ntj,jlm->nltm", h1[k], Wv3[k]) + bv3[k][:, None, :]  # (8)
        S[k] = q1[k] @ k2[k].swapaxes(-1, -2) / np.sqrt(F)  # (9)
        P[k] = softmax(np.where(np.arange(T) <= np.arange(T)[:, None], S[k], -np.inf))  # (10)
        o[k] = P[k] @ v3[k]  # (11)
        a4[k] = a6_previous + np.einsum("nltm,lmj->ntj", o[k], Wo4[k]) + bo4[k]  # (12)
        mu2[k] = a4[k].mean(-1)  # (13)
        v_h4[k] = ((a4[k] - mu2[k][..., None]) ** 2).mean(-1)  # (14)
        x_hat2[k] = (a4[k] - mu2[k][..., None]) / np.sqrt(1e-5 + v_h4[k])[..., None]  # (15)
        h4[k] = x_hat2[k] * gamma4[k] + beta4[k]  # (16)
        a5[k] = h4[k] @ W5[k] + b5[k]  # (17)
        h5[k] = gelu_tanh(a5[k])  # (18)
        a6[k] = a4[k] + h5[k] @ W6[k] + b6[k]  # (19)
    mu3 = a6[E - 1].mean(-1)  # (20)
    v_h6 = ((a6[E - 1] - mu3[..., None]) ** 2).mean(-1)  # (21)
    x_hat3 = (a6[E - 1] - mu3[..., None]) / np.sqrt(1e-5 + v_h6)[..., None]  # (22)
    h6 = x_hat3 * gamma6 + beta6  # (23)
    z = h6 @ tokens_E.T  # (24)
    count = (y != 0).sum()  # (25)
    loss = (
        np.where(
            y != 0, np.logaddexp.reduce(z, -1) - z[np.arange(N)[:, None], np.arange(T), y], 0
        ).sum() / count
    )  # (26)
    dz = np.where(
        (y != 0)[..., None], (softmax(z) - (np.arange(V) == y[..., None])) / count, 0
    )  # (27)
    dh6 = dz @ tokens_E  # (28)
    dx_hat3 = dh6 * gamma6  # (29)
    dgamma6 = (dh6 * x_hat3).sum((0, 1))  # (30)
    dbeta6 = dh6.sum((0, 1))  # (31)
    da6, dh4, dx_hat2, da4, dh1, dx_hat1 = np.zeros((6, E, N, T, D))
    dh5, da5 = np.zeros((2, E, N, T, 4 * D))
    do, dv3, z_hat, dq1 = np.zeros((4, E, N, 4, T, F))
    dP, dS = np.zeros((2, E, N, 4, T, T))
    for k in reversed(range(E)):
        if k == E - 1:
            da6[k] = (
                dx_hat3 - (dx_hat3 * x_hat3).mean(-1, keepdims=True) * x_hat3
                - dx_hat3.mean(-1, keepdims=True)
            ) / np.sqrt(1e-5 + v_h6)[..., None]  # (33)
        else:
            da6[k] = (
                (
                    dx_hat1[k + 1]
                    - (dx_hat1[k + 1] * x_hat1[k + 1]).mean(-1, keepdims=True) * x_hat1[k + 1]
                    - dx_hat1[k + 1].mean(-1, keepdims=True)
                ) / np.sqrt(1e-5 + v_h1[k + 1])[..., None] + da4[k + 1]
            )  # (32)
        dh5[k] = da6[k] @ W6[k].T  # (34)
        da5[k] = dh5[k] * gelu_tanh_slope(a5[k])  # (35)
        dh4[k] = da5[k] @ W5[k].T  # (36)
        dx_hat2[k] = dh4[k] * gamma4[k]  # (37)
        da4[k] = (
            (
                dx_hat2[k] - (dx_hat2[k] * x_hat2[k]).mean(-1, keepdims=True) * x_hat2[k]
                - dx_hat2[k].mean(-1, keepdims=True)
            ) / np.sqrt(1e-5 + v_h4[k])[..., None] + da6[k]
        )  # (38)
        do[k] = np.einsum("ntj,lmj->nltm", da4[k], Wo4[k])  # (39)
        dP[k] = do[k] @ v3[k].swapaxes(-1, -2)  # (40)
        dS[k] = (dP[k] - (dP[k] * P[k]).sum(-1, keepdims=True)) * P[k]  # (41)
        dv3[k] = P[k].swapaxes(-1, -2) @ do[k]  # (42)
        z_hat[k] = dS[k].swapaxes(-1, -2) @ q1[k]  # (43)
        dq1[k] = dS[k] @ k2[k] / np.sqrt(F)  # (44)
        dh1[k] = (
            np.einsum("nltm,jlm->ntj", z_hat[k], Wk2[k]) / np.sqrt(F)
            + np.einsum("nltm,jlm->ntj", dq1[k], Wq1[k])
            + np.einsum("nltm,jlm->ntj", dv3[k], Wv3[k])
        )  # (45)
        dx_hat1[k] = dh1[k] * gamma1[k]  # (46)
    dbo4 = da4.sum((1, 2))  # (47)
    db6 = da6.sum((1, 2))  # (48)
    dW6 = np.einsum("kntq,kntj->kqj", h5, da6)  # (49)
    db5 = da5.sum((1, 2))  # (50)
    dW5 = np.einsum("kntj,kntq->kjq", h4, da5)  # (51)
    dgamma4 = (dh4 * x_hat2).sum((1, 2))  # (52)
    dbeta4 = (W5 * db5[:, None, :]).sum(-1)  # (53)
    dWo4 = np.einsum("knltm,kntj->klmj", o, da4)  # (54)
    dbv3 = dv3.sum((1, 3))  # (55)
    dbk2 = np.zeros((E, 4, F))  # (56)
    dbq1 = dq1.sum((1, 3))  # (57)
    dWq1 = np.einsum("kntj,knltm->kjlm", h1, dq1)  # (58)
    dWk2 = np.einsum("kntj,knltm->kjlm", h1, z_hat) / np.sqrt(F)  # (59)
    dWv3 = np.einsum("kntj,knltm->kjlm", h1, dv3)  # (60)
    dgamma1 = (dh1 * x_hat1).sum((1, 2))  # (61)
    dbeta1 = dh1.sum((1, 2))  # (62)
    dx1 = (
        (
            dx_hat1[0] - (dx_hat1[0] * x_hat1[0]).mean(-1, keepdims=True) * x_hat1[0]
            - dx_hat1[0].mean(-1, keepdims=True)
        ) / np.sqrt(1e-5 + v_h1[0])[..., None] + da4[0]
    )  # (63)
    dtokens_E = np.einsum("nti,ntj->ij", dz, h6)  # (64)
    np.add.at(dtokens_E, x, dx1)  # (64)
    dpositions_E = dx1.sum(0)  # (65)
    return loss, {
        "tokens_E": dtokens_E, "positions_E": dpositions_E, "gamma1": dgamma1, "beta1": dbeta1,
        "Wq1": dWq1, "bq1": dbq1, "Wk2": dWk2, "bk2": dbk2, "Wv3": dWv3, "bv3": dbv3, "Wo4": dWo4,
        "bo4": dbo4, "gamma4": dgamma4, "beta4": dbeta4, "W5": dW5, "b5": db5, "W6": dW6, "b6": db6,
        "gamma6": dgamma6, "beta6": dbeta6,
    }


def train(params, x, y, epochs=10, batch=32, seed=0):
    """AdamW on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps, weight_decay, clip_norm = 0.005, 0.9, 0.999, 1e-08, 0.01, 1.0
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            loss, gradients = loss_and_gradients(params, x[rows], y[rows])
            step += 1
            flat = np.concatenate([gradient.ravel() for gradient in gradients.values()])
            rate = (
                0.01 * step if step <= 100
                else 0.55 + 0.45 * np.cos(np.pi * (step / 775 - 4 / 31)) if step <= 874 else 1 / 10
            ) * lr
            g_squares = (flat**2).sum()
            g_norm = np.sqrt(g_squares)
            g_scale = (0 if g_norm <= clip_norm else clip_norm / g_norm) + (g_norm <= clip_norm)
            for name, gradient in gradients.items():
                g_clipped = g_scale * gradient
                m[name] = (1 - beta1) * g_clipped + beta1 * m[name]
                v[name] = (1 - beta2) * g_clipped**2 + beta2 * v[name]
                params[name] = (
                    (1 - rate * weight_decay) * params[name]
                    - rate * m[name]
                    / ((1 - beta1**step) * (np.sqrt(v[name] / (1 - beta2**step)) + eps))
                )
        print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return params
