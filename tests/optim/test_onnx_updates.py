"""ONNX's cases of Adam, Adagrad and Momentum, by the equations of the optimizers here."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.interpret import evaluate

node = pytest.importorskip("onnx.backend.test.case.node", reason="compares with the values of onnx")

X, G = np.array([1.2, 2.8]), np.array([-0.94, -2.5])
V, H = np.array([1.7, 3.6]), np.array([0.1, 0.1])
RATE, DECAY = 0.1, 0.001


def stepped(rule, step, **moments):
    """The parameter and the moments after one step."""
    one = rule.of_one()
    given = {**rule.hyper, "theta": X, "gradient": G, "step": step, **moments}
    given = {name: value for name, value in given.items() if name in one.system.by_name}
    found = evaluate(one.system, given, {"P": 2})
    return [found[one.system.updates[name]].astype(float) for name in ("theta", *moments)]


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


@pytest.mark.parametrize("step", [0, 3])
def test_adam(step):
    """At step 0 ONNX corrects nothing: a rate does it here."""
    from onnx.backend.test.case.node.adam import apply_adam

    first, second = 0.95, 0.1
    rate = RATE if step else RATE * (1 - first) / np.sqrt(1 - second)
    rule = bp.optim.SparseAdam(rate, first, second, 1e-7, weight_decay=DECAY)
    expected = apply_adam(RATE, step, X, G, V, H, DECAY, 0.0, first, second, 1e-7)
    same(stepped(rule, max(step, 1), m=V, v=H), expected)


@pytest.mark.parametrize("step", [0, 4])
def test_adagrad(step):
    """ONNX counts steps from 0."""
    from onnx.backend.test.case.node.adagrad import apply_adagrad

    rule = bp.optim.Adagrad(RATE, 0.1, 1e-5, weight_decay=DECAY)
    same(stepped(rule, step + 1, v=H), apply_adagrad(RATE, step, X, G, H, DECAY, 1e-5, 0.1))


def test_momentum():
    from onnx.backend.test.case.node.momentum import apply_momentum, apply_nesterov

    rule = bp.optim.Momentum(RATE, 0.95, weight_decay=DECAY)
    same(stepped(rule, 1, v=V), apply_momentum(RATE, 0, X, G, V, DECAY, 0.95, 0.1))
    rule = bp.optim.Nesterov(RATE, 0.95, weight_decay=DECAY)
    same(stepped(rule, 1, v=V), apply_nesterov(RATE, 0, X, G, V, DECAY, 0.95, 1.0))
