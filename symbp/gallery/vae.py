"""A variational autoencoder (Kingma and Welling 2014): the code of a digit is a normal distribution.

It shows gradients through a random draw: z = μ + ε·σ with ε given, so that μ and σ have derivatives.
"""

import symbp as bp

EPOCHS, BATCH = 60, 32
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.digits

N = bp.dim("N")
D, H, C = bp.dim("D", 64), bp.dim("H", 48), bp.dim("C", 4)

x = bp.input("x", (N, D))
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
Wm, bm = bp.param("Wm", (H, C)), bp.param("bm", (C,))
Wv, bv = bp.param("Wv", (H, C)), bp.param("bv", (C,))
W2, b2 = bp.param("W2", (C, H)), bp.param("b2", (H,))
W3, b3 = bp.param("W3", (H, D)), bp.param("b3", (D,))

h = bp.tanh(x @ W1 + b1)
mu, log_var = h @ Wm + bm, h @ Wv + bv
eps = bp.random("eps", (N, C), "normal")
z = bp.mode(train=mu + eps * bp.exp(log_var / 2), infer=mu)
shown = bp.sigmoid(bp.tanh(z @ W2 + b2) @ W3 + b3)
bits = bp.binary_cross_entropy(shown, x, reduction="sum") / N

net = bp.Network("vae", loss=bits + bp.kl_normal(mu, log_var), outputs={"mu": mu, "shown": shown})
