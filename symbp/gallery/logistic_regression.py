"""Logistic regression: the probability of one of two classes from the sigmoid of a linear function.

It shows how the loss and the sigmoid meet: the derivative by the logit is p − y, and nothing overflows.
"""

import symbp as bp

EPOCHS, BATCH = 50, 20
optimizer = bp.optim.SGD(lr=0.1)
data = bp.data.clouds

N, D = bp.dims("N D")

x = bp.input("x", (N, D))
y = bp.target("y", (N,), facts="binary")
w, b = bp.param("w", (D,)), bp.param("b", ())

p = bp.sigmoid(x @ w + b)

net = bp.Network(
    "logistic_regression",
    loss=bp.binary_cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
