"""An autoencoder: digits through a bottleneck of eight numbers and back.

It shows learning without labels: what comes out is compared with what went in.
"""

import symbp as bp

EPOCHS, BATCH = 60, 32
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.digits

N = bp.dim("N")
D, H, C = bp.dim("D", 64), bp.dim("H", 48), bp.dim("C", 8)

x = bp.input("x", (N, D))
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, C)), bp.param("b2", (C,))
W3, b3 = bp.param("W3", (C, H)), bp.param("b3", (H,))
W4, b4 = bp.param("W4", (H, D)), bp.param("b4", (D,))

code = bp.tanh(x @ W1 + b1) @ W2 + b2
shown = bp.sigmoid(bp.tanh(code @ W3 + b3) @ W4 + b4)

net = bp.Network("autoencoder", loss=bp.mse(shown, x), outputs={"code": code, "shown": shown})
