"""A linear-chain conditional random field (Lafferty et al. 2001) that tells the kinds of words in sentences.

It shows the forward-backward algorithm for nothing: a word's probable kind is the derivative of the sum over
all labellings by its scores.
"""

import symbp as bp

EPOCHS, BATCH = 20, 32
optimizer = bp.optim.Adam(lr=2e-2)
data = bp.data.tags

N, T, V, K = bp.dims("N T V K")
n, t, j, k = bp.indices("n t j k")

x = bp.tokens("x", (N, T), vocabulary=V)
y = bp.labels("y", (N, T), classes=K)
W, A = bp.param("W", (V, K)), bp.param("A", (K, K))

scores = bp.embedding(x, W)
alpha = bp.recurrent("alpha", (N, T, K))
before = bp.log(bp.Sum(bp.exp(alpha.at(n, t - 1, j, outside=0) + A[j, k]), j))
alpha = bp.define(alpha, [n, t, k], scores[n, t, k] + bp.where(t > 0, before, 0))
total = bp.define("total", [n], bp.log(bp.Sum(bp.exp(alpha[n, T - 1, k]), k)))
marginal = bp.grad(total, scores)

steps = bp.define("steps", [n], bp.Sum(bp.where(t > 0, A[y.at(n, t - 1, outside=0), y[n, t]], 0), t))
words = bp.define("words", [n], bp.Sum(scores[n, t, y[n, t]], t))

net = bp.Network(
    "crf",
    loss=(total - words - steps).mean(),
    outputs={"marginal": marginal},
    metrics={"accuracy": bp.accuracy(marginal, y)},
)
