"""An LSTM whose states at all steps are compared with targets."""

import numpy as np

import symbp as bp


def net() -> bp.Network:
    N, T, D, H = bp.dims("N T D H")
    x, y = bp.input("x", (N, T, D)), bp.target("y", (N, T))
    W, U, b = bp.param("W", (D, 4, H)), bp.param("U", (H, 4, H)), bp.param("b", (4, H))
    v = bp.param("v", (H,))
    h, c = bp.lstm(x, W, U, b, with_cell=True)
    o = h @ v
    return bp.Network("lstm", loss=bp.sum((o - y) ** 2) / (2 * N), outputs={"o": o, "c": c})


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def loss_and_gradients(params, x, y):
    W, U, b, v = params["W"], params["U"], params["b"], params["v"]
    N, T, _D = x.shape
    H = len(v)
    h, c = np.zeros((N, T + 1, H)), np.zeros((N, T + 1, H))  # step t at t + 1
    i, f, g, o = (np.zeros((N, T, H)) for _ in range(4))
    for t in range(T):
        a = np.einsum("nd,dgh->gnh", x[:, t], W) + np.einsum("nk,kgh->gnh", h[:, t], U) + b[:, None]
        i[:, t], f[:, t], g[:, t], o[:, t] = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
        c[:, t + 1] = f[:, t] * c[:, t] + i[:, t] * g[:, t]
        h[:, t + 1] = o[:, t] * np.tanh(c[:, t + 1])
    error = h[:, 1:] @ v - y
    loss = (error**2).sum() / (2 * N)

    derror = error / N
    dv = np.einsum("nt,nth->h", derror, h[:, 1:])
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dh, dc, da = np.zeros((N, T, H)), np.zeros((N, T, H)), np.zeros((N, T, 4, H))
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        dh[:, t] = np.outer(derror[:, t], v) + dh_next
        tanh_c = np.tanh(c[:, t + 1])
        dc[:, t] = dc_next + dh[:, t] * o[:, t] * (1 - tanh_c**2)
        da_o = dh[:, t] * tanh_c * o[:, t] * (1 - o[:, t])
        da_i = dc[:, t] * g[:, t] * i[:, t] * (1 - i[:, t])
        da_f = dc[:, t] * c[:, t] * f[:, t] * (1 - f[:, t])
        da_g = dc[:, t] * i[:, t] * (1 - g[:, t] ** 2)
        da[:, t] = np.stack([da_i, da_f, da_g, da_o], axis=1)
        dW += np.einsum("nd,ngh->dgh", x[:, t], da[:, t])
        dU += np.einsum("nk,ngh->kgh", h[:, t], da[:, t])
        db += da[:, t].sum(axis=0)
        dh_next = np.einsum("ngh,kgh->nk", da[:, t], U)
        dc_next = dc[:, t] * f[:, t]
    return loss, {"v": dv, "dh": dh, "dc": dc, "da": da, "W": dW, "U": dU, "b": db}


def forward(params, x, y):
    """The gates side by side in one matrix, as courses have it."""
    D, H = len(params["W"]), len(params["v"])
    Wx, Wh, bias = params["W"].reshape(D, 4 * H), params["U"].reshape(H, 4 * H), params["b"].ravel()
    prev_h, prev_c = np.zeros((len(x), H)), np.zeros((len(x), H))
    steps, out = [], []
    for t in range(x.shape[1]):
        a = x[:, t].dot(Wx) + prev_h.dot(Wh) + bias
        ai, af, ag, ao = np.split(a, 4, axis=1)
        i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
        next_c = f * prev_c + i * g
        next_h = o * np.tanh(next_c)
        steps.append((x[:, t], prev_h, prev_c, i, f, o, g, next_c, next_h))
        out.append(next_h.dot(params["v"]))
        prev_h, prev_c = next_h, next_c
    error = np.stack(out, axis=1) - y
    return 0.5 * np.sum(error**2) / len(x), (params, Wx, Wh, steps, error)


