"""A convolution of one image with one kernel, written out.

It shows that both gradients of a convolution are convolutions: one with the image, one with the kernel.
"""

import symbp as bp

S, F = bp.dim("S", 3), bp.dim("F", 2)
R = S - F + 1
r, c, i, j = bp.indices("r c i j")

x = bp.param("x", (S, S))  # the gradient by the image is asked for, too
k = bp.param("k", (F, F))
t = bp.target("t", (R, R))

y = bp.define("y", [r, c], bp.Sum(x[r + i, c + j] * k[i, j], i, j), ranges={r: R, c: R})

net = bp.Network("conv", loss=bp.sum((y - t) ** 2) / 2, outputs={"y": y})
