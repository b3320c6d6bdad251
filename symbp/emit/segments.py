"""The stages of a training step as programs: outputs, loss, gradients, metrics.

Enters: a derivation. Leaves: `Segment`s, each computing what the earlier ones have not.
Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbp.derive.derivation import Derivation
from symbp.errors import GenerationError, LoweringError
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.system import Role, System, Tensor
from symbp.ir.training import Initial
from symbp.lower import Program, lower

GIVEN = (Role.INPUT, Role.TARGET, Role.BUFFER, Role.RANDOM)  # arrays that stages read beside parameters
STANDALONE = ("forward", "inference")  # stages that need no other


@dataclass(frozen=True)
class Segment:
    """One stage: `forward`, `loss`, `backward`, `buffers` (their next values), `inference` (the outputs,
    where anything differs there) or `metrics` (then with the loss at inference)."""

    name: str
    title: str
    program: Program

    def leaves(self, *roles: Role) -> tuple[Tensor, ...]:
        return tuple(t for t in self.program.leaves if t.role in roles)

    @cached_property
    def computed_before(self) -> tuple[Tensor, ...]:
        """The tensors of earlier stages that this one reads."""
        return tuple(t for t in self.program.leaves if not t.role.is_leaf)


@dataclass(frozen=True)
class Network:
    """What a target needs to know of a derivation, with sizes bound, the values of its constants, and those
    at which its buffers start."""

    derivation: Derivation
    sizes: dict[str, int]
    segments: tuple[Segment, ...]
    constants: dict[str, float] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)

    @property
    def system(self) -> System:
        return self.derivation.system

    @cached_property
    def parameters(self) -> tuple[Tensor, ...]:
        return self.system.parameters

    @cached_property
    def data(self) -> tuple[Tensor, ...]:
        return self.system.with_role(Role.INPUT, Role.TARGET)

    @cached_property
    def given(self) -> tuple[Tensor, ...]:
        """Every array that the stages are given beside parameters: data, buffers, random tensors."""
        return (*self.data, *self.buffers, *self.system.random)

    @cached_property
    def buffers(self) -> tuple[Tensor, ...]:
        return self.system.with_role(Role.BUFFER)

    @cached_property
    def random_at_inference(self) -> tuple[Tensor, ...]:
        """The random tensors that predictions and metrics read."""
        read = {name for s in self.measuring for name in s.program.tensors}
        return tuple(t for t in self.system.random if t.name in read)

    @cached_property
    def measuring(self) -> tuple[Segment, ...]:
        """The stages that evaluate, in order."""
        wanted = ("inference", "metrics") if self.system.inference else ("forward", "loss", "metrics")
        return tuple(s for s in self.segments if s.name in wanted)

    def given_to(self, segment: Segment) -> tuple[Tensor, ...]:
        """The arrays that a stage is given; outputs also those that alone show a size."""
        shown = self.forward_data if segment.name in STANDALONE else ()
        read = segment.leaves(*GIVEN)
        return tuple(t for t in self.given if t in read or t.name in shown)

    @cached_property
    def forward_data(self) -> tuple[str, ...]:
        """What the outputs need: the arrays that their equations read, and those that alone show a size."""
        programs = [s.program for s in self.segments if s.name in STANDALONE]
        leaves = {t for program in programs for t in program.leaves}
        read = [t for t in self.data if t in leaves]
        shown = (*read, *self.parameters)
        numbers = sorted({number for program in programs for number in program.numbers})
        equations = [self.system.equations[number - 1] for number in numbers]
        mentioned = [x for e in equations for x in (*e.ranges, e.body, *e.where)]
        mentioned += [x for p in programs for tensor in p.tensors.values() for x in tensor.shape]
        sizes = {size.name for x in mentioned for size in free_sizes(x)}
        for size in self.open_sizes:
            found = self.witness(size, self.data)
            if size in sizes and self.witness(size, shown) is None and found and found[0] not in read:
                read.append(found[0])
        return tuple(t.name for t in self.data if t in read)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Everything that the stages fill, in the order in which they do."""
        return tuple(dict.fromkeys(t for segment in self.segments for t in segment.program.buffers))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        return self.system.metrics

    @cached_property
    def parameter_sizes(self) -> tuple[str, ...]:
        """The sizes that shape parameters, in order of appearance."""
        found: dict[str, None] = {}
        for tensor in self.parameters:
            for extent in tensor.shape:
                found |= dict.fromkeys(sorted(s.name for s in extent.atoms(Size)))
        return tuple(found)

    @cached_property
    def open_sizes(self) -> tuple[str, ...]:
        return tuple(name for name in self.system.sizes if name not in self.sizes)

    def witness(self, size: str, among: tuple[Tensor, ...]) -> tuple[Tensor, int] | None:
        """A tensor and an axis that show the value of an open size."""
        for tensor in among:
            for axis, extent in enumerate(tensor.shape):
                if extent == Size(size):
                    return tensor, axis
        return None


