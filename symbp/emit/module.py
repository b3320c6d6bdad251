"""Puts a generated module together: header, tables, the network's functions, what it carries of the runtime.

Enters: a derivation, an update rule, initial values, sizes. Leaves: source text, a pure function of these.
Must not know: ops, networks as users declare them, files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sympy

from symbp.codegen.carry import Import, Taken, giving_way, import_lines, own_names, whole
from symbp.derive.derivation import Derivation
from symbp.emit.blocks import Function
from symbp.emit.footprint import DTYPES, Footprint, footprint
from symbp.emit.inference.calls import Calls
from symbp.emit.inference.shape_inference import Forms
from symbp.emit.names import LOCALS, Names, key_of, names_for, with_identifiers
from symbp.emit.numba import target as numba_target
from symbp.emit.numba.chunk_drivers import chunk_functions
from symbp.emit.numba.drivers import driver_functions
from symbp.emit.numpy import target as numpy_target
from symbp.emit.numpy.update import numpy_update
from symbp.emit.sections.header import header
from symbp.emit.sections.initial import initial_function
from symbp.emit.sections.runtime_files import (
    numba_functions,
    numpy_functions,
    takes_out,
    train_tables,
    training_files,
)
from symbp.emit.sections.tables import fingerprint, globals_of, tables
from symbp.emit.segments import Network, network, product_of
from symbp.emit.update import numba_update
from symbp.emit.workspace import block_tables, memory_plan, memory_tables, places_function
from symbp.errors import GenerationError
from symbp.ir.expr import Size
from symbp.ir.system import Role
from symbp.ir.training import Initial, UpdateRule
from symbp.lower.memory.plan import MemoryPlan
from symbp.rendering import render

TARGETS = ("numpy", "numba")
PIECES = ("checkpoints", "live", "log", "patience", "tables")
"""What a module has only when asked for: checkpoints, a live line of progress, a log of JSON lines,
early stopping, tables."""


@dataclass(frozen=True)
class Pieces:
    """What a target contributes: functions of the network, what they call of the runtime, tables."""

    functions: list[Function]
    taken: dict[str, Taken]
    constants: list[str]
    footprint: Footprint


def generate_source(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    update: UpdateRule,
    initial: Mapping[str, Initial],
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
    pieces: Collection[str] = (),
) -> str:
    """The source text of a standalone training module; `hyper` gives the network's constants their values,
    `pieces` names what it has beside the essential, of `PIECES`.

    Raises GenerationError (unknown target, dtype, size or piece, a constant without a value), LoweringError
    (an equation without code).
    """
    check_request(derivation, target, dtype, sizes)
    strange = [piece for piece in sorted(pieces) if piece not in PIECES]
    if strange:
        raise GenerationError(
            f"no piece of a module is named {strange[0]!r}", help=f"choose of: {', '.join(PIECES)}"
        )
    constants = globals_of(t.name for t in derivation.system.with_role(Role.HYPER))
    derivation, sizes, initial = with_identifiers(derivation, sizes, initial, constants)
    net = network(derivation, dict(sizes), hyper, initial, chunks=target == "numba")
    names = names_of(net)
    made = (_numpy if target == "numpy" else _numba)(net, names, update, dtype)
    functions = [*made.functions, initial_function(net, initial)]
    values = {
        **header(net, target, dtype, update, made.footprint),
        **carried(net, {**made.taken, **training_files(net, target, pieces)}),
        "constants": [
            *made.constants,
            *tables(net, update, dtype, target),
            *(fingerprint(net, update) if "checkpoints" in pieces else []),
        ],
        "functions": functions,
        "train_tables": train_tables(net, pieces),
    }
    return render(f"{target}/module.py.j2", values)


def carried(net: Network, taken: Mapping[str, Taken]) -> dict[str, object]:
    """What a module carries of the runtime, by section, and its imports, for its template."""
    renamed = giving_way([t.name for t in net.data], list(map(key_of, net.system.sizes)))
    own = (Import("math"), Import("sys"), Import("numpy", alias="np"))  # of the network's own functions
    return {
        "imports": import_lines(taken.values(), *own),
        "runtime": {section: renamed(found).text for section, found in taken.items()},
    }


def plan_of(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    update: UpdateRule,
    initial: Mapping[str, Initial],
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
) -> Footprint:
    """What a step of the module takes that `generate_source` writes for the same arguments; the size of the
    batch stays open, and a value for it is one at which the formulas are evaluated."""
    check_request(derivation, target, dtype, sizes)
    declared = Network(derivation, dict(derivation.system.bound), ())
    at = {n: v for n, v in sizes.items() if n == declared.batch}
    kept = {n: v for n, v in sizes.items() if n not in at}
    net = network(derivation, kept, hyper, initial, chunks=target == "numba")
    memory, arrays = _memory(net, update, target)
    return footprint(net, memory, target=target, dtype=dtype, at=at, arrays=arrays)


def planned(net: Network, rule: UpdateRule, target: str) -> MemoryPlan:
    """Where a module of this target has its tensors."""
    return _memory(net, rule, target)[0]


def _memory(net: Network, rule: UpdateRule, target: str) -> tuple[MemoryPlan, list[str]]:
    """Where a module of this target has its tensors, and its lines that make arrays."""
    if target == "numba":
        return memory_plan(net, fused=True), []
    stages, _, memory = _numpy_stages(net, names_of(net), rule)
    return memory, stages.allocating


def check_request(derivation: Derivation, target: str, dtype: str, sizes: Mapping[str, int]) -> None:
    if target not in TARGETS:
        raise GenerationError(f"no target is named {target!r}", help=f"choose one of: {', '.join(TARGETS)}")
    if dtype not in DTYPES:
        raise GenerationError(f"no dtype is named {dtype!r}", help=f"choose one of: {', '.join(DTYPES)}")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_ .-]*", derivation.name):
        raise GenerationError(
            f"{derivation.name!r} cannot name a module", help="use letters, digits, - and _"
        )
    known = derivation.system.sizes
    for name, value in sizes.items():
        if name not in known:
            raise GenerationError(f"the network has no size {name!r}", help=f"its sizes: {', '.join(known)}")
        if int(value) != value or value < 1:
            raise GenerationError(f"size {name} must be a positive integer, not {value}")
        if derivation.system.bound.get(name, value) != value:
            raise GenerationError(
                f"size {name} is {derivation.system.bound[name]} in the network, not {value}"
            )


def names_of(net: Network) -> Names:
    """The identifiers of a network's tensors."""
    filled = [t for s in net.segments for t in s.program.buffers]
    tensors = dict.fromkeys(t.name for t in (*net.system.tensors, *filled))
    sizes = (*net.system.sizes, *net.stage_sizes)
    return names_for(tensors, sizes, LOCALS | own_names() | globals_of(net.constants))


