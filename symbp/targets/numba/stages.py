"""The Numba target: matrix products by BLAS, everything else as fused loops, a whole step without Python.

Enters: the stages of a network. Leaves: kernels as functions. Must not know: ops, files, the command line.

All tensors live in two workspaces, reals and integers, where the table `at` says; a kernel begins with views
of what it touches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.function import Function, names_in
from symbp.codegen.spelling.elements import size
from symbp.codegen.tree import Assign, Expression, Rest, Statement
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Role
from symbp.lower.memory.plan import MemoryPlan
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.sections.tables import global_name
from symbp.targets.compiled.segments import LoweredNetwork, Segment, equation_range, product_of
from symbp.targets.compiled.workspace import FILLING, own_gradients
from symbp.targets.numba.layers import looped
from symbp.targets.numba.lines import NumbaLines
from symbp.targets.numba.loops import LoopFunctions
from symbp.targets.numba.places import ArenaSpan, part, view


def layout(network: LoweredNetwork, memory: MemoryPlan) -> dict[str, ArenaSpan]:
    """Parameters and gradients at their positions in the arenas, everything else where `at` says."""
    bound = {Size(name): sympy.Integer(value) for name, value in network.sizes.items()}
    gradients = {parameter: gradient for gradient, parameter in own_gradients(network).items()}
    places: dict[str, ArenaSpan] = {}
    start: Expr = sympy.S.Zero
    for parameter in network.parameters:
        count = product_of(parameter.shape).xreplace(bound)
        places[parameter.name] = ArenaSpan("theta", start, count)
        if parameter.name in gradients:
            places[gradients[parameter.name]] = ArenaSpan("gradient", start, count)
        start = sympy.expand(start + count)
    for k, (name, place) in enumerate(memory.named.items()):
        places[name] = ArenaSpan(
            "counts" if place.buffer.arena == "integers" else "work", sympy.Integer(k), place.buffer.count
        )
    return places


def stage(
    network: LoweredNetwork,
    segment: Segment,
    places: Mapping[str, ArenaSpan],
    names: Names,
    real: str,
    loops: LoopFunctions,
) -> tuple[Function, set[str]]:
    """The kernel of one stage, and the helpers that it calls."""
    whole = network.system if network.split is None else network.split.system
    tensors = {t.name: t for t in (*whole.tensors, *network.tensors)} | segment.program.tensors
    lines = NumbaLines(tensors, names, real, loops, network.stage_sizes, segment.program.axes)
    body: list[Statement] = [s for kernel in segment.program.kernels for s in lines.kernel(kernel)]
    if segment.name in FILLING:
        body += _copied_gradients(network, segment, places, names)
    if segment.name == "buffers":
        body += [_next_value(lines, *names_) for names_ in network.system.updates.items()]
    read = {t.name: t for t in (*network.tensors, *segment.leaves(Role.PARAMETER))}
    body = looped(body, read, places, names)
    head, words = list[Assign](), names_in(body)
    for tensor in (*network.parameters, *network.tensors):
        given = tensor.name in network.by_rows or segment.program.axes.get(tensor.name) == ()
        if not given and names.tensors[tensor.name] in words:
            shaped = read.get(tensor.name, tensor)
            head.append(view(names.tensors[tensor.name], shaped, places[tensor.name]))
    for leaf in segment.leaves(Role.HYPER):
        head.append(Assign(lines.tensor(leaf.name), infer.name(global_name(leaf.name))))
    arguments = (*stage_arguments(network, segment, names), *network.stage_sizes)
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    return Function(f"_{segment.name}", arguments, title, (*head, *body), ("@kernel",)), lines.helpers


def stage_arguments(network: LoweredNetwork, segment: Segment, names: Names) -> tuple[str, ...]:
    """Arenas, the table of places, then the arrays that the stage is given."""
    given = [t.name for t in network.given_to(segment)]
    if segment.name == "buffers":
        given = [t.name for t in network.given if t.name in given or t.name in network.system.updates]
    arenas = ("theta", *(("gradient",) if segment.name in FILLING else ()), "work", "counts")
    return (*arenas, "at", *(names.tensors[name] for name in (*given, *network.rows_of(segment))))


def _copied_gradients(
    network: LoweredNetwork, segment: Segment, places: Mapping[str, ArenaSpan], names: Names
) -> Iterator[Statement]:
    """Gradients that are no tensor of their own: shared by two parameters, or of an earlier stage."""
    own = set(own_gradients(network).values())
    phase = {} if network.split is None else network.split.phase
    for parameter in network.parameters:
        late = phase.get(network.derivation.gradients[parameter.name]) == "after"
        if parameter.name not in own and late == (segment.name == "finish"):
            gradient, place = network.derivation.gradients[parameter.name], places[parameter.name]
            flat = infer.call(
                ".reshape", infer.name(names.tensors[gradient]), size(place.count), shape=(place.count,)
            )
            yield Assign(part(replace(place, arena="gradient")), flat)


def _next_value(lines: NumbaLines, buffer: str, value: str) -> Assign:
    """The next value put into a buffer."""
    left, right = lines.tensor(buffer), lines.tensor(value)
    if left.shape:
        return Assign(infer.subscript(left, Rest()), right)
    point: list[Expression] = [infer.tuple_of()]
    return Assign(infer.sliced(left, point, ()), infer.sliced(right, [infer.number(0)], ()))


def functions(
    network: LoweredNetwork, memory: MemoryPlan, names: Names, real: str
) -> tuple[list[Function], set[str], dict[str, ArenaSpan]]:
    """The kernels of all stages and of their nests, the helpers that they call, and where tensors lie."""
    places, loops = layout(network, memory), LoopFunctions(names)
    found, helpers = [], set()
    for segment in network.segments:
        function, called = stage(network, segment, places, names, real, loops)
        found.append(function)
        helpers |= called
    return [*found, *loops.functions()], helpers, places