def network(
    derivation: Derivation,
    sizes: dict[str, int],
    hyper: Mapping[str, float] | None = None,
    initial: Mapping[str, Initial] | None = None,
) -> Network:
    """The stages of a training step. Raises LoweringError for what no stage expresses, GenerationError for
    a hyperparameter that `hyper` gives no value."""
    system = derivation.system
    constants = known_constants(system, hyper or {})
    if system.loss is None:
        raise LoweringError("a system without a loss has no training step")
    for parameter in system.parameters:
        if parameter.name not in derivation.gradients:
            raise GenerationError(
                f"the derivation holds no gradient of the parameter {parameter.name}",
                help="a training module needs the gradients of all parameters: derive without wrt",
            )
    gradients = list(dict.fromkeys(derivation.gradients[p.name] for p in system.parameters))
    bound = {**system.bound, **sizes}
    at = [system.inference.get(name, name) for name in (*system.outputs, system.loss)]
    stages = [
        ("forward", "outputs", (), system.outputs),
        ("loss", "loss", ("forward",), (system.loss,)),
        ("backward", "gradients", ("forward", "loss"), gradients),
    ]
    if system.updates:
        following = tuple(system.updates.values())
        stages.append(("buffers", "buffers' next values", ("forward", "loss"), following))
    if system.inference:
        stages.append(("inference", "outputs at inference", (), at[:-1]))
        stages.append(("metrics", "loss and metrics at inference", ("inference",), (at[-1], *system.metrics)))
    else:
        stages.append(("metrics", "metrics", ("forward", "loss"), system.metrics))
    segments: list[Segment] = []
    for name, title, after, wanted in stages:
        before = [t.name for s in segments if s.name in after for t in s.program.buffers]
        program = lower(system, [w for w in dict.fromkeys(wanted) if w not in before], before)
        segments.append(Segment(name, title, program))
    known = {name: bound[name] for name in system.sizes if name in bound}
    starts = {t.name: (initial or {}).get(t.name, Initial("constant")) for t in system.with_role(Role.BUFFER)}
    values = {name: float(start.scale + start.shift) for name, start in starts.items()}
    return Network(derivation, known, tuple(segments), constants, values)


def known_constants(system: System, hyper: Mapping[str, float]) -> dict[str, float]:
    """The values of a system's hyperparameters. Raises GenerationError for one that has none."""
    named = system.with_role(Role.HYPER)
    for tensor in named:
        if tensor.name not in hyper:
            raise GenerationError(
                f"the hyperparameter {tensor.name} has no value",
                where=tensor.origin,
                help=f'give it one where it is declared: bp.hyper("{tensor.name}", 0.1)',
            )
    return {tensor.name: float(hyper[tensor.name]) for tensor in named}


def product_of(shape: tuple[Expr, ...]) -> Expr:
    """The number of elements of a shape."""
    return sympy.expand(sympy.Mul(*shape))
