"""A backward pass as people write it, turned into one that can be asked.

Enters: a function, a module, a class, …, or a text of equations. Leaves: a `Backward`.
Must not know: what is right.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from symbp.errors import UsageError
from symbp.verify.against.answer import Backward
from symbp.verify.against.reading.choosing import own, pair, unused
from symbp.verify.against.reading.classes import AT_ONCE, BACKWARD, FORWARD, LOSS, Object, method
from symbp.verify.against.reading.differentiated import JaxFunction, TorchFunction, is_jax, is_torch
from symbp.verify.against.reading.equations import Equations
from symbp.verify.against.reading.functions import Function
from symbp.verify.against.reading.modules import Generated, is_generated
from symbp.verify.against.reading.pairs import Pair
from symbp.verify.against.running import short
from symbp.verify.against.spelled import Spelled

__all__ = ["read"]

FORMS = (
    "a function loss_and_gradients(params, **data) -> (loss, gradients), "
    "a forward(…) -> (loss, cache) and a backward(cache), or a class with both"
)


def read(spelled: Spelled, what: Any, called: str = "") -> Backward:
    """The backward pass that something is; `called` is what a report calls it. Raises UsageError: none."""
    name = called or short(what)
    if isinstance(what, str):
        return Equations(called or "the equations", what, spelled)
    if is_generated(what):
        return Generated(name, what, spelled)
    if isinstance(what, ModuleType):
        return _of_module(spelled, what, name)
    if isinstance(what, (tuple, list)) and len(what) == 2 and all(map(callable, what)):
        return Pair(called or " and ".join(f.__name__ for f in what), what[0], what[1], spelled)
    if is_torch(what):
        return TorchFunction(name, what, spelled)
    if is_jax(what):
        return JaxFunction(name, what, spelled)
    if isinstance(what, type) or _is_object(what):
        return Object(name, what, spelled)
    if callable(what):
        return Function(name, what, spelled)
    raise UsageError(f"{name} is no backward pass", help=f"give {FORMS}")


def _is_object(what: Any) -> bool:
    """Whether something that is no function has methods that go forward and backward."""
    if inspect.isroutine(what):
        return False
    return method(what, (*AT_ONCE, *BACKWARD, LOSS)) is not None


def _of_module(spelled: Spelled, module: ModuleType, called: str) -> Backward:
    """What a file defines: a function of a known name, a pair, or the one thing that can be asked."""
    for name in AT_ONCE:
        if callable(getattr(module, name, None)):
            return Function(f"{called}:{name}", getattr(module, name), spelled)
    if all(callable(getattr(module, words[0], None)) for words in (FORWARD, BACKWARD)):
        return Pair(called, module.forward, module.backward, spelled)
    defined = own(module)
    for some in (unused(defined), defined):
        functions = [key for key, value in some.items() if inspect.isfunction(value)]
        able = {key: v for key, v in some.items() if isinstance(v, type) or is_jax(v)}
        able = {key: v for key, v in able.items() if is_torch(v) or is_jax(v) or _is_object(v)}
        both = pair(some)
        if both is not None:
            return Pair(called, *both, spelled)
        if len(able) == 1:
            name, found = next(iter(able.items()))
            return read(spelled, found, f"{called}:{name}")
        if not able and len(functions) == 1:
            return Function(f"{called}:{functions[0]}", some[functions[0]], spelled)
    choices = " or ".join(f"{called}:{name}" for name in [*able, *functions][:6])
    what = "the file has several backward passes" if able else "the file has no backward pass"
    raise UsageError(what, where=called, help=f"name one: {choices}" if choices else f"define {FORMS}")
