"""A framework's own function, run and differentiated by the framework.

Enters: source text with a function `loss`, values of its leaves. Leaves: the loss and its gradients as arrays
of NumPy. Must not know: derivations, what is compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbp.errors import SymbpError

Array = np.ndarray[Any, Any]
Function = Callable[[Mapping[str, Any]], Any]
"""The loss of a framework's arrays by the names of tensors."""
Runner = Callable[[Function, Mapping[str, Array], Sequence[str]], tuple[Any, Mapping[str, Any]]]


class FrameworkFailed(SymbpError):
    """A framework can't run or differentiate what was written for it; that says nothing of a gradient."""


@dataclass(frozen=True)
class Loss:
    """The loss as code of a framework; `arguments` are those of its function, by their names the tensors, or
    None of a table of all tensors."""

    framework: str
    library: str
    text: str
    arguments: Mapping[str, str | None]
    runner: Runner

    def gradients(self, values: Mapping[str, Array], by: Sequence[str]) -> tuple[float, dict[str, Array]]:
        """The loss and its gradients at a point. Raises FrameworkFailed."""
        try:
            loss, found = self.runner(self._of_tensors, values, by)
        except Exception as failure:
            first = str(failure).strip().partition("\n")[0]
            raise FrameworkFailed(f"{type(failure).__name__}: {first}") from failure
        return float(loss), {name: np.asarray(found[name]) for name in by}

    def _of_tensors(self, tensors: Mapping[str, Any]) -> Any:
        given = {a: tensors if name is None else tensors[name] for a, name in self.arguments.items()}
        return self._function(**given)

    @cached_property
    def _function(self) -> Callable[..., Any]:
        names: dict[str, Any] = {"__name__": f"loss_in_{self.framework}"}
        exec(compile(self.text, f"<loss in {self.library}>", "exec"), names)
        found: Callable[..., Any] = names["loss"]
        return found


def _torch(loss: Function, values: Mapping[str, Array], by: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    import torch

    tensors = {name: torch.as_tensor(np.array(value)) for name, value in values.items()}
    for name in by:
        tensors[name].requires_grad_()
    found = loss(tensors)
    if not found.requires_grad:
        return found.detach(), {name: np.zeros(np.shape(values[name])) for name in by}
    slopes = torch.autograd.grad(found, [tensors[name] for name in by], allow_unused=True)
    arrays = {
        name: np.zeros(np.shape(values[name])) if slope is None else slope.numpy()
        for name, slope in zip(by, slopes, strict=True)
    }
    return found.detach(), arrays


def _jax(loss: Function, values: Mapping[str, Array], by: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    import jax

    with _double_precision(jax):
        tensors = {name: jax.numpy.asarray(value) for name, value in values.items()}
        moving = {name: tensors[name] for name in by}
        value, slopes = jax.value_and_grad(lambda moved: loss({**tensors, **moved}))(moving)
        return np.asarray(value), {name: np.asarray(slope) for name, slope in slopes.items()}


def _double_precision(jax: Any) -> Any:
    """JAX's switch for double precision, here and nowhere else."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


def _tensorflow(
    loss: Function, values: Mapping[str, Array], by: Sequence[str]
) -> tuple[Any, Mapping[str, Any]]:
    with _quiet():
        import tensorflow as tf

    tensors = {name: tf.constant(value) for name, value in values.items()}
    moving = [tensors[name] for name in by]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(moving)
        found = loss(tensors)
    slopes = tape.gradient(found, moving, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    arrays = {name: tf.convert_to_tensor(s).numpy() for name, s in zip(by, slopes, strict=True)}
    return found.numpy(), arrays


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what TensorFlow says of itself when it is imported."""
    key = "TF_CPP_MIN_LOG_LEVEL"
    before = os.environ.get(key)
    os.environ.setdefault(key, "2")
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]


RUNNERS: dict[str, Runner] = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}
