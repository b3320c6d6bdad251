"""Kernels of the Numba target: matrix products by BLAS, everything else as fused loops over elements.

Enters: kernels of a program. Leaves: statements. Must not know: stages, where tensors lie, ops, files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.spelling.elements import ElementSpelling
from symbp.codegen.spelling.terms import guard_rank
from symbp.ir.bounds import within
from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.printer import equation_text
from symbp.ir.system import FLAT, Equation, Role, Tensor
from symbp.lower.program import (
    Begin,
    Branch,
    Contraction,
    ElementStep,
    End,
    Kernel,
    Loop,
    MatrixKernel,
    Nest,
    Node,
    Scan,
)
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.segments import GIVEN
from symbp.targets.numba.loops import LoopFunctions
from symbp.targets.numba.matrices import contraction, matrix_leaf

START = {"sum": 0, "prod": 1}


class NumbaLines:
    """The code of one stage."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        names: Names,
        real: str,
        loops: LoopFunctions,
        sizes: tuple[str, ...] = (),
        axes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.tensors, self.names, self.real = tensors, names, real
        self.loops, self.sizes = loops, sizes
        self.axes = axes or {}  # those of tensors that are rows or, without any, variables
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.integers = frozenset(name for name, tensor in tensors.items() if tensor.integer)
        self.helpers: set[str] = set()
        self.constants = {t.name for t in tensors.values() if t.role is Role.HYPER}
        # as they come in; what is in a workspace has one element
        self.points = frozenset(t.name for t in tensors.values() if t.role in GIVEN and not t.shape)
        self.steps: dict[Index, Expr] = {}  # the recurrences around, and how far they run

    def kernel(self, kernel: Kernel) -> Iterator[tree.Statement]:
        if isinstance(kernel, Scan):
            yield self.scan(kernel)
        elif isinstance(kernel, Branch):
            condition = self.plain().condition(kernel.condition).node
            yield tree.If(condition, tuple(s for inner in kernel.body for s in self.kernel(inner)))
        elif isinstance(kernel, Contraction):
            yield self.over(kernel.batch, kernel.extents, contraction(self, kernel))
        elif isinstance(kernel, MatrixKernel):
            yield self.over(kernel.batch, kernel.extents, matrix_leaf(self, kernel))
        else:
            yield from self.nest(kernel)

    def nest(self, kernel: Nest) -> Iterator[tree.Statement]:
        """A call of the nest's function; what has no loop stands as it is."""
        code = tuple(self.nodes(kernel.body))
        if not any(isinstance(node, Loop) for node in kernel.body):
            yield from code
            return
        touched = [n for n in (*kernel.reads, *kernel.targets) if self.axes.get(n) != ()]
        arrays = {self.names.tensors[name] for name in touched}
        numbers = {self.loop(index).id for index in self.steps} | set(self.sizes)
        numbers |= {self.names.tensors[name] for name in self.constants}
        stem = self.names.tensors[kernel.targets[-1]]
        yield tree.Effect(self.loops.call(code, arrays - numbers, numbers, stem), kernel.numbers)

    # --- recurrences
    def scan(self, kernel: Scan) -> tree.For:
        ends = [self.size(kernel.extent)]
        if kernel.step < 0:
            ends = [self.size(kernel.extent - 1), *map(infer.python_number, ("-1", "-1"))]
        self.steps[kernel.index] = kernel.extent
        over = infer.called("range", *ends)
        found = tree.For(
            self.loop(kernel.index), over, tuple(s for inner in kernel.body for s in self.kernel(inner))
        )
        del self.steps[kernel.index]
        return found

    # --- loops
    def nodes(self, nodes: Sequence[Node]) -> Iterator[tree.Statement]:
        for node in nodes:
            if isinstance(node, Loop):
                over = infer.called("range", self.size(node.extent))
                yield tree.For(self.loop(node.index), over, tuple(self.nodes(node.body)))
            elif isinstance(node, Begin):
                yield from self.begin(node)
            elif isinstance(node, End):
                yield from self.end(node)
            else:
                yield from self.step(node)

    def over(
        self, indices: Sequence[Index], extents: Mapping[Index, Expr], inner: tree.Statement
    ) -> tree.Statement:
        """A statement in loops over a batch."""
        for index in reversed(indices):
            over = infer.called("range", self.size(extents[index]))
            inner = tree.For(self.loop(index), over, (inner,))
        return inner

    def loop(self, index: Index) -> tree.Name:
        return infer.integer(self.names.free(index.name))

    def tensor(self, name: str) -> tree.Name:
        """The array of a tensor."""
        kind = "integer" if name in self.integers else "real"
        return infer.name(self.names.tensors[name], self.shapes[name], kind)  # type: ignore[arg-type]

    def size(self, extent: Expr) -> tree.Expression:
        """A size, or a place among the steps around, as code."""
        return self.plain().integer(extent).node

    def plain(self) -> ElementSpelling:
        loops = {index: self.loop(index).id for index in self.steps}
        spelling = ElementSpelling(loops, self.shapes, self.names.tensors, self.real, "", self.steps)
        spelling.points = self.points
        return spelling

    def spelling(self, node: ElementStep | End, number: int) -> ElementSpelling:
        loops = {index: self.loop(loop).id for index, loop in node.names.items()}
        where = f"equation ({number}) {equation_text(node.statement.equation)}"
        extents = {**node.statement.equation.extents, **self.steps}
        spelling = ElementSpelling(loops, self.shapes, self.names.tensors, self.real, where, extents)
        spelling.scalars, spelling.points, spelling.axes = self.constants, self.points, self.axes
        return spelling

    def accumulator(self, equation: Equation) -> tree.Name:
        if self.axes.get(equation.target) == () and equation.op != "argmax":
            return infer.name(self.names.tensors[equation.target])
        return infer.name(self.names.free(f"{self.names.tensors[equation.target]}_{equation.op}"))

    def neutral(self, equation: Equation) -> tree.Expression:
        if equation.op in START:
            return self.plain().one(START[equation.op])
        infinity = infer.infinity()
        return infer.unary("-", infer.elementwise(self.real, infinity) if self.real else infinity)

    def begin(self, node: Begin) -> Iterator[tree.Statement]:
        """A register where all plain indices are fixed, else a part of the target."""
        equation = node.statement.equation
        if set(equation.indices) <= node.fixed.keys():
            yield tree.Assign(self.accumulator(equation), self.neutral(equation))
            if equation.op == "argmax":
                yield tree.Assign(self.position(equation), infer.python_number("-1"))
            return
        own = self.in_memory(equation)
        items: list[tree.Node] = [self.loop(node.fixed[i]) if i in node.fixed else tree.Slice() for i in own]
        yield tree.Assign(infer.sliced(self.tensor(equation.target), items, ()), self.neutral(equation))

    def position(self, equation: Equation) -> tree.Name:
        return infer.integer(self.names.free(f"{self.names.tensors[equation.target]}_at"))

    def end(self, node: End) -> Iterator[tree.Statement]:
        equation = node.statement.equation
        accumulator = self.accumulator(equation)
        if accumulator.id == self.names.tensors[equation.target]:
            return
        value = self.position(equation) if equation.op == "argmax" else accumulator
        yield tree.Assign(self.element(equation, node.names), value)

    def in_memory(self, equation: Equation) -> tuple[Index, ...]:
        """The indices of the target along the axes that it has in memory."""
        axes = self.axes.get(equation.target)
        return equation.indices if axes is None else tuple(equation.indices[k] for k in axes)

    def element(
        self,
        equation: Equation,
        names: Mapping[Index, Index],
        where: Mapping[Index, tree.Expression] | None = None,
    ) -> tree.Expression:
        """An element of the target: at the loops' positions, or at given places."""
        where = where or {}
        if self.axes.get(equation.target) == ():
            return infer.name(self.names.tensors[equation.target])
        items = [where[i] if i in where else self.loop(names[i]) for i in self.in_memory(equation)]
        return infer.sliced(self.tensor(equation.target), items or [infer.number(0)], ())

    def step(self, node: ElementStep) -> list[tree.Statement]:
        """One element of a map, or one contribution to a reduction, under the conditions that it has."""
        equation, numbers = node.statement.equation, node.statement.numbers
        spelling = self.spelling(node, node.statement.number)
        guards, body = _apart(equation)
        places = node.statement.places
        for index, place in places.items():
            guards += within(place, equation.extents[index], spelling.extents)
        if 0 in guards:
            return [tree.Pass(numbers)]
        guards = [g for g in guards if g != 1]
        conditions = [spelling.condition(g) for g in sorted(guards, key=guard_rank)]
        spelling.name_repeated(body)
        exact = equation.reduction is None and equation.target in self.integers
        value = (spelling.integer(body) if exact else spelling.real(spelling.write(body))).node
        where = {index: spelling.integer(place).node for index, place in places.items()}
        before = [replace(s, equations=numbers) for s in spelling.prelude]
        found: list[tree.Statement] = [*before, self.action(node, value, where)]
        self.helpers |= spelling.helpers
        if not conditions:
            return found
        test = spelling.both(conditions) if len(conditions) > 1 else conditions[0]
        return [tree.If(test.node, tuple(found))]

    def action(
        self, node: ElementStep, value: tree.Expression, where: Mapping[Index, tree.Expression]
    ) -> tree.Statement:
        """What is done with an element's value."""
        equation, numbers = node.statement.equation, node.statement.numbers
        element = self.element(equation, node.names, where)
        if equation.reduction is None:
            return tree.Assign(element, value, "*" if node.statement.scaling else "", numbers)
        target = self.accumulator(equation) if node.register else element
        if equation.op in START:
            return tree.Assign(target, value, "+" if equation.op == "sum" else "*", numbers)
        if equation.op == "max":
            return tree.Assign(target, infer.elementwise("_larger", target, value), "", numbers)
        position = self.position(equation)
        loops = ElementSpelling({i: self.loop(i).id for i in node.names.values()}, {}, {})
        place = loops.integer(position_of(equation).xreplace(dict(node.names))).node
        none_yet = infer.binary("<", position, infer.number(0))
        better = infer.binary("or", none_yet, infer.binary(">", value, target))
        both = tree.Assign(infer.tuple_of(target, position), infer.tuple_of(value, place))
        return tree.If(better, (both,), equations=numbers)


def _apart(equation: Equation) -> tuple[list[Expr], Expr]:
    """The conditions under which an element is added, and what is."""
    if equation.op != "sum":
        return list(equation.where), equation.body
    factors = sympy.Mul.make_args(equation.body)
    guards = [f for f in factors if isinstance(f, Guard)]
    return guards, sympy.Mul(*[f for f in factors if not isinstance(f, Guard)])


def position_of(equation: Equation) -> Expr:
    """What an argmax stores: the position along one reduced index, or in row-major order over all of them."""
    assert equation.reduction is not None
    if equation.reduction.component != FLAT:
        return equation.reduced[equation.reduction.component]
    place = sympy.Integer(0)
    for index in equation.reduced:
        place = sympy.expand(place * equation.extents[index]) + index
    return place
