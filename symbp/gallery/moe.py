"""A mixture of experts (Jacobs et al. 1991): a gate weighs small networks, each good at a part of the plane.

It shows products of networks: the gate learns from how well each expert does, the experts from their weight.
"""

import symbp as bp

EPOCHS, BATCH = 60, 32
optimizer = bp.optim.Adam(lr=5e-3)
data = bp.data.spirals

N, D, K = bp.dims("N D K")
E, H = bp.dim("E", 6), bp.dim("H", 12)
n, e, i, j, k = bp.indices("n e i j k")

x = bp.input("x", (N, D))
y = bp.labels("y", (N,), classes=K)
G, G2 = bp.param("G", (D, H)), bp.param("G2", (H, E))
g1, g2 = bp.param("g1", (H,)), bp.param("g2", (E,))
W, b = bp.param("W", (E, D, H)), bp.param("b", (E, H))
V, c = bp.param("V", (E, H, K)), bp.param("c", (E, K))

gate = bp.softmax(bp.tanh(x @ G + g1) @ G2 + g2)
z = bp.define("z", [n, e, j], bp.Sum(x[n, i] * W[e, i, j], i))
h = bp.define("h", [n, e, j], bp.tanh(z[n, e, j] + b[e, j]))
o = bp.define("o", [n, e, k], bp.Sum(h[n, e, j] * V[e, j, k], j))
expert = bp.softmax(o + c)
p = bp.define("p", [n, k], bp.Sum(gate[n, e] * expert[n, e, k], e))

net = bp.Network(
    "moe",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p, "gate": gate},
    metrics={"accuracy": bp.accuracy(p, y)},
)
