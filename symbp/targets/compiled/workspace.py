"""The workspace of a module: which runs its stages make, and where each tensor lies meanwhile.

Enters: the stages of a network. Leaves: a `MemoryPlan` with the bound sizes filled in, and the function
`_places` that states it. Must not know: how a kernel is spelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.function import Function, wrapped
from symbp.codegen.spelling.elements import ElementSpelling
from symbp.ir.expr import Size
from symbp.lower.memory import liveness
from symbp.lower.memory.liveness import Life, Moment, Run, lives, moments
from symbp.lower.memory.plan import ARENAS, Buffer, MemoryPlan, plan
from symbp.targets.compiled.names import key_of
from symbp.targets.compiled.row_blocks import FEWEST, cut_axes, rows_of
from symbp.targets.compiled.scratch import Scratch
from symbp.targets.compiled.sections.entries import Entry, table_of
from symbp.targets.compiled.sections.lengths import needed_table
from symbp.targets.compiled.sections.tables import names_table
from symbp.targets.compiled.segments import STEP, LoweredNetwork

KINDS = {"real": "reals", "integer": "integers", "bool": "flags"}  # the arena of each kind of number


def runs(network: LoweredNetwork) -> tuple[Run, ...]:
    """The stages that one call runs, and what it reads afterwards."""
    stages = {s.name for s in network.segments}
    if "derivatives" in stages:
        results = (*network.system.outputs, *network.derivation.gradients.values())
        return (Run("derivatives", ("forward", "derivatives"), results),)
    assert network.system.loss is not None
    loss, gradients = network.system.loss, tuple(network.derivation.gradients.values())
    at = network.system.inference
    measured = tuple(s.name for s in network.measuring)
    predicted = tuple(at.get(name, name) for name in network.system.outputs)
    predicting = (Run("predictions", ("inference",), predicted),) if "inference" in stages else ()
    return (
        Run("outputs", ("forward",), network.system.outputs),
        *predicting,
        Run("values", measured, (at.get(loss, loss), *network.metrics)),
        Run("step", (*network.steps, "update"), (loss, *gradients)),
    )


FILLING = ("backward", STEP, "finish")  # the stages that fill the arena of the gradients


def own_gradients(network: LoweredNetwork) -> dict[str, str]:
    """The gradients that lie in the arena of the gradients, with their parameters: each that a stage
    fills for it, at the first parameter that has it."""
    filled = {t.name for s in network.segments if s.name in FILLING for t in s.program.buffers}
    found: dict[str, str] = {}
    for parameter in network.parameters:
        gradient = network.derivation.gradients.get(parameter.name, "")
        if gradient in filled:
            found.setdefault(gradient, parameter.name)
    return found


def stage_moments(network: LoweredNetwork, *, fused: bool) -> dict[str, tuple[Moment, ...]]:
    """The moments of every stage, for a target that fuses nests or one that runs their statements; the
    update of the parameters is one more stage, which reads and fills nothing here."""
    found = {s.name: moments(s.program, fused=fused) for s in network.segments}
    if "buffers" in found:  # its last lines put the next values into the buffers
        following = tuple((name, 0) for name in network.system.updates.values())
        found["buffers"] += (Moment(following, ()),)
    return {**found, "update": (Moment((), ()),)}


def successions(network: LoweredNetwork) -> dict[str, str]:
    """Which tensors take which others' place where statements run one by one."""
    stages, calls = stage_moments(network, fused=False), runs(network)
    found = lives(stages, calls)
    apart = own_gradients(network)
    return liveness.successions(stages, calls, {n: life for n, life in found.items() if n not in apart})


