"""One neuron, written as the circuit of gates that it is: products, sums, and the four gates of a sigmoid.

It shows the chain rule at its smallest: each gate has its own equation, and so its own derivative.
"""

import symbp as bp

EPOCHS, BATCH = 30, 20
optimizer = bp.optim.SGD(lr=0.5)
data = bp.data.clouds

N = bp.dim("N")
D = bp.dim("D", 2)
n, i = bp.indices("n i")

x = bp.input("x", (N, D))
y = bp.target("y", (N,), facts="binary")
w, b = bp.param("w", (D,)), bp.param("b", ())

s = bp.define("s", [n], bp.Sum(x[n, i] * w[i], i))  # × and +
a = bp.define("a", [n], s[n] + b)  # + 1 weight
e = bp.define("e", [n], bp.exp(-a[n]))  # × −1, exp
d = bp.define("d", [n], 1 + e[n])  # + 1
p = bp.define("p", [n], 1 / d[n])  # 1/x

net = bp.Network(
    "neuron",
    loss=bp.binary_cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
