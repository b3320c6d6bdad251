"""Compiles the kernels when they are first needed, not when the module is imported.

Enters: functions marked as kernels. Leaves: the same names, compiled. Must not know: what they compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_KERNELS: list[str] = []
_PARALLEL: list[str] = []
prange = range  # until kernels are compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function for compilation on first use: importing Numba alone takes most of a second."""
    _KERNELS.append(function.__name__)
    return function


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function whose loops over `prange` run on several threads."""
    _PARALLEL.append(function.__name__)
    return kernel(function)


def _compile() -> None:
    """Replaces the kernels by their compiled form, once; the machine code is kept beside this file."""
    if _KERNELS:
        import numba

        globals()["prange"] = numba.prange
        # Of the fast-math rewrites, those that assume that no NaN or infinity occurs stay out.
        fastmath = {"contract", "reassoc", "nsz", "arcp", "afn"}
        for name in _KERNELS:
            globals()[name] = numba.njit(
                cache=True, error_model="numpy", fastmath=fastmath, parallel=name in _PARALLEL
            )(globals()[name])
        _KERNELS.clear()
