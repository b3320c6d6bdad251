"""From when to when each buffer of a step is needed.

Enters: programs, in the orders in which they run together, and what must be left after each run. Leaves:
`Moment`s, and per run the stretch of moments over which a buffer holds something.
Must not know: where buffers lie, targets, what a stage is for.

At a moment everything that it reads and everything that it fills is in memory at once. A fused nest is one
moment for a target that runs it as one; for a vectorised target each of its statements is. A buffer that a
loop fills step by step is needed during the whole loop, scratch for one step only within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbp.ir.expr import Access, Index, accesses
from symbp.ir.system import Tensor
from symbp.lower.program import (
    Contraction,
    EquationKernel,
    Kernel,
    KernelGroup,
    MatrixKernel,
    Nest,
    Program,
    Scan,
)

Stretch = tuple[int, int]  # the first and the last moment of a run


@dataclass(frozen=True)
class Moment:
    """Work that is not divided: what it reads and fills, with the equations that do; the loops around it,
    outermost first, by a number.

    `kept` names what it fills that has a place for each step of some loop; `instead` the pairs (filled,
    read) in which the former may take the latter's memory, element by element.
    """

    reads: tuple[tuple[str, int], ...]
    fills: tuple[tuple[str, int], ...]
    loops: tuple[int, ...] = ()
    kept: tuple[tuple[str, int], ...] = ()
    instead: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """Stages that run one after the other, and the buffers that must be there afterwards."""

    name: str
    stages: tuple[str, ...]
    keeps: tuple[str, ...]


def moments(program: Program, *, fused: bool) -> tuple[Moment, ...]:
    """The moments of a program for a target that fuses nests, or for one that runs statement by statement
    and writes inline what the program marks so."""
    return tuple(_Walk(program, fused).of(program.kernels, ()))


class _Walk:
    """The walk over a program's kernels; it numbers the loops as it meets them."""

    def __init__(self, program: Program, fused: bool) -> None:
        self.tensors, self.fused, self.count = program.tensors, fused, 0
        self.inlined: dict[str, tuple[str, ...]] = {}  # what is written where it is used, and what that reads

    def of(self, kernels: Sequence[Kernel], loops: tuple[tuple[int, Index], ...]) -> Iterator[Moment]:
        for kernel in kernels:
            if isinstance(kernel, Scan):
                self.count += 1
                yield from self.of(kernel.body, (*loops, (self.count, kernel.index)))
            elif isinstance(kernel, KernelGroup):
                yield from self.of(kernel.body, loops)
            elif isinstance(kernel, Nest) and not self.fused:
                for statement in kernel.statements:
                    yield from self.statement(statement, loops)
            else:
                yield from self.kernel(kernel, loops)

    def statement(self, statement: EquationKernel, loops: tuple[tuple[int, Index], ...]) -> Iterator[Moment]:
        if statement.inline:
            self.inlined[statement.target] = self.through([access.name for access in statement.reads])
        else:
            yield self.together((statement,), loops, () if loops else self.replaceable(statement))

    def kernel(
        self, kernel: Contraction | MatrixKernel | Nest, loops: tuple[tuple[int, Index], ...]
    ) -> Iterator[Moment]:
        if isinstance(kernel, Nest):
            yield self.together(kernel.statements, loops, ())
        elif isinstance(kernel, Contraction) and kernel.inline and not self.fused:
            self.inlined[kernel.target] = self.through(kernel.reads)
        else:
            reads = tuple((name, kernel.number) for name in self.through(kernel.reads))
            place = kernel.place if isinstance(kernel, MatrixKernel) else ()
            kept = tuple((kernel.target, k) for k, index in loops if index in place)
            yield Moment(reads, ((kernel.target, kernel.number),), tuple(k for k, _ in loops), kept)

    def together(
        self,
        statements: Sequence[EquationKernel],
        loops: tuple[tuple[int, Index], ...],
        instead: tuple[tuple[str, str], ...],
    ) -> Moment:
        """The moment of statements in one nest."""
        reads: dict[str, int] = {}
        for s in statements:
            own = [s.target] if s.scaling else []
            reads.update(dict.fromkeys((*self.through([a.name for a in s.reads]), *own), s.number))
        fills = {s.target: s.number for s in statements}
        kept = tuple((s.target, k) for s in statements for k, index in loops if index in s.equation.indices)
        around = tuple(k for k, _ in loops)
        return Moment(tuple(reads.items()), tuple(fills.items()), around, kept, instead)

    def through(self, reads: Sequence[str]) -> tuple[str, ...]:
        """The names that are read, with those that inlined ones read in their place."""
        found = (inner for name in reads for inner in self.inlined.get(name, (name,)))
        return tuple(dict.fromkeys(found))

    def replaceable(self, statement: EquationKernel) -> tuple[tuple[str, str], ...]:
        """The buffers in whose place a map may put its results: it reads each only at its own element."""
        equation = statement.equation
        if equation.reduction is not None or statement.at or statement.scaling or not equation.indices:
            return ()
        target = self.tensors[statement.target]
        reads = [access for e in (equation.body, *equation.where) for access in accesses(e)]
        hidden = {inner for a in reads if a.name in self.inlined for inner in self.inlined[a.name]}
        names = [a.name for a in reads if a.name not in hidden and a.name not in self.inlined]
        found = []
        for name in dict.fromkeys(names):
            places = [access for access in reads if access.name == name]
            if _alike(target, self.tensors[name]) and all(_here(a, equation.indices) for a in places):
                found.append((statement.target, name))
        return tuple(found)


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.integer == other.integer and not other.role.is_leaf


