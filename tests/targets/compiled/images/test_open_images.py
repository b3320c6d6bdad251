"""Images whose size is open: the module computes what the one with the size bound computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp


def network() -> bp.Network:
    N, S = bp.dims("N S")
    x, y = bp.input("x", (N, 1, S, S)), bp.labels("y", (N,), classes=3)
    h = bp.max_pool2d(bp.relu(bp.conv2d(x, bp.param("C", (2, 1, 3, 3)))), 2)
    h = bp.relu(bp.conv2d(h, bp.param("F", (4, 2, 3, 3)), padding=1))
    z = bp.flatten(h) @ bp.param("W", (bp.flatten(h).shape[1], 3))
    return bp.Network("images", loss=bp.cross_entropy(bp.softmax(z), y))


def losses(module: Any, **sizes: int) -> list[float]:
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(5, 1, 8, 8)), "y": rng.integers(0, 3, 5)}
    state = module.init_state(module.init_params(0, **sizes))
    return [module.train_step(state, **data) for _ in range(4)]


@pytest.mark.slow
def test_open_and_bound_sizes_agree() -> None:
    net = network()
    derivation = bp.derive(net)
    open_, bound = (
        bp.compile(net, derivation=derivation, target="numpy", optimizer=bp.optim.Adam(0.01), sizes=sizes)
        for sizes in ({}, {"S": 8})
    )
    found = losses(open_, S=8)
    assert found[-1] < found[0]
    np.testing.assert_allclose(losses(bound), found, rtol=1e-12)
