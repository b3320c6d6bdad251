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
from symbp.emit.numpy.short import PASSES, needed, own_scratch, passes, plain, short_tables
from symbp.emit.numpy.update import numpy_update
from symbp.emit.parts import Parts, parts_of
from symbp.emit.roll_layers import words_of
from symbp.emit.sections.header import header
from symbp.emit.sections.initial import initial_function
from symbp.emit.sections.pieces import EVERYTHING, chosen, short
from symbp.emit.sections.runtime_files import (
    numba_functions,
    numpy_functions,
    short_files,
    takes_out,
    train_tables,
    training_files,
)
from symbp.emit.sections.tables import fingerprint, globals_of, tables
from symbp.emit.segments import LoweredNetwork, network, product_of
from symbp.emit.update import numba_update
from symbp.emit.workspace import block_tables, memory_plan, memory_tables, places_function
from symbp.errors import GenerationError, choose
from symbp.ir.expr import Size
from symbp.ir.system import Role
from symbp.ir.training import Initial, UpdateRule
from symbp.lower.memory.plan import MemoryPlan
from symbp.rendering import render

TARGETS = ("numpy", "numba")


@dataclass(frozen=True)
class Made:
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
    pieces: Collection[str] = EVERYTHING,
) -> str:
    """The source text of a standalone training module; `hyper` gives the network's constants their values,
    `pieces` names what it has beside the default, of `PIECES`.

    Raises GenerationError (unknown target, dtype, size or piece, a constant without a value), LoweringError
    (an equation without code).
    """
    check_request(derivation, target, dtype, sizes)
    pieces = chosen(pieces)
    constants = globals_of(t.name for t in derivation.system.with_role(Role.HYPER))
    derivation, sizes, initial = with_identifiers(derivation, sizes, initial, constants)
    chunks, rows = target == "numba", "blocks" in pieces
    net = network(derivation, dict(sizes), hyper, initial, chunks=chunks, rows=rows)
    names = names_of(net)
    if target == "numpy" and short(pieces) and plain(net):
        text = _short(net, names, update, dtype, initial, pieces)
        if text is not None:
            return text
    made = (_numpy if target == "numpy" else _numba)(net, names, update, dtype)
    functions = [*made.functions, initial_function(net, initial)]
    mentioned = words_of([line for function in functions for line in (*function.body, *function.decorators)])
    own_tables = train_tables(net, pieces)
    values = {
        **header(net, target, dtype, update, made.footprint, pieces),
        **carried(net, {**made.taken, **training_files(net, target, pieces, mentioned)}, functions),
        "constants": [
            *made.constants,
            *tables(net, update, dtype, target),
            *(fingerprint(net, update) if "checkpoints" in pieces else []),
        ],
        "functions": functions,
        "train_tables": own_tables,
        "runs": not {"train", "command"}.isdisjoint(pieces),
    }
    return render(f"{target}/module.py.j2", values)


def _short(
    net: LoweredNetwork,
    names: Names,
    rule: UpdateRule,
    dtype: str,
    initial: Mapping[str, Initial],
    pieces: Collection[str],
) -> str | None:
    """A module without workspaces to share and plan, for a network with plain shapes; None where it has
    equal layers, or names that differ from pass to pass."""
    stages, update, memory = _numpy_stages(net, names, rule)
    wanted = PASSES if "evaluate" in pieces else PASSES[:3]
    network_function = passes(net, names, stages, wanted)
    if network_function is None:
        return None
    functions = [network_function, own_scratch(update, stages, _count(net))]
    functions.append(initial_function(net, initial, once=True))
    lines = [line for function in functions for line in function.body]
    taken = {"functions": numpy_functions(numpy_target.called(lines)), **short_files(net, pieces)}
    found = carried(net, taken, functions)
    text = "\n".join([*lines, *(one.text for one in taken.values())])
    values = {
        **header(net, "numpy", dtype, rule, footprint(net, memory, target="numpy", dtype=dtype), pieces),
        **found,
        "constants": [f"DTYPE = np.{dtype}", *needed(short_tables(net, rule), text)],
        "functions": functions,
        "titled": bool(pieces),  # two sections need no titles
        "runs": "train" in pieces,
    }
    return render("numpy/short.py.j2", values)


def carried(
    net: LoweredNetwork, taken: Mapping[str, Taken], functions: Collection[Function] = ()
) -> dict[str, object]:
    """What a module carries of the runtime, by section, and its imports, for its template; those of its own
    functions are there where they are read."""
    renamed = giving_way([t.name for t in net.data], list(map(key_of, net.system.sizes)))
    words = words_of([line for function in functions for line in function.body])
    own = [Import("numpy", alias="np")]
    own += [Import(name) for name in ("math", "sys") if not functions or name in words]
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
    declared = LoweredNetwork(derivation, dict(derivation.system.bound), ())
    at = {n: v for n, v in sizes.items() if n == declared.batch}
    kept = {n: v for n, v in sizes.items() if n not in at}
    net = network(derivation, kept, hyper, initial, chunks=target == "numba")
    memory, arrays = _memory(net, update, target)
    return footprint(net, memory, target=target, dtype=dtype, at=at, arrays=arrays)


