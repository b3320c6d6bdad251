"""Each method that a check may be asked for: what it says of right gradients, and of wrong ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.verify import METHODS
from symbp.verify.blocks import blocks
from symbp.verify.points import Point
from symbp.verify.taylor import slope_of, taylor_rows

N, D, H = bp.dims("N D H")


@cache
def rational() -> tuple[bp.Network, bp.Derivation]:
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, c = bp.param("w", (D,)), bp.param("c", ())
    z = x @ w + c
    net = bp.Network("rational", loss=(bp.relu(z) * z - y * z).sum() / (1 + c * c))
    return net, bp.derive(net)


@cache
def curved() -> tuple[bp.Network, bp.Derivation]:
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    net = bp.Network("curved", loss=bp.mse(bp.tanh(x @ w), y))
    return net, bp.derive(net)


def spoilt(right: bp.Derivation, key: str, factor: Any) -> bp.Derivation:
    def wrong(e: Any) -> Any:
        return e.with_(body=e.body * factor) if e.target == right.gradients[key] else e

    return replace(right, system=right.system.with_(equations=tuple(map(wrong, right.system.equations))))


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("method", METHODS)
def test_right_and_wrong_by_each_method(method: str) -> None:
    net, right = rational()
    rows = bp.check(net, derivation=right, methods=[method]).rows
    assert {row.parameter for row in rows} == {"w", "c"}
    assert all(row.ok and row.sizes and row.shape is not None and not row.kinks for row in rows), rows
    assert all(row.entries or row.points for row in rows)
    rows = bp.check(net, derivation=spoilt(right, "c", sympy.Rational(1001, 1000)), methods=[method]).rows
    assert {row.parameter: row.ok for row in rows} == {"w": True, "c": False}


@pytest.mark.parametrize("method", ["rationals", "mod p"])
def test_what_a_method_has_no_numbers_for_is_left_out_and_not_called_right(method: str) -> None:
    net, right = curved()
    report = bp.check(net, derivation=right, methods=[method])
    assert not report.ok
    assert "NOT COMPARED: tanh cannot be evaluated" in str(report)
    report = bp.check(net, derivation=right, methods=[method, "complex step"])
    assert report.ok
    assert "left out: tanh cannot be evaluated" in str(report)


def test_the_slope_of_remainders_is_measured() -> None:
    net, right = curved()
    wrong = spoilt(right, "w", sympy.Rational(11, 10))
    for derivation, slope in ((right, 2), (wrong, 1)):
        (row,) = bp.check(net, derivation=derivation, methods=["Taylor remainders"]).rows
        assert row.slope == pytest.approx(slope, abs=0.05)
        assert row.ok == (slope == 2)
        assert f"slope {row.slope:.2f}" in row.verdict
    steps = 2.0 ** -np.arange(4, 12)
    assert slope_of(steps, steps**3, 0.0) == pytest.approx(3)
    assert slope_of(steps, np.full(8, 1e-17), 1e-15) is None


def test_a_kink_within_the_steps_has_no_slope() -> None:
    w = bp.param("w", (6,))
    net = bp.Network("bent", loss=bp.abs(w).sum())
    derivation = bp.derive(net)
    point = Point(derivation.declared.bound, {"w": np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])}, 0)
    (row,) = taylor_rows(derivation, blocks(derivation), point, 3e-4)
    assert (row.ok, row.kinks, row.entries, row.points) == (True, 1, 0, 0)
    assert "kink" in row.verdict


@pytest.mark.slow
def test_large_nets_along_random_directions() -> None:
    net, right = curved()
    for derivation, ok in ((right, True), (spoilt(right, "w", sympy.Rational(10**6 + 1, 10**6)), False)):
        report = bp.check(
            net, derivation=derivation, sizes={"D": 3_000, "N": 4}, methods=["random directions"]
        )
        (row,) = report.rows
        assert (row.ok, row.size, row.sizes["D"]) == (ok, 3_000, 3_000)
        assert row.points == 8


def test_a_module_that_answers_otherwise_each_time_is_named() -> None:
    net, derivation = curved()
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), derivation=derivation)
    right, rng = module.loss_and_gradients, np.random.default_rng(0)
    for size, ok in ((1e-17, True), (1e-9, False)):
        copy = ModuleType("drawn")
        copy.__dict__.update(module.__dict__)

        def drawn(*given: Any, size: float = size, **more: Any) -> Any:
            loss, found = right(*given, **more)
            return loss, {name: array + size * rng.normal(size=array.shape) for name, array in found.items()}

        copy.loss_and_gradients = drawn  # type: ignore[attr-defined]
        report = bp.check(net, derivation=derivation, module=copy, methods=["complex step"])
        assert report.ok == ok
        assert ("it isn't deterministic" in str(report)) == (not ok)


def test_central_differences_beside_five_points_are_extrapolated() -> None:
    """They were one stencil under two names."""
    report = bp.check(curved()[0], methods=["central differences", "five-point differences"])
    errors = {row.method: row.max_rel_error for row in report.rows if row.parameter == "w"}
    assert report.ok
    assert len({*errors.values()}) == 2
