"""Connectionist temporal classification (Graves et al. 2006): words read from recordings without marks.

It shows a sum over all alignments as a recurrence; its backward algorithm is simply the recurrence's adjoint.
"""

import symbp as bp

EPOCHS, BATCH = 25, 32
optimizer = bp.optim.Adam(lr=5e-3)
data = bp.data.strokes

N, T, D, S, K = bp.dims("N T D S K")
H = bp.dim("H", 32)
n, t, s = bp.indices("n t s")

x = bp.input("x", (N, T, D))
y = bp.labels("y", (N, S), classes=K)
length = bp.labels("length", (N,), classes=S + 1)
W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
R, c = bp.param("R", (H, K)), bp.param("c", (K,))

z = bp.rnn(x, W, U, b) @ R + c
p = bp.softmax(z)

# read by the likeliest class of each step: what isn't a blank and differs from the step before is a letter
best = p.argmax(2)
new = bp.unequal(best[n, t], 0) * bp.unequal(best[n, t], best.at(n, t - 1, outside=0))
heard = bp.define("heard", [n, t], new)
place = bp.cumsum(heard)
wrong = bp.unequal(best[n, t], y[n, s]) * bp.equal(place[n, t], s + 1) * heard[n, t]
errors = bp.define("errors", [n], bp.Sum(wrong, t, s))
letters = bp.define("letters", [n], place[n, T - 1])
exact = bp.define("exact", [], bp.Sum(bp.equal(errors[n], 0) * bp.equal(letters[n], length[n]) / N, n))

net = bp.Network(
    "ctc",
    loss=bp.ctc(z, y, letters=length, from_logits=True),
    outputs={"p": p},
    metrics={"exact": exact},
)
