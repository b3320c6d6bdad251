"""A backward pass as people write it, turned into one that can be asked.

Enters: a function, a module, a class, …, or a text of equations. Leaves: a `Backward`.
Must not know: what is right.
"""

from __future__ import annotations

import types
from typing import Any

from symbp.errors import UsageError
from symbp.verify.against.answer import Backward
from symbp.verify.against.reading.functions import Function
from symbp.verify.against.spelled import Spelled

__all__ = ["read"]

NAMES = ("loss_and_gradients", "loss_and_grads", "loss_and_grad", "value_and_grad", "backward_pass")
FORMS = "a function loss_and_gradients(params, **data) -> (loss, gradients)"


def read(spelled: Spelled, what: Any, called: str = "") -> Backward:
    """The backward pass that something is; `called` is what a report calls it. Raises UsageError: none."""
    if isinstance(what, types.ModuleType):
        return _of_module(spelled, what, called or what.__name__)
    name = called or getattr(what, "__qualname__", type(what).__name__)
    if callable(what):
        return Function(name, what, spelled)
    raise UsageError(f"{name} is no backward pass", help=f"give {FORMS}")


def _of_module(spelled: Spelled, module: types.ModuleType, called: str) -> Backward:
    for name in NAMES:
        if callable(getattr(module, name, None)):
            return Function(f"{called}:{name}", getattr(module, name), spelled)
    raise UsageError(
        "the file has no backward pass", where=called, help=f"define {FORMS}, or name one: {called}:NAME"
    )
