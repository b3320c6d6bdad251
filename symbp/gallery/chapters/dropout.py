"""Dropout (Srivastava et al. 2014) between two layers.

It shows that the mask which hides a unit hides it from the gradient, too, and that nothing is hidden later.
"""

import symbp as bp

N, D, H = bp.dim("N", 2), bp.dim("D", 2), bp.dim("H", 4)

x, t = bp.input("x", (N, D)), bp.target("t", (N,))
W, v = bp.param("W", (D, H)), bp.param("v", (H,))

h = bp.tanh(x @ W)
k = bp.dropout(h, 0.25)  # not a half: there, p and 1 - p are the same
y = k @ v

net = bp.Network("dropout", loss=bp.mse(y, t), outputs={"y": y})
