"""A neuron that answers 0.521 where 1 is right, and is corrected step by step.

It shows what a training step does: the error, through the slope of the sigmoid, to each weight.
"""

import symbp as bp

D = bp.dim("D", 2)

x, t = bp.input("x", (D,)), bp.target("t", ())
w, b = bp.param("w", (D,)), bp.param("b", ())

a = w @ x + b
y = bp.sigmoid(a)

net = bp.Network(
    "neuron_corrected",
    loss=(t - y) ** 2 / 2,
    outputs={"y": y},
    example={"x": [1.0, 0.6], "t": 1, "w": [0.18, -0.16], "b": 0},
)
