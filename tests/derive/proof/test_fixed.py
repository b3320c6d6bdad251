"""Numbers of a formula, which no leaf moves, are compared as they are; what they decide is no coincidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.derive import adjoints
from symbp.derive.proof.fixed import kinds_of
from symbp.derive.proof.free import FreeConditions
from symbp.ir.evaluation.vector import run
from symbp.verify.proofs import prove

N, D = bp.dims("N D")


def clipped_twice(x: Any) -> Any:
    return bp.hardtanh(bp.clamp(x, None, 0.5), -1, 1)


def clipped_beside_a_maximum(x: Any) -> Any:
    inner = bp.clamp(bp.maximum(x, bp.relu(x.T - 3)), None, 0.5)
    return bp.hardtanh(inner, -1, 1)


def irrational_threshold(x: Any) -> Any:
    return bp.relu(bp.tanh(bp.clamp(x, -1, 0.5)) - 0.3) + bp.clamp(bp.exp(bp.relu(x)), None, 3)


def pooled_bounds(x: Any) -> Any:
    return bp.max(bp.concat(bp.clamp(x, -0.5, 0.5), bp.clamp(2 * x, -1, 1), axis=1), 1)


NETS: tuple[Callable[[Any], Any], ...] = (
    clipped_twice, clipped_beside_a_maximum, irrational_threshold, pooled_bounds,
)  # fmt: skip


def declared(form: Callable[[Any], Any]) -> bp.Network:
    x = bp.param("x", (D, D))
    y = form(x)
    return bp.Network("net", loss=((y @ y if y.rank == 2 else y) ** 2).sum())


@pytest.mark.slow
@pytest.mark.parametrize("form", NETS)
def test_the_closed_form_is_the_raw_one(form: Callable[[Any], Any]) -> None:
    derivation, rng = bp.derive(declared(form)), np.random.default_rng(1)
    raw = adjoints(derivation.declared, "loss", ["x"])
    assert not derivation.warnings
    for size in (1, 2, 3, 5):
        point = {"x": 2 * rng.normal(size=(size, size))}
        wanted = run(raw.system, point, {"D": size})[raw.gradients["x"]]
        found = run(derivation.system, point, {"D": size})[derivation.gradients["x"]]
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("form", NETS)
def test_its_proof_goes_through(form: Callable[[Any], Any]) -> None:
    assert prove(bp.derive(declared(form))).ok


@pytest.mark.slow
def test_numbers_are_found_and_keep_their_order() -> None:
    kinds = kinds_of(bp.derive(declared(clipped_twice)).system)
    assert np.any(np.isclose(kinds.fixed.differences, 0.5))  # 1 − ½
    for seed in range(8):
        drawn = FreeConditions(kinds, seed)
        assert drawn.sign(np.array([0.5, -0.5, 1.5]), 1.0).tolist() == [1, -1, 1]
    signs = [float(FreeConditions(kinds, seed).sign(np.array([0.7123]), 1.0)[0]) for seed in range(20)]
    assert len(set(signs)) == 2


@pytest.mark.slow
def test_fixed_values_come_in_their_order() -> None:
    kinds = kinds_of(bp.derive(declared(pooled_bounds)).system)
    bounds = np.array([-1.0, -0.5, 0.5, 1.0])
    assert set(bounds) <= set(np.round(kinds.fixed.values, 9))
    for seed in range(8):
        order = FreeConditions(kinds, seed).order(bounds)
        assert np.all(np.diff(order) > 0)


def test_a_net_without_brackets_has_none() -> None:
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    assert kinds_of(bp.derive(bp.Network("net", loss=bp.tanh(x @ w).sum())).system).fixed.count == 0
