"""The runtime, by import: it trains the line of `symbp.runtime.network`, whose gradients are by hand."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbp.runtime import network
from symbp.runtime.common.arrays import memory, sizes_shown, sizes_solved
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.given import buffers, no_buffers, random_tensors
from symbp.runtime.common.given import data as data_alone
from symbp.runtime.common.steps import refusing, searching, stepping, steps
from symbp.runtime.common.training import (
    calls,
    checking,
    epochs,
    fit,
    moments,
    moments_of_own_shapes,
    parameters,
    patience,
    plateau,
    saving,
    standardising,
    starting,
    state,
)
from symbp.runtime.numba import advance as numba_advance
from symbp.runtime.numba import chunks, compiling, differentiate, differentiate_apart
from symbp.runtime.numba import float32 as numba_float32
from symbp.runtime.numba import float64 as numba_float64
from symbp.runtime.numba import outputs as numba_outputs
from symbp.runtime.numba import outputs_by_mode as numba_outputs_by_mode
from symbp.runtime.numba import random as numba_random
from symbp.runtime.numpy import advance as numpy_advance
from symbp.runtime.numpy import advance_buffers, blocks, bound
from symbp.runtime.numpy import differentiate as numpy_differentiate
from symbp.runtime.numpy import outputs as numpy_outputs
from symbp.runtime.numpy import outputs_by_mode as numpy_outputs_by_mode
from symbp.runtime.numpy import random as numpy_random

W, B = np.array([1.5, -2.0]), 0.5


@pytest.fixture
def data() -> dict[str, Any]:
    """Seven points of a line."""
    x = np.random.default_rng(1).standard_normal((7, 2)) + 3
    return {"x": x, "y": (x - x.mean(0)) @ W + B}


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels as plain Python."""
    monkeypatch.setattr(compiling, "_KERNELS", [])


def fresh(data: dict[str, Any], seed: int = 0) -> state.State:
    return standardising._fresh_state(seed, data, {})


def test_training_finds_the_line(data: dict[str, Any]) -> None:
    trained = fresh(data)
    history = fit.fit(trained, data, epochs=150, batch_size=3, validation=data)
    assert [record["epoch"] for record in history] == list(range(1, 151))
    assert set(history[0]) == {"epoch", "loss", "validation_loss", "validation_error", "seconds"}
    assert trained.step == 3 * 150
    assert history[-1]["validation_loss"] < 1e-4
    np.testing.assert_allclose(trained.params["w"], W, atol=0.02)
    found = calls.predict(trained.params, trained.buffers, x=data["x"])["p"]
    np.testing.assert_allclose(found, data["y"], atol=0.05)


def test_a_callback_ends_training_and_so_does_a_stop(data: dict[str, Any]) -> None:
    assert len(fit.fit(fresh(data), data, epochs=9, batch_size=3, callback=lambda r: r["epoch"] == 2)) == 2
    stop = epochs._Stop()
    stop.asked = True
    (record,) = epochs._epochs(fresh(data), data, 9, 3, None, stop)
    assert record["interrupted"] is True
    with pytest.raises(DataError, match="batch_size"):
        fit.fit(fresh(data), data, epochs=1, batch_size=0)


