"""Backward passes inside a framework: a `torch.autograd.Function`, a JAX `custom_vjp`.

Enters: such a class or function. Leaves: a backward pass that can be asked.
Must not know: what is right. The framework is there already, since the code imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from symbp.verify.against.answer import Answer
from symbp.verify.against.reading.functions import parameters_of
from symbp.verify.against.reading.pairs import Forward, forward_of, upstream
from symbp.verify.against.returned.arrays import array
from symbp.verify.against.running import guarded
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Arguments, Supply, arguments
from symbp.verify.points import Point


@dataclass(frozen=True)
class TorchFunction:
    """A subclass of `torch.autograd.Function`; `forward(ctx, x, …)`, or without `ctx` beside a
    `setup_context`."""

    name: str
    function: Any
    spelled: Spelled
    dtype: Any = np.float64

    def at(self, point: Point) -> Answer:
        torch = import_module("torch")
        own = self.function.setup_context is not torch.autograd.Function.setup_context
        supply = Supply(self.spelled, point, self.dtype)
        given = arguments(self.name, self.function.forward, supply, skip=0 if own else 1)
        tensors = {key: _tensor(torch, value) for key, value in given.named.items()}
        passed = [*(_tensor(torch, value) for value in given.positional), *tensors.values()]

        def run() -> tuple[Any, Forward]:
            found = self.function.apply(*passed)
            first = found[0] if isinstance(found, (tuple, list)) else found
            return first, forward_of(self.name, first.detach().numpy())

        output, forward = guarded(self.name, run, given.arrays)
        seed = upstream(self.name, self.spelled, point, forward)
        back = torch.as_tensor(np.asarray(seed, self.dtype)).reshape(output.shape)
        guarded(f"{self.name}: backward", lambda: output.backward(back), given.arrays)
        called = dict(zip(tensors, [*given.named], strict=True))
        found = {
            f"d{called[key]}": array(tensor.grad)
            for key, tensor in tensors.items()
            if hasattr(tensor, "grad") and tensor.requires_grad and tensor.grad is not None
        }
        return Answer(forward.loss, found, {}, given=parameters_of(given, self.spelled))


@dataclass(frozen=True)
class JaxFunction:
    """A function decorated with `jax.custom_vjp`, asked in 64 bits."""

    name: str
    function: Any
    spelled: Spelled
    dtype: Any = np.float64

    def at(self, point: Point) -> Answer:
        jax = import_module("jax")
        given = arguments(self.name, self.function, Supply(self.spelled, point, self.dtype))
        names = [*given.named]
        real = [name for name in names if _is_real(given.named[name])]
        home = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
        with home.enable_x64(True):

            def call(*arrays: Any) -> Any:
                chosen = {**given.named, **dict(zip(real, arrays, strict=True))}
                found = self.function(*given.positional, *(chosen[name] for name in names))
                return found[0] if isinstance(found, (tuple, list)) else found

            def run() -> tuple[Any, Any]:
                value, back = jax.vjp(call, *(jax.numpy.asarray(given.named[name]) for name in real))
                return value, back

            value, back = guarded(self.name, run, given.arrays)
            forward = forward_of(self.name, np.array(value))
            seed = np.asarray(upstream(self.name, self.spelled, point, forward), np.asarray(value).dtype)
            shaped = jax.numpy.asarray(seed.reshape(np.shape(value)))
            found: Sequence[Any] = guarded(f"{self.name}: backward", lambda: back(shaped), given.arrays)
            arrays = {f"d{name}": np.array(one) for name, one in zip(real, found, strict=True)}
            given_up = {f"d{name}" for name in real if not self._is_parameter(name)}
            arrays = {name: a for name, a in arrays.items() if a.any() or name not in given_up}
        return Answer(forward.loss, arrays, {}, given=parameters_of(given, self.spelled))

    def _is_parameter(self, name: str) -> bool:
        """Whether an argument is one: by data a `custom_vjp` may give zeros, as it must give something."""
        declared = self.spelled.reference.derivation.gradients
        return any(tensor in declared for tensor in self.spelled.tensors(name))


def _tensor(torch: Any, value: Any) -> Any:
    """An array as a tensor; one of real numbers asks for its derivative."""
    if not isinstance(value, np.ndarray):
        return value
    found = torch.from_numpy(np.ascontiguousarray(value))
    return found.requires_grad_() if _is_real(value) else found


def _is_real(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def is_torch(what: Any) -> bool:
    """Whether it is a `torch.autograd.Function`, without importing torch."""
    return isinstance(what, type) and any(
        base.__name__ == "Function" and base.__module__.startswith("torch.autograd") for base in what.__mro__
    )


def is_jax(what: Any) -> bool:
    """Whether it is a JAX `custom_vjp`, without importing JAX."""
    return type(what).__name__ == "custom_vjp" and type(what).__module__.startswith("jax")


__all__ = ["Arguments", "JaxFunction", "TorchFunction", "is_jax", "is_torch"]
