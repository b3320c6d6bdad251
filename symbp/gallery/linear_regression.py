"""Linear regression by gradient descent.

It shows the gradient that everybody knows, 2·xᵀ(x·w + b − y)/N, come out of the derivation.
"""

import symbp as bp

EPOCHS, BATCH = 20, 20
optimizer = bp.optim.SGD(lr=0.05)
data = bp.data.line

N, D = bp.dims("N D")

x, y = bp.input("x", (N, D)), bp.target("y", (N,))
w, b = bp.param("w", (D,)), bp.param("b", ())

prediction = x @ w + b

net = bp.Network("linear_regression", loss=bp.mse(prediction, y), outputs={"prediction": prediction})
