"""Layer normalisation (Ba, Kiros and Hinton 2016), written out: each example by its mean and its variance.

It shows the gradient that is without a part along the ones and a part along the normalised vector.
"""

import symbp as bp

N, D = bp.dim("N", 2), bp.dim("D", 3)
n, i = bp.indices("n i")

eps = bp.hyper("eps", 1e-5)
x, t = bp.input("x", (N, D)), bp.target("t", (N, D))
W, gamma, beta = bp.param("W", (D, D)), bp.param("gamma", (D,)), bp.param("beta", (D,))

z = x @ W
mu = bp.define("mu", [n], bp.Sum(z[n, i], i) / D)
var = bp.define("var", [n], bp.Sum((z[n, i] - mu[n]) ** 2, i) / D)
sigma = bp.define("sigma", [n], bp.sqrt(var[n] + eps))
z_hat = bp.define("z_hat", [n, i], (z[n, i] - mu[n]) / sigma[n])
y = gamma * z_hat + beta

net = bp.Network("layer_norm", loss=bp.sum((y - t) ** 2) / 2, outputs={"y": y})