def backward(cache):
    params, Wx, Wh, steps, error = cache
    N = len(error)
    dWx, dWh, db, dv = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wx.shape[1]), np.zeros_like(params["v"])
    dnext_h, dnext_c = 0, 0
    for t in range(len(steps) - 1, -1, -1):
        x, prev_h, prev_c, i, f, o, g, next_c, next_h = steps[t]
        dout = error[:, t] / N
        dv += next_h.T.dot(dout)
        dnext_h = dnext_h + dout[:, None] * params["v"]
        tanh_c = np.tanh(next_c)
        do = dnext_h * tanh_c
        dnext_c = dnext_c + dnext_h * o * (1 - tanh_c**2)
        di, df, dg = dnext_c * g, dnext_c * prev_c, dnext_c * i
        da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)])
        dWx += x.T.dot(da)
        dWh += prev_h.T.dot(da)
        db += da.sum(axis=0)
        dnext_h = da.dot(Wh.T)
        dnext_c = dnext_c * f
    shapes = params["W"].shape, params["U"].shape, params["b"].shape
    return {"dW": dWx.reshape(shapes[0]), "dU": dWh.reshape(shapes[1]), "db": db.reshape(shapes[2]), "dv": dv}


def by_halves(x, y, W, U, b, v):
    """σ(a) = (1 + tanh(a/2))/2: one tanh for all gates, deltas kept, one product for each weight."""
    N, T, _D = x.shape
    H = v.size
    half = np.array([0.5, 0.5, 1.0, 0.5])[:, None]
    h, c = [np.zeros((N, H))], [np.zeros((N, H))]
    gates = []
    for t in range(T):
        a = np.tensordot(x[:, t], W, 1) + np.tensordot(h[-1], U, 1) + b
        u = np.tanh(a * half)
        i, f, o = ((1 + u[:, k]) / 2 for k in (0, 1, 3))
        gates.append((i, f, u[:, 2], o, u))
        c.append(f * c[-1] + i * u[:, 2])
        h.append(o * np.tanh(c[-1]))
    e = np.stack([s @ v for s in h[1:]], 1) - y
    deltas = np.zeros((T, N, 4, H))
    back_h, back_c = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        i, f, g, o, u = gates[t]
        back_h = back_h + np.multiply.outer(e[:, t], v) / N
        squashed = np.tanh(c[t + 1])
        back_c = back_c + back_h * o / np.cosh(c[t + 1]) ** 2
        by_gates = np.stack([back_c * g / 2, back_c * c[t] / 2, back_c * i, back_h * squashed / 2], 1)
        deltas[t] = by_gates * (1 - u**2) * half
        back_h = np.tensordot(deltas[t], U, axes=((1, 2), (1, 2)))
        back_c = back_c * f
    gW = np.einsum("ntd,tngh->dgh", x, deltas)
    gU = np.einsum("tnk,tngh->kgh", np.stack(h[:-1]), deltas)
    gv = np.einsum("nt,tnh->h", e, np.stack(h[1:])) / N
    return (e * e).sum() / N / 2, (gW, gU, deltas.sum((0, 1)), gv)


class Cell:
    """A matrix for each gate, time first."""

    def __init__(self, params):
        self.W = {gate: params["W"][:, k] for k, gate in enumerate("ifgo")}
        self.U = {gate: params["U"][:, k] for k, gate in enumerate("ifgo")}
        self.b = {gate: params["b"][k] for k, gate in enumerate("ifgo")}
        self.v = params["v"]

    def step(self, x, h, c):
        a = {gate: x @ self.W[gate] + h @ self.U[gate] + self.b[gate] for gate in "ifgo"}
        s = {gate: np.tanh(a[gate]) if gate == "g" else 1 / (1 + np.exp(-a[gate])) for gate in "ifgo"}
        s |= {"x": x, "h": h, "before": c, "c": s["f"] * c + s["i"] * s["g"]}
        return s | {"out": s["o"] * np.tanh(s["c"])}

    def forward(self, x, y):
        self.steps, self.errors = [], []
        h = c = np.zeros((len(x), len(self.v)))
        for now, wanted in zip(x.transpose(1, 0, 2), y.T, strict=True):
            self.steps.append(self.step(now, h, c))
            h, c = self.steps[-1]["out"], self.steps[-1]["c"]
            self.errors.append((h * self.v).sum(1) - wanted)
        return sum(e @ e for e in self.errors) / (2 * len(x))

    def backward(self):
        count = len(self.errors[0])
        gW = dict.fromkeys("ifgo", 0)
        gU, gb, gv, dh, dc = dict(gW), dict(gW), 0, 0, 0
        for s, e in zip(reversed(self.steps), reversed(self.errors), strict=True):
            gv = gv + e @ s["out"] / count
            dh = dh + (e / count)[:, None] * self.v
            dc = dc + dh * (s["o"] - s["out"] ** 2 / s["o"])
            d = {"i": dc * s["g"], "f": dc * s["before"], "g": dc * s["i"], "o": dh * np.tanh(s["c"])}
            d = {k: u * (1 - s[k] ** 2 if k == "g" else s[k] - s[k] ** 2) for k, u in d.items()}
            for gate, delta in d.items():
                gW[gate] = gW[gate] + s["x"].T @ delta
                gU[gate] = gU[gate] + s["h"].T @ delta
                gb[gate] = gb[gate] + delta.sum(0)
            dh, dc = sum(delta @ self.U[gate].T for gate, delta in d.items()), dc * s["f"]
        stacked = {name: np.stack(list(g.values()), -2) for name, g in (("W", gW), ("U", gU), ("b", gb))}
        return stacked | {"v": gv}