def planned(net: LoweredNetwork, rule: UpdateRule, target: str) -> MemoryPlan:
    """Where a module of this target has its tensors."""
    return _memory(net, rule, target)[0]


def _memory(net: LoweredNetwork, rule: UpdateRule, target: str) -> tuple[MemoryPlan, list[str]]:
    """Where a module of this target has its tensors, and its lines that make arrays."""
    if target == "numba":
        return memory_plan(net, fused=True), []
    stages, _, memory = _numpy_stages(net, names_of(net), rule)
    return memory, stages.allocating


def check_request(derivation: Derivation, target: str, dtype: str, sizes: Mapping[str, int]) -> None:
    if target not in TARGETS:
        raise GenerationError(f"no target is named {target!r}", help=choose(target, TARGETS))
    if dtype not in DTYPES:
        raise GenerationError(f"no dtype is named {dtype!r}", help=choose(dtype, DTYPES))
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_ .-]*", derivation.name):
        raise GenerationError(
            f"{derivation.name!r} cannot name a module", help="use letters, digits, - and _"
        )
    known = derivation.system.sizes
    for name, value in sizes.items():
        if name not in known:
            raise GenerationError(f"the network has no size {name!r}", help=choose(name, known, "its sizes"))
        if int(value) != value or value < 1:
            raise GenerationError(f"size {name} must be a positive integer, not {value}")
        if derivation.system.bound.get(name, value) != value:
            raise GenerationError(
                f"size {name} is {derivation.system.bound[name]} in the network, not {value}"
            )


def names_of(net: LoweredNetwork) -> Names:
    """The identifiers of a network's tensors."""
    filled = [t for s in net.segments for t in s.program.buffers]
    tensors = dict.fromkeys(t.name for t in (*net.system.tensors, *filled))
    sizes = (*net.system.sizes, *net.stage_sizes)
    return names_for(tensors, sizes, LOCALS | own_names() | globals_of(net.constants))


def _numpy_stages(
    net: LoweredNetwork, names: Names, rule: UpdateRule
) -> tuple[numpy_target.Stages, Function, MemoryPlan]:
    """The stages, the update, and the memory that both need."""
    stages = numpy_target.functions(net, names)
    calls = Calls(Forms({}, frozenset(net.system.sizes), takes_out), stages.scratch, "update")
    update = numpy_update(rule, _update_names(rule), calls, _count(net), _parts(net, rule))
    return stages, update, memory_plan(net, fused=False, scratch=stages.scratch, instead=stages.instead)


def _count(net: LoweredNetwork) -> sympy.Expr:
    """How many entries all parameters have."""
    bound = {Size(name): sympy.Integer(value) for name, value in net.sizes.items()}
    return sum((product_of(p.shape).xreplace(bound) for p in net.parameters), sympy.S.Zero)


def _numpy(net: LoweredNetwork, names: Names, rule: UpdateRule, dtype: str) -> Made:
    stages, update, memory = _numpy_stages(net, names, rule)
    return Made(
        [*stages.functions, update, places_function(net, memory)],
        {"functions": numpy_functions(stages.helpers | numpy_target.called(update.body))},
        [f"DTYPE = np.{dtype}", *memory_tables(net, stages.scratch), *block_tables(net, memory)],
        footprint(net, memory, target="numpy", dtype=dtype),
    )


def _numba(net: LoweredNetwork, names: Names, rule: UpdateRule, dtype: str) -> Made:
    real = "F32" if dtype == "float32" else ""
    memory = memory_plan(net, fused=True)
    functions, helpers, places = numba_target.functions(net, memory, names, real)
    update, more = numba_update(rule, _update_names(rule), real, _parts(net, rule))
    drivers = driver_functions(net, rule, places, names)
    drivers += chunk_functions(net, rule, places, names) if net.split is not None else []
    kernels = numba_functions(dtype, helpers | more | {"_all_finite"})
    constants = [f"DTYPE = np.{dtype}"] + (["F32 = np.float32"] if real else [])
    return Made(
        [*functions, update, *drivers, places_function(net, memory)],
        {"compiling": whole(["numba/compiling"]), **kernels},
        [*constants, *memory_tables(net)],
        footprint(net, memory, target="numba", dtype=dtype),
    )


def _parts(net: LoweredNetwork, rule: UpdateRule) -> Parts | None:
    return parts_of(rule, net.parameters, net.sizes)


def _update_names(rule: UpdateRule) -> Names:
    return names_for(
        [t.name for t in rule.system.tensors], (), reserved=frozenset({"np", "math", "F32", "DTYPE"})
    )
