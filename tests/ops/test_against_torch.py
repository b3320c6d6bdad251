"""Every op of the registry against PyTorch: its value and its derived gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from counterparts import counterparts
from samples import SIZES, draw

import symbp as bp
from symbp.ir.sampling import draws
from symbp.ir.vector import Run
from symbp.ops import REGISTRY, Example, Op

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
COUNTERPARTS = counterparts()

CASES = [
    pytest.param(op, example, id=f"{op.name}-{k}")
    for op in REGISTRY.values()
    if op.differentiable
    for k, example in enumerate(op.examples)
]


def declared(op: Op, example: Example) -> tuple[bp.Network, list[str]]:
    """The op inside a loss that weighs every element of its result differently."""
    operands, result = op.declare(example)
    weights = bp.input("weights", result.shape) if result.rank else None
    loss = result * 1 if weights is None else (result * weights).sum()
    return bp.Network("case", loss=loss), [operand.name or "" for operand in operands]


def expected(
    op: Op, example: Example, arrays: dict[str, Any], weights: Any, random: dict[str, Any] | None = None
) -> tuple[float, dict[str, Any]]:
    """PyTorch's loss and gradients; random tensors come after the operands."""
    tensors = {
        name: torch.tensor(a, requires_grad=a.dtype.kind == "f" and s.values not in ("labels",))
        for (name, a), s in zip(arrays.items(), example.operands, strict=True)
    }
    noise = [torch.tensor(array) for array in (random or {}).values()]
    result = COUNTERPARTS[op.name](*tensors.values(), *noise, **example.options)
    loss = result if weights is None else (result * torch.tensor(weights)).sum()
    loss.backward()
    return loss.item(), {name: t.grad for name, t in tensors.items()}


def test_every_op_has_a_counterpart() -> None:
    missing = [op.name for op in REGISTRY.values() if op.differentiable and op.name not in COUNTERPARTS]
    assert not missing


@pytest.mark.parametrize(("op", "example"), CASES)
def test_gradients(op: Op, example: Example) -> None:
    rng = np.random.default_rng(11)
    net, names = declared(op, example)
    arrays = {
        name: np.asarray(draw(sample, rng)) for name, sample in zip(names, example.operands, strict=True)
    }
    shape = dict(net.system.by_name).get("weights")
    sizes = {name: value for name, value in SIZES.items() if name in net.system.sizes}
    sizes |= {str(k): v for k, v in net.system.bound.items()}
    weights = None
    if shape is not None:
        extents = [int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in shape.shape]
        weights = rng.normal(size=extents)
    random = draws(net.system, sizes, 3)
    loss, gradients = expected(op, example, arrays, weights, random)
    values = arrays | random | ({} if weights is None else {"weights": weights})
    derivation = bp.derive(net)
    run = Run(derivation.system, values, sizes)
    assert run.tensor(derivation.system.loss or "") == pytest.approx(loss, rel=1e-10, abs=1e-12)
    for name, gradient in derivation.gradients.items():
        np.testing.assert_allclose(
            run.tensor(gradient), gradients[name].numpy(), rtol=1e-9, atol=1e-11, err_msg=name
        )


KINKS = {
    "abs": [0], "sign": [0], "clamp": [-0.5, 0.5], "relu": [0], "relu6": [0, 6], "squared_relu": [0],
    "leaky_relu": [0], "elu": [0], "selu": [0], "celu": [0], "hardtanh": [-1, 1], "hardsigmoid": [-3, 3],
    "hardswish": [-3, 3], "hardshrink": [-0.5, 0.5], "softshrink": [-0.5, 0.5], "threshold": [0],
    "softsign": [0],
}  # fmt: skip
PAIRED = {
    "mae": [0],
    "huber": [-1, 0, 1],
    "smooth_l1": [-1, 0, 1],
    "prelu": [0],
    "maximum": [0],
    "minimum": [0],
}


@pytest.mark.parametrize("name", [*KINKS, *PAIRED])
def test_gradient_at_the_kink(name: str) -> None:
    op = REGISTRY[name]
    example = op.examples[0]
    points = np.resize(np.array((KINKS | PAIRED)[name], float), (SIZES["N"], SIZES["H"]))
    arrays = {"x": points} | ({"x2": np.zeros_like(points)} if name in PAIRED else {})
    if name == "prelu":
        arrays["x2"] += 0.25
    net, _ = declared(op, example)
    weights = np.ones(points.shape) if "weights" in net.system.by_name else None
    _, gradients = expected(op, example, arrays, weights)
    derivation = bp.derive(net)
    run = Run(derivation.system, arrays | {"weights": weights}, {"N": SIZES["N"], "H": SIZES["H"]})
    for leaf, gradient in derivation.gradients.items():
        np.testing.assert_allclose(run.tensor(gradient), gradients[leaf].numpy(), rtol=1e-12, err_msg=leaf)
