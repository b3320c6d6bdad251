"""Convolutions with the batch as the last axis: which tensors turn, and that no value changes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import symbp as bp
from symbp.derive import Derivation, derive
from symbp.ir.evaluation.interpret import evaluate
from symbp.lower.passes.axis_order import batch_last
from symbp.lower.passes.bind_sizes import counted
from symbp.lower.passes.common_subexpressions import Shared, numbered, shared


@cache
def convolution() -> Derivation:
    (N,) = bp.dims("N")
    x, y = bp.input("x", (N, 1, 5, 5)), bp.labels("y", (N,), classes=2)
    K, W = bp.param("K", (2, 1, 2, 2)), bp.param("W", (8, 2))
    h = bp.flatten(bp.max_pool2d(bp.relu(bp.conv2d(x, K)), 2)).named("h")
    return derive(bp.Network("small", loss=bp.cross_entropy(bp.softmax(h @ W), y)).system, name="small")


def turned(derivation: Derivation, batch: str | None = "N") -> Shared:
    system = counted(derivation.system, derivation.system.bound)
    return batch_last(shared(numbered(system)), (*system.asked, *derivation.gradients.values()), batch)


@pytest.mark.slow
def test_images_turn_and_rows_do_not() -> None:
    derivation = convolution()
    found = {t.name: [str(e) for e in t.shape] for t in turned(derivation).system.tensors}
    assert found["x"][0] == "N"
    assert found["x_turned"][-1] == found["h"][-1] == found["dh"][-1] == "N"
    assert found["p"][0] == "N"


@pytest.mark.slow
def test_values_stay() -> None:
    derivation = convolution()
    rng = np.random.default_rng(0)
    values = {
        "x": rng.normal(size=(3, 1, 5, 5)), "y": rng.integers(0, 2, 3), "K": rng.normal(size=(2, 1, 2, 2)),
        "W": rng.normal(size=(8, 2)),
    }  # fmt: skip
    sizes = {"N": 3, **derivation.system.bound}
    old = evaluate(derivation.system, values, sizes)
    new = evaluate(turned(derivation).system, values, sizes)
    for target in (derivation.system.loss or "", *derivation.gradients.values()):
        np.testing.assert_allclose(
            np.asarray(new[target], float), np.asarray(old[target], float), rtol=1e-12, atol=1e-14
        )


def test_without_a_batch_or_a_convolution_nothing_turns() -> None:
    base = shared(numbered(counted(convolution().system, {})))
    assert batch_last(base, (), None) is base
    N, D = bp.dims("N D")
    net = bp.Network("line", loss=bp.mse(bp.input("x", (N, D)) @ bp.param("w", (D,)), bp.target("y", (N,))))
    plain = shared(numbered(derive(net.system, name="line").system))
    assert batch_last(plain, (), "N") is plain
