"""The hand-written NumPy references against PyTorch's autograd in float64, and against published values."""

from __future__ import annotations

import importlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.references.update import SGD, Adam

torch = pytest.importorskip("torch")
from benchmarks.layouts import PLAIN  # noqa: E402
from benchmarks.peers import torch_models  # noqa: E402

DENSE = {"W1": (5, 7), "b1": (7,), "W2": (7, 6), "b2": (6,), "W3": (6, 3), "b3": (3,)}
L, D, F, V, T, H, E = 2, 8, 12, 5, 6, 2, 4
GPT = {
    **dict.fromkeys(("wa_", "oa_", "bo_", "wb_", "ob_", "b2_"), (L, D)),
    **{f"W{part}_": (L, D, H, E) for part in "qkv"},
    **{f"b{part}_": (L, H, E) for part in "qkv"},
    "Wo_": (L, H, E, D), "W1_": (L, D, F), "b1_": (L, F), "W2_": (L, F, D),
    "wf_f": (D,), "of_f": (D,), "We": (V, D), "Wp": (T, D),
}  # fmt: skip


def recurrent(gates: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    axis = (gates,) if gates > 1 else ()
    return {"W": (3, *axis, 4), "U": (4, *axis, 4), "b": (*axis, 4), **more, "V": (4, 5), "o": (5,)}


SEQUENCE = {"x": (2, 6, 3), "y": (2, 5)}
# case: reference, model, options, shapes of parameters, shapes of data (labels: count and classes)
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "mse": ("mlp", "mlp", {"activation": "tanh"}, DENSE, {"x": (11, 5), "t": (11, 3)}),
    "blocks of rows": ("mlp", "mlp", {"activation": "tanh"}, DENSE, {"x": (40000, 5), "t": (40000, 3)}),
    "tanh": ("mlp", "mlp", {"activation": "tanh"}, DENSE, {"x": (11, 5), "y": (11, 3)}),
    "relu": ("mlp", "mlp", {"activation": "relu"}, DENSE, {"x": (11, 5), "y": (11, 3)}),
    "stack": (
        "mlp", "stack", {}, {"W": (4, 6, 6), "b": (4, 6), "V": (6, 3), "c": (3,)}, {"x": (9, 6), "y": (9, 3)}
    ),
    "lenet": (
        "lenet", "lenet", {},
        {"K1": (8, 1, 5, 5), "c1": (8,), "K2": (16, 8, 5, 5), "c2": (16,), "W": (256, 10), "b": (10,)},
        {"x": (3, 1, 28, 28), "y": (3, 10)},
    ),
    "rnn": ("rnn", "rnn", {}, recurrent(1), SEQUENCE),
    "lstm": ("lstm", "lstm", {}, recurrent(4), SEQUENCE),
    "gru": ("gru", "gru", {}, recurrent(3, c=(3, 4)), SEQUENCE),
    "gpt": ("gpt", "gpt", {}, GPT, {"tok": (3, T, V), "y": (3, T, V)}),
    "residual mlp": (
        "residual_mlp", "residual_mlp", {},
        {
            "w": (3, 6), "g": (3, 6), "W": (3, 6, 7), "b": (3, 7), "U": (3, 7, 6), "c": (3, 6),
            "V": (6, 4), "o": (4,),
        },
        {"x": (9, 6), "y": (9, 4)},
    ),
    "layernorm": (
        "ops", "layernorm", {"op": "layernorm"}, {"x": (64, 9), "w": (9,), "b": (9,)}, {"g": (64, 9)}
    ),
    "softmax": ("ops", "softmax", {"op": "softmax"}, {"x": (64, 9)}, {"g": (64, 9)}),
    "gelu": ("ops", "gelu", {"op": "gelu"}, {"x": (64, 700)}, {"g": (64, 700)}),
    "attention": ("attention", "attention", {}, dict.fromkeys("qkv", (2, 3, 7, 4)), {"g": (2, 3, 7, 4)}),
    "diagonal lstm": (
        "diagonal_lstm", "diagonal_lstm", {},
        {"weight": (2, 4, 3), "bias": (2, 4, 3), "extra": (3, 3), "hidden": (2, 3), "cell": (2, 3)},
        {"s": (9, 3), "after": (9, 3)},
    ),
}  # fmt: skip


