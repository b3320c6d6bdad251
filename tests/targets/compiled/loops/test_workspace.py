"""Workspaces: valid plans, bytes as the formulas say, the same values shared and apart, no new arrays."""

from __future__ import annotations

import random
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import target_recurrences
import target_windows
from modules_by_name import generate_source
from target_any import any_system, any_values
from target_nets import SIZES, adam, mlp, mlp_initial
from target_recurrences import swept
from target_systems import EXTENTS

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Size
from symbp.lower.memory.plan import MemoryPlan, validate
from symbp.targets import COMPLETE as TARGETS
from symbp.targets import named
from symbp.targets.compiled import programs
from symbp.targets.loading import load
from symbp.targets.pieces import EVERYTHING
from symbp.targets.target import Order

CASES = ("mlp", *target_recurrences.SYSTEMS, "small net", *(f"any {k}" for k in range(4)))
OPEN = ({}, "one open", "all bound")


@cache
def case(name: str) -> tuple[Derivation, dict[str, int]]:
    """A derivation, and values of its sizes."""
    if name == "mlp":
        return mlp(), {**SIZES, "N": 6}
    if name in target_recurrences.SYSTEMS:
        return swept(target_recurrences.SYSTEMS[name]()), target_recurrences.EXTENTS
    if name == "small net":
        return swept(target_windows.SYSTEMS["a small net"]()), target_windows.EXTENTS
    return swept(any_system(random.Random(int(name.split()[1])), 8)), EXTENTS


def made(name: str, target: str, dtype: str = "float64", sizes: dict[str, int] | None = None) -> Any:
    derivation, _ = case(name)
    initial = mlp_initial() if name == "mlp" else {}
    text = generate_source(
        derivation, target=target, dtype=dtype, update=adam(), initial=initial, sizes=sizes or {}
    )
    return load(text, "workspace")


def memory(name: str, target: str, sizes: dict[str, int] | None = None) -> MemoryPlan:
    derivation, _ = case(name)
    return (
        named(target).after("memory", Order(derivation, adam(), sizes=sizes or {}, pieces=EVERYTHING)).memory
    )


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_plans_are_valid(name: str, target: str) -> None:
    extents = case(name)[1]
    known = {e: v for e, v in extents.items() if e in case(name)[0].system.sizes} | {"rows": 2}
    samples = [known, {e: 3 * v + 1 for e, v in known.items()}, dict.fromkeys(known, 1)]
    found = memory(name, target)
    validate(found, samples)
    assert {p.buffer.arena for p in found.places} <= {"reals", "integers", "flags"}
    bound = {e: v for e, v in known.items() if e not in ("N", "rows")}
    validate(memory(name, target, bound), [{"N": n, "rows": n} for n in (1, 2, 7, 100)])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_bytes_are_what_the_formula_says(target: str, dtype: str) -> None:
    itemsize = np.dtype(dtype).itemsize
    for sizes in ({}, {"D": 5, "H": 4}, SIZES):
        module, formula = made("mlp", target, dtype, sizes), memory("mlp", target, sizes).bytes(itemsize)
        for extents in ({"N": 1, "D": 5, "H": 4, "K": 3}, {"N": 9, **SIZES}, {"N": 200, **SIZES}):
            extents["rows"] = extents["N"]  # the batch in one piece
            found = module._Memory(tuple(extents[name] for name in module.OPEN_SIZES))
            expected = formula.xreplace({Size(n): v for n, v in extents.items()})
            assert found.nbytes == int(expected)
            assert sum(arena.nbytes for arena in found.arenas) == found.nbytes