def _numpy_stages(
    net: Network, names: Names, rule: UpdateRule
) -> tuple[numpy_target.Stages, Function, MemoryPlan]:
    """The stages, the update, and the memory that both need."""
    stages = numpy_target.functions(net, names)
    bound = {Size(name): sympy.Integer(value) for name, value in net.sizes.items()}
    count = sum((product_of(p.shape).xreplace(bound) for p in net.parameters), sympy.S.Zero)
    calls = Calls(Forms({}, frozenset(net.system.sizes), takes_out), stages.scratch, "update")
    update = numpy_update(rule, _update_names(rule), calls, count)
    return stages, update, memory_plan(net, fused=False, scratch=stages.scratch, instead=stages.instead)


def _numpy(net: Network, names: Names, rule: UpdateRule, dtype: str) -> Pieces:
    stages, update, memory = _numpy_stages(net, names, rule)
    return Pieces(
        [*stages.functions, update, places_function(net, memory)],
        {"functions": numpy_functions(stages.helpers | numpy_target.called(update.body))},
        [f"DTYPE = np.{dtype}", *memory_tables(net, stages.scratch), *block_tables(net, memory)],
        footprint(net, memory, target="numpy", dtype=dtype),
    )


def _numba(net: Network, names: Names, rule: UpdateRule, dtype: str) -> Pieces:
    real = "F32" if dtype == "float32" else ""
    memory = memory_plan(net, fused=True)
    functions, helpers, places = numba_target.functions(net, memory, names, real)
    update, more = numba_update(rule, _update_names(rule), real)
    drivers = driver_functions(net, rule, places, names)
    drivers += chunk_functions(net, rule, places, names) if net.split is not None else []
    kernels = numba_functions(dtype, helpers | more | {"_all_finite"})
    constants = [f"DTYPE = np.{dtype}"] + (["F32 = np.float32"] if real else [])
    return Pieces(
        [*functions, update, *drivers, places_function(net, memory)],
        {"compiling": whole(["numba/compiling"]), **kernels},
        [*constants, *memory_tables(net)],
        footprint(net, memory, target="numba", dtype=dtype),
    )


def _update_names(rule: UpdateRule) -> Names:
    return names_for(
        [t.name for t in rule.system.tensors], (), reserved=frozenset({"np", "math", "F32", "DTYPE"})
    )
