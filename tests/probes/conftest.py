"""What every probe of the representation is put through.

A probe is a system written by hand. Its value comes from both evaluators, its first and second derivatives
from the reverse sweep, applied once and to its own result; they are compared with the complex step of the
reference interpreter and, where it is installed, with PyTorch.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from symbp.derive.sweep.reverse import adjoints
from symbp.ir.evaluation.domains import COMPLEX
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Index
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.ir.validate import validate

STEP = 1e-30
TOLERANCE = 1e-9
TorchLoss = Callable[..., Any]


def close(found: Any, expected: Any, what: str) -> None:
    """‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) ≤ 1e-9."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape, what
    scale = max(np.linalg.norm(found), np.linalg.norm(expected), 1e-8)
    error = np.linalg.norm(found - expected) / scale
    assert error <= TOLERANCE, f"{what}: relative error {error:.2e}"


def along(system: System, gradients: Mapping[str, str]) -> System:
    """The system with the scalar `slope`, the sum of all gradients times a direction `v_…`."""
    tensors: list[Tensor] = []
    equations: list[Equation] = []
    slope: Any = 0
    for name, gradient in gradients.items():
        shape = system.tensor(name).shape
        axes = tuple(Index(f"a{k}") for k in range(len(shape)))
        tensors.append(Tensor(f"v_{name}", shape, Role.INPUT))
        tensors.append(Tensor(f"slope_{name}", ()))
        body = system.at(gradient, *axes) * tensors[-2].at(*axes)
        reduction = Reduction("sum", axes) if axes else None
        equations.append(Equation(f"slope_{name}", (), body, reduction, (), shape))
        slope += tensors[-1].at()
    tensors.append(Tensor("slope", (), Role.METRIC))
    equations.append(Equation("slope", (), slope))
    return system.extended(tensors, equations)


class Checked:
    """A probe with its first and second sweeps, and a random direction for each tensor differentiated by."""

    def __init__(
        self, system: System, values: Mapping[str, Any], sizes: Mapping[str, int], wrt: Sequence[str]
    ) -> None:
        validate(system)
        rng = np.random.default_rng(0)
        self.system, self.sizes, self.wrt = system, sizes, list(wrt)
        self.values = {name: np.asarray(value) for name, value in values.items()}
        self.directions = {name: rng.normal(size=self.values[name].shape) for name in wrt}
        assert system.loss is not None
        self.loss = system.loss
        self.first = adjoints(system, self.loss, self.wrt)
        validate(self.first.system)
        self.second = adjoints(along(self.first.system, self.first.gradients), "slope", self.wrt)
        validate(self.second.system)
        point = self.values | {f"v_{name}": v for name, v in self.directions.items()}
        self.tensors = run(self.second.system, point, sizes)
        self.gradients = {name: self.tensors[self.first.gradients[name]] for name in wrt}
        self.products = {name: self.tensors[self.second.gradients[name]] for name in wrt}

    def moved(self, names: Sequence[str]) -> dict[str, Any]:
        return self.values | {name: self.values[name] + 1j * STEP * self.directions[name] for name in names}

    def against_interpreter(self) -> None:
        """Both evaluators agree; gradients and Hessian-vector products agree with the complex step."""
        forward = evaluate(self.system, self.values, self.sizes)
        for name, value in forward.items():
            if not self.system.tensor(name).integer:
                np.testing.assert_allclose(self.tensors[name], value, rtol=1e-11, atol=1e-12, err_msg=name)
        for name in self.wrt:
            moved = evaluate(self.system, self.moved([name]), self.sizes, COMPLEX, [self.loss])[self.loss]
            close(np.sum(self.gradients[name] * self.directions[name]), moved.imag / STEP, f"d{name} along v")
        wanted = list(self.first.gradients.values())
        moved_gradients = evaluate(self.first.system, self.moved(self.wrt), self.sizes, COMPLEX, wanted)
        for name in self.wrt:
            expected = moved_gradients[self.first.gradients[name]].imag / STEP
            close(self.products[name], expected, f"second derivative by {name}")

    def against_torch(self, torch_loss: TorchLoss, second: bool = True) -> None:
        """PyTorch's loss, gradients and double backward on the same values."""
        torch = pytest.importorskip(
            "torch", reason="PyTorch is not installed: compared with the complex step only"
        )
        given = {name: torch.tensor(value) for name, value in self.values.items()}
        inputs = [given[name].requires_grad_() for name in self.wrt]
        loss = torch_loss(**given)
        close(self.tensors[self.loss], loss.detach(), "loss")
        gradients = torch.autograd.grad(loss, inputs, create_graph=second, materialize_grads=True)
        for name, gradient in zip(self.wrt, gradients, strict=True):
            close(self.gradients[name], gradient.detach(), f"d{name}")
        if second:
            directions = [torch.tensor(self.directions[name]) for name in self.wrt]
            slope = sum((g * v).sum() for g, v in zip(gradients, directions, strict=True))
            products = torch.autograd.grad(slope, inputs, materialize_grads=True)
            for name, product in zip(self.wrt, products, strict=True):
                close(self.products[name], product.detach(), f"second derivative by {name}")


@pytest.fixture
def probe() -> Callable[..., Checked]:
    """`probe(system, values, sizes, wrt, torch_loss, second=True)` checks all and returns the arrays."""

    def check(
        system: System,
        values: Mapping[str, Any],
        sizes: Mapping[str, int],
        wrt: Sequence[str],
        torch_loss: TorchLoss,
        second: bool = True,
    ) -> Checked:
        checked = Checked(system, values, sizes, wrt)
        checked.against_interpreter()
        checked.against_torch(torch_loss, second)
        return checked

    return check
