"""Attention of one head (Vaswani et al. 2017) over three words.

It shows the gradient through a softmax inside of a net, and to queries, keys and values apart.
"""

import symbp as bp

T, D = bp.dim("T", 3), bp.dim("D", 2)

x, y = bp.input("x", (T, D)), bp.target("y", (T, D))
Wq, Wk, Wv = bp.param("Wq", (D, D)), bp.param("Wk", (D, D)), bp.param("Wv", (D, D))

q, k, v = x @ Wq, x @ Wk, x @ Wv
s = q @ k.T / bp.sqrt(D)
p = bp.softmax(s)
o = p @ v

net = bp.Network("attention", loss=bp.sum((o - y) ** 2) / 2, outputs={"p": p, "o": o})
