"""Loops over time and depth, in either direction, inside each other: gradients and losses of both targets."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

import numpy as np
import pytest
from target_lines import spelled_out
from target_recurrences import EXTENTS, SYSTEMS, lstm, module, rnn, source, stack, swept, values

from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run


def expected(system: Any, point: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    derivation = swept(system)
    tensors = run(derivation.system, point, EXTENTS)
    assert system.loss is not None
    return float(tensors[system.loss]), {p: tensors[g] for p, g in derivation.gradients.items()}


def check(system: Any, found: Any, tolerance: float) -> None:
    point = values(system)
    loss, gradients = expected(system, point)
    params = {name: point[name] for name in gradients}
    data = {name: value for name, value in point.items() if name not in params}
    got, got_gradients = found.loss_and_gradients(params, **data)
    assert got == pytest.approx(loss, rel=tolerance)
    for name, gradient in gradients.items():
        scale = max(float(np.linalg.norm(gradient)), 1e-8)
        error = float(np.linalg.norm(got_gradients[name] - gradient)) / scale
        assert error <= tolerance, f"d{name}: relative error {error:.2e}"


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_vectorised_value_is_the_interpreters(name: str) -> None:
    system = SYSTEMS[name]()
    point, derivation = values(system), swept(system)
    wanted = [*derivation.gradients.values(), "loss"]
    loss, gradients = expected(system, point)
    slow = evaluate(derivation.system, point, EXTENTS, wanted=wanted)
    np.testing.assert_allclose(loss, slow["loss"], rtol=1e-13)
    for parameter, gradient in gradients.items():
        np.testing.assert_allclose(gradient, slow[derivation.gradients[parameter]], rtol=1e-10, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("bound", [{}, EXTENTS], ids=["open", "bound"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients(name: str, bound: dict[str, int]) -> None:
    system = SYSTEMS[name]()
    known = {size: bound[size] for size in system.sizes if size in bound}
    check(system, module(system, "numpy", bound=known), 1e-12)
    with warnings.catch_warnings():  # plain Python warns where compiled code gives inf
        warnings.simplefilter("ignore", RuntimeWarning)
        check(system, module(system, "numba", bound=known, compiled=False), 1e-12)


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients_compiled(name: str) -> None:
    system = SYSTEMS[name]()
    check(system, module(system, "numba"), 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_float32(name: str) -> None:
    system = SYSTEMS[name]()
    found = module(system, "numpy", dtype="float32")
    check(system, found, 2e-5)


def test_outputs_of_every_step() -> None:
    system = SYSTEMS["alignment"]()
    point = values(system)
    tensors = run(system, point, EXTENTS)
    for target in ("numpy", "numba"):
        found = module(system, target, compiled=False).forward({"A": point["A"]}, x=point["x"])
        np.testing.assert_allclose(found["v"], tensors["v"], rtol=1e-13)
        np.testing.assert_array_equal(found["at"], tensors["at"])


def training(target: str, system: Any, steps: int, **more: Any) -> list[float]:
    point = values(system, 1)
    found = module(system, target, **more)
    params = {name: point[name] for name in found.PARAMETERS}
    state = found.init_state(params)
    state.hyper["lr"] = 0.5
    return [found.train_step(state, **{name: point[name] for name in found.INPUTS}) for _ in range(steps)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_training_lowers_the_loss_alike(name: str) -> None:
    system = SYSTEMS[name]()
    first = training("numpy", system, 25)
    assert first[-1] < 0.9 * first[0]
    np.testing.assert_allclose(first, training("numba", system, 25, compiled=False), rtol=1e-10)


def statements(text: str) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text)))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_the_text_does_not_grow_with_time_or_depth(target: str) -> None:
    for system in (rnn(), stack()):
        small = source(system, target, bound={"T": 128, **({"L": 12} if "L" in system.sizes else {})})
        large = source(system, target, bound={"T": 900, **({"L": 96} if "L" in system.sizes else {})})
        count = [
            sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text))) for text in (small, large)
        ]
        assert count[0] == count[1]


def stage(text: str, name: str) -> str:
    return text[text.index(f"def {name}(") :].split("\n\n\n")[0]


def test_numpy_reads_like_a_recurrence() -> None:
    forward = stage(spelled_out(source(rnn(), "numpy")), "_forward")
    lines = [re.sub(r"  #.*", "", line).strip() for line in forward.splitlines()]
    at = lines.index("for t in range(T):")
    assert lines[at - 1] == "np.add(a, c, out=h_all)"
    assert lines[at + 1 : at + 4] == [
        "np.dot(h[t - 1] if t >= 1 else zeros_NH, U, out=r[t])",
        "np.add(h_all[t], r[t], out=h[t])",
        "np.tanh(h[t], out=h[t])",
    ]


@pytest.mark.slow
def test_what_does_not_depend_on_the_state_is_outside_of_the_loop() -> None:
    text = spelled_out(source(lstm(), "numpy"))
    forward, backward = stage(text, "_forward"), stage(text, "_backward")
    assert re.search(r"^        np.dot.*out=a\b", forward, re.MULTILINE)
    assert re.search(r"^        np.dot.*out=dW\b", backward, re.MULTILINE)
    loops = [line for line in text.splitlines() if re.match(r" +for t in .*:$", line)]
    assert len(loops) == 2


def test_depth_is_around_time() -> None:
    forward = stage(source(stack(), "numba"), "_forward")
    assert re.search(r"\n    for d in range\(L\):\n(.*\n)*?        for t in range\(T\):", forward)
