"""Contrastive learning by InfoNCE (van den Oord et al. 2018): two views of a digit find each other.

It shows a loss across the batch: each row's gradient holds all other rows, and no label is needed.
"""

import symbp as bp

EPOCHS, BATCH = 40, 64
optimizer = bp.optim.Adam(lr=2e-3)
data = bp.data.digit_views

N = bp.dim("N")
D, H, C = bp.dim("D", 64), bp.dim("H", 128), bp.dim("C", 16)
n, m, i = bp.indices("n m i")

a, b = bp.input("a", (N, D)), bp.input("b", (N, D))
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, C)), bp.param("b2", (C,))


def embedded(x: bp.Tensor) -> bp.Tensor:
    e = bp.tanh(x @ W1 + b1) @ W2 + b2
    unit: bp.Tensor = e / bp.unsqueeze(bp.norm(e, 1), 1)
    return unit


p, q = embedded(a), embedded(b)
cosine = bp.define("cosine", [n, m], bp.Sum(p[n, i] * q[m, i], i))
own = cosine.argmax(1)
found = bp.define("found", [], bp.Sum(bp.where(bp.equal(own[n], n), 1, 0) / N, n))

net = bp.Network(
    "contrastive",
    loss=bp.info_nce(p, q, temperature=0.2, symmetric=True),
    outputs={"p": p, "q": q},
    metrics={"found": found},
)
