"""Where maxima are as one number, and signs read off what is rectified: the same values as before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

import symbp as bp
from symbp.derive import Derivation, derive
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.printer import equation_text
from symbp.ir.system import System
from symbp.lower.passes.argmax import maxima
from symbp.lower.passes.bind_sizes import counted
from symbp.lower.passes.common_subexpressions import numbered

POOLS: dict[str, Callable[[bp.Tensor], bp.Tensor]] = {
    "windows of 2": lambda h: bp.max_pool2d(bp.relu(h), 2),
    "windows of 3": lambda h: bp.max_pool2d(bp.relu(h), 3),
    "a rest": lambda h: bp.max_pool2d(bp.relu(h), 4),
    "overlapping": lambda h: bp.max_pool2d(bp.relu(h), 3, stride=2),
    "padded": lambda h: bp.max_pool2d(bp.relu(h), 2, padding=1),
    "no rectifier": lambda h: bp.max_pool2d(bp.tanh(h), 2),
    "rectified after": lambda h: bp.relu(bp.max_pool2d(h, 2)),
}


@cache
def derivation(pool: str) -> Derivation:
    (N,) = bp.dims("N")
    h = bp.param("h", (N, 2, 6, 6))
    return derive(bp.Network("pooled", loss=((POOLS[pool](h) - 1) ** 2).mean()).system, name="pooled")


def systems(pool: str) -> tuple[System, System]:
    before = counted(derivation(pool).system, derivation(pool).system.bound)
    return before, maxima(numbered(before)).system


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("pool", POOLS)
def test_values_stay(pool: str) -> None:
    before, after = systems(pool)
    h = np.random.default_rng(1).integers(-3, 4, (2, 2, 6, 6)) / 2  # ties, also between zeros
    old, new = (evaluate(s, {"h": h}, {"N": 2, **s.bound}) for s in (before, after))
    for target in (before.loss or "", derivation(pool).gradients["h"]):
        np.testing.assert_array_equal(np.asarray(new[target], float), np.asarray(old[target], float))


@pytest.mark.slow
def test_one_number_says_where_and_the_sign_is_that_of_the_maximum() -> None:
    _, after = systems("windows of 2")
    text = equation_text(after.defining[derivation("windows of 2").gradients["h"]])
    place = next(e for e in after.equations if e.op == "argmax" and e.target.endswith("_place"))
    assert text.count("argmax") == 0
    assert text.count(place.target) == 1
    window = next(e for e in after.equations if e.target.endswith("_window"))
    assert [str(e) for e in window.shape][2:] == ["3", "3"]
    assert window.target in text


def test_a_sign_is_read_off_what_is_rectified() -> None:
    N, D = bp.dims("N D")
    x, W = bp.input("x", (N, D)), bp.param("W", (D, D))
    h = bp.relu(x @ W).named("h")
    found = derive(bp.Network("line", loss=bp.exp(h).sum()).system, name="line")
    before = found.system
    after = maxima(numbered(before)).system
    z = before.defining["h"].read_names[0]
    assert any(z in e.read_names for e in before.equations if e.target != "h")
    assert all(z not in e.read_names for e in after.equations if e.target != "h")


def test_a_system_without_either_stays() -> None:
    (N,) = bp.dims("N")
    plain = numbered(
        derive(bp.Network("line", loss=bp.tanh(bp.param("w", (N,))).sum()).system, name="line").system
    )
    assert maxima(plain) is plain
