"""Compiles the kernels when they are first needed, not when the module is imported.

Enters: functions marked as kernels. Leaves: the same names, compiled. Must not know: what they compute.
It compiles the kernels of one namespace, a module that has taken them; in this package, which has many, they
run as plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

_KERNELS: list[str] = []
_EXACT: list[str] = []
_PARALLEL: list[str] = []
_INTRINSICS: list[Callable[[], dict[str, Any]]] = []
prange = range  # until kernels are compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function for compilation on first use: importing Numba alone takes most of a second."""
    _KERNELS.append(function.__name__)
    return function


def exact_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that counts on its roundings: no sum is taken in another order."""
    _EXACT.append(function.__name__)
    return kernel(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function whose loops over `prange` run on several threads."""
    _PARALLEL.append(function.__name__)
    return kernel(function)


def intrinsics(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Marks what makes functions that the compiler has or is told how to write, by name."""
    _INTRINSICS.append(make)
    return make


def _disjoint() -> None:
    """Says, in a kernel, that none of its arrays overlaps another one: its loops may run on vectors."""


def _larger(a: float, b: float) -> float:
    """The larger of two numbers, NaN if one is."""
    return b if b > a or math.isnan(b) else a


@intrinsics
def _of_the_compiler() -> dict[str, Any]:
    """`_disjoint` and `_larger` as the compiler's own."""
    from numba import types
    from numba.extending import intrinsic

    ir = import_module("llvmlite.ir")

    def disjoint(_context: Any) -> Any:
        def write(target: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            for argument in builder.function.args:
                if isinstance(argument.type, ir.PointerType) and argument.name.endswith(".4"):  # the data
                    argument.add_attribute("noalias")
            return target.get_dummy_value()

        return types.void(), write

    def larger(_context: Any, a: Any, _b: Any) -> Any:
        def write(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            real = arguments[0].type
            two = ir.FunctionType(real, [real, real])
            return builder.call(builder.module.declare_intrinsic("llvm.maximum", [real], two), arguments)

        return a(a, a), write

    return {"_disjoint": intrinsic(disjoint), "_larger": intrinsic(larger)}


def _compile() -> None:
    """Replaces the kernels by their compiled form, once; the machine code is kept beside this file."""
    if _KERNELS:
        import numba

        globals()["prange"] = numba.prange
        for make in _INTRINSICS:
            globals().update(make())
        # Of the fast-math rewrites, those that assume that no NaN or infinity occurs stay out.
        rewrites = {"contract", "reassoc", "nsz", "arcp", "afn"}
        for name in _KERNELS:
            options: dict[str, Any] = {"parallel": name in _PARALLEL, "forceinline": name in _EXACT}
            options["fastmath"] = {"contract"} if name in _EXACT else rewrites
            globals()[name] = numba.njit(cache=True, error_model="numpy", **options)(globals()[name])
        _KERNELS.clear()