def drawn(case: str) -> tuple[Any, Any, dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]]:
    """The reference's module, the model, and random parameters and data."""
    reference, model, options, shapes, inputs = CASES[case]
    rng = np.random.default_rng(5)
    params = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}
    data = {}
    for name, shape in inputs.items():
        if name in ("y", "tok"):
            data[name] = rng.integers(0, shape[-1], shape[:-1])
        else:
            data[name] = rng.normal(size=shape)
    return importlib.import_module(f"benchmarks.references.{reference}"), model, params, data, options


def autograd(model: str, params: Any, data: Any, options: Any) -> tuple[float, dict[str, np.ndarray]]:
    layout = torch_models.LAYOUTS.get(model, PLAIN)
    if model == "gpt":
        layout = torch_models.fused_attention(H)
        options = {"heads": H}
    elif model not in ("mlp",):
        options = {}
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in layout.to(params).items()}
    loss = torch_models.MODELS[model](leaves, {k: torch.tensor(v) for k, v in data.items()}, **options)
    loss.backward()
    return loss.item(), layout.back({k: leaf.grad.numpy() for k, leaf in leaves.items()})


@pytest.mark.few(fast=5)
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_autograd(case: str) -> None:
    module, model, params, data, options = drawn(case)
    step = module.prepare(params, data, SGD(0.1), **options)
    loss = step()
    expected, gradients = autograd(model, params, data, options)
    assert loss == pytest.approx(expected, rel=1e-12)
    found = step.named(step.gradients)
    assert set(found) == set(params)
    scale = max(np.abs(gradient).max() for gradient in gradients.values())
    for name, gradient in gradients.items():
        ours = found[name].reshape(gradient.shape)
        np.testing.assert_allclose(ours, gradient, rtol=1e-10, atol=1e-14 * scale, err_msg=name)
        moved = params[name] - 0.1 * gradient.reshape(params[name].shape)
        np.testing.assert_allclose(step.named(step.params)[name], moved, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_takes_pytorchs_steps(decay: float) -> None:
    rng = np.random.default_rng(1)
    theta, gradient = rng.normal(size=40000), np.empty(40000)  # more than two blocks
    leaf = torch.tensor(theta, requires_grad=True)
    kind = torch.optim.AdamW if decay else torch.optim.Adam
    theirs = kind([leaf], lr=0.01, weight_decay=decay)
    ours = Adam(0.01, decay=decay).bind(theta, gradient)
    for _ in range(5):
        gradient[:] = rng.normal(size=40000)
        leaf.grad = torch.tensor(gradient)
        theirs.step()
        ours()
    np.testing.assert_allclose(theta, leaf.detach().numpy(), rtol=1e-12, atol=1e-15)


def test_the_diagonal_lstm_is_gradbenchs() -> None:
    folder = Path(os.environ.get("SYMBP_ORACLES", Path(__file__).parents[3] / "shared" / "oracles"))
    path = folder / "gradbench" / "lstm.json"
    if not path.exists():
        pytest.skip("the published values are not here")
    for case in json.loads(path.read_text())["cases"]:
        given = {name: np.array(value, float) for name, value in case["input"].items()}
        layers, bits = len(given["state"]) // 2, given["state"].shape[1]
        main = given["main_params"].reshape(layers, 2, 4, bits)
        params = {
            "weight": main[:, 0], "bias": main[:, 1], "extra": given["extra_params"],
            "hidden": given["state"][::2], "cell": given["state"][1::2],
        }  # fmt: skip
        module = importlib.import_module("benchmarks.references.diagonal_lstm")
        step = module.prepare(params, {"s": given["sequence"][:-1], "after": given["sequence"][1:]}, SGD(0.0))
        assert math.isclose(step(), case["expected"]["objective"], rel_tol=1e-12)
        g = step.gradients
        main_gradient = np.stack([g["weight"], g["bias"]], 1)  # layer, weight or bias, gate, bit
        found = np.concatenate([main_gradient.ravel(), g["extra"].ravel()])
        np.testing.assert_allclose(found, case["expected"]["jacobian"], rtol=1e-9, atol=1e-14)