NAMES = {"da": "da1"}
CYCLE = ("dh", "dc", "da")
RIGHT = (loss_and_gradients, (forward, backward), by_halves, Cell)

FAULTS = {
    0: """
    factor/sum for mean | v/dh | error / N => error
    step in time     | v       | derror, h[:, 1:]) => derror, h[:, :-1])
    missing term     | dh      | np.outer(derror[:, t], v) + dh_next => np.outer(derror[:, t], v)
    missing term     | dc      | dc_next + dh[:, t] * o => dh[:, t] * o
    missing slope    | dc      | o[:, t] * (1 - tanh_c**2) => o[:, t]
    wrong slope      | dc      | (1 - tanh_c**2) => (1 - c[:, t + 1] ** 2)
    step in time     | dc      | tanh_c = np.tanh(c[:, t + 1]) => tanh_c = np.tanh(c[:, t])
    stale value      | dc      | dh[:, t] * o[:, t] * (1 - tanh_c**2) => dh[:, t] * i[:, t] * (1 - tanh_c**2)
    missing slope    | da      | dc[:, t] * i[:, t] * (1 - g[:, t] ** 2) => dc[:, t] * i[:, t]
    wrong slope      | da      | (1 - g[:, t] ** 2) => g[:, t] * (1 - g[:, t])
    wrong slope      | da      | tanh_c * o[:, t] * (1 - o[:, t]) => tanh_c * (1 - o[:, t] ** 2)
    missing slope    | da      | dc[:, t] * g[:, t] * i[:, t] * (1 - i[:, t]) => dc[:, t] * g[:, t]
    step in time/stale value | da | dc[:, t] * c[:, t] * f => dc[:, t] * c[:, t + 1] * f
    stale value      | da      | dc[:, t] * g[:, t] * i[:, t] => dc[:, t] * i[:, t] * i[:, t]
    missing sum      | W       | dW += => dW =
    step in time     | U       | "nk,ngh->kgh", h[:, t], da => "nk,ngh->kgh", h[:, t + 1], da
    mean for sum     | b       | da[:, t].sum(axis=0) => da[:, t].mean(axis=0)
    step in time     | dc      | dc_next = dc[:, t] * f[:, t] => dc_next = dc[:, t] * f[:, t - 1]
    missing slope/missing term | dc | dc_next = dc[:, t] * f[:, t] => dc_next = dc[:, t]
    transpose        | dh      | "ngh,kgh->nk", da => "ngk,kgh->nh", da
    slope of another layer | da | g[:, t] * i[:, t] * (1 - i[:, t]) => g[:, t] * f[:, t] * (1 - f[:, t])
    sum too many     | b       | db += da[:, t].sum(axis=0) => db += da[:, t].sum(axis=(0, 1))
    """,
    1: """
    step in time/stale value | dW/dU/db | dnext_c * prev_c => dnext_c * next_c
    stale value/step in time | dU | prev_h.T.dot(da) => next_h.T.dot(da)
    slope of another layer | dW/dU/db | do * o * (1 - o) => do * f * (1 - f)
    """,
}
