"""ssm in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

S, H = 16, 32


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def initial_parameters(rng, D, K):
    """The parameters' starting values."""
    return {
        "decay": np.full(S, -2.0), "turn": rng.standard_normal(S),
        "B": np.sqrt(6 / (D + S)) * rng.uniform(-1, 1, (D, S)),
        "W": np.sqrt(2 / S) * rng.standard_normal((S, H)), "b": np.zeros(H),
        "V": np.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)), "c": np.zeros(K),
    }


def loss_and_gradients(params, x, y):
    """The loss, and its derivative by each parameter."""
    decay, turn, B, W, b = params["decay"], params["turn"], params["B"], params["W"], params["b"]
    V, c = params["V"], params["c"]
    N, T = x.shape[0], x.shape[1]
    K = V.shape[1]
    rate = np.exp(-np.exp(decay))  # (1)
    real = np.cos(turn) * rate  # (2)
    imag = rate * np.sin(turn)  # (3)
    u = x @ B  # (4)
    re, im = np.zeros((2, N, T, S))
    for t in range(T):
        re_previous = re[:, t - 1] if t > 0 else np.zeros((N, S))
        im_previous = im[:, t - 1] if t > 0 else np.zeros((N, S))
        re[:, t] = re_previous * real + u[:, t] - im_previous * imag  # (5)
        im[:, t] = im_previous * real + re_previous * imag  # (6)
    size = im[:, T - 1] ** 2 + re[:, T - 1] ** 2  # (7)
    a1 = size @ W + b  # (8)
    h1 = np.maximum(a1, 0)  # (9)
    a2 = h1 @ V + c  # (10)
    p = softmax(a2)  # (11)
    loss = -np.log(p[np.arange(N), y]).mean()  # (12)
    da2 = (p - (np.arange(K) == y[:, None])) / N  # (13)
    dc = da2.sum(0)  # (14)
    dh1 = da2 @ V.T  # (15)
    dV = h1.T @ da2  # (16)
    da1 = np.where(a1 > 0, dh1, 0)  # (17)
    db = da1.sum(0)  # (18)
    dsize = da1 @ W.T  # (19)
    dW = size.T @ da1  # (20)
    dim, dre = np.zeros((2, N, T, S))
    for t in reversed(range(T)):
        dim_next = dim[:, t + 1] if t < T - 1 else np.zeros((N, S))
        dre_next = dre[:, t + 1] if t < T - 1 else np.zeros((N, S))
        dim[:, t] = (
            (2 * im[:, t] * dsize if t == T - 1 else np.zeros((N, S))) + dim_next * real
            - dre_next * imag
        )  # (21)
        dre[:, t] = (
            (2 * re[:, t] * dsize if t == T - 1 else np.zeros((N, S))) + dim_next * imag
            + dre_next * real
        )  # (22)
    dB = np.einsum("nti,ntj->ij", x, dre)  # (23)
    dreal = (
        (dim * np.pad(im, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1))
        + (dre * np.pad(re, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1))
    )  # (24)
    dturn = (
        real
        * (
            (dim * np.pad(re, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1))
            - (dre * np.pad(im, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1))
        ) - dreal * imag
    )  # (25)
    ddecay = -((dreal * real + imag * ((dim * np.pad(re, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1)) - (dre * np.pad(im, ((0, 0), (1, 0), (0, 0)))[:, :-1]).sum((0, 1)))) * np.exp(decay))  # (26)
    return loss, {"decay": ddecay, "turn": dturn, "B": dB, "W": dW, "b": db, "V": dV, "c": dc}


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
