"""A linear state-space model (Gu et al. 2022) that tells noisy waves by their frequency.

It shows a scan without a nonlinearity in it: each state is a decaying, turning average of all inputs so far.
"""

import symbp as bp

EPOCHS, BATCH = 15, 32
optimizer = bp.optim.Adam(lr=5e-3)
data = bp.data.waves

N, T, D, K = bp.dims("N T D K")
S, H = bp.dim("S", 16), bp.dim("H", 32)
n, t, i, j, k = bp.indices("n t i j k")

x = bp.input("x", (N, T, D))
y = bp.labels("y", (N,), classes=K)
decay = bp.param("decay", (S,), init=bp.optim.initial.constant(-2))
turn = bp.param("turn", (S,), init=bp.optim.initial.normal(1))
B = bp.param("B", (D, S))
W, b = bp.param("W", (S, H)), bp.param("b", (H,))
V, c = bp.param("V", (H, K)), bp.param("c", (K,))

# the state is the complex number re + i·im; a step turns it by an angle and shrinks it
rate = bp.exp(-bp.exp(decay))
real, imag = (rate * bp.cos(turn)).named("real"), (rate * bp.sin(turn)).named("imag")
u = bp.define("u", [n, t, j], bp.Sum(x[n, t, i] * B[i, j], i))
re, im = bp.recurrent("re", (N, T, S)), bp.recurrent("im", (N, T, S))
re1, im1 = re.at(n, t - 1, j, outside=0), im.at(n, t - 1, j, outside=0)
re = bp.define(re, [n, t, j], real[j] * re1 - imag[j] * im1 + u[n, t, j])
im = bp.define(im, [n, t, j], imag[j] * re1 + real[j] * im1)
size = bp.define("size", [n, j], re[n, T - 1, j] ** 2 + im[n, T - 1, j] ** 2)
p = bp.softmax(bp.relu(size @ W + b) @ V + c)

net = bp.Network(
    "ssm",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
