"""Word vectors by skip-grams with negative sampling (Mikolov et al. 2013, section 2.2).

It shows a table of embeddings: its gradient touches only the rows of the words that a batch holds.
"""

import symbp as bp

EPOCHS, BATCH = 10, 128
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.skip_grams

N, R, V = bp.dims("N R V")  # pairs, words drawn at random beside each, vocabulary
D = bp.dim("D", 32)
n, r, i = bp.indices("n r i")

centre = bp.labels("centre", (N,), classes=V)
context = bp.labels("context", (N,), classes=V)
others = bp.labels("others", (N, R), classes=V)
E, C = bp.param("E", (V, D)), bp.param("C", (V, D))

near = bp.define("near", [n], bp.Sum(E[centre[n], i] * C[context[n], i], i))
far = bp.define("far", [n, r], bp.Sum(E[centre[n], i] * C[others[n, r], i], i))
loss = bp.softplus(-near).mean() + bp.softplus(far).sum() / N
found = bp.define("found", [], bp.Sum(bp.where(near[n] > far[n, r], 1, 0) / (N * R), n, r))

net = bp.Network("word2vec", loss=loss, outputs={"near": near}, metrics={"found": found})
