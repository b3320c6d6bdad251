"""What an op is given where it takes a tensor: numbers, lists of numbers and conditions are tensors, too.

Enters: a function of tensors, arguments as a user writes them. Leaves: the function over tensors. Must not
know: any op by name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from symbp.language.bodies import number
from symbp.language.elsewhere import known_names
from symbp.language.tensor import Tensor, as_tensor

P = ParamSpec("P")
R = TypeVar("R")

TENSORS = ("Tensor", "Tensor | None")  # as annotations say it
VARIABLE = 0x04  # of a code's flags: *tensors


def of_tensors(function: Callable[P, R]) -> Callable[P, R]:
    """The function with each argument made a tensor whose annotation says that it is one; what stands for
    `*tensors` may come as a list of them."""
    code, annotations = function.__code__, function.__annotations__
    names = code.co_varnames[: code.co_argcount]
    taken = {name for name, said in annotations.items() if said in TENSORS and name != "return"}
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & VARIABLE else ""
    checked = known_names(function)
    if not taken:
        return checked

    @functools.wraps(function)
    def with_tensors(*given: P.args, **chosen: P.kwargs) -> R:
        listed = given[0] if not names and rest in taken and len(given) == 1 else given
        operands = listed if isinstance(listed, (list, tuple)) else given
        named = (names[k] if k < len(names) else rest for k in range(len(operands)))
        tensors = [whole(a) if name in taken else a for name, a in zip(named, operands, strict=True)]
        options = {name: whole(a) if name in taken else a for name, a in chosen.items()}
        return checked(*tensors, **options)  # type: ignore[arg-type]

    return with_tensors


def whole(value: Any) -> Any:
    """A number, a list of numbers or a condition as a tensor; anything else as it is."""
    made = as_tensor(value)
    constant = None if made is None or isinstance(made, Tensor) else number(made)
    return made if constant is None else Tensor.defined((), constant, rule="constant")
