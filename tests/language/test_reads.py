"""Reads in index notation: from the end, and never beyond a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import ShapeError

n, i = bp.indices("n i")
D = bp.dim("D", 5)


def net_of(formula: Callable[[Any, Any], Any]) -> bp.Network:
    """The sum of squares of a[n,i] = formula."""
    x, w = bp.input("x", (bp.dim("N"), D)), bp.param("w", (D,))
    a = bp.define("a", [n, i], formula(x, w), ranges={i: D})
    return bp.Network("reads", loss=bp.sum(a**2), outputs={"a": a})


@pytest.mark.parametrize(
    ("formula", "read"),
    [
        (lambda x, w: (x[n, i + 1] - x[n, i]) * w[i], r"x\[n, i \+ 1\]"),
        (lambda x, w: (x[n, i] - x[n, i - 1]) * w[i], r"x\[n, i - 1\]"),
        (lambda x, w: x[n, i] * w[2 * i], r"w\[2\*i\]"),
        (lambda x, w: x[n, 7] * w[i], r"x\[n, 7\]"),
        (lambda x, w: x[n, i] + bp.where(i > 0, w[i + 1], 0), r"w\[i \+ 1\]"),
    ],
)
def test_a_read_beyond_a_tensor_is_refused(formula: Callable[[Any, Any], Any], read: str) -> None:
    """Targets would read something else there, each another element."""
    with pytest.raises(ShapeError, match=f"beyond its shape, at {read}"):
        net_of(formula)


def test_a_state_before_the_first_needs_a_value() -> None:
    T, t = bp.dim("T"), bp.index("t")
    x, u = bp.input("x", (T,)), bp.param("u", ())
    h = bp.recurrent("h", (T,))
    h = bp.define(h, [t], bp.tanh(x[t] + u[()] * h[t - 1]))
    with pytest.raises(ShapeError, match=r"h reads h beyond its shape, at h\[t - 1\]"):
        bp.Network("memory", loss=bp.sum(h))


@pytest.mark.parametrize(
    "formula",
    [
        lambda x, w: bp.where(i > 0, x[n, i - 1], 0) * w[i],
        lambda x, w: x.at(n, i - 1, outside=0) * w[i],
        lambda x, w: x[n, i - 2 * (i // 2)] * w[i],
        lambda x, w: bp.where(bp.equal(i % 2, 1), x[n, i // 2 + 2], 0) * w[i],
        lambda x, w: bp.where(i > 4, x[n, 5], 0) + x[n, i] * w[i],
    ],
)
def test_a_read_that_stays_inside_is_none(formula: Callable[[Any, Any], Any]) -> None:
    assert net_of(formula).system.defining["a"]


def test_negative_places_count_from_the_end() -> None:
    """The last step of a recurrence, `h[n, -1]`, gets its gradient."""
    net = net_of(lambda x, w: x[n, -1] * w[i] + w[-2])
    module = bp.compile(net, target="plain", optimizer=bp.optim.SGD(0.1))
    x, w = np.arange(10.0).reshape(2, 5), np.arange(5.0) - 1
    a = x[:, -1:] * w + w[-2]
    loss, gradients = module.loss_and_gradients({"w": w}, x=x)
    assert loss == pytest.approx((a**2).sum())
    right = (2 * a * x[:, -1:]).sum(0) + np.eye(5)[-2] * 2 * a.sum()
    np.testing.assert_allclose(gradients["w"], right)


@pytest.mark.parametrize("place", [7, 50, 3000])
def test_a_far_column_of_a_table_of_any_width_is_read(place: int) -> None:
    """A size without a value may be as large as a place asks for; a read beyond every width stays one."""
    x, w = bp.input("x", (bp.dim("N"), bp.dim("K"))), bp.param("w", ())
    assert bp.Network("column", loss=bp.mean((x[:, place] * w) ** 2))
    beyond = bp.define("b", [n, i], x[n, i + place] * w[()], ranges={i: bp.dim("K")})
    with pytest.raises(ShapeError, match="beyond its shape"):
        bp.Network("beyond", loss=bp.sum(beyond))


@pytest.mark.parametrize("target", ["numpy", "plain", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("part", "needed"),
    [
        (np.s_[:, 2:9], 9),
        (np.s_[:, -4:], 4),
        (np.s_[:, 8:2:-2], 9),
        (np.s_[:, :9:2], 9),
        (np.s_[:, 5:], 5),
        (np.s_[:, 7], 8),
        (np.s_[:, -7], 7),
    ],
)
@pytest.mark.few(fast=6)
def test_data_shorter_than_a_slice_are_refused(part: Any, needed: int, target: str) -> None:
    """NumPy would take a shorter slice, a loop in Numba what lies behind the array."""
    x, w = bp.input("x", (bp.dim("N"), bp.dim("K"))), bp.param("w", ())
    net = bp.Network("slice", loss=(x[part] * w).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    values = np.arange(2.0 * needed).reshape(2, needed)
    assert module.loss_and_gradients({"w": np.array(3.0)}, x=values)[0] == 3 * values[part].sum()
    with pytest.raises(ValueError, match="an axis of the data is too short for what is read"):
        module.loss_and_gradients({"w": np.array(3.0)}, x=values[:, 1:])


@pytest.mark.parametrize("target", ["numpy", "plain", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_condition_elsewhere_keeps_no_read_in_its_tensor(target: str) -> None:
    T, t, w = bp.dim("T"), bp.index("t"), bp.param("w", ())
    x, y = bp.input("x", (T,)), bp.input("y", (bp.dim("M"),))
    before = bp.where(t > 0, x.at(t - 1, outside=0) * x[t - 1], 0)
    a = bp.define("a", [t], (before + y[t + 3]) * w[()], ranges={t: T})
    module = bp.compile(bp.Network("ahead", loss=bp.sum(a)), target=target, optimizer=bp.optim.SGD(0.1))
    values = {"w": np.array(2.0)}
    assert module.loss_and_gradients(values, x=np.arange(5.0), y=np.arange(8.0))[0] == 2 * (14 + 25)
    with pytest.raises(ValueError, match="an axis of the data is too short for what is read"):
        module.loss_and_gradients(values, x=np.arange(5.0), y=np.arange(6.0))


def test_labels_beyond_a_table() -> None:
    y, tokens = bp.labels("y", (bp.dim("N"),), classes=5), bp.labels("t", (bp.dim("N"),), classes=bp.dim("V"))
    short, table = bp.param("E", (3, 2)), bp.param("F", (bp.dim("V"), 2))
    for name, rows in (("short", short[y[n], i]), ("next", table[tokens[n] + 1, i])):
        with pytest.raises(ShapeError, match="beyond its shape"):
            bp.Network(name, loss=bp.sum(bp.define("o", [n, i], rows)))
    kept = bp.where(tokens[n] + 1 < bp.dim("V"), table[tokens[n] + 1, i], 0)
    bp.Network("kept", loss=bp.sum(bp.define("o", [n, i], kept)))


@pytest.mark.parametrize("target", ["numpy", "plain", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_condition_that_keeps_a_read_in_a_longer_axis(target: str) -> None:
    """[k ≤ n] keeps k in an axis as long as that of n, and in no shorter one."""
    N, K, k = bp.dim("N"), bp.dim("K"), bp.index("k")
    x, w = bp.input("x", (N, K)), bp.param("w", (K,))
    o = bp.define("o", [n, k], bp.where(k <= n, x[n, k] * w[k], 0), ranges={k: N})
    module = bp.compile(bp.Network("part", loss=bp.sum(o)), target=target, optimizer=bp.optim.SGD(0.1))
    assert module.loss_and_gradients({"w": np.ones(4)}, x=np.arange(12.0).reshape(3, 4))[0] == 36
    with pytest.raises(ValueError, match="an axis of the data is too short for what is read"):
        module.loss_and_gradients({"w": np.ones(2)}, x=np.arange(6.0).reshape(3, 2))


def test_a_far_column_is_derived_without_a_doubt() -> None:
    N, K, C = bp.dims("N K C")
    x, w, v = bp.input("x", (N, K)), bp.param("w", ()), bp.param("v", (C,))
    loss = ((x[:, 20] * w) ** 2).mean() + bp.tanh(v[12:]).sum() * v[-15]
    assert not bp.derive(bp.Network("far", loss=loss)).warnings


def test_an_index_stated_to_end_sooner_reads_a_part() -> None:
    """At all sizes; one that may be longer is a mistake."""
    x, w = bp.input("x", (bp.dim("N"), bp.dim("K"))), bp.param("w", (bp.dim("K"),))
    a = bp.define("a", [n, i], x[n, i] * w[i], ranges={i: bp.dim("K") - 1})
    module = bp.compile(bp.Network("part", loss=bp.sum(a**2)), target="plain", optimizer=bp.optim.SGD(0.1))
    values, weights = np.arange(6.0).reshape(2, 3), np.array([1.0, 2, 3])
    _, found = module.loss_and_gradients({"w": weights}, x=values)
    np.testing.assert_allclose(found["w"], [2 * 9, 2 * 2 * 17, 0])
    with pytest.raises(ShapeError, match="the stated range of i: 3"):
        bp.define("b", [n, i], x[n, i] * w[i], ranges={i: 3})
    h = bp.recurrent("h", (bp.dim("N"), bp.dim("K") - 1))  # nobody says that h is a part
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        bp.define(h, [n, i], x[n, i] * w[i] + h.at(n - 1, i, outside=0))


def test_what_is_beside_a_sum_tells_how_far_its_indices_run() -> None:
    """A gate of a recurrence as it is written: its second sum reads t − 1 alone."""
    T, H, j, t = bp.dim("T"), bp.dim("H"), bp.index("j"), bp.index("t")
    x, U, h = bp.input("x", (T, H)), bp.param("U", (H, H)), bp.recurrent("h", (T, H))
    before = bp.Sum(h.at(t - 1, j, outside=0) * U[j, i], j)
    z = bp.define("z", [t, i], bp.sigmoid(bp.Sum(x[t, j] * U[j, i], j) + before))
    assert bp.define(h, [t, i], z[t, i] * x[t, i]).shape == z.shape == (T, H)
