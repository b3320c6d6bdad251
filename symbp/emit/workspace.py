"""The workspace of a module: which runs its stages make, and where each tensor lies meanwhile.

Enters: the stages of a network. Leaves: a `MemoryPlan` with the bound sizes filled in, and the function
`_places` that states it. Must not know: how a kernel is spelled.
"""

from __future__ import annotations

import sympy

from symbp.emit.blocks import Function
from symbp.emit.elements import ElementSpelling
from symbp.emit.segments import Network
from symbp.ir.expr import Size
from symbp.lower.liveness import Life, Moment, Run, lives, moments
from symbp.lower.memory import ARENAS, Buffer, MemoryPlan, plan

STEP = ("forward", "loss", "backward", "total", "finish", "buffers")


def runs(network: Network) -> tuple[Run, ...]:
    """The stages that one call runs, and what it reads afterwards."""
    stages = {s.name for s in network.segments}
    if "derivatives" in stages:
        results = (*network.system.outputs, *network.derivation.gradients.values())
        return (Run("derivatives", ("forward", "derivatives"), results),)
    assert network.system.loss is not None
    loss, gradients = network.system.loss, tuple(network.derivation.gradients.values())
    step = [name for name in STEP if name in stages]
    at = network.system.inference
    measured = tuple(s.name for s in network.measuring)
    predicted = tuple(at.get(name, name) for name in network.system.outputs)
    predicting = (Run("predictions", ("inference",), predicted),) if "inference" in stages else ()
    return (
        Run("outputs", ("forward",), network.system.outputs),
        *predicting,
        Run("values", measured, (at.get(loss, loss), *network.metrics)),
        Run("step", tuple(step), (loss, *gradients)),
    )


FILLING = ("backward", "finish")  # the stages that fill the arena of the gradients


def own_gradients(network: Network) -> dict[str, str]:
    """The gradients that lie in the arena of the gradients, with their parameters: each that a stage
    fills for it, at the first parameter that has it."""
    filled = {t.name for s in network.segments if s.name in FILLING for t in s.program.buffers}
    found: dict[str, str] = {}
    for parameter in network.parameters:
        gradient = network.derivation.gradients.get(parameter.name, "")
        if gradient in filled:
            found.setdefault(gradient, parameter.name)
    return found


def stage_moments(network: Network, *, fused: bool) -> dict[str, tuple[Moment, ...]]:
    """The moments of every stage, for a target that fuses nests or one that runs their statements."""
    return {s.name: moments(s.program, fused=fused) for s in network.segments}


def memory_plan(network: Network, *, fused: bool) -> MemoryPlan:
    """The places of all tensors but the gradients that have their own arena, bound sizes filled in."""
    stages = stage_moments(network, fused=fused)
    found = lives(stages, runs(network))
    apart = own_gradients(network)
    inlined = {name for s in network.segments for name in s.program.inlined} if not fused else set()
    bound = {Size(name): sympy.Integer(value) for name, value in network.sizes.items()}
    buffers = [
        Buffer(
            t.name,
            tuple(e.xreplace(bound) for e in t.shape),
            found.get(t.name, Life({}, 0, None)),
            "integers" if t.integer else "reals",
        )
        for t in network.tensors
        if t.name not in apart and t.name not in inlined
    ]
    return plan(buffers)


def places_function(network: Network, memory: MemoryPlan) -> Function:
    """`_places(N)`: where each tensor lies."""
    spelled = ElementSpelling({}, {}, {})
    shapes = {t.name: t.shape for t in network.tensors}
    lines = ["return {"]
    for name, place in memory.named.items():
        shape = [spelled.integer(e).text for e in shapes[name]]
        extents = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
        lines.append(
            f'    "{name}": ({_which(place.buffer)}, {spelled.integer(place.start).text}, {extents}),'
        )
    doc = "Where each tensor lies: the arena (0 reals, 1 integers), its first element, its shape."
    return Function("_places", network.stage_sizes, doc, (*lines, "}"))


def _which(buffer: Buffer) -> int:
    return ARENAS.index(buffer.arena)
