"""A GRU that reads a sequence, and a linear layer on its last state."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, T, D, H, K = bp.dims("N T D H K")
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, K))
    W, U = bp.param("W", (D, 3, H)), bp.param("U", (H, 3, H))
    b, d = bp.param("b", (3, H)), bp.param("d", (3, H))
    V = bp.param("V", (H, K))
    h = bp.gru(x, W, U, b, d)
    o = h[:, -1] @ V
    return bp.Network("gru", loss=bp.mse(o, y), outputs={"o": o})


def sigmoid(a):
    return np.exp(-np.logaddexp(0, -a))


def loss_and_gradients(params, x, y):
    (Wr, Wu, Wn), (Ur, Uu, Un) = params["W"].swapaxes(0, 1), params["U"].swapaxes(0, 1)
    b, d, V = params["b"], params["d"], params["V"]
    N, T, _ = x.shape
    h = np.zeros((N, T + 1, len(V)))  # step t at t + 1
    r, u, n, m = (np.zeros((N, T, len(V))) for _ in range(4))
    for t in range(T):
        r[:, t] = sigmoid(x[:, t] @ Wr + b[0] + h[:, t] @ Ur + d[0])
        u[:, t] = sigmoid(x[:, t] @ Wu + b[1] + h[:, t] @ Uu + d[1])
        m[:, t] = h[:, t] @ Un + d[2]
        n[:, t] = np.tanh(x[:, t] @ Wn + b[2] + r[:, t] * m[:, t])
        h[:, t + 1] = (1 - u[:, t]) * n[:, t] + u[:, t] * h[:, t]
    o = h[:, -1] @ V
    loss = np.mean((o - y) ** 2)

    do = 2 * (o - y) / y.size
    dV = h[:, -1].T @ do
    dh, du, dn, dr = (np.zeros((N, T, len(V))) for _ in range(4))
    dW, dU, db, dd = (
        np.zeros_like(params["W"]),
        np.zeros_like(params["U"]),
        np.zeros_like(b),
        np.zeros_like(d),
    )
    dh_next = do @ V.T
    for t in range(T - 1, -1, -1):
        dh[:, t] = dh_next
        dn[:, t] = dh[:, t] * (1 - u[:, t])
        du[:, t] = dh[:, t] * (h[:, t] - n[:, t])
        da_n = dn[:, t] * (1 - n[:, t] ** 2)
        dr[:, t] = da_n * m[:, t]
        da_u = du[:, t] * u[:, t] * (1 - u[:, t])
        da_r = dr[:, t] * r[:, t] * (1 - r[:, t])
        dm = da_n * r[:, t]
        dW += np.stack([x[:, t].T @ da_r, x[:, t].T @ da_u, x[:, t].T @ da_n], axis=1)
        dU += np.stack([h[:, t].T @ da_r, h[:, t].T @ da_u, h[:, t].T @ dm], axis=1)
        db += np.stack([da_r.sum(axis=0), da_u.sum(axis=0), da_n.sum(axis=0)])
        dd += np.stack([da_r.sum(axis=0), da_u.sum(axis=0), dm.sum(axis=0)])
        dh_next = dh[:, t] * u[:, t] + da_r @ Ur.T + da_u @ Uu.T + dm @ Un.T
    gradients = {"do": do, "V": dV, "dh": dh, "dn": dn, "du": du, "dr": dr}
    return loss, gradients | {"W": dW, "U": dU, "b": db, "d": dd}


def forward(params, x, y):
    """Gates side by side, the state by its change."""
    W, U = (params[k].reshape(len(params[k]), -1) for k in "WU")
    b, d, V = params["b"].ravel(), params["d"].ravel(), params["V"]
    H = len(V)
    h, steps = np.zeros((len(x), H)), []
    for x_t in np.moveaxis(x, 1, 0):
        inner, outer = x_t @ W + b, h @ U + d
        gates = sigmoid(inner[:, : 2 * H] + outer[:, : 2 * H])
        r, z = gates[:, :H], gates[:, H:]
        n = np.tanh(inner[:, 2 * H :] + r * outer[:, 2 * H :])
        steps.append((x_t, h, gates, n, outer[:, 2 * H :]))
        h = n + z * (h - n)
    error = h @ V - y
    return (error**2).sum() / error.size, (params, steps, error, h)


def backward(cache):
    params, steps, error, last = cache
    D, H = params["W"].shape[0], len(last[0])
    U = params["U"].reshape(H, -1)
    error = error * (2 / error.size)
    dV = last.T @ error
    dh = error @ params["V"].T
    dW, dU = np.zeros((D, 3 * H)), np.zeros((H, 3 * H))
    db, dd = np.zeros(3 * H), np.zeros(3 * H)
    for x_t, h_prev, gates, n, outer_n in reversed(steps):
        r, z = gates[:, :H], gates[:, H:]
        dn = dh * (1 - z) * (1 - n**2)
        dgates = np.hstack([dn * outer_n, dh * (h_prev - n)]) * gates * (1 - gates)
        dinner = np.hstack([dgates, dn])
        douter = np.hstack([dgates, dn * r])
        dW += x_t.T @ dinner
        dU += h_prev.T @ douter
        db += dinner.sum(axis=0)
        dd += douter.sum(axis=0)
        dh = dh * z + douter @ U.T
    grads = {"W": dW, "U": dU, "b": db, "d": dd}
    return {"V": dV} | {k: g.reshape(params[k].shape) for k, g in grads.items()}


def an_example_at_a_time(x, y, W, U, b, d, V):
    """Recursion over time instead of a list, Jacobians of the state written out."""
    grads = {k: np.zeros_like(w) for k, w in {"W": W, "U": U, "b": b, "d": d, "V": V}.items()}
    total = 0.0

    def run(steps, h, finish):
        """The derivative by `h`, the state before these steps."""
        if not len(steps):
            return finish(h)
        e = steps[0]
        inner = np.tensordot(e, W, 1) + b
        outer = np.tensordot(h, U, 1) + d
        r, u = sigmoid(inner[0] + outer[0]), sigmoid(inner[1] + outer[1])
        n = np.tanh(inner[2] + r * outer[2])
        g = run(steps[1:], (1 - u) * n + u * h, finish)
        s = g * (1 - u) * (1 - n * n)
        to_inner = np.array([s * outer[2] * r * (1 - r), g * (h - n) * u * (1 - u), s])
        to_outer = to_inner * np.array([np.ones_like(r), np.ones_like(r), r])
        grads["W"] += e[:, None, None] * to_inner
        grads["b"] += to_inner
        grads["U"] += h[:, None, None] * to_outer
        grads["d"] += to_outer
        jacobian = np.diag(u) + np.einsum("kgj,gj->jk", U, to_outer / np.where(g == 0, 1, g))
        return g @ jacobian

    for sequence, wanted in zip(x, y, strict=True):

        def finish(h, wanted=wanted):
            nonlocal total
            error = h @ V - wanted
            total += error @ error / y.size
            grads["V"] += np.outer(h, 2 * error / y.size)
            return V @ (2 * error) / y.size

        run(sequence, np.zeros(len(V)), finish)
    return total, tuple(grads.values())


class Gated:
    """Dictionaries by gate, and weight gradients after the loop."""

    def __init__(self, params):
        self.params = params

    def forward(self, x, y):
        p, gates = self.params, ("r", "z", "n")
        self.x, self.h, self.s = x, [np.zeros((len(x), len(p["V"])))], []
        pre = {k: np.einsum("ntd,dh->tnh", x, p["W"][:, j]) + p["b"][j] for j, k in enumerate(gates)}
        for t in range(x.shape[1]):
            rec = {k: self.h[-1] @ p["U"][:, j] + p["d"][j] for j, k in enumerate(gates)}
            r, z = (0.5 + 0.5 * np.tanh(0.5 * (pre[k][t] + rec[k])) for k in "rz")
            n = np.tanh(pre["n"][t] + r * rec["n"])
            self.s.append({"r": r, "z": z, "n": n, "rec": rec["n"]})
            self.h.append(z * self.h[-1] + (1 - z) * n)
        self.error = self.h[-1] @ p["V"] - y
        return np.square(self.error).mean()

    def backward(self):
        p = self.params
        d = self.error / (self.error.size / 2)
        gV, back = self.h[-1].T @ d, np.dot(d, p["V"].T)
        T, shape = len(self.s), back.shape
        inner, outer = np.empty((T, 3, *shape)), np.empty((T, 3, *shape))
        for t in reversed(range(T)):
            s, h = self.s[t], self.h[t]
            candidate = back * (1 - s["z"]) * (1 - s["n"] ** 2)
            inner[t, 2], outer[t, 2] = candidate, candidate * s["r"]
            inner[t, 0] = outer[t, 0] = candidate * s["rec"] * (s["r"] - s["r"] ** 2)
            inner[t, 1] = outer[t, 1] = back * (h - s["n"]) * (s["z"] - s["z"] ** 2)
            back = back * s["z"] + np.einsum("gnh,kgh->nk", outer[t], p["U"])
        states = np.stack(self.h[:-1])
        gW = np.einsum("ntd,tgnh->dgh", self.x, inner)
        gU = np.einsum("tnk,tgnh->kgh", states, outer)
        return {"dW": gW, "dU": gU, "db": inner.sum((0, 2)), "dd": outer.sum((0, 2)), "dV": gV}


NAMES = {"dn": "dn_h", "du": "du_h", "dr": "dr_h"}
CYCLE = ("dh", "dn", "du", "dr")
RIGHT = (loss_and_gradients, (forward, backward), an_example_at_a_time, Gated)

FAULTS = {
    0: """
    factor           | do      | 2 * (o - y) / y.size => (o - y) / y.size
    sign             | do      | 2 * (o - y) / y.size => 2 * (y - o) / y.size
    step in time     | V       | h[:, -1].T @ do => h[:, -2].T @ do
    sign             | dn      | dh[:, t] * (1 - u[:, t]) => dh[:, t] * (u[:, t] - 1)
    stale value      | dn      | dh[:, t] * (1 - u[:, t]) => dh[:, t] * u[:, t]
    sign             | du      | (h[:, t] - n[:, t]) => (n[:, t] - h[:, t])
    missing term     | du      | (h[:, t] - n[:, t]) => h[:, t]
    step in time     | du      | (h[:, t] - n[:, t]) => (h[:, t + 1] - n[:, t])
    missing slope    | dr      | da_n = dn[:, t] * (1 - n[:, t] ** 2) => da_n = dn[:, t]
    wrong slope      | dr      | (1 - n[:, t] ** 2) => n[:, t] * (1 - n[:, t])
    stale value      | dr      | da_n * m[:, t] => da_n * h[:, t]
    missing slope    | dh/W/U/b/d | dr[:, t] * r[:, t] * (1 - r[:, t]) => dr[:, t]
    wrong slope      | dh/W/U/b/d | du[:, t] * u[:, t] * (1 - u[:, t]) => du[:, t] * (1 - u[:, t] ** 2)
    slope of another layer | dh/W/U/b/d | du[:, t] * u[:, t] * (1 - u[:, t])
        => du[:, t] * r[:, t] * (1 - r[:, t])
    missing slope    | dh/U/d  | dm = da_n * r[:, t] => dm = da_n
    stale value      | dh/U/d  | dm = da_n * r[:, t] => dm = da_n * u[:, t]
    missing term     | dh      | dh_next = dh[:, t] * u[:, t] + => dh_next =
    missing term     | dh      | + da_u @ Uu.T + dm @ Un.T => + dm @ Un.T
    missing slope    | dh      | + dm @ Un.T => + da_n @ Un.T
    transpose        | dh      | da_r @ Ur.T => da_r @ Ur
    missing sum      | W       | dW += => dW =
    step in time     | U       | [h[:, t].T @ da_r, h[:, t].T @ da_u, h[:, t].T @ dm]
        => [h[:, t + 1].T @ g for g in (da_r, da_u, dm)]
    mean for sum     | b       | db += np.stack([da_r.sum(axis=0), da_u.sum(axis=0), da_n.sum(axis=0)])
        => db += np.stack([g.mean(axis=0) for g in (da_r, da_u, da_n)])
    slope of another layer | dh/W/U/b/d | dr[:, t] * r[:, t] * (1 - r[:, t])
        => dr[:, t] * u[:, t] * (1 - u[:, t])
    term too many/missing slope | dh | dh_next = dh[:, t] * u[:, t] +
        => dh_next = dh[:, t] * u[:, t] + dn[:, t] +
    """,
}
