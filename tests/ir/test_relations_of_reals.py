"""`a + 1 <= b` is `a < b` of integers, and of integers only."""

from __future__ import annotations

import numpy as np

import symbp as bp
from symbp.ir.expr import Access, Guard, Index
from symbp.ir.printer import expression_text
from symbp.ir.relations import readable_relation


def test_a_relation_of_reals_keeps_its_one() -> None:
    x, n = Access("x", Index("n")), Index("n")
    assert readable_relation("<=", 1 + x, n) == ("<=", 1 + x, n)
    assert "1" in expression_text(Guard("<=", 1 - x, x * x))


def test_plain_code_compares_with_one() -> None:
    size = bp.dim("N")
    x, y = bp.param("x", size), bp.input("y", size)
    net = bp.Network("margin", loss=bp.where(1 - y * x <= 0, x, 0 * x).sum())
    module = bp.compile(net, target="plain", optimizer=bp.optim.SGD(0.1))
    point, labels = np.array([0.5, 2.0, -0.5]), np.array([1.0, 1.0, -1.0])
    loss, gradients = module.loss_and_gradients({"x": point}, labels)
    assert loss == 2.0
    assert gradients["x"].tolist() == [0.0, 1.0, 0.0]