def test_the_state_holds_one_workspace_for_each_batch_size() -> None:
    module = made("mlp", "numpy", sizes=SIZES)
    formula = memory("mlp", "numpy", SIZES).bytes(8)
    state = module.init_state(module.init_params(0))
    rng = np.random.default_rng(0)
    for n in (7, 3, 7):
        module.train_step(state, x=rng.normal(size=(n, 5)), y=rng.integers(0, 3, n))
    assert [m.nbytes for m in state.workspace.values()] == [
        int(formula.xreplace({Size("rows"): n})) for n in (7, 3)
    ]


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", CASES)
def test_values_do_not_depend_on_what_shares_memory(name: str, target: str) -> None:
    module, (derivation, extents) = made(name, target), case(name)
    if target == "numba":
        module._compile, module.math = (lambda: None), target_recurrences.LOOPS
    values = (
        any_values(derivation.system, 0)
        if name.startswith("any")
        else target_recurrences.values(derivation.system, 0, extents)
    )
    params, sizes = module._as_arena({p: values[p] for p in module.PARAMETERS})
    data = module._checked({p: values[p] for p in module.INPUTS}, tuple(module.INPUTS), sizes, values=False)
    found, memory_of = [], module._memory
    for apart in (False, True):
        gradients, room = params.like(), module._memory(sizes, apart=apart)
        module._memory = lambda *_, room=room, **__: room
        with np.errstate(all="ignore"):
            tensors = module._differentiate(params, gradients, data, sizes)
        found.append((float(tensors[module.LOSS]), gradients.flat.copy()))
        module._memory = memory_of
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("name", CASES)
def test_one_stage_for_a_step_gives_what_its_stages_give(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "WORTH_A_STAGE", 1e9)
    module, (derivation, extents) = made(name, "numba"), case(name)
    assert "_forward_and_backward(" in Path(module.__file__).read_text(encoding="utf-8")
    module._compile, module.math = (lambda: None), target_recurrences.LOOPS
    values = (
        any_values(derivation.system, 0)
        if name.startswith("any")
        else target_recurrences.values(derivation.system, 0, extents)
    )
    params, sizes = module._as_arena({p: values[p] for p in module.PARAMETERS})
    data = module._checked({p: values[p] for p in module.INPUTS}, tuple(module.INPUTS), sizes, values=False)
    found = []
    for apart in (False, True):  # apart, the stages run one by one, so that each tensor is there
        gradients = params.like()
        with np.errstate(all="ignore"):
            tensors = module._differentiate(params, gradients, data, sizes, apart=apart)
        found.append((float(tensors[module.LOSS]), gradients.flat))
    assert np.isfinite(found[0][1]).all()
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-10)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-8, atol=1e-10)


def step_allocates(module: Any, data: dict[str, Any]) -> int:
    """The most bytes that live at once in a step beyond those before it."""
    state = module.init_state(module.init_params(0))
    for _ in range(2):
        module.train_step(state, **data)
    tracemalloc.start()
    try:
        module.train_step(state, **data)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        module.train_step(state, **data)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


BUFFERS = 3 * 8192 * 8 + 16384  # what NumPy holds inside of one call that broadcasts or casts, and objects


def test_a_step_makes_no_arrays() -> None:
    module = made("mlp", "numpy", sizes=SIZES)
    rng, n = np.random.default_rng(0), 1 << 16
    data = {"x": rng.normal(size=(n, 5)), "y": rng.integers(0, 3, n)}
    assert step_allocates(module, data) < BUFFERS < n * 8  # the smallest array of a step has n elements


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "stack", "residual"])
def test_a_step_of_a_recurrence_makes_no_arrays(name: str) -> None:
    derivation, n = case(name)[0], 1 << 16
    extents = {"N": n, "T": 3, "D": 2, "H": 2, "G": 2, "K": 2, "L": 2}
    module = made(name, "numpy")
    values = target_recurrences.values(derivation.system, 0, extents)
    state = module.init_state({p: values[p] for p in module.PARAMETERS})
    module.init_params = lambda seed: state.params  # noqa: ARG005
    data = {p: module._as_dtype(p, values[p]) for p in module.INPUTS}
    assert step_allocates(module, data) < BUFFERS < n * 8