def test_patience_keeps_the_best_parameters(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([3.0, 1.0, 2.0, 2.0, 0.5])
    seen: list[Any] = []

    def evaluate(params: Any, *_: Any, **__: Any) -> dict[str, float]:
        seen.append(params.flat.copy())
        return {"loss": next(losses)}

    monkeypatch.setattr(epochs, "evaluate", evaluate)
    trained = fresh(data)
    history = patience.fit(trained, data, epochs=9, batch_size=7, validation=data, patience=2)
    assert [record.get("best") for record in history] == [None, True, None, None]
    np.testing.assert_array_equal(trained.params.flat, seen[1])
    assert not np.array_equal(seen[1], seen[3])
    with pytest.raises(DataError, match="needs validation data"):
        patience.fit(trained, data, epochs=1, batch_size=7, patience=2)


def test_a_state_goes_to_a_file_and_back(data: dict[str, Any], tmp_path: Path) -> None:
    one = fresh(data, seed=4)
    fit.fit(one, data, epochs=2, batch_size=3)
    saving.save(tmp_path / "line.npz", one)
    other = saving.load(tmp_path / "line.npz")
    for trained in (one, other):
        fit.fit(trained, data, epochs=2, batch_size=3)
    np.testing.assert_array_equal(one.params.flat, other.params.flat)
    assert (one.step, one.seed) == (other.step, other.seed)
    assert [path.name for path in tmp_path.iterdir()] == ["line.npz"]


def test_checks_pass_gradients_that_are_right_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(row["parameter"], row["ok"]) for row in checking.check_gradients()] == [("w", True), ("b", True)]

    def wrong(params: Any, gradients: Any, *rest: Any) -> Any:
        found = network._differentiate(params, gradients, *rest)
        gradients["w"][1] *= 1.001
        return found

    monkeypatch.setattr(checking, "_differentiate", wrong)
    assert [(row["parameter"], row["ok"]) for row in checking.check_gradients()] == [
        ("w", False),
        ("b", True),
    ]
    monkeypatch.setattr(checking, "STOPPED", ("w",))
    assert [row["parameter"] for row in checking.check_gradients()] == ["b"]


def test_what_is_not_finite_has_a_name(data: dict[str, Any]) -> None:
    begun = fresh(data)
    before = begun.params.flat.copy()
    for inputs, name in (
        ({**data, "x": data["x"] * np.inf}, "x"),
        ({**data, "y": data["y"] * 1e300}, "loss"),
    ):
        with pytest.raises(refusing.NotFinite) as caught, np.errstate(all="ignore"):
            steps.train_step(begun, **inputs)
        assert caught.value.tensor == name
    np.testing.assert_array_equal(begun.params.flat, before)
    assert begun.step == 0


def test_data_that_do_not_fit_are_refused(data: dict[str, Any]) -> None:
    params = parameters.init_params(0)
    for change, words in (
        ({"x": np.zeros((7, 3))}, r"x has shape \(7, 3\), the network needs \(N, D\) with D = 2"),
        ({"y": np.zeros(6)}, r"y has shape \(6,\), the network needs \(N,\) with N = 7"),
        ({"z": 1}, "z unknown"),
        ({"x": np.full((7, 2), np.nan)}, r"x holds nan at \(0, 0\)"),
    ):
        with pytest.raises(DataError, match=words):
            calls.loss_and_gradients(params, **{**data, **change})
    with pytest.raises(DataError, match="no size 'E'"):
        parameters.init_params(0, E=3)
    with pytest.raises(DataError, match="D is 2"):
        parameters.init_params(0, D=3)


def test_a_size_that_parameters_need_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(network.SIZES, "D")
    with pytest.raises(DataError, match=r"D is open in this module: call init_params\(seed, D=…\)"):
        parameters.init_params(0)
    assert parameters.init_params(0, D=4)["w"].shape == (4,)


def test_masks_are_taken_as_they_are_and_drawn_by_seed_and_step(data: dict[str, Any]) -> None:
    params = parameters.init_params(0)
    keep = np.array([1.0, 0, 0, 0, 0, 0, 0])
    loss, _ = calls.loss_and_gradients(params, masks={"keep": keep}, **data)
    off = data["x"][0] @ params["w"] + params["b"] - data["y"][0]
    assert loss == pytest.approx(off**2 / 7)
    drawn = [random_tensors._draw_key(seed, step, 0) for seed in range(3) for step in range(3)]
    assert len(set(drawn)) == 9
    with pytest.raises(DataError, match="no random tensor"):
        calls.loss_and_gradients(params, masks={"w": keep}, **data)
    with pytest.raises(DataError, match="no masks"):
        data_alone._given(data, None, {}, masks={"keep": keep})