def memory_plan(
    network: LoweredNetwork,
    *,
    fused: bool,
    scratch: Scratch | None = None,
    instead: Mapping[str, str] | None = None,
) -> MemoryPlan:
    """The places of all tensors but the gradients that have their own arena, bound sizes filled in; then
    those of constants and of scratch, and who takes whose place, where a target has them."""
    stages, calls = stage_moments(network, fused=fused), runs(network)
    found = lives(stages, calls)
    apart = own_gradients(network)
    inlined = {name for s in network.segments for name in s.program.inlined} if not fused else set()
    nothing = Life({}, 0, None)
    buffers = [
        Buffer(
            t.name,
            t.shape,
            found.get(t.name, nothing),
            "integers" if t.integer else "reals",
            (instead or {}).get(t.name),
        )
        for t in network.tensors
        if t.name not in apart and t.name not in inlined
    ]
    for name, (shape, kind, _) in (scratch.constants if scratch else {}).items():
        buffers.append(Buffer(name, shape, liveness.always(stages, calls), KINDS[kind]))
    for name, (shape, kind) in (scratch.shapes if scratch else {}).items():
        life = liveness.at_moments(tuple(scratch.uses[name]), stages, calls) if scratch else nothing
        buffers.append(Buffer(name, shape, life, KINDS[kind]))
    bound = {Size(name): sympy.Integer(value) for name, value in network.sizes.items()}
    return plan([replace(b, shape=tuple(e.xreplace(bound) for e in b.shape)) for b in buffers])


def places_function(network: LoweredNetwork, memory: MemoryPlan) -> Function:
    """`_places(N)`: where each tensor lies."""
    spelled = ElementSpelling({}, {}, {})
    shapes = {t.name: t.shape for t in network.tensors}
    entries = []
    for name, place in memory.named.items():
        shape = infer.tuple_of(*(spelled.integer(e).node for e in shapes.get(name, place.buffer.shape)))
        start = spelled.integer(place.start).node
        entries.append(Entry(name, infer.tuple_of(infer.number(_which(place.buffer)), start, shape)))
    doc = "Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."
    return Function("_places", network.stage_sizes, doc, (table_of(entries),))


def memory_tables(network: LoweredNetwork, scratch: Scratch | None = None) -> list[str]:
    """What the workspaces need to know beside `_places`: the sizes they depend on, and the arrays that hold
    0, 1, 2, … or ones; and the lengths that mustn't be 0."""
    lines = [names_table("OPEN_SIZES", tuple(map(key_of, network.stage_sizes)))]
    for table, function in (("POSITIONS", "np.arange"), ("ONES", "np.ones")):
        lines.append(names_table(table, _made_by(function, scratch) if scratch else ()))
    return [*lines, *needed_table(network)]


def block_rows(network: LoweredNetwork, memory: MemoryPlan) -> dict[str, int]:
    """How many rows a block of a step has, by the size that counts them; empty where there are no blocks."""
    if not network.blocks:
        return {}
    programs = [s.program for s in network.segments if s.name in ("forward", "loss", "backward")]
    gradients = tuple(network.derivation.gradients.values())
    rows = rows_of(network.blocks, programs, memory, gradients, network.sizes)
    return {s.size.name: n for s, n in zip(network.blocks, rows, strict=True)}


def block_tables(network: LoweredNetwork, memory: MemoryPlan) -> list[str]:
    """What a step in blocks needs to know: how many rows a block has, which arrays have rows."""
    rows = {key_of(size): count for size, count in block_rows(network, memory).items()}
    tables = {"BLOCKS": rows, "CUT": cut_axes(network.blocks)}
    lines = [
        line
        for name, table in tables.items()
        for line in wrapped(f"{name} = {{", [f'"{key}": {value}' for key, value in table.items()], "}", 0)
    ]
    return [*lines, f"FEWEST = {FEWEST}"] if network.blocks else []


def _made_by(function: str, scratch: Scratch) -> tuple[str, ...]:
    """The constants that a function makes; a workspace starts with zeros."""
    return tuple(name for name, (_, _, made) in scratch.constants.items() if made.name == function)


def _which(buffer: Buffer) -> int:
    return ARENAS.index(buffer.arena)
