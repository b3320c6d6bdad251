"""Tensors that are announced, read at earlier positions, and then defined."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.interpret import evaluate

N, T, D, H = bp.dims("N T D H")
n, t, i, j = bp.indices("n t i j")


def equations(net):
    return [str(e) for e in net.system.equations]


def test_a_recurrence_in_index_notation():
    a, U, h0 = bp.input("a", (N, T, H)), bp.param("U", (H, H)), bp.input("h0", (N, H))
    h = bp.recurrent("h", (N, T, H))
    before = h.at(n, t - 1, i, outside=h0[n, i])
    h = bp.define(h, [n, t, j], bp.tanh(a[n, t, j] + bp.Sum(before * U[i, j], i)))
    net = bp.Network("net", loss=(h * h).sum())
    assert equations(net) == [
        "s_h[n,t,j] = Σ_i h[n,t - 1,i | h0[n,i]]·U[i,j]",
        "h[n,t,j] = tanh(a[n,t,j] + s_h[n,t,j])",
        "loss = Σ_n,t,j h[n,t,j]²",
    ]
    rng = np.random.default_rng(0)
    values = {"a": rng.normal(size=(2, 3, 2)), "U": rng.normal(size=(2, 2)), "h0": rng.normal(size=(2, 2))}
    got = evaluate(net.system, values, {"N": 2, "T": 3, "H": 2})
    state = values["h0"]
    for step in range(3):
        state = np.tanh(values["a"][:, step] + state @ values["U"])
        np.testing.assert_allclose(got["h"][:, step].astype(float), state, rtol=1e-13)


def test_two_tensors_that_need_each_other_are_both_found_from_one():
    x = bp.input("x", (T,))
    u, v = bp.recurrent("u", (T,)), bp.recurrent("v", (T,))
    u = bp.define(u, [t], x[t] + v.at(t - 1, outside=0) / 2)
    v = bp.define(v, [t], u[t] ** 2 - v.at(t - 1, outside=1))
    for wanted in (u, v):
        net = bp.Network("net", loss=wanted.sum())
        assert {e.target for e in net.system.equations} == {"u", "v", "loss"}
        assert float(evaluate(net.system, {"x": [1, 2]}, {"T": 2})["v"][1]) == 4


def test_the_announced_tensor_stands_for_its_definition():
    x = bp.input("x", (T,))
    announced = bp.recurrent("u", (T,))
    bp.define(announced, [t], x[t] + announced.at(t - 1, outside=0))
    net = bp.Network("net", loss=announced.sum(), outputs={"u": announced})
    assert equations(net)[0] == "u[t] = u[t - 1] + x[t]"
    assert net.system.outputs == ("u",)


def test_sizes_of_an_announced_tensor_are_checked():
    x = bp.input("x", (bp.dim("A", 3),))
    u = bp.recurrent("u", (bp.dim("B", 4),))
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        bp.define(u, [t], x[t] + u.at(t - 1, outside=0))


def test_refused():
    x, u = bp.input("x", (T,)), bp.recurrent("u", (T,))
    with pytest.raises(DeclarationError, match="u is announced but never defined"):
        bp.Network("net", loss=u.sum())
    with pytest.raises(ShapeError, match="announced with 1 axis and defined with 2 indices"):
        bp.define(u, [t, n], x[t] + x[n])
    u = bp.define(u, [t], x[t])
    with pytest.raises(DeclarationError, match="u was not announced"):
        bp.define(u, [t], x[t])
    with pytest.raises(DeclarationError, match="x was not announced"):
        bp.define(x, [t], u[t])
