"""The sizes that arrays of parameters show, and whether the arrays fit them.

Enters: a system, arrays by name, sizes that were given. Leaves: sizes, arrays. Must not know: where
arrays come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symbp.errors import DataError, UsageError
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Role, System, Tensor


def values_of(sizes: Mapping[str, int]) -> dict[Expr, Expr]:
    """What to put in the place of sizes in an extent."""
    return {Size(name): sympy.Integer(value) for name, value in sizes.items()}


def known_sizes(system: System, arrays: Mapping[str, Any], given: Mapping[str, int]) -> dict[str, int]:
    """The sizes declared, given, or shown by arrays. Raises UsageError: a size that the network hasn't."""
    found = dict(system.bound)
    for name, value in given.items():
        if name not in system.sizes:
            raise UsageError(
                f"the network has no size {name!r}", help=f"its sizes: {', '.join(system.sizes)}"
            )
        if found.setdefault(name, value) != value:
            raise UsageError(f"size {name} is {found[name]} in the network, not {value}")
    for tensor in system.leaves:
        if tensor.name in arrays:
            for extent, length in zip(tensor.shape, np.shape(arrays[tensor.name]), strict=False):
                if isinstance(extent, Size):
                    found.setdefault(extent.name, length)
    return found


def fitting(tensors: Sequence[Tensor], arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    """The arrays of parameters and buffers. Raises DataError: one that is missing, has another shape, or
    holds what isn't finite."""
    found: dict[str, Any] = {}
    known = values_of(sizes)
    for tensor in tensors:
        what = "buffer" if tensor.role is Role.BUFFER else "parameter"
        if tensor.name not in arrays:
            raise DataError(
                f"there is no array for the {what} {tensor.name}",
                details=(f"given: {', '.join(arrays) or 'none'}",),
            )
        array = np.asarray(arrays[tensor.name])
        shape = tuple(extent.xreplace(known) for extent in tensor.shape)
        wrong = len(shape) != array.ndim
        if wrong or any(e.is_number and e != n for e, n in zip(shape, array.shape, strict=True)):
            raise DataError(
                f"the {what} {tensor.name} has another shape than its array",
                details=(f"in the network: ({', '.join(map(str, shape))})", f"the array: {array.shape}"),
            )
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise DataError(f"the array for the {what} {tensor.name} holds what is no finite number")
        found[tensor.name] = array
    return found
