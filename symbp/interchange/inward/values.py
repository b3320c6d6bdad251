"""What a foreign value can be while a graph is walked: a term, a held array, a known array, one number.

Enters: values. Leaves: operands for a call of symbp's functions. Must not know: foreign operations.

Known are integers, truth values and single numbers; formulas of open sizes stand among them as objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import numpy as np
import sympy

from symbp.errors import DataError
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.writing import Term, Writer

MOST_KNOWN = 1 << 22  # elements of an array that is calculated with here


@dataclass(frozen=True, eq=False)
class Filled:
    """One number everywhere, however many elements there are."""

    number: float
    shape: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Spaced:
    """0, step, 2·step, …, up to an open size."""

    end: Any
    step: int


def refuse(what: str, help: str | None = None) -> NoReturn:
    """A step that can't be taken over as it is meant."""
    raise DataError(what, help=help)


def known(value: Any) -> Any:
    """The array, if its elements are known and no part of what is learned; else None."""
    if isinstance(value, np.ndarray):
        return tidy(value) if value.dtype.kind == "O" else value
    if isinstance(value, Held):
        single = value.array.size == 1 and value.kind == "constant"
        whole_numbers = value.array.dtype.kind in "iub" and value.kind != "parameter"
        return value.array if single or whole_numbers else None
    if isinstance(value, (bool, int, float, np.generic)):
        return np.asarray(value)
    return np.array(value, dtype=object) if isinstance(value, sympy.Expr) else None


def tidy(array: Any) -> Any:
    """An array whose objects are integers again, if all of them are."""
    found = np.asarray(array)
    if found.size > MOST_KNOWN:
        refuse(f"an array of {found.size:,} constants would be calculated, more than are taken in")
    if found.dtype.kind == "O":
        flat = [int(e) if isinstance(e, int) or e.is_Integer else e for e in found.ravel()]
        if all(isinstance(e, int) for e in flat):
            return np.array(flat, dtype=np.int64).reshape(found.shape)
    return found


def entries(value: Any) -> tuple[Any, ...]:
    """A list of integers or sizes. Raises DataError: they aren't known."""
    if isinstance(value, (list, tuple)):
        return tuple(entry(v) for v in value)
    array = known(value)
    if array is None or array.dtype.kind not in "iubO":
        refuse("its sizes or places are calculated from data, and not known before")
    return tuple(entry(v) for v in array.ravel())


def entry(value: Any) -> Any:
    """One integer or size."""
    if isinstance(value, sympy.Expr):
        return int(value) if value.is_Integer else value
    array = known(value)
    if array is None or array.size != 1:
        refuse("a size or place is calculated from data, and not known before")
    (one,) = array.ravel()
    if isinstance(one, sympy.Expr) and not one.is_Integer:
        return one
    if int(one) != one:
        refuse(f"{one} is no integer")
    return int(one)


def whole(value: Any) -> int:
    """An integer. Raises DataError: an open size."""
    found = entry(value)
    if not isinstance(found, int):
        refuse(f"the size {found} must be known here", "give it its value")
    return found


def number(value: Any) -> Any:
    """One number: an integer, a size, or a real number in its shortest spelling. Raises DataError."""
    array = known(value)
    if array is None or array.size != 1:
        refuse("a number is calculated from data, and not known before")
    (one,) = array.ravel()
    if isinstance(one, sympy.Expr):
        return entry(one)
    if array.dtype.kind in "iub":
        return int(one)
    return shortest(one)


def shortest(one: Any) -> float:
    """A real number as it is written with the fewest digits that tell it apart in its own precision."""
    return float(str(one)) if isinstance(one, np.floating) else float(one)


def operand(w: Writer, value: Any) -> Any:
    """For a function of elements: a term, or a number that broadcasts."""
    if isinstance(value, Filled):
        return value.number
    array = known(value)
    return number(value) if array is not None and array.size == 1 else tensor(w, value)


def tensor(w: Writer, value: Any) -> Term:
    """A term with axes of its own. Raises DataError: a number."""
    if isinstance(value, Term):
        return w.call("where", value, 1, 0) if value.is_condition else value
    if isinstance(value, Held):
        if value.array.ndim == 0 and value.kind == "constant":
            refuse("a single number stands where a tensor must")
        return binary(w, value) if value.array.dtype.kind == "b" else w.held(value)
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "iub":
        return tensor(w, Held(constant_name(value), value))
    if isinstance(value, Filled):
        refuse("a tensor of one number everywhere stands where data must")
    refuse("what was calculated before isn't a tensor")


def constant_name(array: Any) -> str:
    """The same name for the same constant."""
    digest = sum(int(v) * (k + 1) for k, v in enumerate(array.ravel()[:4096])) % 9973
    return f"constant_{'x'.join(map(str, array.shape))}_{digest}"


def binary(w: Writer, value: Held, array: Any = None, form: str = "") -> Term:
    """Truth values as a buffer of zeros and ones."""
    own = Held(value.name, value.array if array is None else array, "buffer")
    return w.held(own, np.asarray(own.array, dtype=np.float64), form=form, facts="binary")


def condition(w: Writer, value: Any) -> Term:
    """Truth values, as a condition."""
    if isinstance(value, Term):
        return value if value.is_condition else w.infix(">", value, 0)
    array = known(value)
    if array is None:
        refuse("a condition is no comparison")
    return w.infix(">", binary(w, value if isinstance(value, Held) else Held(constant_name(array), array)), 0)


def shape_of(value: Any) -> tuple[Any, ...]:
    """The extents of any value."""
    if isinstance(value, (Term, Filled)):
        return tuple(value.shape)
    if isinstance(value, Held):
        return tuple(int(n) for n in value.array.shape)
    array = known(value)
    if array is None:
        refuse("what was calculated before isn't a tensor")
    return tuple(int(n) for n in array.shape)


def as_known(sizes: Sequence[Any]) -> Any:
    """Sizes as a known array."""
    return tidy(np.array([sympy.sympify(s) for s in sizes], dtype=object)) if sizes else np.zeros(0, np.int64)


def filled(number: float, shape: Sequence[Any]) -> Any:
    """One number everywhere: a known array if it is a small one of integers."""
    if all(isinstance(n, int) for n in shape) and prod(shape) == 1:
        return np.full(tuple(shape), number)
    return Filled(number, tuple(shape))
