"""A recurrence with some of its steps side by side, in the place of its loop.

Enters: a graph, the reading that it comes from, a number of steps. Leaves: a graph without loops.
Must not know: places, formats.

Each tensor that has the axis along which a recurrence runs is copied, `h@0`, `h@1`; a weight that all steps
share is one node, to which all steps' contributions flow. What reads one step only, the last, reads that
copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import sympy

from symbp.errors import UsageError
from symbp.explain.drawing.graph import Adjoint, Edge, Flow, Graph, Node, forward_equations
from symbp.explain.drawing.loops import delays
from symbp.ir.expr import Access, Expr, Index, accesses
from symbp.ir.system import Equation, System
from symbp.read.reading import Reading

Pair = tuple[int | None, int | None]  # the steps of the reader and of what it reads; None: it has none


def unrolled(graph: Graph, reading: Reading, steps: int) -> Graph:
    """The graph with so many steps of its recurrences.

    Raises UsageError: there is none, or fewer than two steps.
    """
    system, drawn = reading.derivation.system, forward_equations(reading)
    axes = _axes(system, drawn)
    if not axes:
        raise UsageError(
            "the network has no recurrence to unroll", help="draw it as it is: leave the steps out"
        )
    if steps < 2:
        raise UsageError(f"a recurrence has at least 2 steps, not {steps}")
    letter, first = _letter(reading, drawn, axes), reading.origin.first
    return _Unrolling(graph, system, drawn, axes, steps, letter, first).graph()


def _axes(system: System, drawn: Mapping[str, Equation]) -> dict[str, int]:
    """Along which axis the steps lie, of each tensor that has one: of the recurrences', and of those whose
    equations read or are read at the same step."""
    found = {n: a for r in delays(system, drawn).recurrences if not r.inner for n, a in r.axis.items()}
    if not found:
        return found
    size = len(found) - 1
    while size < len(found):
        size = len(found)
        for equation in drawn.values():
            for access in equation.reads:
                if equation.target in found:
                    index = equation.indices[found[equation.target]]
                    at = [k for k, s in enumerate(access.subscripts) if _shift(s, index) is not None]
                    if at:
                        found.setdefault(access.name, at[0])
                elif access.name in found:
                    there = access.subscripts[found[access.name]]
                    if there in equation.indices:
                        found[equation.target] = equation.indices.index(there)
    return found


def _shift(subscript: Expr, index: Expr) -> int | None:
    """How far a subscript is from another one, if that is a number."""
    difference = sympy.expand(subscript - index)
    return int(difference) if difference.is_Integer else None


def _letter(reading: Reading, drawn: Mapping[str, Equation], axes: Mapping[str, int]) -> str:
    """What the page calls the steps: t."""
    equation = next(drawn[name] for name in axes if name in drawn)
    index = equation.indices[axes[equation.target]]
    return str(reading.lettering.of(equation).get(index, index).name)


@dataclass(frozen=True)
class _Unrolling:
    before: Graph
    system: System
    drawn: Mapping[str, Equation]
    axes: Mapping[str, int]
    steps: int
    letter: str
    first: int

    def graph(self) -> Graph:
        nodes = [copy for node in self.before.nodes for copy in self.copies(node)]
        edges: dict[Edge, None] = {}
        for edge in self.before.edges:
            for there, here in self.pairs(edge.reader, edge.read, edge.delay):
                edges.setdefault(Edge(_copy(edge.read, here), _copy(edge.reader, there)))
        flows = [f for flow in self.before.flows for f in self.flows(flow)]
        reached = {name for f in flows for name in (f.read, f.reader)}
        adjoints = []
        for adjoint in self.before.adjoints:
            names = [_copy(adjoint.node, t) for t in self.all_steps(adjoint.node)]
            adjoints += [Adjoint(n, adjoint.tensor, adjoint.numbers) for n in names if n in reached]
        return Graph(
            tuple(self.in_order(nodes)), tuple(edges), tuple(adjoints), tuple(flows), self.before.beside
        )

    def copies(self, node: Node) -> Iterator[Node]:
        for t in self.all_steps(node.tensor):
            step = "" if t is None else f"{self.letter} = {self.first + t}"
            yield replace(node, name=_copy(node.name, t), step=step, recurrent=False)

    def in_order(self, nodes: Iterable[Node]) -> list[Node]:
        """What has no step and reads no step, then the steps one after the other, then the rest."""
        resting = {n for n in self.drawn if any(a in self.axes for a in self.system.ancestors(n))}

        def stage(node: Node) -> int:
            _, _, t = node.name.partition("@")
            return int(t) if t else self.steps if node.tensor in resting else -1

        return sorted(nodes, key=stage)

    def all_steps(self, tensor: str) -> list[int | None]:
        return list(range(self.steps)) if tensor in self.axes else [None]

    def pairs(self, reader: str, read: str, delay: Expr | None) -> list[Pair]:
        """Which copies of a reader read which of a tensor, for the reads with that delay."""
        equation = self.drawn[reader]
        found: dict[Pair, None] = {}
        for access, within in _with_outer(equation):
            if access.name == read:
                found |= dict.fromkeys(self.of(equation, access, within))
        wanted = _number(delay)
        if wanted is None:
            return [p for p in found if not self.is_delayed(equation, read, p)]
        return [p for p in found if p[0] is not None and p[1] is not None and p[1] - p[0] == wanted]

    def is_delayed(self, equation: Equation, read: str, pair: Pair) -> bool:
        """Whether the graph has another edge for these copies, one with a delay."""
        there, here = pair
        shifts = {
            _number(e.delay) for e in self.before.edges if (e.read, e.reader) == (read, equation.target)
        }
        return there is not None and here is not None and here != there and here - there in shifts

    def of(self, equation: Equation, access: Access, within: Access | None) -> Iterator[Pair]:
        """The copies that one read joins. One that stands for what another read has outside its range is
        there only where that leaves its range."""
        for there in self.all_steps(equation.target):
            if within is not None and within.name in self.axes and self.is_inside(equation, within, there):
                continue
            if access.name not in self.axes:
                yield there, None
                continue
            for here in self.steps_read(equation, access, there):
                if 0 <= here < self.steps:
                    yield there, here

    def is_inside(self, equation: Equation, access: Access, there: int | None) -> bool:
        return all(0 <= t < self.steps for t in self.steps_read(equation, access, there))

    def steps_read(self, equation: Equation, access: Access, there: int | None) -> list[int]:
        """At which steps a copy reads."""
        subscript = access.subscripts[self.axes[access.name]]
        if there is not None:
            shift = _shift(subscript, equation.indices[self.axes[equation.target]])
            if shift is not None:
                return [there + shift]
        if subscript.is_Integer:
            return [int(subscript)]
        from_end = _shift(subscript, self.system.tensor(access.name).shape[self.axes[access.name]])
        return list(range(self.steps)) if from_end is None else [self.steps + from_end]

    def flows(self, flow: Flow) -> Iterator[Flow]:
        """The copies of a flow, each with the values saved at its own steps."""
        delay = None if flow.delay is None else -_plus(flow.delay)
        letter = None if delay is None else Index(self.letter) + delay
        for there, here in self.pairs(flow.reader, flow.read, letter):
            saved = [_copy(name, self.saved_at(flow, name, there, here)) for name in flow.saved]
            yield replace(
                flow,
                reader=_copy(flow.reader, there),
                read=_copy(flow.read, here),
                saved=tuple(s for s in saved if s.partition("@")[2] != "none"),
                delay=None,
            )

    def saved_at(self, flow: Flow, name: str, there: int | None, here: int | None) -> int | str | None:
        """The step of a value that a factor has; `none` where it is outside the range."""
        if name not in self.axes:
            return None
        local = flow.jacobian
        if local is not None:
            subscript = next(a for a in accesses(local.slope) if a.name == name).subscripts[self.axes[name]]
            for step, place in ((there, local.of), (here, local.by)):
                if step is None:
                    continue
                shift = _shift(subscript, place.subscripts[self.axes[place.name]])
                if shift is not None:
                    return step + shift if 0 <= step + shift < self.steps else "none"
        return there if there is not None else here


def _with_outer(equation: Equation) -> Iterator[tuple[Access, Access | None]]:
    """Each read of an equation, with the one for whose outside it stands, if it does."""
    outside = {
        inner: access for access in equation.reads if access.outside is not None
        for inner in accesses(access.outside)
    }  # fmt: skip
    plain = {a for e in (equation.body, *equation.where) for a in accesses(_without_outside(e))}
    for access in equation.reads:
        bare = type(access)(access.name, *access.subscripts)
        yield access, None if bare in plain else outside.get(access)


def _without_outside(e: Expr) -> Expr:
    bare = {a: type(a)(a.name, *a.subscripts) for a in e.atoms(Access) if a.outside is not None}
    return e.xreplace(bare)


def _copy(name: str, step: int | str | None) -> str:
    return name if step is None else f"{name}@{step}"


def _plus(delay: Expr) -> int:
    return int(delay.as_coeff_Add()[0])


def _number(delay: Expr | None) -> int | None:
    return None if delay is None else _plus(delay)
