"""The table of elementary functions: what each is called wherever it is evaluated, printed or generated.

Enters: nothing. Leaves: `ELEMENTARY`, from which every part takes its own spelling. Must not know: the parts.

A derivative isn't here: it is SymPy's. A new function is one entry and, where NumPy has none, a
helper of the same name in the runtime of each target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Elementary:
    """A function by the name of its SymPy class, or of symbp's own. `numpy` is NumPy's name for it, `math`
    that of Python's `math`, `javascript` that of JavaScript's `Math`, each empty where there is none.
    `parity` says that f(−x) is −f(x), f(x) or 1/f(x), `at_zero` what f(0) is then."""

    name: str
    numpy: str = ""
    math: str = ""
    javascript: str = ""
    parity: Literal["odd", "even", "reciprocal", ""] = ""
    at_zero: int | None = None
    takes: int = 1  # arguments


ELEMENTARY: Mapping[str, Elementary] = {f.name: f for f in (
    Elementary("exp", "exp", "exp", "exp", "reciprocal", 1),
    Elementary("log", "log", "log", "log"),
    Elementary("sqrt", "sqrt", "sqrt", "sqrt"),
    Elementary("expm1", "expm1", "expm1", "expm1"),
    Elementary("log1p", "log1p", "log1p", "log1p"),
    Elementary("sin", "sin", "sin", "sin", "odd", 0),
    Elementary("cos", "cos", "cos", "cos", "even", 1),
    Elementary("tan", "tan", "tan", "tan", "odd", 0),
    Elementary("asin", "arcsin", "asin", "asin", "odd", 0),
    Elementary("acos", "arccos", "acos", "acos"),
    Elementary("atan", "arctan", "atan", "atan", "odd", 0),
    Elementary("atan2", "arctan2", "atan2", "atan2", takes=2),
    Elementary("sinh", "sinh", "sinh", "sinh", "odd", 0),
    Elementary("cosh", "cosh", "cosh", "cosh", "even", 1),
    Elementary("tanh", "tanh", "tanh", "tanh", "odd", 0),
    Elementary("asinh", "arcsinh", "asinh", "asinh", "odd", 0),
    Elementary("acosh", "arccosh", "acosh", "acosh"),
    Elementary("atanh", "arctanh", "atanh", "atanh", "odd", 0),
    Elementary("erf", "", "erf", "", "odd", 0),
    Elementary("erfc", "", "erfc", ""),
    Elementary("gamma", "", "gamma", ""),
    Elementary("loggamma", "", "lgamma", ""),
    Elementary("digamma"),
    Elementary("trigamma"),
    Elementary("sigmoid"),
    Elementary("softplus"),
    Elementary("log1mexp"),
    Elementary("Floor", "floor"),
    Elementary("FloorQuotient", "floor_divide", takes=2),
    Elementary("Round", "rint"),
)}  # fmt: skip


def numpy_names(own: str = "_") -> dict[str, str]:
    """Each function in code that has NumPy as `np`; those that NumPy hasn't as helpers, named after `own`."""
    return {f.name: f"np.{f.numpy}" if f.numpy else f"{own}{f.name}" for f in ELEMENTARY.values()}
