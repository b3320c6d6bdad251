"""Residual blocks (He et al. 2016) of dense layers that tell three spirals apart.

It shows depth as an index: all blocks are one equation over l, and so are their gradients, however many.
"""

import symbp as bp

EPOCHS, BATCH = 40, 32
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.spirals

N, D, K = bp.dims("N D K")
L, H = bp.dim("L", 6), bp.dim("H", 32)
l, n, i, j = bp.indices("l n i j")  # noqa: E741

x = bp.input("x", (N, D))
y = bp.labels("y", (N,), classes=K)
W0, b0 = bp.param("W0", (D, H)), bp.param("b0", (H,))
W, b = bp.param("W", (L, H, H)), bp.param("b", (L, H))
V, c = bp.param("V", (H, K)), bp.param("c", (K,))

first = bp.tanh(x @ W0 + b0)
h = bp.recurrent("h", (L, N, H))
below = h.at(l - 1, n, j, outside=first[n, j])
z = bp.define("z", [l, n, j], bp.Sum(h.at(l - 1, n, i, outside=first[n, i]) * W[l, i, j], i), ranges={l: L})
h = bp.define(h, [l, n, j], below + bp.tanh(z[l, n, j] + b[l, j]))
top = bp.define("top", [n, j], h[L - 1, n, j])
p = bp.softmax(top @ V + c)

net = bp.Network(
    "resnet_mlp",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