def test_values_have_the_facts_that_are_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    from symbp.runtime.common.arrays import arrays

    monkeypatch.setitem(network.FACTS, "x", (("mask", -1),))
    arrays._check_values("x", np.array([0.0, -np.inf]), {})
    with pytest.raises(DataError, match="finite"):
        arrays._check_values("x", np.array([0.0, np.inf]), {})
    monkeypatch.setitem(network.FACTS, "x", (("sums to one", 1),))
    arrays._check_values("x", np.full((3, 2), 0.5), {})
    with pytest.raises(DataError, match="sum to one over axis 1"):
        arrays._check_values("x", np.full((3, 2), 0.6), {})
    monkeypatch.setitem(network.INTEGERS, "y", ("D", -1))
    arrays._check_values("y", np.array([0, 1, -1]), {"D": 2})
    with pytest.raises(DataError, match="y holds 2; its values must lie from 0 to 1, or be -1"):
        arrays._check_values("y", np.array([0, 2]), {"D": 2})


def test_sizes_in_formulas_are_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of S pixels, read by kernels of 3: maps of S - 2, which a parameter weights."""
    shapes = {"x": ("N", lambda s: s["S"])}
    monkeypatch.setitem(network.PARAMETERS, "w", (lambda s: s["S"] - 2,))
    monkeypatch.setitem(network.SOLVED, "S", ("x", 1, lambda n, _: n))
    monkeypatch.setitem(network.CONDITIONS, "S = 2·N", lambda s: s["S"] == 2 * s["N"])
    sizes: dict[str, int] = {}
    sizes_solved._settle({"w": np.zeros(4)}, network.PARAMETERS, sizes)
    assert sizes == {"w[0]": 4}
    found = dict(sizes)
    sizes_solved._settle({"x": np.zeros((3, 6))}, shapes, found)
    assert (found["S"], found["N"]) == (6, 3)
    with pytest.raises(DataError, match="axis 0 of w has 4 elements, the data need 6"):
        sizes_solved._settle({"x": np.zeros((4, 8))}, shapes, dict(sizes))
    with pytest.raises(DataError, match=r"S = 2·N, and these have N = 5, S = 6"):
        sizes_solved._settle({"x": np.zeros((5, 6))}, shapes, {})
    assert sizes_solved._sizes_in({"x": ("N", "D")}) == ["N", "D", "S"]
    assert sizes_shown._sizes_in({"x": ("N", 3, "D")}) == ["N", "D"]


# --- targets
def stepped(advance: Any, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The parameters after four steps, and the losses before them."""
    monkeypatch.setattr(stepping, "_advance", advance)
    trained = fresh(data)
    losses = [steps.train_step(trained, **data) for _ in range(4)]
    return trained.params.flat.copy(), losses


