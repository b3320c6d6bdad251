"""The passes from programs to a Numba module: kernels in loops, drivers of a step, text.

Enters: `Programs` with memory. Leaves: `Lines`, then source text. Must not know: files, the command line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symbp.codegen.carry import Taken, functions, whole
from symbp.codegen.function import Function
from symbp.targets.compiled import derivatives, levels, modules
from symbp.targets.compiled.levels import Lines, Programs
from symbp.targets.compiled.modules import Own
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.sections.tables import stage_tables
from symbp.targets.compiled.segments import STEP, LoweredNetwork
from symbp.targets.compiled.shaped_updates import shaped_update
from symbp.targets.compiled.workspace import memory_tables
from symbp.targets.numba import stages as numba_lines
from symbp.targets.numba.chunk_drivers import chunk_functions
from symbp.targets.numba.drivers import driver_functions, stage_calls
from symbp.targets.numba.places import ArenaSpan
from symbp.targets.numba.update import numba_update
from symbp.targets.numba.validate import validate as validate_kernels

FOLDER, ENGINE = "numba", "Numba"
FILES = {dtype: (f"{FOLDER}/functions", f"{FOLDER}/{dtype}") for dtype in modules.DTYPES}
"""The files of the functions of one element."""


@dataclass(frozen=True, kw_only=True)
class KernelLines(Lines):
    """The lines of a Numba module, and where each tensor lies."""

    places: Mapping[str, ArenaSpan]


def with_lines(state: Programs) -> KernelLines:
    """The stages as kernels over the arenas, each nest a function of its own."""
    return _lines(state, modules.names_of(state.network))


def with_lines_of_derivatives(state: Programs) -> KernelLines:
    """The stages as kernels over the arenas, each nest a function of its own."""
    return _lines(state, derivatives.names_of(state.network))


def _lines(state: Programs, names: Names) -> KernelLines:
    assert state.memory is not None
    found, called, places = numba_lines.functions(
        state.network, state.memory, names, _real(state.order.dtype)
    )
    return KernelLines(
        state.order,
        state.network,
        names,
        tuple(found),
        frozenset(called),
        memory=state.memory,
        places=places,
    )


def _real(dtype: str) -> str:
    """The function that makes a number one of the module's, where not all are."""
    return "F32" if dtype == "float32" else ""


def with_update(state: KernelLines) -> KernelLines:
    """The function that updates the parameters."""
    rule = state.order.update
    assert rule is not None
    if rule.shaped:
        net = state.network
        made = shaped_update(rule, net.parameters, net.sizes, state.order.dtype, compiled=True)
        called = state.called | {"_all_finite", "_all_moderate"}
        return replace(state, functions=(*state.functions, *made), called=called)
    update, more = numba_update(
        rule, modules.update_names(rule), _real(state.order.dtype), modules.parts(state.network, rule)
    )
    called = state.called | more | {"_all_finite", "_all_moderate"}
    return replace(state, functions=(*state.functions, update), called=called)


def with_drivers(state: KernelLines) -> KernelLines:
    """The functions that run stages one after the other, and chunks beside each other."""
    rule, net = state.order.update, state.network
    assert rule is not None
    drivers = driver_functions(net, rule, state.places, state.names)
    if net.split is not None:
        drivers += chunk_functions(net, rule, state.places, state.names)
    called = state.called | ({"_any_outside"} & frozenset().union(*(f.calls for f in drivers)))
    return replace(state, functions=(*state.functions, *drivers), called=called)


def with_evaluation(state: KernelLines) -> KernelLines:
    """The function that runs the stages of derivatives."""
    net, names = state.network, state.names
    data = tuple(names.tensors[t.name] for t in net.data)
    driver = Function(
        "_evaluate",
        ("theta", "work", "counts", "at", *data, *net.open_sizes),
        "Outputs and derivatives.",
        tuple(stage_calls(net, names, ("forward", "derivatives"))),
        ("@kernel",),
    )
    return replace(state, functions=(*state.functions, driver))


def module(state: KernelLines) -> str:
    """The text of a module that trains."""
    return modules.training_module(state, _own(state))


def module_of_derivatives(state: KernelLines) -> str:
    """The text of a module that computes derivatives."""
    own = _own(state)
    return modules.derivatives_module(
        state, replace(own, constants=[*own.constants, *stage_tables(state.network)[:1]])
    )


def _own(state: KernelLines) -> Own:
    dtype, net = state.order.dtype, state.network
    constants = [f"DTYPE = np.{dtype}", *(["F32 = np.float32"] if _real(dtype) else [])]
    return Own(
        FOLDER,
        ENGINE,
        _step(net),
        {"compiling": whole([f"{FOLDER}/compiling"]), **_functions(dtype, state.called)},
        [*constants, *memory_tables(net)],
        staged=True,
    )


def _functions(dtype: str, called: Collection[str]) -> dict[str, Taken]:
    """The functions of one element that lines call; products, if they call any."""
    product = (f"{FOLDER}/vectors", f"{FOLDER}/products") if "_product" in called else ()
    return {
        "functions": functions(FILES[dtype], set(called) - {"_product"}),
        "products": whole(product),
    }


def _step(net: LoweredNetwork) -> list[str]:
    """The files of a step."""
    differentiate = "differentiate_apart" if STEP in net.steps else "differentiate"
    advance = "advance" if net.split is None else "chunks"
    return [f"{FOLDER}/{name}" for name in (differentiate, "large", advance)]


def validate(state: Any, before: Any = None) -> None:
    """Raises what the rules of each level raise, InvalidTree where a loop or a subscript leaves its array."""
    levels.validate(state, before)
    if isinstance(state, KernelLines):
        data = {state.names.tensors[t.name]: t.shape for t in state.network.data}
        validate_kernels(state.functions, data, levels.lengths(state))


def gradients(state: Any, values: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any] | None:
    """The loss and the gradients that a state computes; lines without the functions that run them don't."""
    if isinstance(state, KernelLines) and not any(f.name in ENTRIES for f in state.functions):
        return None
    return levels.gradients(state, values, sizes, _text)


ENTRIES = ("_evaluate",)
"""The functions from which a module runs its stages."""


def _text(state: KernelLines) -> str:
    return module_of_derivatives(state) if state.order.update is None else module(state)
