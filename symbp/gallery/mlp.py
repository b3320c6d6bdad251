"""A multilayer perceptron that reads handwritten digits.

It shows the whole line on the smallest net worth training: one hidden layer of tanh units, softmax and
cross-entropy, 8×8 pixels in, ten classes out. Its gradient fits on a blackboard.
"""

import symbp as bp

EPOCHS, BATCH = 50, 32
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.digits

N = bp.dim("N")
D, H, K = bp.dim("D", 64), bp.dim("H", 64), bp.dim("K", 10)

x = bp.input("x", (N, D))
y = bp.labels("y", (N,), classes=K)
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))

h = bp.tanh(x @ W1 + b1)
p = bp.softmax(h @ W2 + b2)

net = bp.Network(
    "mlp",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
