"""A NaN that an op reads stays one, though no comparison with NaN is true and a choice may take no branch."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from samples import SIZES, draw

import symbp as bp
from symbp.errors import SymbpError
from symbp.ir.evaluation import interpret, vector
from symbp.ops import REGISTRY, Op

STEPS = ("sign", "floor", "ceil", "round")  # of NaN PyTorch's sign is 0, too
IN_BRANCHES = [
    op
    for op in REGISTRY.values()
    if op.elementwise and op.differentiable and not op.analytic and op.name not in STEPS
]
COMPILED = (
    "hardtanh",
    "hardshrink",
    "squared_relu",
    "threshold",
    "maximum",
    "abs",
    "huber",
    "prelu",
    "clamp",
)


def declared(op: Op) -> tuple[bp.Network, dict[str, np.ndarray]]:
    """A sum over an op's result, and its operands' values, with a NaN in the first."""
    operands, result = op.declare(op.examples[0])
    rng = np.random.default_rng(2)
    values = {
        tensor.name: np.asarray(draw(sample, rng))
        for tensor, sample in zip(operands, op.examples[0].operands, strict=True)
    }
    values[operands[0].name].flat[0] = np.nan
    return bp.Network("case", loss=result.sum() if result.rank else result), values


@pytest.mark.parametrize("op", IN_BRANCHES, ids=lambda op: op.name)
def test_both_interpreters_keep_nan(op: Op) -> None:
    net, values = declared(op)
    sizes = {size: value for size, value in SIZES.items() if size in net.system.sizes}
    for evaluate in (vector.run, interpret.evaluate):
        assert np.isnan(evaluate(net.system, values, sizes)[net.system.loss]), evaluate


def loss_of(op: Op, target: str) -> float:
    """The loss with a NaN, as a module computes it."""
    net, values = declared(op)
    sizes = {size: value for size, value in SIZES.items() if size in net.system.sizes}
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes=sizes)
    parameters = {leaf.name: values.pop(leaf.name) for leaf in net.system.parameters}
    try:
        return float(module.loss_and_gradients(parameters, **values)[0])
    except (SymbpError, FloatingPointError):  # it says so itself
        return float("nan")


@pytest.mark.parametrize("target", ["plain", "numpy"])
@pytest.mark.parametrize("name", COMPILED)
def test_modules_keep_nan(name: str, target: str) -> None:
    assert np.isnan(loss_of(REGISTRY[name], target))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hardtanh", "hardshrink", "maximum"])
def test_compiled_modules_keep_nan(name: str) -> None:
    assert np.isnan(loss_of(REGISTRY[name], "numba"))


@pytest.mark.parametrize("target", ["plain", "numpy"])
def test_a_choice_whose_branches_read_different_sides(target: str) -> None:
    """2·a where a < b, else 3·b: of a NaN on either side neither may be taken for certain."""
    n = bp.dim("N")
    for nan_in_first in (True, False):
        a, b = bp.param("a", n), bp.param("b", n)
        net = bp.Network("sides", loss=bp.where(a < b, 2 * a, 3 * b).sum())
        values = {"a": np.array([1.0, 5.0]), "b": np.array([2.0, 1.0])}
        module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes={"N": 2})
        assert module.loss_and_gradients(values)[0] == 5.0
        values["a" if nan_in_first else "b"][0] = np.nan
        with contextlib.suppress(FloatingPointError):  # it says so itself
            assert np.isnan(module.loss_and_gradients(values)[0])
