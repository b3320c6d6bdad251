"""Which size counts examples: shuffling along another one would change what is computed."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.ir.axes.examples import examples

N, T, D = bp.dim("N"), bp.dim("T"), bp.dim("D", 2)
n, t, s, i = bp.indices("n t s i")


def found(loss: bp.Tensor) -> str | None:
    system = bp.Network("net", loss=loss).system
    return examples(system, [name for name in system.sizes if name not in system.bound])


def leaves(*axes: object) -> tuple[bp.Tensor, bp.Tensor]:
    return bp.input("x", axes), bp.param("w", (D,))


def pairs() -> bp.Tensor:
    """A ranking loss over pairs, each of them once."""
    x, w = leaves(N, D)
    p = (x @ w).named("p")
    m = bp.index("m")
    return bp.sum(bp.define("pair", [n], bp.Sum(bp.where(n < m, bp.tanh(p[n] - p[m]), 0), m), ranges={n: N}))


def both(of: str) -> bp.Tensor:
    x, w = leaves(N, D)
    z = bp.concat(x, bp.tanh(x), axis=0) if of == "joined" else x
    return bp.mean(bp.logsumexp(z * w @ z.T, axis=1)) - bp.sum(bp.sort(x @ w, axis=0) ** 2)


EXAMPLES = {
    "rows": lambda: bp.mse(leaves(N, D)[0] @ bp.param("v", (D,)), bp.target("y", (N,))),
    "contrasted": lambda: both("alone"),
    "joined": lambda: both("joined"),
    "taken apart": lambda: bp.mean(bp.reshape(leaves(N, T, D)[0], (N * T, D)) @ bp.param("v", (D,))),
    "a shared axis": lambda: bp.mean((leaves(N, D)[0] * bp.input("c", (D,))) @ bp.param("v", (D,))),
    "hardest": lambda: bp.mean((x := leaves(N, D)[0]) @ bp.param("v", (D,))) + x.max(0).sum(),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    assert found(EXAMPLES[name]()) == "N"


def series() -> bp.Tensor:
    x, w = leaves(T, D)
    h = bp.recurrent("h", (T,))
    h = bp.define(h, [t], bp.tanh(bp.Sum(x[t, i] * w[i], i) + h.at(t - 1, outside=0) / 2))
    return bp.sum(h)


def causal() -> bp.Tensor:
    x, w = leaves(T, D)
    a = (x @ w).named("a")
    return bp.sum(bp.tanh(bp.define("c", [t], bp.Sum(bp.where(s <= t, a[s], 0), s), ranges={t: T})))


def steps_first() -> bp.Tensor:
    x, w = leaves(T, N, D)
    return bp.mse((x @ w).sum(0), bp.target("y", (N,)))


ONE = {
    "a recurrence": series,
    "an order": causal,
    "steps, then examples": steps_first,
    "edges": lambda: bp.sum(bp.tanh(bp.input("A", (N, N)) @ leaves(N, D)[0]) @ bp.param("v", (D,))),
    "the last": lambda: bp.sum(leaves(T, D)[0][-1] * bp.param("v", (D,))),
    "neighbours": lambda: bp.sum((x := leaves(T, D)[0])[1:] * x[:-1] * bp.param("v", (D,))),
    "places as data": lambda: bp.sum(
        bp.tanh(leaves(N, D)[0][bp.tokens("child", (N,), vocabulary=N)]) @ bp.param("v", (D,))
    ),
    "a position": lambda: bp.sum(
        leaves(T, D)[0] @ bp.param("v", (D,)) * bp.define("at", [t], t, ranges={t: T})
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_example(name: str) -> None:
    assert found(ONE[name]()) is None


def test_a_graph_is_trained_on_as_it_is() -> None:
    """Nodes were shuffled, and the edges' other ends weren't."""
    x, A = bp.input("x", (N, D)), bp.input("A", (N, N))
    p = A @ x @ bp.param("w", (D,))
    net = bp.Network("graph", loss=bp.mse(p, bp.target("y", (N,))))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.01))
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(5, 2)), "A": rng.random((5, 5)), "y": rng.normal(size=5)}
    state = module.init_state({"w": np.array([0.5, -1.0])})
    right = module.loss_and_gradients(state.params, **data)[0]
    assert module.fit(state, data, epochs=1, batch_size=2)[0]["loss"] == pytest.approx(right)
    plain = bp.source(net, optimizer=bp.optim.SGD(0.01), target="plain")
    assert "loss_and_gradients(params, x, A, y)" in plain.partition("def train")[2]
