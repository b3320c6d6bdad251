"""Recurrences that read any of their earlier steps."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import EvaluationError
from symbp.ir.evaluation.vector import run

T, D = bp.dims("T D")
t, s, d = bp.indices("t s d")


def gram_schmidt(where: str) -> bp.Network:
    """q[t] is V[t] without its parts along the q before it."""
    vectors, y = bp.param("V", (T, D)), bp.target("y", (T, D))
    q = bp.recurrent("q", (T, D))
    if where == "lag":
        lagged = [q.at(t - 1 - s, i, outside=0) for i in (d, bp.index("e"))]
        part = bp.Sum(vectors[t, bp.index("e")] * lagged[1], bp.index("e")) * lagged[0]
    else:
        along = bp.define("c", [t, s], bp.Sum(vectors[t, d] * q[s, d], d))
        part = bp.where(s < t, along[t, s] * q[s, d], 0)
    u = bp.define("u", [t, d], vectors[t, d] - bp.Sum(part, s), ranges={s: T})
    length = bp.define("r", [t], bp.sqrt(bp.Sum(u[t, d] ** 2, d)))
    q = bp.define(q, [t, d], u[t, d] / length[t])
    return bp.Network("gram_schmidt", loss=bp.mse(q, y))


@pytest.mark.slow
@pytest.mark.parametrize("where", ["guard", "lag"])
def test_the_earlier_vectors_of_gram_schmidt_are_remembered(where: str) -> None:
    net = gram_schmidt(where)
    assert "q_past[t,s,d] = [s = t]·q[t,d] + [s ≠ t]·q_past[t - 1,s,d]" in str(net)
    derivation = bp.derive(net)
    rng = np.random.default_rng(0)
    values, sizes = {"V": rng.normal(size=(3, 3)), "y": rng.normal(size=(3, 3))}, {"T": 3, "D": 3}
    found = run(derivation.system, values, sizes, wanted=["q", "loss", "dV"])
    orthonormal, upper = np.linalg.qr(values["V"].T)
    np.testing.assert_allclose(found["q"], (orthonormal * np.sign(np.diag(upper))).T, atol=1e-12)
    step = 1e-6 * rng.normal(size=(3, 3))
    ends = [run(derivation.system, {**values, "V": values["V"] + k * step}, sizes)["loss"] for k in (1, -1)]
    np.testing.assert_allclose((ends[0] - ends[1]) / 2, np.sum(found["dV"] * step), rtol=1e-6)


def test_steps_to_come_may_be_read_from_the_end() -> None:
    x, w = bp.input("x", (T,)), bp.param("w", ())
    h = bp.recurrent("h", (T,))
    h = bp.define(h, [t], bp.tanh(x[t] + w[()] * bp.Sum(bp.where(s > t, h[s], 0), s)))
    net = bp.Network("net", loss=bp.sum(h))
    values = np.array([0.3, -1.0, 0.5])
    found = run(bp.derive(net).system, {"x": values, "w": 0.7}, {"T": 3})
    last = np.tanh(values[2])
    middle = np.tanh(values[1] + 0.7 * last)
    first = np.tanh(values[0] + 0.7 * (last + middle))
    np.testing.assert_allclose(found["h"], [first, middle, last])
    slopes = 1 - np.array([first, middle, last]) ** 2
    by_w = slopes[1] * last
    total = by_w + slopes[0] * (last + middle + 0.7 * by_w)
    np.testing.assert_allclose(found["dw"], total)


def test_a_tree_reads_its_children_where_they_stand_before_it() -> None:
    x, child = bp.param("x", (T,)), bp.tokens("child", (T,), vocabulary=T)
    h = bp.recurrent("h", (T,))
    h = bp.define(h, [t], x[t] + 2 * bp.where(child[t] < t, h[child[t]], 0))
    found = run(
        bp.derive(bp.Network("tree", loss=bp.sum(h))).system,
        {"x": np.array([1.0, 10.0, 100.0]), "child": np.array([0, 0, 0])},
        {"T": 3},
    )
    np.testing.assert_allclose(found["h"], [1, 12, 102])
    np.testing.assert_allclose(found["dx"], [5, 1, 1])


@pytest.mark.parametrize(
    "read",
    [
        lambda h: bp.Sum(h[s], s),
        lambda h: bp.Sum(bp.where(s <= t, h[s], 0), s),
        lambda h: h[bp.dim("T") - 1 - t],
    ],
)
def test_what_may_read_the_step_itself_is_refused_with_what_to_do(read) -> None:
    h = bp.recurrent("h", (T,))
    h = bp.define(h, [t], bp.param("x", (T,))[t] + read(h))
    with pytest.raises(EvaluationError, match=r"where\(s < t"):
        bp.Network("net", loss=bp.sum(h))
