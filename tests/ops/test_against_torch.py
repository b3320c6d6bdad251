"""Every op of the registry against PyTorch: value and derived gradient, at random sizes.

Three times over one derivation: as the reference interpreter has it, as the NumPy module computes it, and as
the Numba module does, whose kernels run as plain Python here; test_compiled.py compiles them.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from counterparts import COUNTERPARTS
from samples import draw, sizes_of

import symbp as bp
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.sampling import draws, evaluate_size
from symbp.ops import REGISTRY, Example, Op

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")

QUICK = {"ctc": 1, "focal": 1}  # the example that is soonest derived, where it isn't the first
BESIDE = {"adaptive_avg_pool3d", "adaptive_max_pool3d", "conv3d", "conv_transpose3d"}  # as in one dimension


def marks(op: Op, k: int) -> list[Any]:
    """One example of an op is quick, unless an op of fewer axes lies beside; the rest is slow."""
    return [] if k == QUICK.get(op.name, 0) and op.name not in BESIDE else [pytest.mark.slow]


CASES = [
    pytest.param(op, example, id=f"{op.name}-{k}", marks=marks(op, k))
    for op in REGISTRY.values()
    if op.differentiable
    for k, example in enumerate(op.examples)
]

# The functions of one element as compiled code has them: NaN or infinity where Python's raise.
SAME = ("exp", "log", "sin", "cos", "tanh", "sqrt", "log1p", "expm1")
LOOPS = SimpleNamespace(**{**vars(math), **{name: getattr(np, name) for name in SAME}})


@functools.cache
def declared(name: str, k: int) -> tuple[bp.Network, Any, Any]:
    """(the network, its operands, the weights of the result) of an op's example."""
    op = REGISTRY[name]
    operands, result = op.declare(op.examples[k])
    weights = bp.input("weights", result.shape) if result.rank else None
    net = bp.Network("case", loss=result * 1 if weights is None else (result * weights).sum())
    return net, operands, weights


@functools.cache
def derived(name: str, k: int) -> bp.Derivation:
    return bp.derive(declared(name, k)[0])


class Case:
    """An op inside a loss that weighs every element of its result differently, with values for all of it."""

    def __init__(
        self, op: Op, example: Example, arrays: dict[str, Any] | None = None, seed: str = ""
    ) -> None:
        rng, sizes = np.random.default_rng(5), sizes_of(seed or op.name)
        self.op, self.example, self.number = op, example, op.examples.index(example)
        self.net, operands, weights = declared(op.name, self.number)
        self.operands = arrays or {
            operand.name or "": np.asarray(draw(sample, rng, sizes))
            for operand, sample in zip(operands, example.operands, strict=True)
        }
        system = self.net.system
        self.open = {name: value for name, value in sizes.items() if name in system.sizes}
        self.sizes = self.open | {str(name): value for name, value in system.bound.items()}
        self.weights = None
        if weights is not None:
            extents = [evaluate_size(e, self.sizes) for e in system.by_name["weights"].shape]
            self.weights = rng.normal(size=extents)
        self.random = draws(system, self.sizes, 3)

    @property
    def derivation(self) -> bp.Derivation:
        return derived(self.op.name, self.number)

    @property
    def parameters(self) -> dict[str, Any]:
        return {leaf.name: self.operands[leaf.name] for leaf in self.net.system.parameters}

    @property
    def data(self) -> dict[str, Any]:
        given = {name: a for name, a in self.operands.items() if name not in self.parameters}
        return given if self.weights is None else given | {"weights": self.weights}

    def expected(self) -> tuple[float, dict[str, Any]]:
        """PyTorch's loss and gradients; random tensors come after the operands."""
        tensors = {name: torch.tensor(a) for name, a in self.operands.items()}
        for name in self.parameters:
            tensors[name].requires_grad_()
        noise = [torch.tensor(array) for array in self.random.values()]
        result = COUNTERPARTS[self.op.name](*tensors.values(), *noise, **self.example.options)
        loss = result if self.weights is None else (result * torch.tensor(self.weights)).sum()
        loss.backward()
        return loss.item(), {name: tensors[name].grad.numpy() for name in self.parameters}

    def interpreted(self, derivation: bp.Derivation) -> tuple[float, dict[str, Any]]:
        run = Run(derivation.system, self.parameters | self.data | self.random, self.sizes)
        found = {name: run.tensor(gradient) for name, gradient in derivation.gradients.items()}
        return float(run.tensor(derivation.system.loss or "")), found

    def computed(self, target: str, derivation: bp.Derivation, *, compiled: bool = True) -> Any:
        """Loss and gradients of the generated module."""
        module = bp.compile(
            self.net, target=target, optimizer=bp.optim.SGD(0.1), sizes=self.open, derivation=derivation
        )
        if not compiled:
            module._compile, module.math = (lambda: None), LOOPS
        return module.loss_and_gradients(self.parameters, masks=self.random, **self.data)


def agree(found: tuple[float, dict[str, Any]], expected: tuple[float, dict[str, Any]], what: str) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-10, abs=1e-12), what
    assert set(found[1]) == set(expected[1])
    for name, gradient in found[1].items():
        np.testing.assert_allclose(
            gradient, expected[1][name], rtol=1e-9, atol=1e-11, err_msg=f"{what}: {name}"
        )


def test_every_op_has_a_counterpart() -> None:
    assert set(COUNTERPARTS) <= set(REGISTRY)
    missing = [op.name for op in REGISTRY.values() if op.differentiable and op.name not in COUNTERPARTS]
    assert not missing


@pytest.mark.slow
@pytest.mark.few(slow=70)
@pytest.mark.parametrize(("op", "example"), CASES)
def test_value_and_gradients(op: Op, example: Example) -> None:
    case = Case(op, example, seed=f"{op.name}-{op.examples.index(example)}")
    expected, derivation = case.expected(), case.derivation
    agree(case.interpreted(derivation), expected, "interpreted")
    agree(case.computed("numpy", derivation), expected, "numpy")
    agree(case.computed("numba", derivation, compiled=False), expected, "loops")
