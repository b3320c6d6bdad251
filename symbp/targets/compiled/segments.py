"""The stages of a training step as programs: outputs, loss, gradients, metrics.

Enters: a derivation. Leaves: `Segment`s, each computing what the earlier ones have not.
Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbp.codegen.printer import listed
from symbp.derive.derivation import Derivation
from symbp.errors import GenerationError
from symbp.ir.axes.examples import examples
from symbp.ir.expr import Expr, JumpFunction, Size, free_sizes
from symbp.ir.printer import expression_text
from symbp.ir.sizes.canonical import solved_for
from symbp.ir.system import Role, System, Tensor
from symbp.ir.training import Initial
from symbp.lower import Program
from symbp.lower.passes.batch_split import BatchSplit

GIVEN = (Role.INPUT, Role.TARGET, Role.BUFFER, Role.RANDOM)  # arrays that stages read beside parameters
STANDALONE = ("forward", "inference")  # stages that need no other
AT_ONCE = ("forward", "loss", "backward")  # stages that one, STEP, stands for in a training step
AFTER = ("total", "finish", "buffers")  # the stages of a training step that follow
STEP = "forward_and_backward"


@dataclass(frozen=True)
class Segment:
    """One stage: `forward`, `loss`, `backward`, `buffers` (their next values), `inference` (the outputs,
    where anything differs there) or `metrics` (then with the loss at inference); `forward_and_backward`
    stands for the first three in a training step. `wanted` is what it is there for."""

    name: str
    title: str
    program: Program
    wanted: tuple[str, ...] = ()

    def leaves(self, *roles: Role) -> tuple[Tensor, ...]:
        return tuple(t for t in self.program.leaves if t.role in roles)

    @cached_property
    def computed_before(self) -> tuple[Tensor, ...]:
        """The tensors of earlier stages that this one reads."""
        return tuple(t for t in self.program.leaves if not t.role.is_leaf)


@dataclass(frozen=True)
class LoweredNetwork:
    """What a target needs to know of a derivation, with sizes bound, the values of its constants, and those
    at which its buffers start; `fitted` are the buffers that start from the training data. With `split` the
    stages compute some rows of the batch; what needs all of them, once their parts are added, is in stages of
    its own, `total` (the loss) and `finish` (gradients). With `blocks` they compute some rows along the
    leading axes of the data."""

    derivation: Derivation
    sizes: dict[str, int]
    segments: tuple[Segment, ...]
    constants: dict[str, float] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    fitted: dict[str, Initial] = field(default_factory=dict)
    split: BatchSplit | None = None
    blocks: tuple[BatchSplit, ...] = ()

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
    def stopped(self) -> tuple[str, ...]:
        """The parameters on which values rest that count as constants in the loss; but for steps, which stay
        where they are when a parameter moves a little, and for reductions: on the shift of a logsumexp no
        value depends."""
        system = self.derivation.declared
        needed = system.resting([system.loss] if system.loss else [])
        stopped = [e for e in system.equations if e.constant and e.target in needed]
        held = [e for e in stopped if e.reduction is None and not isinstance(e.body, JumpFunction)]
        resting = system.resting(name for e in held for name in e.read_names)
        return tuple(p.name for p in self.parameters if p.name in resting)

    @cached_property
    def random_at_inference(self) -> tuple[Tensor, ...]:
        """The random tensors that predictions and metrics read."""
        read = {name for s in self.measuring for name in s.program.tensors}
        return tuple(t for t in self.system.random if t.name in read)

    @cached_property
    def measuring(self) -> tuple[Segment, ...]:
        """The stages that evaluate, in order."""
        wanted = (
            ("inference", "metrics") if self.system.inference else ("forward", "loss", "total", "metrics")
        )
        return tuple(s for s in self.segments if s.name in wanted)

    @cached_property
    def by_rows(self) -> dict[str, Tensor]:
        """The parameters that have a row for each example, and their gradients, with the parameter: a chunk
        is given its rows of them."""
        axes = {} if self.split is None else self.split.axis
        found = {p.name: p for p in self.parameters if p.name in axes}
        return found | {self.derivation.gradients[name]: p for name, p in found.items()}

    def rows_of(self, segment: Segment) -> tuple[str, ...]:
        """The parameters and gradients by rows that a stage reads or fills."""
        return tuple(name for name in self.by_rows if name in segment.program.tensors)

    def given_to(self, segment: Segment) -> tuple[Tensor, ...]:
        """The arrays that a stage is given; outputs also those that alone show a size."""
        shown = self.forward_data if segment.name in STANDALONE else ()
        read = {t.name for t in segment.leaves(*GIVEN)}
        return tuple(t for t in self.given if t.name in read or t.name in shown)

    @cached_property
    def forward_data(self) -> tuple[str, ...]:
        """What the outputs need: the arrays that their equations read, and those that alone show a size."""
        programs = [s.program for s in self.segments if s.name in STANDALONE]
        leaves = {t.name for program in programs for t in program.leaves}
        read = [t for t in self.data if t.name in leaves]
        shown = (*read, *self.parameters)
        numbers = sorted({number for program in programs for number in program.numbers})
        equations = [self.system.equations[number - 1] for number in numbers]
        mentioned = [x for e in equations for x in (*e.ranges, e.body, *e.where)]
        mentioned += [x for p in programs for tensor in p.tensors.values() for x in tensor.shape]
        sizes = {size.name for x in mentioned for size in free_sizes(x)}
        for size in self.open_sizes:
            found = self.witness(size, self.data) or self.solved_sizes.get(size)
            if size in sizes and self.witness(size, shown) is None and found and found[0] not in read:
                read.append(found[0])
        return tuple(t.name for t in self.data if t in read)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Everything that the stages fill, in the order in which they do."""
        return tuple(dict.fromkeys(t for segment in self.segments for t in segment.program.stored))

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The stages of a training step, in order."""
        found = [s.name for s in self.segments]
        first = (STEP,) if STEP in found else AT_ONCE
        return tuple(name for name in (*first, *AFTER) if name in found)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        return self.system.metrics

    @cached_property
    def open_sizes(self) -> tuple[str, ...]:
        return tuple(name for name in self.system.sizes if name not in self.sizes)

    @cached_property
    def shaping(self) -> tuple[str, ...]:
        """The open sizes that shape parameters."""
        found = {size.name for p in self.parameters for e in p.shape for size in free_sizes(e)}
        return tuple(name for name in self.open_sizes if name in found)

    @cached_property
    def stage_sizes(self) -> tuple[str, ...]:
        """The sizes that stages are told: the open ones, after the rows of a chunk or block where there are
        any."""
        splits = self.blocks if self.split is None else (self.split,)
        return (*(s.rows.name for s in splits), *self.open_sizes)

    @cached_property
    def batch(self) -> str | None:
        """The open size along the first axis of the data."""
        for tensor in self.data:
            first = tensor.shape[0] if tensor.shape else None
            if isinstance(first, Size) and first.name in self.open_sizes:
                return str(first.name)
        return None

    @cached_property
    def examples(self) -> str | None:
        """The open size that counts examples, which training shuffles and takes in batches."""
        return examples(self.derivation.declared, self.open_sizes)

    def witness(self, size: str, among: tuple[Tensor, ...]) -> tuple[Tensor, int] | None:
        """A tensor and an axis that show the value of an open size."""
        for tensor in among:
            for axis, extent in enumerate(tensor.shape):
                if extent == Size(size):
                    return tensor, axis
        return None

    @cached_property
    def solved_sizes(self) -> dict[str, tuple[Tensor, int, Expr, Expr]]:
        """The open sizes that no axis shows as they are: a tensor and an axis of times·size + rest elements,
        each in terms of sizes that are known before it.

        Raises GenerationError where no axis says a size that shapes something.
        """
        found: dict[str, tuple[Tensor, int, Expr, Expr]] = {}
        left = [n for n in self.open_sizes if self.witness(n, (*self.parameters, *self.data)) is None]
        shaping = {s.name for t in self.system.tensors for e in t.shape for s in free_sizes(e)}
        shaping |= {s.name for e in self.system.equations for x in e.ranges for s in free_sizes(x)}
        while left:
            solved = next(((n, way) for n in left if (way := self._solved(n, left))), None)
            if solved is None:
                break
            found[solved[0]] = solved[1]
            left.remove(solved[0])
        silent = next((name for name in left if name in shaping), None)
        if silent is not None:
            raise GenerationError(
                f"no array that the module is given says the value of the size {silent}",
                details=tuple(
                    f"{t.name}: ({', '.join(map(expression_text, t.shape))})"
                    for t in (*self.parameters, *self.data)
                    if any(Size(silent) in free_sizes(e) for e in t.shape)
                ),
                help=f'give its value: sizes={{"{silent}": …}}',
            )
        return found

    @property
    def known_sizes(self) -> frozenset[str]:
        """The sizes whose values are given, or said by an array."""
        given = (*self.parameters, *self.data)
        shown = {n for n in self.open_sizes if n in self.solved_sizes or self.witness(n, given)}
        return frozenset({*self.sizes, *shown})

    def _solved(self, size: str, unknown: Sequence[str]) -> tuple[Tensor, int, Expr, Expr] | None:
        others = {Size(name) for name in unknown if name != size}
        for tensor in (*self.parameters, *self.data):
            for axis, extent in enumerate(tensor.shape):
                way = solved_for(extent, Size(size))
                if way is not None and not others & free_sizes(extent):
                    return tensor, axis, *way
        return None

    @cached_property
    def conditions(self) -> tuple[tuple[Expr, Expr], ...]:
        """What open sizes must obey. Raises GenerationError where the values of sizes break one."""
        known = {Size(name): sympy.Integer(value) for name, value in self.sizes.items()}
        open_: list[tuple[Expr, Expr]] = []
        for one, other in self.system.conditions:
            if not free_sizes(one) | free_sizes(other) <= known.keys():
                open_.append((one, other))
            elif one.xreplace(known) != other.xreplace(known):
                raise GenerationError(
                    f"the network needs {expression_text(one)} = {expression_text(other)}",
                    details=(f"but they are {one.xreplace(known)} and {other.xreplace(known)}",),
                    help="give sizes that obey it",
                )
        return tuple(open_)

    @property
    def solving(self) -> bool:
        """Whether sizes stand in formulas, or must obey a condition."""
        shown = {n for n in self.open_sizes if self.witness(n, self.parameters)}
        later = {
            s.name
            for p in self.parameters
            for e in p.shape
            for s in free_sizes(e)
            if s.name in self.open_sizes
        } - shown  # the data tell, after the shapes of parameters were checked
        return bool(self.solved_sizes or self.conditions or later)


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


def equation_range(segment: Segment) -> str:
    """The numbers of a stage's equations in words: `equations (1) to (8)`."""
    numbers = segment.program.numbers
    return f"equation{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def product_of(shape: tuple[Expr, ...]) -> Expr:
    """The number of elements of a shape."""
    return sympy.expand(sympy.Mul(*shape))
