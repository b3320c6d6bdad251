"""Puts a generated module together: header, tables, the network's functions, the parts that every module has.

Enters: a derivation, an update rule, initial values, sizes. Leaves: source text, a pure function of these.
Must not know: ops, networks as users declare them, files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.derivation import Derivation
from symbp.emit import numba_target, numpy_target
from symbp.emit.blocks import Function
from symbp.emit.calls import Calls
from symbp.emit.chunk_drivers import chunk_functions
from symbp.emit.drivers import driver_functions
from symbp.emit.forms import Forms
from symbp.emit.initial import initial_function
from symbp.emit.names import RESERVED, Names, names_for
from symbp.emit.segments import Network, network, product_of
from symbp.emit.splice import Part, function_texts, import_lines, part, replaced, takes_out, without
from symbp.emit.tables import globals_of, tables
from symbp.emit.templates import render
from symbp.emit.update import numba_update, numbered_updates, numpy_update
from symbp.emit.workspace import memory_plan, memory_tables, places_function
from symbp.errors import GenerationError
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.training import Initial, UpdateRule
from symbp.lower import Cost
from symbp.lower.memory import MemoryPlan

TARGETS = ("numpy", "numba")
DTYPES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Pieces:
    """What a target contributes: functions of the network, and parts around them."""

    functions: list[Function]
    before: list[str]
    after: list[Part]
    constants: list[str]
    needs: list[str]


def generate_source(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    update: UpdateRule,
    initial: Mapping[str, Initial],
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
) -> str:
    """The source text of a standalone training module; `hyper` gives the network's constants their values.

    Raises GenerationError (unknown target, dtype or size, a constant without a value), LoweringError (an
    equation without code).
    """
    check_request(derivation, target, dtype, sizes)
    net = network(derivation, dict(sizes), hyper, initial, chunks=target == "numba")
    names = names_of(net)
    pieces = (_numpy if target == "numpy" else _numba)(net, names, update, dtype)
    functions = [*pieces.functions, initial_function(net, initial)]
    parts = pieces.after
    values = {
        **_header(net, target, dtype, update),
        "imports": import_lines(
            [*parts, *_part_list(target)], ["import math", "import sys", "import numpy as np"]
        ),
        "constants": [*pieces.constants, *tables(net, update, dtype, target)],
        "before": pieces.before,
        "functions": functions,
        "after": parts,
    }
    return re.sub(r"\n{4,}", "\n\n\n", render("module.py.j2", values))


def _part_list(target: str) -> list[Part]:
    return [part("compiling")] if target == "numba" else []


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


def _common(net: Network, target: str) -> list[Part]:
    """The parts that run the stages, as many as the network needs."""
    step, modes = part(f"{target}_step"), part(f"{target}_modes")
    changed = ["_outputs", "_values"] if net.system.inference else []
    changed += ["_advance"] if net.buffers and target == "numpy" else []
    step = replaced(step, modes, changed)
    parts = [part("arrays"), part("memory"), step]
    if net.split is not None:
        memory = without(part("memory"), ["_memory"])
        parts = [part("arrays"), memory, without(step, ["_advance"]), part("numba_chunks")]
    if net.buffers or net.system.random:
        parts.append(part("fitting"))
    parts.append(part("buffers" if net.buffers else "no_buffers"))
    if net.system.random:
        parts.append(part(f"{target}_random"))
    given = "random" if net.system.random else "buffers" if net.buffers else "data"
    return [*parts, *(part(name) for name in (f"given_{given}", "state", "training", "checking", "command"))]


def names_of(net: Network) -> Names:
    """The identifiers of a network's tensors."""
    tensors = dict.fromkeys(t.name for t in (*net.system.tensors, *net.tensors))
    sizes = (*net.system.sizes, *net.stage_sizes)
    return names_for(tensors, sizes, RESERVED | globals_of(net.constants))


def planned(net: Network, rule: UpdateRule, target: str) -> MemoryPlan:
    """Where a module of this target has its tensors."""
    if target == "numba":
        return memory_plan(net, fused=True)
    return _numpy_stages(net, names_of(net), rule)[2]


def _numpy_stages(
    net: Network, names: Names, rule: UpdateRule
) -> tuple[numpy_target.Stages, Function, MemoryPlan]:
    """The stages, the update, and the memory that both need."""
    stages = numpy_target.functions(net, names)
    count = sum((product_of(p.shape) for p in net.parameters), sympy.S.Zero)
    calls = Calls(Forms({}, frozenset(net.system.sizes), takes_out), stages.scratch, "update")
    update = numpy_update(rule, _update_names(rule), calls, count)
    return stages, update, memory_plan(net, fused=False, scratch=stages.scratch, instead=stages.instead)


