"""Two inputs, two hidden units, two outputs: the net whose backward pass is worked out by hand most often.

The numbers are those of Mazur (2015), "A Step by Step Backpropagation Example". Each layer has one bias for
both units, which is not learned.
"""

import symbp as bp

D, H, K = bp.dim("D", 2), bp.dim("H", 2), bp.dim("K", 2)
b1, b2 = bp.hyper("b1", 0.35), bp.hyper("b2", 0.60)

x, t = bp.input("x", (D,)), bp.target("t", (K,))
W1, W2 = bp.param("W1", (H, D)), bp.param("W2", (K, H))

h = bp.sigmoid(W1 @ x + b1)
o = bp.sigmoid(W2 @ h + b2)

net = bp.Network(
    "sigmoid_2_2_2",
    loss=bp.sum((t - o) ** 2) / 2,
    outputs={"o": o},
    example={
        "x": [0.05, 0.10],
        "t": [0.01, 0.99],
        "W1": [[0.15, 0.20], [0.25, 0.30]],
        "W2": [[0.40, 0.45], [0.50, 0.55]],
    },
)
