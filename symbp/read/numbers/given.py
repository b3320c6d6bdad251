"""Arrays that somebody gives to a system: the sizes that they show, and whether they fit.

Enters: a system, arrays by name, sizes. Leaves: all sizes; arrays in the interpreter's dtypes.
Must not know: pages, what the arrays are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symbp.errors import DataError, UsageError, choose
from symbp.ir.expr import Size, free_sizes
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.printer import expression_text
from symbp.ir.system import Fact, System, Tensor

Array = np.ndarray[Any, Any]
CLOSE = 1e-6  # by so much a sum may miss 1


def given_arrays(system: System, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays as float64, int64 where the tensor holds integers.

    Raises UsageError: a name that is no leaf of the system; DataError: something that is no array of numbers,
    fractions where integers are needed, NaN.
    """
    leaves = {t.name: t for t in system.leaves}
    for name in arrays:
        if name not in leaves:
            raise _unknown(system, name, leaves)
    return {name: _as_numbers(leaves[name], value) for name, value in arrays.items()}


def shown_sizes(system: System, arrays: Mapping[str, Array], given: Mapping[str, int]) -> dict[str, int]:
    """The given sizes and those that the arrays show by the lengths of their axes.

    Raises DataError: a shape that isn't the declared one; UsageError: a size that isn't there.
    """
    for name, extent in given.items():
        if name not in system.sizes:
            raise UsageError(
                f"the network has no size {name!r}", help=choose(name, system.sizes, "its sizes")
            )
        if not isinstance(extent, int) or isinstance(extent, bool) or extent < 1:
            raise UsageError(f"size {name} must be a positive integer, not {extent!r}")
    found, shown_by = dict(given), dict.fromkeys(given, "given as a size")
    for name, array in arrays.items():
        tensor = system.tensor(name)
        if array.ndim != len(tensor.shape):
            raise _wrong_shape(tensor, array, found, _counted(len(tensor.shape)))
        for extent, length in zip(tensor.shape, array.shape, strict=True):
            if isinstance(extent, Size) and found.setdefault(extent.name, length) == length:
                shown_by.setdefault(extent.name, f"by {name}, whose shape is {array.shape}")
            elif isinstance(extent, Size):
                why = f"{extent.name} = {found[extent.name]} is {shown_by[extent.name]}"
                raise _wrong_shape(tensor, array, found, why)
    return found


def check_arrays(system: System, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    """Whether each array has its declared shape, integers are in their range, and what is declared of values
    holds. Raises DataError."""
    for name, array in arrays.items():
        tensor = system.tensor(name)
        shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
        if array.shape != shape:
            raise _wrong_shape(tensor, array, sizes, f"that is {shape}")
        for fact in sorted(tensor.facts, key=str):
            _check(tensor, fact, array, sizes)


def missing_arrays(system: System, have: Iterable[str]) -> DataError | None:
    """The error about leaves that have no array, if there are any."""
    known = set(have)
    missing = [t for t in system.leaves if t.name not in known]
    if not missing:
        return None
    first = missing[0]
    return DataError(
        f"there is no array for {first.name}",
        where=first.origin,
        details=(f"declared: {first}", f"missing: {', '.join(t.name for t in missing)}"),
        help=f"give one, {first.name}=…, or give none at all for an example",
    )


def _unknown(system: System, name: str, leaves: Mapping[str, Tensor]) -> UsageError:
    if name in system.by_name:
        return UsageError(
            f"{name} is computed, so it can't be given a value", help=f"what can: {', '.join(leaves)}"
        )
    of_size = f"{name} is a size: --size {name}=… (sizes={{{name!r}: …}})" if name in system.sizes else None
    return UsageError(
        f"the network has nothing called {name!r} to give a value to", help=of_size or choose(name, leaves)
    )


def _as_numbers(tensor: Tensor, value: Any) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the value of {tensor.name} is no array of numbers",
            where=tensor.origin,
            details=(f"declared: {tensor}", str(error)),
            help="rows of a matrix have the same length",
        ) from None
    if np.isnan(array).any():
        raise DataError(f"the value of {tensor.name} holds what is not a number", where=tensor.origin)
    if np.isinf(array).any() and not tensor.fact("mask"):
        raise DataError(f"the value of {tensor.name} holds an infinite number", where=tensor.origin)
    if not tensor.integer:
        return array
    if (array != np.round(array)).any():
        raise DataError(
            f"{tensor.name} holds integers, and was given a fraction", where=tensor.origin,
            details=(f"declared: {tensor}", f"given: {_first(array, array != np.round(array))}"),
        )  # fmt: skip
    return array.astype(np.int64)


def _wrong_shape(tensor: Tensor, array: Array, sizes: Mapping[str, int], why: str) -> DataError:
    declared = f"({', '.join(map(expression_text, tensor.shape))})" if tensor.shape else "a single number"
    known = sorted({s.name for extent in tensor.shape for s in free_sizes(extent)} & set(sizes))
    where = f" where {', '.join(f'{name} = {sizes[name]}' for name in known)}" if known else ""
    return DataError(
        f"the value of {tensor.name} has the wrong shape",
        where=tensor.origin,
        details=(f"declared: {declared}{where}", f"given: {array.shape}", why),
    )


def _counted(axes: int) -> str:
    return {0: "no axes are declared", 1: "1 axis is declared"}.get(axes, f"{axes} axes are declared")


def _first(array: Array, wrong: Array) -> str:
    """The first element that is wrong, with its place."""
    at = tuple(int(k) for k in np.argwhere(wrong)[0])
    place = f" at [{', '.join(map(str, at))}]" if at else ""
    return f"{array[at]:g}{place}"


def _check(tensor: Tensor, fact: Fact, array: Array, sizes: Mapping[str, int]) -> None:
    if fact.kind in ("below", "below or ignored"):
        top = evaluate_size(fact.bound, sizes)
        wrong = (array < 0) | (array >= top)
        if fact.ignored is not None:
            wrong &= array != fact.ignored
        allowed = f"from 0 to {top - 1}" + ("" if fact.ignored is None else f", or {fact.ignored}")
        if wrong.any():
            raise DataError(
                f"{tensor.name} holds an integer out of its range",
                where=tensor.origin,
                details=(f"given: {_first(array, wrong)}", f"declared: {fact}, so {allowed}"),
            )
        return
    holds = _HOLDS.get(fact.kind)
    if holds is not None and not holds(array, fact.axis or 0):
        raise DataError(
            f"the value of {tensor.name} isn't what it is declared to be",
            where=tensor.origin,
            details=(f"declared: {fact}",),
            help="closed forms may rest on what is declared",
        )


_HOLDS: Mapping[str, Callable[[Array, int], bool]] = {
    "binary": lambda a, _: bool(((a == 0) | (a == 1)).all()),
    "positive": lambda a, _: bool((a > 0).all()),
    "nonnegative": lambda a, _: bool((a >= 0).all()),
    "sums to one": lambda a, axis: bool((np.abs(a.sum(axis=axis) - 1) < CLOSE).all()),
    "one hot": lambda a, axis: bool(((a == 0) | (a == 1)).all() and (a.sum(axis=axis) == 1).all()),
    "symmetric": lambda a, _: bool(np.allclose(a, np.swapaxes(a, -1, -2), rtol=0, atol=CLOSE)),
    "lower triangular": lambda a, _: bool((np.tril(a) == a).all()),
    "upper triangular": lambda a, _: bool((np.triu(a) == a).all()),
}
