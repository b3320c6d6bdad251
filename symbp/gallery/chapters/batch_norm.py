"""Batch normalisation (Ioffe and Szegedy 2015), written out: each feature by its mean and its variance.

It shows that a gradient through a mean goes to every example.
"""

import symbp as bp

N, D = bp.dim("N", 3), bp.dim("D", 2)
n, i = bp.indices("n i")

eps = bp.hyper("eps", 1e-5)
x, t = bp.input("x", (N, D)), bp.target("t", (N, D))
W, gamma, beta = bp.param("W", (D, D)), bp.param("gamma", (D,)), bp.param("beta", (D,))

z = x @ W
mu = bp.define("mu", [i], bp.Sum(z[n, i], n) / N)
var = bp.define("var", [i], bp.Sum((z[n, i] - mu[i]) ** 2, n) / N)
sigma = bp.define("sigma", [i], bp.sqrt(var[i] + eps))
z_hat = bp.define("z_hat", [n, i], (z[n, i] - mu[i]) / sigma[i])
y = gamma * z_hat + beta

net = bp.Network("batch_norm", loss=bp.sum((y - t) ** 2) / 2, outputs={"y": y})
