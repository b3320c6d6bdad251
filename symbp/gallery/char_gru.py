"""A GRU (Cho et al. 2014) that reads a text character by character and predicts the next.

It shows the update gate: the state is a weighted mean of what it was and what is new, and so is its gradient.
"""

import symbp as bp

EPOCHS, BATCH = 15, 16
optimizer = bp.optim.Adam(lr=5e-3, clip_norm=1.0)
data = bp.data.characters

N, T, V = bp.dims("N T V")
E, H = bp.dim("E", 32), bp.dim("H", 64)

x = bp.tokens("x", (N, T), vocabulary=V)
y = bp.labels("y", (N, T), classes=V)
table = bp.param("table", (V, E))
W, U = bp.param("W", (E, 3, H)), bp.param("U", (H, 3, H))
b, d = bp.param("b", (3, H)), bp.param("d", (3, H))
R, c = bp.param("R", (H, V)), bp.param("c", (V,))

h = bp.gru(bp.embedding(x, table), W, U, b, d)
p = bp.softmax(h @ R + c)

net = bp.Network(
    "char_gru",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
