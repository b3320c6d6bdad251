"""Products that carry one value of a loop: the same values as before, and less that depends on the loop."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks import nets
from symbp.derive import Derivation, derive
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.groups import groups
from symbp.ir.system import System
from symbp.lower.passes.bind_sizes import counted
from symbp.lower.passes.common_subexpressions import numbered
from symbp.lower.passes.hoisted_products import multiplied_out

SIZES = {"T": 3, "B": 2, "L": 2, "N": 2, "D": 2, "H": 2, "K": 2}


@cache
def diagonal() -> Derivation:
    return derive(nets.diagonal_lstm().system, name="diagonal")


def looped(system: System) -> set[str]:
    return {name for group in groups(system) if group.loop is not None for name in group.targets}


@pytest.mark.slow
def test_values_stay() -> None:
    before = counted(diagonal().system, diagonal().system.bound)
    after = multiplied_out(numbered(before)).system
    rng, sizes = np.random.default_rng(4), {**SIZES, **before.bound}
    values: dict[str, Any] = {
        t.name: rng.normal(
            size=[int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in t.shape]
        )
        for t in before.leaves
    }
    old, new = evaluate(before, values, sizes), evaluate(after, values, sizes)
    for target in (before.loss or "", *diagonal().gradients.values()):
        np.testing.assert_allclose(
            np.asarray(new[target], float), np.asarray(old[target], float), rtol=1e-11, atol=1e-13
        )


@pytest.mark.slow
def test_gradients_of_gates_leave_the_loop() -> None:
    before = counted(diagonal().system, diagonal().system.bound)
    after = multiplied_out(numbered(before))
    gone = looped(before) - looped(after.system)
    assert {"da"} <= gone
    (added,) = set(after.system.defining) - set(before.defining)
    assert added not in looped(after.system)
    (reader,) = (e for e in after.system.equations if added in e.read_names)
    assert reader.reduction is None
    assert after.numbers[added] == after.numbers[reader.target]


@pytest.mark.slow
def test_dense_recurrences_stay() -> None:
    base = numbered(derive(nets.rnn().system, name="rnn").system)
    assert multiplied_out(base) is base
