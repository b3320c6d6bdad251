"""A generated module that computes derivatives and nothing else: Hessians, products with them, Jacobians.

Enters: a derivation, sizes, constants. Leaves: source text, a pure function of these.
Must not know: training, ops, files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbp.codegen.carry import Taken, own_names, whole
from symbp.derive.derivation import Derivation
from symbp.emit.blocks import Function
from symbp.emit.footprint import Footprint, footprint
from symbp.emit.module import carried, check_request
from symbp.emit.names import LOCALS, Names, names_for, with_identifiers
from symbp.emit.numba import target as numba_target
from symbp.emit.numba.drivers import stage_calls
from symbp.emit.numpy import target as numpy_target
from symbp.emit.sections.header import cost_lines, equation_lines, reads_text, sizes_text
from symbp.emit.sections.runtime_files import derivative_files, numba_functions, numpy_functions
from symbp.emit.sections.tables import derivative_tables, globals_of, stage_tables
from symbp.emit.segments import GIVEN, LoweredNetwork, Segment, known_constants
from symbp.emit.workspace import memory_plan, memory_tables, places_function
from symbp.ir.expr import free_sizes
from symbp.ir.system import Role, Tensor
from symbp.lower import lower
from symbp.lower.passes.bind_sizes import without_axis
from symbp.rendering import render


@dataclass(frozen=True)
class Wanted(LoweredNetwork):
    """The stages `forward` and `derivatives`; data and open sizes are only those that they need."""

    @cached_property
    def steps(self) -> tuple[str, ...]:
        return ("forward", "derivatives")

    @cached_property
    def data(self) -> tuple[Tensor, ...]:
        read = {t.name for s in self.segments for t in s.leaves(*GIVEN)}
        return tuple(t for t in self.system.with_role(*GIVEN) if t.name in read)

    @cached_property
    def given(self) -> tuple[Tensor, ...]:
        """Buffers and random tensors come in as data do: nothing is drawn, and nothing changes."""
        return self.data

    @cached_property
    def open_sizes(self) -> tuple[str, ...]:
        numbers = {number for s in self.segments for number in s.program.numbers}
        extents = [e for k in sorted(numbers) for e in self.system.equations[k - 1].ranges]
        extents += [e for t in (*self.data, *self.parameters, *self.tensors) for e in t.shape]
        mentioned = {size.name for extent in extents for size in free_sizes(extent)}
        return tuple(n for n in self.system.sizes if n in mentioned and n not in self.sizes)


def generate_derivatives(
    derivation: Derivation,
    *,
    target: str,
    dtype: str,
    sizes: Mapping[str, int],
    hyper: Mapping[str, float] | None = None,
) -> str:
    """The source text of a module with `derivatives(params, **inputs)`, and `forward` where the network has
    outputs. Raises what `generate_source` raises."""
    check_request(derivation, target, dtype, sizes)
    constants = globals_of(t.name for t in derivation.system.with_role(Role.HYPER))
    derivation, sizes, _ = with_identifiers(derivation, sizes, {}, constants)
    net = _network(derivation, dict(sizes), hyper or {})
    tensors = [t.name for t in (*derivation.system.tensors, *net.tensors)]
    names = names_for(
        dict.fromkeys(tensors), derivation.system.sizes, LOCALS | own_names() | globals_of(net.constants)
    )
    make = _numpy if target == "numpy" else _numba
    functions, taken, tables, found = make(net, names, dtype)
    values = {
        **_header(net, target, found),
        **carried(net, {**taken, **derivative_files(net, target)}),
        "constants": [*tables, *derivative_tables(net, tuple(t.name for t in net.data))],
        "functions": functions,
    }
    return render(f"{target}/derivatives.py.j2", values)


def _network(derivation: Derivation, sizes: dict[str, int], hyper: Mapping[str, float]) -> Wanted:
    bound = {**derivation.system.bound, **sizes}
    system = without_axis(derivation.system, bound)
    constants = known_constants(system, hyper)
    outputs = lower(system, list(system.outputs))
    done = [t.name for t in outputs.buffers]
    results = [name for name in dict.fromkeys(derivation.gradients.values()) if name not in done]
    segments = (
        Segment("forward", "outputs", outputs),
        Segment("derivatives", "derivatives", lower(system, results, done)),
    )
    known = {name: bound[name] for name in system.sizes if name in bound}
    return Wanted(derivation, known, segments, constants)


Pieces = tuple[list[Function], dict[str, Taken], list[str], Footprint]


def _numpy(net: LoweredNetwork, names: Names, dtype: str) -> Pieces:
    stages = numpy_target.functions(net, names)
    memory = memory_plan(net, fused=False, scratch=stages.scratch, instead=stages.instead)
    return (
        [*stages.functions, places_function(net, memory)],
        {"functions": numpy_functions(stages.helpers)},
        [f"DTYPE = np.{dtype}", *memory_tables(net, stages.scratch)],
        footprint(net, memory, target="numpy", dtype=dtype),
    )


def _numba(net: LoweredNetwork, names: Names, dtype: str) -> Pieces:
    real = "F32" if dtype == "float32" else ""
    memory = memory_plan(net, fused=True)
    functions, helpers, _ = numba_target.functions(net, memory, names, real)
    data = tuple(names.tensors[t.name] for t in net.data)
    driver = Function(
        "_evaluate",
        ("theta", "work", "counts", "at", *data, *net.open_sizes),
        "Outputs and derivatives.",
        tuple(stage_calls(net, names, ("forward", "derivatives"))),
        ("@kernel",),
    )
    constants = [f"DTYPE = np.{dtype}", *(["F32 = np.float32"] if real else [])]
    return (
        [*functions, driver, places_function(net, memory)],
        {"compiling": whole(["numba/compiling"]), **numba_functions(dtype, helpers)},
        [*constants, *memory_tables(net), *stage_tables(net)[:1]],
        footprint(net, memory, target="numba", dtype=dtype),
    )


def _header(net: LoweredNetwork, target: str, found: Footprint) -> dict[str, object]:
    engine = {"numpy": "NumPy", "numba": "Numba"}[target]
    name, read = net.derivation.name, reads_text(net) or "parameters only"
    return {
        "title": f"{name}: derivatives in {engine}.",
        "description": [
            f"Derived from the network {name}; {found.dtype}. It reads {read}.",
            "The comment (k) behind a line names the equation that the line computes.",
            "Compute them from the arrays of a file: python THIS_FILE --help",
        ],
        "equations": equation_lines(net.derivation),
        "update_name": "",
        "updates": [],
        "sizes": sizes_text(net),
        "one_run": "One call",
        "costs": cost_lines(found),
    }
