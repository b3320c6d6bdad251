"""Programs for derivatives and nothing else: Hessians, products with them, Jacobians.

Enters: `Equations` of an order without an update. Leaves: `Programs`. Must not know: training, targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symbp.codegen.carry import own_names
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.system import Tensor
from symbp.lower import lower
from symbp.targets.compiled.equations import FORMULA_SIZES, NUMBERED
from symbp.targets.compiled.levels import Equations, Programs
from symbp.targets.compiled.names import LOCALS, Names, names_for
from symbp.targets.compiled.sections.tables import globals_of
from symbp.targets.compiled.segments import GIVEN, LoweredNetwork, Segment
from symbp.targets.target import Pass


@dataclass(frozen=True)
class Wanted(LoweredNetwork):
    """The stages `forward` and `derivatives`; data and open sizes are only those that they need."""

    @cached_property
    def steps(self) -> tuple[str, ...]:
        return ("forward", "derivatives")

    @cached_property
    def data(self) -> tuple[Tensor, ...]:
        """What is read, and what alone shows a size that is calculated with, N in a factor N/(N − 1)."""
        leaves = self.system.with_role(*GIVEN)
        names = {t.name for s in self.segments for t in s.leaves(*GIVEN)}
        read = [t for t in leaves if t.name in names]
        for size in self._counted:
            if size in self.sizes or any(Size(size) in _sizes(t) for t in (*read, *self.parameters)):
                continue
            showing = self.witness(size, leaves)
            found = showing[0] if showing else next((t for t in leaves if Size(size) in _sizes(t)), None)
            read += [found] if found is not None else []
        return tuple(t for t in leaves if t in read)

    @cached_property
    def given(self) -> tuple[Tensor, ...]:
        """Buffers and random tensors come in as data do: nothing is drawn, and nothing changes."""
        return self.data

    @cached_property
    def open_sizes(self) -> tuple[str, ...]:
        shown = {size.name for t in (*self.data, *self.parameters) for size in _sizes(t)}
        return tuple(
            n for n in self.system.sizes if (n in shown or n in self._counted) and n not in self.sizes
        )

    @cached_property
    def _counted(self) -> dict[str, None]:
        """The sizes that the stages calculate with or run over."""
        numbers = {number for s in self.segments for number in s.program.numbers}
        equations = [self.system.equations[k - 1] for k in sorted(numbers)]
        mentioned = [x for e in equations for x in (*e.ranges, e.body, *e.where)]
        mentioned += [x for t in self.tensors for x in t.shape]
        found = {size.name for x in mentioned for size in free_sizes(x)}
        return {name: None for name in self.system.sizes if name in found}


def _sizes(tensor: Tensor) -> set[Expr]:
    return {size for extent in tensor.shape for size in free_sizes(extent)}


def lowered(state: Equations) -> Programs:
    """The outputs, and what else the derivatives need."""
    net, system = state.network, state.system
    outputs = lower(system, list(system.outputs))
    done = [t.name for t in outputs.buffers]
    results = [name for name in dict.fromkeys(net.derivation.gradients.values()) if name not in done]
    segments = (
        Segment("forward", "outputs", outputs),
        Segment("derivatives", "derivatives", lower(system, results, done)),
    )
    return Programs(state.order, Wanted(net.derivation, net.sizes, segments, net.constants), state)


def names_of(net: LoweredNetwork) -> Names:
    """The identifiers of a network's tensors."""
    tensors = [t.name for t in (*net.system.tensors, *net.tensors)]
    reserved = LOCALS | own_names() | globals_of(net.constants)
    return names_for(dict.fromkeys(tensors), net.system.sizes, reserved)


PROGRAMS = Pass("programs", "kernels chosen, the rest fused into loop nests, for each stage", lowered)
BEFORE = (NUMBERED, FORMULA_SIZES, PROGRAMS)
"""With which a module of derivatives begins."""
