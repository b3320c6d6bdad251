"""The states between the passes of a module made of stages: equations, a program for each stage, lines, text.

Enters: a state. Leaves: its text, its validator's judgement, and the values that it computes at a point.
Must not know: targets, passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from symbp.codegen.carry import own_names
from symbp.codegen.function import Function
from symbp.codegen.validate import check_names
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.printer import equation_text
from symbp.ir.system import System
from symbp.ir.validate import validate as validate_system
from symbp.lower.interpret import run as run_programs
from symbp.lower.memory.plan import MemoryPlan
from symbp.lower.memory.plan import validate as validate_memory
from symbp.lower.passes.batch_split import BatchSplit
from symbp.lower.passes.common_subexpressions import Shared
from symbp.lower.validate import validate as validate_program
from symbp.targets.compiled.names import PREFIX, Names
from symbp.targets.compiled.sections.tables import globals_of
from symbp.targets.compiled.segments import LoweredNetwork
from symbp.targets.loading import load
from symbp.targets.target import Order


@dataclass(frozen=True)
class Equations:
    """A network's equations on their way to programs, with their numbers. `network` has no stages yet; with
    `split` the equations are those of a chunk, with `blocks` those of some rows; `turned` says that arrays
    have their batch last."""

    order: Order
    network: LoweredNetwork
    base: Shared
    split: BatchSplit | None = None
    blocks: tuple[BatchSplit, ...] = ()
    turned: bool = False

    @property
    def system(self) -> System:
        """That from which programs are made."""
        if self.split is not None:
            return self.split.system
        return self.blocks[-1].system if self.blocks else self.base.system

    def __str__(self) -> str:
        numbers = self.base.numbers
        rows = [f"({numbers[e.target]}) {equation_text(e)}" for e in self.system.equations]
        splits = [self.split] if self.split is not None else self.blocks
        return "\n".join([*rows, *map(str, splits)])


@dataclass(frozen=True)
class Programs:
    """A program for each stage of the network; `base` is what they were made of, `memory` where their tensors
    lie, once that is known."""

    order: Order
    network: LoweredNetwork
    base: Equations
    memory: MemoryPlan | None = None

    def __str__(self) -> str:
        stages = [f"{s.name}: {s.title}\n{s.program}" for s in self.network.segments]
        return "\n\n".join([*stages, *([] if self.memory is None else [str(self.memory)])])


@dataclass(frozen=True)
class Lines:
    """Functions of the network as lines, and what they call of the runtime; `allocating` are lines that make
    arrays."""

    order: Order
    network: LoweredNetwork
    names: Names
    functions: tuple[Function, ...]
    called: frozenset[str]
    memory: MemoryPlan | None = None
    allocating: tuple[str, ...] = ()

    def __str__(self) -> str:
        found = []
        for function in self.functions:
            body = [f"    {line}" if line else "" for line in function.lines]
            found.append("\n".join([*function.decorators, *function.header, *body]))
        return "\n\n".join([*found, *([] if self.memory is None else [str(self.memory)])])


def validate(state: Any, before: Any = None) -> None:
    """Raises InvalidSystem, LoweringError or InvalidTree where a state breaks a rule of its level, and
    SyntaxError where a text is none of Python. Parts that are those of the state before have been judged."""
    judged = {id(part) for part, _ in _parts(before)}
    for part, judge in _parts(state):
        if id(part) not in judged:
            judge(part)


def _parts(state: Any) -> list[tuple[Any, Callable[[Any], None]]]:
    """What a state is made of, and the rules that each part must obey."""
    found: list[tuple[Any, Callable[[Any], None]]] = []
    if isinstance(state, Equations):
        found.append((state.system, _of_training if state.split is not None else validate_system))
    elif isinstance(state, Programs):
        found += [(segment.program, validate_program) for segment in state.network.segments]
    elif isinstance(state, Lines):
        found += [(function, _names_of(state)) for function in state.functions]
    elif isinstance(state, str):
        found.append((state, _compiles))
    if isinstance(state, (Programs, Lines)) and state.memory is not None:
        found.append((state.memory, validate_memory))
    return found


def _of_training(system: System) -> None:
    """Chunks are of training alone: what stands for it at inference is whole."""
    validate_system(system.with_(inference={}))


def _names_of(state: Lines) -> Callable[[Function], None]:
    """The rule that a function uses what it is given, what it makes, and what stands in its module."""
    net = state.network
    every = {"np", "math", *own_names(), *(f.name for f in state.functions), *net.sizes}
    every |= globals_of(net.constants)

    def judge(function: Function) -> None:
        check_names(function.body, every | set(function.arguments))

    return judge


def lengths(state: Lines) -> dict[str, int]:
    """A value for each size, at which the shapes in lines are compared."""
    net = state.network
    found = {**sample_sizes(net.system), **net.sizes}
    splits = [net.split] if net.split is not None else net.blocks
    return found | {split.rows.name: found[split.size.name] for split in splits}


def _compiles(text: str) -> None:
    compile(text, "<module>", "exec")


# --- values
def gradients(
    state: Any, values: Mapping[str, Any], sizes: Mapping[str, int], text: Callable[[Any], str]
) -> dict[str, Any] | None:
    """The loss and the gradients that a state computes; `text` puts a module around lines."""
    if isinstance(state, str):
        return _of_module(load(state, "bisected"), values)
    if isinstance(state, Lines):
        return gradients(text(state), values, sizes, text)
    derivation, loss = state.network.derivation, _loss(state)
    if isinstance(state, Equations):
        point = Run(state.system, values, _sizes_of(state, sizes))
        wanted = dict.fromkeys((*derivation.gradients.values(), *([loss] if loss else [])))
        computed = {name: point.tensor(name) for name in wanted}
    else:
        programs = [s.program for s in state.network.segments if s.name in state.network.steps]
        at = _sizes_of(state.base, sizes)
        computed = run_programs(programs, values, at, state.memory)
    found = {key: computed[name] for key, name in derivation.gradients.items()}
    return found if loss is None else {**found, "": computed[loss]}


def _loss(state: Equations | Programs) -> str | None:
    """The name of the loss, where a module trains."""
    return state.network.system.loss if state.order.update is not None else None


def _sizes_of(state: Equations, sizes: Mapping[str, int]) -> dict[str, int]:
    """The values of the sizes as the state calls them; a chunk or block has all rows."""
    found = {**state.system.bound, **sizes, **{f"{PREFIX}{name}": n for name, n in sizes.items()}}
    splits = [state.split] if state.split is not None else state.blocks
    return found | {split.rows.name: found[split.size.name] for split in splits}


def apart(text: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the text of a module that trains finds where no two arrays share memory, whatever its plan says;
    a module of derivatives has no such run."""
    module = load(text, "bisected")
    if not hasattr(module, "loss_and_gradients"):
        return None
    params, sizes = module._as_arena(_given(module, "PARAMETERS", values))
    inputs = module._checked(_given(module, "INPUTS", values), tuple(module.INPUTS), sizes)
    buffers, masks = (_given(module, table, values) for table in ("BUFFERS", "RANDOM"))
    data = module._given(inputs, buffers or None, sizes, seed=0, masks=masks or None)
    found = params.like()
    tensors = module._differentiate(params, found, data, sizes, apart=True)
    return {"": float(tensors[module.LOSS]), **found}


def _given(module: ModuleType, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of what a table of a module lists, if it has that table."""
    return {name: np.asarray(values[name]) for name in getattr(module, table, ())}


def _of_module(module: ModuleType, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a module that trains, or one of derivatives, finds at a point."""
    params, inputs = (_given(module, table, values) for table in ("PARAMETERS", "INPUTS"))
    if not hasattr(module, "loss_and_gradients"):
        return dict(module.derivatives(params, **inputs))
    more = {"buffers": _given(module, "BUFFERS", values), "masks": _given(module, "RANDOM", values)}
    more = {name: arrays for name, arrays in more.items() if arrays}
    loss, found = module.loss_and_gradients(params, **more, **inputs)
    return {"": loss, **found}
