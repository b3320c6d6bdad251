"""Softmax and cross-entropy with nothing before them.

It shows the shortest gradient there is for labels: p minus one at the right class.
"""

import symbp as bp

N, D, K = bp.dim("N"), bp.dim("D", 2), bp.dim("K", 3)

x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
W, b = bp.param("W", (D, K)), bp.param("b", (K,))

p = bp.softmax(x @ W + b)

net = bp.Network(
    "softmax_regression",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    example={
        "x": [[1.0, 2.0], [-1.0, 0.5]],
        "y": [0, 2],
        "W": [[0.1, -0.2, 0.3], [0.4, 0.2, -0.1]],
        "b": [0.0, 0.1, -0.2],
    },
)