@pytest.mark.usefixtures("uncompiled")
def test_targets_step_as_the_line_does(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right, losses = stepped(network._advance, data, monkeypatch)
    assert len(set(losses)) == 4
    for target in (numpy_advance, numba_advance):
        found, same = stepped(target._advance, data, monkeypatch)
        np.testing.assert_allclose(found, right, rtol=1e-13)
        np.testing.assert_allclose(same, losses, rtol=1e-13)
    monkeypatch.setattr(blocks, "OPEN_SIZES", ("rows", "N"))
    monkeypatch.setattr(bound, "_Step", blocks._Step)
    monkeypatch.setattr(bound, "_key", blocks._key)
    found, same = stepped(numpy_advance._advance, data, monkeypatch)
    np.testing.assert_allclose(found, right, rtol=1e-13)
    np.testing.assert_allclose(same, losses, rtol=1e-13)


def test_buffers_change_once_a_step_is_finite(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "_advance", advance_buffers._advance)
    begun = state.init_state(parameters.init_params(0))
    steps.train_step(begun, **data)
    np.testing.assert_allclose(begun.buffers["mean"], data["x"].mean(0) / 2)


@pytest.mark.usefixtures("uncompiled")
def test_targets_compute_what_the_line_does(data: dict[str, Any]) -> None:
    arena = parameters.init_params(3)
    given = {**data, "mean": data["x"].mean(0), "keep": np.arange(7) % 2.0}
    gradients = [arena.like() for _ in range(4)]
    right = network._differentiate(arena, gradients[0], given, {"N": 7})
    for target, own in zip(
        (numpy_differentiate, differentiate, differentiate_apart), gradients[1:], strict=True
    ):
        found = target._differentiate(arena, own, given, {"N": 7}, apart=True)
        np.testing.assert_allclose(own.flat, gradients[0].flat, rtol=1e-13)
        for name in right:
            np.testing.assert_allclose(found[name], right[name], rtol=1e-13)
    measured = {name: given[name] for name in ("x", "y", "mean")}
    values = network._values(arena, measured, {"N": 7})
    for target in (numba_outputs, numba_outputs_by_mode):
        found = target._values(arena, measured, {"N": 7})
        np.testing.assert_allclose([found["loss"], found["error"]], [values["loss"], values["error"]])
    for target in (numpy_outputs, numpy_outputs_by_mode, numba_outputs, numba_outputs_by_mode):
        found = target._outputs(arena, given, {"N": 7}, False)
        np.testing.assert_allclose(found["p"], right["p"], rtol=1e-13)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("kind", ["bernoulli", "uniform", "normal"])
def test_targets_draw_the_same_elements(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_random, "_AT_ONCE", 40)
    one, other = np.empty(100), np.empty(100)
    numpy_random._draw(one, kind, 0.3, 12345, {})
    numba_random._draw(other, kind, 0.3, 12345, {})
    np.testing.assert_allclose(one, other, rtol=1e-14)
    assert len(set(one)) == (2 if kind == "bernoulli" else 100)


def test_workspaces_refuse_axes_that_are_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory._memory({"N": 3}).tensors["p"].shape == (3,)
    with pytest.raises(DataError, match="no elements along the axis N"):
        memory._Memory((0,))
    monkeypatch.setattr(memory, "NEEDED", {"N - 3": lambda sizes: sizes["N"] - 3})
    with pytest.raises(DataError, match="N - 3 is 0: an axis of the data is too short"):
        memory._Memory((3,))


# --- files that stand for each other
STAND_FOR_EACH_OTHER = [
    (sizes_shown, sizes_solved),
    (buffers, no_buffers),
    (data_alone, random_tensors),
    (starting, standardising),
    (patience, plateau),
    (moments, moments_of_own_shapes),
    (stepping, searching),
    (numpy_advance, advance_buffers),
    (numpy_advance, numba_advance),
    (numba_advance, chunks),
    (numpy_outputs, numpy_outputs_by_mode),
    (numba_outputs, numba_outputs_by_mode),
    (numpy_outputs, numba_outputs),
    (differentiate, differentiate_apart),
    (numpy_differentiate, differentiate),
    (numba_float32, numba_float64),
    (numpy_random, numba_random),
]


@pytest.mark.parametrize(("one", "other"), STAND_FOR_EACH_OTHER)
def test_what_stands_for_each_other_takes_the_same_arguments(one: ModuleType, other: ModuleType) -> None:
    def functions(module: ModuleType) -> dict[str, Any]:
        own = inspect.getmembers(module, inspect.isfunction)
        return {name: f for name, f in own if f.__module__ == module.__name__}

    shared = functions(one).keys() & functions(other).keys() - {"_uniform"}  # each of one file alone
    assert shared
    for name in shared:
        arguments = [list(inspect.signature(functions(m)[name]).parameters) for m in (one, other)]
        assert arguments[0] == arguments[1], name


def test_a_small_step_asks_nothing_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting processors takes 5 µs, more than half of a small step."""
    from symbp.runtime.numba import chunks

    asked: list[int] = []
    monkeypatch.setattr(chunks.os, "cpu_count", lambda: asked.append(1) or 2)
    assert chunks._chunk_count(None, {"N": 32, "D": 2}) == 1
    assert not asked
    assert chunks._chunk_count(3, {"N": 32, "D": 2}) == 3
    monkeypatch.setattr(chunks, "_flops", lambda *_: 10 * chunks.WORTH_A_CHUNK)
    assert chunks._chunk_count(None, {"N": 32, "D": 2}) == 2
    assert asked
