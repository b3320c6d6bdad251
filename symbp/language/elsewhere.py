"""What arguments are called elsewhere: a name that PyTorch or NumPy has is refused with the one it has here.

Enters: functions that take arguments by name. Leaves: the same functions. Must not know: what they compute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from symbp.errors import DeclarationError, choose
from symbp.language.naming.frames import here

P = ParamSpec("P")
R = TypeVar("R")

CALLED = {
    "dim": "axis", "dims": "axis", "axes": "axis", "keepdim": "keepdims", "keep_dims": "keepdims",
    "ddof": "correction", "repeats": "times", "shifts": "shift", "reps": "times", "negative_slope": "slope",
}  # fmt: skip
OF_ARRAYS = ("out", "dtype", "where", "initial")  # with which NumPy's own functions call methods


def known_names(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which refuses arguments of other names and says what is meant."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if code.co_flags & 0x08:  # it takes whatever comes by name
        return function

    @functools.wraps(function)
    def checked(*given: P.args, **chosen: P.kwargs) -> R:
        for name in chosen:
            if name not in names:
                raise strange(function.__name__, name, [n for n in names if n != "self"])
        return function(*given, **chosen)

    return checked


def strange(function: str, name: str, names: list[str]) -> DeclarationError:
    """The error for an argument that a function hasn't got."""
    help = choose(name, names)
    if CALLED.get(name) in names:
        help = f"it is called {CALLED[name]} here"
    elif name in OF_ARRAYS:
        help = f"functions of NumPy take arrays; for tensors there is bp.{function}(x)"
    return DeclarationError(f"{function} has no {name!r}", where=here(), help=help)
