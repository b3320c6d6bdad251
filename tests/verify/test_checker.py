"""The checker is right, too: what it calls wrong is wrong, and what it can't judge it names."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.derive import eliminate
from symbp.verify import check_derivation
from symbp.verify.blocks import blocks
from symbp.verify.entries import entry_row
from symbp.verify.methods import Numeric
from symbp.verify.points import Drawer, Style, all_sizes, domains_of
from symbp.verify.ridders import derivative_along
from symbp.verify.rounding import rounding

N, T, D, H, K = bp.dims("N T D H K")


def masked() -> bp.Network:
    x, m, W = bp.input("x", (N, T, D)), bp.input("m", (N, T, T), "binary"), bp.param("W", (D, D))
    return bp.Network("masked", loss=(bp.scaled_dot_product_attention(x @ W, x, x, m) ** 2).sum())


def solved() -> bp.Network:
    """Ill-conditioned at most random points: a triangle and its inverse."""
    L, b = bp.param("L", (D, D), facts="lower triangular"), bp.input("b", (D,))
    return bp.Network("solved", loss=(bp.solve(L, b) ** 2).sum())


def far() -> bp.Network:
    """A loss of 4e10 with gradients of which some are small."""
    x, y, w, b = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,)), bp.param("b", ())
    return bp.Network("far", loss=bp.mse(x @ w + b, 200_000 + y))


def saturated() -> bp.Network:
    """log(1 − p) as nobody should write it: 50 digits decide."""
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,), "binary"), bp.param("w", (D,))
    p = bp.sigmoid(5 * (x @ w)).named("p")
    return bp.Network("saturated", loss=-(y * bp.log(p) + (1 - y) * bp.log(1 - p)).mean(), outputs={"p": p})


def tied() -> bp.Network:
    """Equal elements compete for a maximum."""
    x, w = bp.input("x", (N,)), bp.param("w", ())
    return bp.Network("tied", loss=bp.maximum(x * w, w * x).mean())


def crowded() -> bp.Network:
    """So many rectifiers that one is always within a step of its kink."""
    x, W, c = bp.input("x", (N, D)), bp.param("W", (D, 400)), bp.param("c", (400,))
    return bp.Network("crowded", loss=(bp.relu(x @ W + c) ** 1).mean())


NETS = [masked, far, saturated, tied, crowded, solved]


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("make", NETS)
def test_right_gradients_are_not_called_wrong(make: Any) -> None:
    net = make()
    derivation = bp.derive(net)
    for seed in range(3):
        report = bp.check(net, derivation=derivation, seed=seed)
        assert report.ok, str(report)


def test_small_gradients_pass() -> None:
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    net = bp.Network("tiny", loss=(x**2).mean() + bp.tanh(x @ w).mean() / 10**9)
    assert bp.check(net).ok


def test_a_point_without_a_value_is_drawn_again() -> None:
    net = masked()
    drawer = Drawer(net.system, [net.system.loss or ""])
    hidden = drawer.attempt({"N": 8, "T": 2, "D": 3}, 0)
    assert not drawer.is_finite(hidden)
    point = drawer.draw({"N": 8, "T": 2, "D": 3}, 0)
    assert point is not None
    assert drawer.is_finite(point)


def test_what_has_a_value_nowhere_is_named_and_not_called_wrong() -> None:
    x, w = bp.input("x", (N,)), bp.param("w", ())
    net = bp.Network("nowhere", loss=bp.log(-(w**2) - (x**2).sum()) * 1)
    report = check_derivation(bp.derive(net), methods=("complex step",))
    assert not report.ok
    assert "NOT COMPARED" in str(report)
    assert "WRONG" not in str(report)


def test_inputs_are_drawn_where_the_net_is_defined() -> None:
    x, z, w = bp.input("x", (N, D)), bp.input("z", (N, D)), bp.param("w", (D,))
    net = bp.Network("logs", loss=(bp.log(x) @ w + bp.relu(z) @ w).mean())
    drawer = Drawer(net.system, [net.system.loss or ""])
    domains = domains_of(drawer, {"N": 4, "D": 3}, 0)
    assert list(domains) == ["x"]  # z takes any sign


def test_each_row_states_its_sizes_and_its_worst_element() -> None:
    net = masked()
    rows = bp.check(net).rows
    for row in rows:
        assert set(row.sizes) == {"N", "T", "D"}
        assert row.element.count(",") == 1 or row.method == "Taylor remainders"
        assert np.isclose(row.value, row.expected, rtol=1e-5)
    further = [row for row in rows if row.method == "complex step"]
    assert all(row.points >= 6 for row in further)


def test_sizes_differ_from_point_to_point_and_from_each_other() -> None:
    choices = all_sizes(masked().system, {"D": 6}, 6)
    assert len(choices) >= 5
    for chosen in choices[1:]:
        assert chosen["D"] == 6
        assert len(set(chosen.values())) == 3
    assert len({chosen["T"] for chosen in choices}) >= 4


def test_labels_occur_in_turn() -> None:
    y, w = bp.labels("y", (N,), classes=11), bp.param("w", (11,))
    net = bp.Network(
        "labels",
        loss=bp.pick(
            bp.define(
                "z",
                bp.indices("n k"),
                w[bp.indices("n k")[1]],
                ranges=dict(zip(bp.indices("n k"), (N, 11), strict=True)),
            ),
            y,
        ).mean(),
    )
    drawer = Drawer(net.system, [net.system.loss or ""])
    seen = [
        drawer.attempt({**net.system.bound, "N": 4}, seed, Style(dealt=True)).values["y"] for seed in range(3)
    ]
    assert set(np.concatenate(seen).tolist()) == set(range(11))


# --- what is wrong
def classifier() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    return bp.Network("classifier", loss=bp.cross_entropy(x @ W + b, y, from_logits=True))


def test_a_gradient_that_is_missing_or_has_another_shape_is_wrong() -> None:
    net = classifier()
    right = bp.derive(net)
    missing = replace(right, gradients={**right.gradients, "b": "nowhere"})
    report = bp.check(net, derivation=missing)
    assert not report.ok
    assert "nowhere is missing from the derivation" in str(report)
    another = replace(right, gradients={**right.gradients, "b": right.gradients["W"]})
    report = bp.check(net, derivation=another)
    rows = [row for row in report.rows if row.parameter == "b"]
    assert rows
    assert all(not row.ok and "its shape is (" in row.verdict for row in rows)


def spoilt(module: ModuleType, change: Any) -> ModuleType:
    right = module.loss_and_gradients
    copy = ModuleType("spoilt")
    copy.__dict__.update(module.__dict__)

    def loss_and_gradients(*given: Any, **more: Any) -> Any:
        loss, found = right(*given, **more)
        return loss, change(dict(found))

    copy.loss_and_gradients = loss_and_gradients  # type: ignore[attr-defined]
    return copy


def test_a_module_without_a_gradient_is_wrong() -> None:
    net = classifier()
    derivation = bp.derive(net)
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), derivation=derivation)
    assert bp.check(net, derivation=derivation, module=module, methods=["complex step"]).ok
    for change, words in (
        (lambda found: {"W": found["W"]}, "the module has no such result"),
        (lambda found: {**found, "b": found["b"][:1]}, "its shape is (1,)"),
    ):
        report = bp.check(net, derivation=derivation, module=spoilt(module, change), methods=["complex step"])
        assert not report.ok
        assert words in str(report)


@pytest.mark.slow
def test_a_wrong_derivative_inside_the_declaration_is_found() -> None:
    x, W, v = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("v", (H,))
    slope = bp.grad(bp.leaky_relu(x @ W, 0.2) @ v, x).named("slope")
    net = bp.Network("critic", loss=((slope**2).sum(axis=1) - 1).mean())
    right = bp.derive(net)
    assert bp.check(net, derivation=right).ok
    declared = eliminate(net.system)

    def wrong(equations: Any) -> Any:
        return tuple(
            e.with_(body=e.body * sympy.Rational(1, 2)) if e.target == "slope" else e for e in equations
        )

    both = replace(
        right,
        declared=declared.with_(equations=wrong(declared.equations)),
        system=right.system.with_(equations=wrong(right.system.equations)),
    )
    report = bp.check(net, derivation=both)
    row = next(row for row in report.rows if row.parameter == "slope")
    assert not row.ok
    assert "it isn't the derivative of" in row.verdict


# --- how it judges
@pytest.mark.parametrize("distance", [0.0, 1e-7, 1e-6, 2e-6, 2.5e-6])
def test_a_kink_that_a_difference_reaches_over_is_named(distance: float) -> None:
    def bent(at: Any) -> Any:
        x = at["x"]
        return np.sin(x) + 3 * np.maximum(x - distance, 0)

    found = derivative_along(bent, {"x": np.array(0.0)}, {"x": np.array(1.0)})
    assert found.kink or abs(found.value - 1) <= found.error <= 1e-6
    assert not derivative_along(lambda at: np.sin(at["x"]), {"x": np.array(0.0)}, {"x": np.array(1.0)}).kink


def test_entries_at_a_kink_are_counted_and_left_out() -> None:
    w = bp.param("w", (3,))
    net = bp.Network("bent", loss=bp.abs(w).sum() + (w**2).sum())
    derivation = bp.derive(net)
    numeric = Numeric(derivation, {"w": np.array([0.0, 0.5, -0.25])}, {})
    (block,) = blocks(derivation)
    for at_the_kink, row in (
        (-1.0, entry_row(numeric, block, "central differences", np.array([-1.0, 2.0, -1.5]))),
        (0.7, entry_row(numeric, block, "complex step", np.array([0.7, 2.0, -1.5]))),
    ):
        assert (row.ok, row.kinks, row.entries) == (True, 1, 2), at_the_kink
    alone = Numeric(derivation, {"w": np.zeros(3)}, {})
    left = entry_row(alone, block, "central differences", np.array([-1.0, 0.5, 1.0]))
    assert (left.ok, left.kinks, left.verdict) == (True, 3, "left out: 3 at a kink")
    wrong = entry_row(numeric, block, "central differences", np.array([-1.0, 2.0, -1.4999]))
    assert (wrong.ok, wrong.kinks, wrong.element) == (False, 1, "[2]")


@pytest.mark.parametrize("method", ["central differences", "five-point differences", "complex step"])
def test_a_small_fault_is_seen_by_each_method(method: str) -> None:
    w = bp.param("w", (3,))
    net = bp.Network("curved", loss=(bp.tanh(w) ** 2).sum())
    numeric = Numeric(bp.derive(net), {"w": np.array([0.3, 0.5, -0.25])}, {})
    (block,) = blocks(numeric.derivation)
    right = 2 * np.tanh(numeric.values["w"]) / np.cosh(numeric.values["w"]) ** 2
    assert entry_row(numeric, block, method, right).ok
    assert not entry_row(numeric, block, method, right * [1, 1 + 1e-7, 1]).ok


def test_rounding_is_measured() -> None:
    x = bp.input("x", (N,))
    w = bp.param("w", ())
    net = bp.Network("lost", loss=bp.log(1 - bp.sigmoid(w * x)).sum())
    system = net.system

    def bound(scale: float) -> float:
        values = {"x": np.full(3, 1.1), "w": np.array(scale)}
        found = rounding(
            lambda tensors: tensors(system, values, {"N": 3}, [system.loss or ""])[system.loss or ""]
        )
        return float(found)

    assert bound(1.0) < 1e-13
    assert bound(30.0) > 1e-3  # 1 − p has hardly a digit left