def _here(access: Access, indices: tuple[Index, ...]) -> bool:
    return access.subscripts == indices and access.outside is None


@dataclass(frozen=True)
class Life:
    """The stretches of a buffer in each run in which it is met, and the equations of its first and last use
    (no last where it is kept)."""

    stretches: Mapping[str, tuple[Stretch, ...]]
    first: int
    last: int | None

    @property
    def text(self) -> str:
        """The equations of the first and last use in words."""
        if self.first == 0:  # it belongs to no equation
            return "always" if self.last is None else "in the update"
        return f"({self.first}) to {'the end' if self.last is None else f'({self.last})'}"

    def meets(self, other: Life) -> bool:
        """Whether both are needed at some moment of some run."""
        return any(
            a <= d and c <= b
            for run, own in self.stretches.items()
            for a, b in own
            for c, d in other.stretches.get(run, ())
        )

    def joined(self, later: Life) -> Life:
        """The life of two that share memory, one after the other."""
        runs = dict.fromkeys((*self.stretches, *later.stretches))
        both = {r: (*self.stretches.get(r, ()), *later.stretches.get(r, ())) for r in runs}
        return Life(both, self.first, later.last)


def lives(stages: Mapping[str, tuple[Moment, ...]], runs: Sequence[Run]) -> dict[str, Life]:
    """The life of everything that the stages fill."""
    found: dict[str, dict[str, tuple[Stretch, ...]]] = {}
    for run in runs:
        for name, stretch in _stretches(run, stages).items():
            found.setdefault(name, {})[run.name] = (stretch,)
    kept = {name for run in runs for name in run.keeps}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for moment in (m for stage in stages.values() for m in stage):
        for name, number in moment.fills:
            first.setdefault(name, number)
        for name, number in (*moment.fills, *moment.reads):
            last[name] = max(last.get(name, 0), number)
    return {
        name: Life(stretches, first[name], None if name in kept else last[name])
        for name, stretches in found.items()
    }


def _stretches(run: Run, stages: Mapping[str, tuple[Moment, ...]]) -> dict[str, Stretch]:
    """From the first to the last moment of each buffer in a run, loops taken whole where they must be."""
    sequence = [(stage, moment) for stage in run.stages for moment in stages[stage]]
    filled = {name for _, moment in sequence for name, _ in moment.fills}
    touched: dict[str, list[int]] = {}
    loops: dict[tuple[str, int], list[int]] = {}
    kept: set[tuple[str, str, int]] = set()
    for k, (stage, moment) in enumerate(sequence):
        for name, _ in (*moment.reads, *moment.fills):
            if name in filled:
                touched.setdefault(name, []).append(k)
        for around in moment.loops:
            loops.setdefault((stage, around), []).append(k)
        kept |= {(name, stage, around) for name, around in moment.kept}
    found = {}
    for name, places in touched.items():
        first, last = places[0], places[-1]
        fresh = name in dict(sequence[first][1].fills)
        for loop, inside in loops.items():
            a, b = inside[0], inside[-1]
            within = a <= first and last <= b
            if first <= b and a <= last and not (within and fresh and (name, *loop) not in kept):
                first, last = min(first, a), max(last, b)
        found[name] = (first, len(sequence) if name in run.keeps else last)
    return found


def at_moments(
    uses: Sequence[tuple[str, int]], stages: Mapping[str, tuple[Moment, ...]], runs: Sequence[Run]
) -> Life:
    """The life of what holds something at some moments only: a stage and a number each."""
    stretches: dict[str, tuple[Stretch, ...]] = {}
    for run in runs:
        starts = _starts(run, stages)
        found = sorted(starts[stage] + k for stage, k in uses if stage in starts)
        if found:
            stretches[run.name] = tuple((k, k) for k in found)
    numbers = [n for stage, k in uses for _, n in stages[stage][k].fills] or [0]
    return Life(stretches, min(numbers), max(numbers))


def always(stages: Mapping[str, tuple[Moment, ...]], runs: Sequence[Run]) -> Life:
    """The life of what never changes."""
    spans = {run.name: ((-1, sum(len(stages[stage]) for stage in run.stages)),) for run in runs}
    return Life(spans, 0, None)


def successions(
    stages: Mapping[str, tuple[Moment, ...]], runs: Sequence[Run], found: Mapping[str, Life]
) -> dict[str, str]:
    """Which buffer may take which other's place: filled, element by element, when that is last read."""
    taken: dict[str, str] = {}
    for stage, sequence in stages.items():
        for k, moment in enumerate(sequence):
            for new, old in moment.instead:
                if new in taken or old in taken.values() or old not in found or new not in found:
                    continue
                met = [_starts(run, stages)[stage] + k for run in runs if stage in run.stages]
                names = [run.name for run in runs if stage in run.stages]
                last = [found[old].stretches[name][-1][1] for name in names]
                first = [found[new].stretches[name][0][0] for name in names]
                elsewhere = found[new].stretches.keys() - set(names)
                if last == met == first and not elsewhere:
                    taken[new] = old
    return taken


def _starts(run: Run, stages: Mapping[str, tuple[Moment, ...]]) -> dict[str, int]:
    """The number of the first moment of each stage of a run."""
    found, start = {}, 0
    for stage in run.stages:
        found[stage] = start
        start += len(stages[stage])
    return found
