"""From equations to programs: a stage for outputs, loss, gradients and so on, each with a program of its own.

Enters: `Equations`. Leaves: `Programs`. Must not know: targets, how a kernel is spelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbp.ir.machine import BALANCE
from symbp.ir.system import System
from symbp.lower import Cost, lower
from symbp.lower.passes.batch_split import BatchSplit
from symbp.lower.schedule.scalar_replacement import in_rows
from symbp.lower.select.windows import nominal
from symbp.targets.compiled.equations import parameter_gradients
from symbp.targets.compiled.levels import Equations, Programs
from symbp.targets.compiled.segments import AFTER, AT_ONCE, STEP, Segment
from symbp.targets.compiled.workspace import memory_plan
from symbp.targets.target import Pass

WORTH_A_STAGE = 7 / 8  # of the time that the stages take apart


# --- passes
def lowered(state: Equations) -> Programs:
    """Kernels chosen, and what is left fused into nests: a program for each stage, which computes what the
    stages before it have not."""
    whole = state.blocks[-1].system if state.blocks else state.base.system
    segments: list[Segment] = []
    for name, title, after, wanted in _stages(whole, parameter_gradients(state), state.split):
        before = [t.name for s in segments if s.name in after for t in s.program.buffers]
        new = [w for w in dict.fromkeys(wanted) if w not in before]
        program = lower(state.system, new, before, state.base.numbers)
        segments.append(Segment(name, title, program, tuple(wanted)))
    network = replace(state.network, segments=tuple(segments), split=state.split, blocks=state.blocks)
    return Programs(state.order, network, state)


def with_whole_step(state: Programs) -> Programs:
    """Outputs, loss and gradients in one stage beside those that compute them apart."""
    segments, system = state.network.segments, state.base.system
    parts = [s for s in segments if s.name in AT_ONCE]
    later = [t.name for s in segments if s.name in AFTER for t in s.computed_before]
    wanted = tuple(dict.fromkeys((*(n for s in parts[1:] for n in s.wanted), *later)))
    program = lower(system, wanted, numbers=state.base.base.numbers)
    return _with_segments(state, (Segment(STEP, "loss and its gradients", program, wanted),))


def with_rows(state: Programs) -> Programs:
    """Rows and variables in the stage of the whole step, which is there only where it saves a good part of
    a step: a step of matrix products gains little by it, and its text is there once."""
    apart = [s for s in state.network.segments if s.name in AT_ONCE]
    (whole,) = [s for s in state.network.segments if s.name == STEP]
    program = in_rows(whole.program, whole.wanted, [t.name for t in state.base.system.tensors])
    before = sum((s.program.cost for s in apart), Cost())
    kept = _work(program.cost) <= WORTH_A_STAGE * _work(before)
    return _with_segments(state, (replace(whole, program=program),) if kept else ())


def with_memory(state: Programs) -> Programs:
    """Where each tensor lies, for kernels that run as they are fused."""
    return replace(state, memory=memory_plan(state.network, fused=True))


def _with_segments(state: Programs, whole: tuple[Segment, ...]) -> Programs:
    """The stages with those of a whole step behind the ones that they stand for."""
    others = [s for s in state.network.segments if s.name != STEP]
    others[len(AT_ONCE) : len(AT_ONCE)] = whole
    return replace(state, network=replace(state.network, segments=tuple(others)))


def _work(cost: Cost) -> float:
    """The time that a cost takes at usual sizes, in operations: widths don't change the text."""
    return nominal(cost.flops + BALANCE * cost.moved)


Stage = tuple[str, str, tuple[str, ...], Sequence[str]]  # name, title, the stages before it, what is wanted


def _stages(system: System, gradients: Sequence[str], split: BatchSplit | None) -> list[Stage]:
    """The stages of a network in order."""
    assert system.loss is not None
    at = [system.inference.get(name, name) for name in (*system.outputs, system.loss)]
    late = [t for t in (system.loss, *gradients) if split and split.phase.get(t) == "after"]
    total = [system.loss] if system.loss in late else []
    finish = [g for g in gradients if g in late]
    stages: list[Stage] = [
        ("forward", "outputs", (), system.outputs),
        ("loss", "loss", ("forward",), _before_the_sum(system, split, [system.loss])),
        ("backward", "gradients", ("forward", "loss"), _before_the_sum(system, split, gradients)),
    ]
    if total:
        stages.append(("total", "loss of the whole batch", ("forward", "loss"), total))
    if finish:
        earlier = ("forward", "loss", "backward", "total")
        stages.append(("finish", "gradients of the whole batch", earlier, finish))
    if system.updates:
        following = tuple(system.updates.values())
        stages.append(("buffers", "buffers' next values", ("forward", "loss"), following))
    if system.inference:
        stages.append(("inference", "outputs at inference", (), at[:-1]))
        stages.append(("metrics", "loss and metrics at inference", ("inference",), (at[-1], *system.metrics)))
    else:
        stages.append(("metrics", "metrics", ("forward", "loss", "total"), system.metrics))
    return stages


def _before_the_sum(system: System, split: BatchSplit | None, wanted: Sequence[str]) -> list[str]:
    """What a chunk computes of the wanted tensors: themselves, or what they need that a chunk has."""
    found: dict[str, None] = {}
    stack = list(reversed(wanted))
    while stack:
        name = stack.pop()
        if split is None or split.phase.get(name) != "after":
            found[name] = None
        else:
            reads = system.defining[name].read_names
            stack += [r for r in reversed(reads) if r in system.defining]
    return list(found)


PROGRAMS = Pass("programs", "kernels chosen, the rest fused into loop nests, for each stage", lowered)
WHOLE_STEP = Pass("whole_step", "a stage for all of outputs, loss and gradients", with_whole_step)
ROWS = Pass("scalar_replacement", "rows and variables in it, if it is worth its text", with_rows)
MEMORY = Pass("memory", "where each tensor lies", with_memory)
