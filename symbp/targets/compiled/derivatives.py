"""Programs for derivatives and nothing else: Hessians, products with them, Jacobians.

Enters: `Equations` of an order without an update. Leaves: `Programs`. Must not know: training, targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symbp.codegen.carry import own_names
from symbp.ir.expr import free_sizes
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
