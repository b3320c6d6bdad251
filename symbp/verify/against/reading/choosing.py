"""Which of the things that a file defines is its backward pass.

Enters: a module. Leaves: a function, a class, or a pair of functions. Must not know: what they compute.

A name that says it counts most: `loss_and_gradients`, `forward` beside `backward`. Else what nothing else in
the file uses is what the file is there for: its helpers are used.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any

WAYS = (("forward", "backward"), ("fwd", "bwd"), ("feedforward", "backprop"), ("forwardprop", "backprop"))
"""What a function and its counterpart are called, or what their names begin or end with."""


def own(module: ModuleType) -> dict[str, Any]:
    """What a file defines itself, by name."""
    return {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def unused(defined: Mapping[str, Any]) -> dict[str, Any]:
    """What no other thing of a file uses."""
    used = {key: {*_names(value)} for key, value in defined.items()}
    return {
        key: value
        for key, value in defined.items()
        if not any(key in names for other, names in used.items() if other != key)
    }


def pair(defined: Mapping[str, Any]) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """The one function that goes forward, and the one that goes backward."""
    functions = {key: value for key, value in defined.items() if inspect.isfunction(value)}
    for forward, backward in WAYS:
        found = [_called(functions, word) for word in (forward, backward)]
        if all(len(some) == 1 for some in found) and found[0] != found[1]:
            return found[0][0], found[1][0]
    return None


def _called(functions: Mapping[str, Any], word: str) -> list[Any]:
    if word in functions:
        return [functions[word]]
    return [f for key, f in functions.items() if word in (*key.split("_"), key.replace("_", ""))]


def _names(value: Any) -> Iterator[str]:
    """The names that the code of a function, or of the methods of a class, mentions."""
    parts = vars(value).values() if inspect.isclass(value) else [value]
    for part in parts:
        code = getattr(inspect.unwrap(getattr(part, "__func__", part)), "__code__", None)
        if code is not None:
            yield from _mentioned(code)


def _mentioned(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _mentioned(constant)
