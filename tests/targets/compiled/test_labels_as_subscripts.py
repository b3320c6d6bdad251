"""Labels that choose what is read, also where no label is: a position stays an integer in both targets."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("outside", [0, 1])
def test_the_label_before(target: str, outside: int) -> None:
    N, T, K = bp.dim("N"), bp.dim("T"), bp.dim("K", 3)
    n, t = bp.indices("n t")
    y = bp.labels("y", (N, T), classes=K)
    A = bp.param("A", (K, K))
    each = bp.define("each", [n], bp.Sum(A[y.at(n, t - 1, outside=outside), y[n, t]] ** 2, t))
    net = bp.Network("chain", loss=each.mean())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(0)
    labels, weights = rng.integers(0, 3, (4, 5)), rng.standard_normal((3, 3))
    before = np.concatenate([np.full((4, 1), outside), labels[:, :-1]], 1)
    loss, gradients = module.loss_and_gradients({"A": weights}, y=labels)
    expected = np.zeros((3, 3))
    np.add.at(expected, (before, labels), 2 * weights[before, labels] / 4)
    np.testing.assert_allclose(loss, (weights[before, labels] ** 2).sum() / 4, rtol=1e-13)
    np.testing.assert_allclose(gradients["A"], expected, rtol=1e-12)