def _numpy(net: Network, names: Names, rule: UpdateRule, dtype: str) -> Pieces:
    stages, update, memory = _numpy_stages(net, names, rule)
    texts = function_texts("numpy", stages.helpers | numpy_target.called(update.body))
    extra = [Part("Functions that NumPy lacks", "\n\n\n".join(texts), (), ())] if texts else []
    return Pieces(
        [*stages.functions, update, places_function(net, memory)],
        [],
        [*extra, *_common(net, "numpy")],
        [f"DTYPE = np.{dtype}", *memory_tables(net, stages.scratch)],
        [],
    )


def _numba(net: Network, names: Names, rule: UpdateRule, dtype: str) -> Pieces:
    real = "F32" if dtype == "float32" else ""
    memory = memory_plan(net, fused=True)
    functions, helpers, places = numba_target.functions(net, memory, names, real)
    update, more = numba_update(rule, _update_names(rule), real)
    drivers = driver_functions(net, rule, places, names)
    drivers += chunk_functions(net, rule, places, names) if net.split is not None else []
    texts = function_texts("numba", helpers | more | {"_all_finite"})
    kernels = Part("Functions of one element", "\n\n\n".join(texts), (), ())
    constants = [f"DTYPE = np.{dtype}"] + (["F32 = np.float32"] if real else [])
    return Pieces(
        [*functions, update, *drivers, places_function(net, memory)],
        [part("compiling").text],
        [kernels, *_common(net, "numba")],
        [*constants, *memory_tables(net)],
        [],
    )


def _update_names(rule: UpdateRule) -> Names:
    return names_for(
        [t.name for t in rule.system.tensors], (), reserved=frozenset({"np", "math", "F32", "DTYPE"})
    )


def _header(net: Network, target: str, dtype: str, rule: UpdateRule) -> dict[str, object]:
    derivation = net.derivation
    engine = {"numpy": "NumPy", "numba": "Numba"}[target]
    description = [
        f"Derived from the network {derivation.name}; {dtype}. It reads {reads_text(net)}.",
        *_kept_text(net),
        f"The comment (k) behind a line names the equation that the line computes{_more(rule)}.",
        "Train, evaluate, predict or check it: python THIS_FILE --help",
    ]
    return {
        "title": f"{derivation.name}: a network that trains in {engine}.",
        "description": description,
        "equations": equation_lines(derivation),
        "update_name": f"{rule.name}, {rule.source}" if rule.source else rule.name,
        "updates": _aligned([(f"(U{k})", equation_text(e)) for k, e in numbered_updates(rule)]),
        "sizes": sizes_text(net),
        "one_run": "One training step",
        "costs": cost_lines(net, DTYPES[dtype]),
    }


def _more(rule: UpdateRule) -> str:
    return ", (Uk) an equation of the update" if rule.system.equations else ""


def reads_text(net: Network) -> str:
    """The data that a module reads, with their shapes."""
    return ", ".join(f"{t.name}{_shape(t.shape)}" for t in net.data)


def _kept_text(net: Network) -> list[str]:
    """What the module keeps and draws beside parameters."""
    kept = ", ".join(f"{t.name}{_shape(t.shape)}" for t in net.buffers)
    drawn = ", ".join(f"{t.name}{_shape(t.shape)}: {t.draw}" for t in net.system.random)
    lines = [f"Buffers, changed by each training step: {kept}."] if kept else []
    return [*lines, *([f"Random tensors, drawn in each step: {drawn}."] if drawn else [])]


def sizes_text(net: Network) -> str:
    """Which sizes have a value, and which are read off the arrays."""
    bound = ", ".join(f"{name} = {value}" for name, value in net.sizes.items())
    open_ = ", ".join(net.open_sizes)
    return "; ".join(filter(None, [bound, f"{open_} read off the arrays" if open_ else ""])) + "."


def _shape(shape: Sequence[object]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(number) for number, _ in rows), default=0)
    return [f"{number:<{width}}  {text}" for number, text in rows]


def equation_lines(derivation: Derivation) -> list[str]:
    """The derivation's equations with their numbers."""
    rows = [(f"({k + 1})", equation_text(e)) for k, e in enumerate(derivation.system.equations)]
    return _aligned(rows)


def cost_lines(net: Network, itemsize: int) -> list[str]:
    cost = sum((s.program.cost for s in net.segments if s.name not in ("inference", "metrics")), Cost())
    lines = [f"flops  {expression_text(cost.flops)}", f"bytes  {expression_text(cost.bytes(itemsize))}"]
    return [piece for line in lines for piece in _filled(line)]


def _filled(line: str) -> list[str]:
    """A long sum over several lines."""
    terms = line.split(" + ")
    lines = [terms[0]]
    for term in terms[1:]:
        if len(lines[-1]) + len(term) > 96:
            lines.append("       + " + term)
        else:
            lines[-1] += " + " + term
    return lines
