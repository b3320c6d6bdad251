"""An LSTM (Hochreiter and Schmidhuber 1997) that reads a text character by character and predicts the next.

It shows gates: the gradient through the cell is a product of forget gates, as the derivation says.
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
W, U, b = bp.param("W", (E, 4, H)), bp.param("U", (H, 4, H)), bp.param("b", (4, H))
R, c = bp.param("R", (H, V)), bp.param("c", (V,))

h = bp.lstm(bp.embedding(x, table), W, U, b)
p = bp.softmax(h @ R + c)

net = bp.Network(
    "char_lstm",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
