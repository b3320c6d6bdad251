"""Values shared between equations and steps, and axes in the order of loops: the same values as before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import symbp as bp
from benchmarks import nets
from symbp.derive import Derivation, derive
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.system import System
from symbp.lower.passes.axis_order import loops_first
from symbp.lower.passes.common_subexpressions import Shared, numbered, shared

SIZES = {"N": 2, "T": 3, "D": 2, "H": 2, "H1": 2, "K": 2, "L": 2, "F": 2}
NETS: dict[str, Callable[[], bp.Network]] = {
    "rnn": nets.rnn, "gelu": nets.gelu, "residual": nets.residual_mlp, "lstm": nets.lstm,
    "squares": lambda: nets.dense(1, "tanh", regression=True),
}  # fmt: skip


@cache
def derived(name: str) -> Derivation:
    return derive(NETS[name]().system, name=name)


def rewritten(name: str) -> tuple[System, Shared]:
    derivation = derived(name)
    system = derivation.system
    return system, loops_first(shared(numbered(system)), (*system.asked, *derivation.gradients.values()))


def leaves(system: System) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    sizes = {**SIZES, **system.bound}
    found = {}
    for tensor in system.leaves:
        shape = tuple(int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in tensor.shape)
        found[tensor.name] = rng.integers(0, 2, shape) if tensor.integer else rng.normal(size=shape)
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in ("lstm", "residual"))) for n in NETS]
)
def test_values_stay(name: str) -> None:
    before, after = rewritten(name)
    values, sizes = leaves(before), {**SIZES, **before.bound}
    old, new = evaluate(before, values, sizes), evaluate(after.system, values, sizes)
    for target in (before.loss or "", *derived(name).gradients.values()):
        np.testing.assert_allclose(
            np.asarray(new[target], float), np.asarray(old[target], float), rtol=1e-12, atol=1e-13
        )


def test_new_equations_have_the_number_of_the_first_that_they_serve() -> None:
    before, after = rewritten("gelu")
    assert [after.numbers[e.target] for e in before.equations] == [1, 2, 3]
    (new,) = [e for e in after.system.equations if e.target not in before.by_name]
    assert (new.target, after.numbers[new.target]) == ("y_tanh", 1)


def test_a_function_of_two_equations_is_computed_once() -> None:
    _, after = rewritten("gelu")
    assert [str(e).count("tanh(") for e in after.system.equations] == [1, 0, 0, 0]


def test_errors_of_squares_are_those_of_their_gradient() -> None:
    _, after = rewritten("squares")
    (errors,) = [e for e in after.system.equations if e.target == "z_minus_t"]
    assert after.numbers["z_minus_t"] == after.numbers["loss"]
    assert str(errors).startswith("z_minus_t[n,k] = z[n,k] - t[n,k]")
    readers = {e.target for e in after.system.equations if "z_minus_t" in e.read_names}
    assert readers == {"loss", "dz"}
    assert {e.target for e in after.system.equations if "t" in e.read_names} == {"z_minus_t"}


def test_loops_run_along_the_first_axis_and_data_are_copied_once() -> None:
    _, after = rewritten("rnn")
    shapes = {t.name: [str(e) for e in t.shape] for t in after.system.tensors}
    assert shapes["h"] == shapes["a"] == shapes["dr"] == ["T", "N", "H"]
    assert shapes["x"] == ["N", "T", "D"]
    readers = [e.target for e in after.system.equations if "x" in e.read_names]
    assert readers == ["x_turned"]


def test_offsets_are_added_before_the_loop() -> None:
    _, after = rewritten("rnn")
    before_loop = after.system.defining["h_all"]
    assert str(before_loop).startswith("h_all[t,n,j] = a[t,n,j] + b[j]")


def test_what_others_see_keeps_its_axes() -> None:
    system = derived("rnn").system
    found = loops_first(shared(numbered(system)), (*system.asked, *derived("rnn").gradients.values(), "h"))
    assert [str(e) for e in found.system.tensor("h").shape] == ["N", "T", "H"]
