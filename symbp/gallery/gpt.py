"""A GPT (Radford et al. 2019) that adds two numbers written in digits, or learns any text (--text FILE).

It shows a transformer whose blocks are one equation over the layer: its text doesn't grow with its depth.
"""

import symbp as bp

EPOCHS, BATCH = 7, 64
optimizer = bp.optim.AdamW(lr=5e-3, clip_norm=1.0, schedule=bp.optim.schedules.cosine(875, 0.1, warmup=100))
data = bp.data.sums

N, T, V = bp.dims("N T V")
n, t, v = bp.indices("n t v")

x = bp.tokens("x", (N, T), vocabulary=V)
y = bp.labels("y", (N, T), classes=V)  # 0 is what need not be predicted
z = bp.nn.GPT(V, width=32, heads=4, layers=2)(x)

best = z.argmax(2)
wrong = bp.define("wrong", [n], bp.Sum(bp.unequal(y[n, t], 0) * bp.unequal(best[n, t], y[n, t]), t))
exact = bp.define("exact", [], bp.Sum(bp.equal(wrong[n], 0) / N, n))

net = bp.Network(
    "gpt",
    loss=bp.cross_entropy(z, y, from_logits=True, ignore_index=0),
    outputs={"z": z},
    metrics={"exact": exact},
)
