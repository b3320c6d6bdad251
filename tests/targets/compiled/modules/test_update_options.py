"""Schedules, clipping and decay in generated updates: both targets take the steps that the equations say."""

from __future__ import annotations

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.interpret import evaluate

N, D = bp.dims("N D")


def network() -> bp.Network:
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,), bp.optim.initial.constant(0.5))
    return bp.Network("line", loss=bp.mse(x @ w, y))


RULES = {
    "sgd": bp.optim.SGD(0.5, schedule=bp.optim.schedules.step_decay(3, 0.5), clip_norm=0.6),
    "adamw": bp.optim.AdamW(
        0.1, clip_value=0.4, weight_decay=0.1, schedule=bp.optim.schedules.cosine(9, 0.2, warmup=3)
    ),
    "rmsprop": bp.optim.RMSprop(0.1, weight_decay=0.2, schedule=bp.optim.schedules.linear(8)),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_steps_are_those_of_the_equations(name: str, target: str) -> None:
    rule = RULES[name]
    module = bp.compile(network(), target=target, dtype="float64", optimizer=rule, sizes={"D": 3})
    rng = np.random.default_rng(5)
    data = {"x": rng.normal(size=(8, 3)), "y": 3 * rng.normal(size=8)}
    state = module.init_state(module.init_params(0))
    ours = {"theta": state.params.flat.copy(), **{m: np.zeros(3) for m in rule.moments}}
    for step in range(1, 13):
        _, gradients = module.loss_and_gradients(state.params, **data)
        values = {**ours, **rule.hyper, "gradient": gradients.flat, "step": step}
        found = evaluate(rule.system, values, {"P": 3})
        ours = {old: found[new].astype(float) for old, new in rule.system.updates.items()}
        module.train_step(state, **data)
        np.testing.assert_allclose(state.params.flat, ours["theta"], rtol=1e-12, atol=1e-14)


def test_a_scalar_that_may_be_0_divides_nothing():
    """a·x[i] + b as a·(x[i] + b/a) would fail at the step at which a is 0."""
    from symbp.ir.expr import Access, Index
    from symbp.targets.numpy.update import _scalar_factor

    i = Index("i")
    a, b, x = Access("a"), Access("b"), Access("x", i)
    assert _scalar_factor(a * x + b) == (1, a * x + b)
    assert _scalar_factor(x / a + b) == (1 / a, x + a * b)
    assert _scalar_factor(a * x) == (a, x)
