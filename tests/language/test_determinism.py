"""The same text in every process: hash seeds and what was declared before make no difference."""

import os
import subprocess
import sys

import pytest

DECLARE = """
import symbp as bp
N, D = bp.dims("N D")
x, y = bp.input("x", (N, 8)), bp.labels("y", (N,), classes=5)
model = bp.nn.Sequential(*[bp.nn.Dense(k, activation=a) for k, a in ((8, "gelu"), (6, "silu"), (6, "relu"))])
h = model(x)
p = bp.softmax(h @ bp.param("V", (6, 5)))
t = bp.target("t", (N, 6), facts=("positive", "binary"))
n, i, j = bp.indices("n i j")
q = bp.define("q", [n], bp.Sum(h[n, i] * t[n, i], i) / bp.Sum(bp.exp(h[n, j]), j) + bp.Max(h[n, i], i))
loss = bp.cross_entropy(p, y) + q.mean() + bp.mse(bp.maximum(h, t), t) + bp.l2_penalty(0.1, x)
net = bp.Network("net", loss=loss, outputs={"p": p, "twice": p}, metrics={"accuracy": bp.accuracy(p, y)})
print(net, dict(net.system.bound))
"""


def declared(seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", DECLARE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.slow
def test_the_text_does_not_depend_on_the_hash_seed():
    texts = {declared(seed) for seed in ("0", "1", "2")}
    assert len(texts) == 1
    assert "accuracy = " in texts.pop()
