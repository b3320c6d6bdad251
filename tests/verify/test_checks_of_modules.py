"""What a module's own `check_gradients` finds, and what it lets pass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbp as bp

N, T, D = bp.dims("N T D")


def regression(loss: Any, dtype: str = "float64") -> ModuleType:
    x, y = bp.input("x", (N, 3)), bp.target("y", (N,))
    w, b = bp.param("w", (3,)), bp.param("b", ())
    net = bp.Network("regression", loss=loss(x @ w + b, y))
    return bp.compile(net, optimizer=bp.optim.SGD(0.1), dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_targets_and_gradients_of_zero_pass(dtype: str) -> None:
    module = regression(bp.mse, dtype)
    rng = np.random.default_rng(0)
    x, right = rng.normal(size=(50, 3)), np.array([1.0, 2.0, 3.0])
    for w in (np.zeros(3), right):
        for offset in (0.0, 2e5):
            for b in (0.0, offset):
                rows = module.check_gradients({"w": w, "b": np.array(b)}, x=x, y=offset + x @ right)
                assert all(row["ok"] for row in rows), rows


def spoilt(module: ModuleType, monkeypatch: pytest.MonkeyPatch, spoil: Any) -> dict[str, bool]:
    """The verdicts where gradients are changed by `spoil(gradients, data)`."""
    right = module._differentiate

    def wrong(params: Any, gradients: Any, data: Any, sizes: Any, **rest: Any) -> Any:
        tensors = right(params, gradients, data, sizes, **rest)
        spoil(gradients, data)
        return tensors

    monkeypatch.setattr(module, "_differentiate", wrong)
    return {row["parameter"]: row["ok"] for row in module.check_gradients()}


def test_a_factor_that_is_1_for_two_examples_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def three_times_too_large(gradients: Any, data: Any) -> None:
        gradients["w"] *= len(data["y"]) / 2

    assert spoilt(regression(bp.mse), monkeypatch, three_times_too_large) == {"w": False, "b": True}


def test_a_branch_that_only_large_data_take_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module = regression(lambda p, y: bp.relu(bp.abs(p - y) - 6).mean())
    assert spoilt(module, monkeypatch, lambda *_: None) == {"w": True, "b": True}

    def none(gradients: Any, data: Any) -> None:  # noqa: ARG001
        gradients["w"] *= 0

    assert spoilt(module, monkeypatch, none)["w"] is False


def test_a_gradient_without_a_value_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(gradients: Any, data: Any) -> None:  # noqa: ARG001
        gradients["b"][...] = np.nan

    assert spoilt(regression(bp.mse), monkeypatch, none) == {"w": True, "b": False}


def test_rows_of_a_mask_that_are_hidden_are_drawn_again() -> None:
    x, m, W = bp.input("x", (N, T, D)), bp.input("m", (N, T, T), "binary"), bp.param("W", (D, D))
    net = bp.Network("masked", loss=(bp.scaled_dot_product_attention(x @ W, x, x, m) ** 2).sum())
    rows = bp.compile(net, optimizer=bp.optim.SGD(0.1), sizes={"T": 2}).check_gradients()
    assert all(row["ok"] and row["points"] >= 4 for row in rows), rows


def test_a_point_at_a_kink_is_not_called_wrong() -> None:
    module = regression(lambda p, y: bp.relu(p - y).mean())
    x = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    w = np.array([1.0, 2.0, 3.0])
    rows = module.check_gradients({"w": w, "b": np.array(0.0)}, x=x, y=np.array([1.0, 5.0]))
    assert all(row["ok"] for row in rows), rows
    assert rows[0]["entries"] == 2  # not the first, whose loss has a kink there


def test_sizes_that_only_parameters_have_may_be_open() -> None:
    H = bp.dim("H")
    x, W, v = bp.input("x", (N, 2)), bp.param("W", (2, H)), bp.param("v", (H,))
    net = bp.Network("opened", loss=(bp.tanh(x @ W) @ v).mean())
    rows = bp.compile(net, optimizer=bp.optim.SGD(0.1)).check_gradients()
    assert all(row["ok"] and row["sizes"]["H"] == 5 for row in rows), rows
