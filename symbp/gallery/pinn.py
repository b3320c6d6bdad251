"""A differential equation solved by a network (Raissi et al. 2019): u″ + u = 0 with u(0) = 1, u′(0) = 0.

It shows derivatives inside a declaration: u″ is derived from u, and the loss, u″'s square, from u″.
"""

import symbp as bp

EPOCHS, BATCH = 300, 50
optimizer = bp.optim.Adam(lr=5e-3, schedule=bp.optim.schedules.cosine(2400))
data = bp.data.times

N = bp.dim("N")
D, H = bp.dim("D", 1), bp.dim("H", 24)

t = bp.input("t", (N, D))
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, H)), bp.param("b2", (H,))
W3, b3 = bp.param("W3", (H, D)), bp.param("b3", (D,))

v = bp.tanh(bp.tanh(t @ W1 + b1) @ W2 + b2) @ W3 + b3
u = 1 + t * t * v  # has the right value and slope at 0, whatever v is
u_t = bp.grad(u, t)
u_tt = bp.grad(u_t, t)

net = bp.Network(
    "pinn",
    loss=((u_tt + u) ** 2).mean(),
    outputs={"u": u},
    metrics={"error": bp.mse(u, bp.cos(t))},  # from the solution, cos t, which training does not know
)
