"""word2vec in NumPy, one line for each equation.
The comment (k) behind a line is the number of its equation in the textbook's reading.
"""

import numpy as np

D = 32


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def softplus(u):
    """log(1 + exp(u)), without overflow."""
    return np.logaddexp(0, u)


def initial_parameters(rng, V):
    """The parameters' starting values."""
    return {
        "E": np.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
        "C": np.sqrt(6 / (D + V)) * rng.uniform(-1, 1, (V, D)),
    }


def loss_and_gradients(params, centre, context, others):
    """The loss, and its derivative by each parameter."""
    E, C = params["E"], params["C"]
    N = centre.shape[0]
    V = E.shape[0]
    near = (C[context] * E[centre]).sum(-1)  # (1)
    far = (C[others] * E[centre][:, None, :]).sum(-1)  # (2)
    u = -near  # (3)
    m = softplus(u).mean()  # (4)
    s = softplus(far).sum()  # (5)
    loss = s / N + m  # (6)
    du = sigmoid(u) / N  # (7)
    dfar = sigmoid(far) / N  # (8)
    dE = np.zeros((V, D))
    np.add.at(dE, centre, -(C[context] * du[:, None]))  # (9)
    np.add.at(dE, centre, (C[others] * dfar[..., None]).sum(1))  # (9)
    dC = np.zeros((V, D))
    np.add.at(dC, context, -(E[centre] * du[:, None]))  # (10)
    np.add.at(dC, others, (E[centre].T[..., None] * dfar).transpose(1, 2, 0))  # (10)
    return loss, {"E": dE, "C": dC}


def train(params, centre, context, others, epochs=10, batch=32, seed=0):
    """Adam on mini-batches, which are drawn anew in each epoch."""
    rng, step = np.random.default_rng(seed), 0
    lr, beta1, beta2, eps = 0.003, 0.9, 0.999, 1e-08
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(epochs):
        for rows in np.array_split(rng.permutation(len(centre)), max(1, len(centre) // batch)):
            loss, gradients = loss_and_gradients(params, centre[rows], context[rows], others[rows])
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
