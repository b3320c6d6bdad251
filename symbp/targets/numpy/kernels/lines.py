"""Kernels as vectorised NumPy: each equation as the line that a NumPy programmer would write.

Enters: kernels of a program. Leaves: statements. Must not know: stages, ops, files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.written import ZERO, Written
from symbp.codegen.tree import Assign, Expression, For, If, Name, Statement, Subscript
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import FLAT, Equation
from symbp.lower.program import (
    Branch,
    Contraction,
    EquationKernel,
    Kernel,
    MatrixKernel,
    Nest,
    Scan,
    leaf_kernels,
)
from symbp.lower.select.contraction import split_scale
from symbp.targets.numpy.kernels.arrays import ArraySpelling, in_dtype
from symbp.targets.numpy.kernels.cases import at_position, positions
from symbp.targets.numpy.kernels.frame import NumpyFrame, numbered
from symbp.targets.numpy.kernels.position_loops import started
from symbp.targets.numpy.kernels.positions import over_positions
from symbp.targets.numpy.kernels.products import contraction, matrix_leaf
from symbp.targets.numpy.kernels.scatters import scattered


class NumpyLines(NumpyFrame):
    """The lines of one stage."""

    def kernel(self, kernel: Kernel) -> Iterator[Statement]:
        """The statements of one kernel."""
        if isinstance(kernel, Scan):
            yield from self.scan(kernel)
            return
        if isinstance(kernel, Branch):
            condition = self.spelling((), {}, "").condition(kernel.condition).node
            yield If(condition, tuple(s for inner in kernel.body for s in self.kernel(inner)))
            return
        if isinstance(kernel, MatrixKernel):
            yield from matrix_leaf(self, kernel)
            return
        if isinstance(kernel, Contraction):
            yield from contraction(self, kernel)
            return
        for statement in kernel.statements:
            if statement.inline:
                self.inlined[statement.target] = (statement.equation.indices, statement.equation.body)
            else:
                yield from self.statement(statement)

    # --- recurrences
    def scan(self, kernel: Scan) -> Iterator[Statement]:
        """A loop over the steps; the arrays that it fills are made before the outermost one."""
        if not self.loops:
            for equation in scanned(kernel):
                if equation.target not in self.out:
                    yield self._empty(equation, kernel.numbers)
        name = infer.name(self.names.free(kernel.index.name), (), "number")
        self.loops[kernel.index], self.steps[kernel.index] = name, kernel.extent
        over = infer.called("range", self.extent(kernel.extent))
        if kernel.step < 0:
            over = infer.called("reversed", over)
        yield For(name, over, tuple(s for inner in kernel.body for s in self.kernel(inner)))
        del self.loops[kernel.index], self.steps[kernel.index]

    def _empty(self, equation: Equation, numbers: tuple[int, ...]) -> Assign:
        """The line that makes a target, which is filled later."""
        made = self.made("np.empty", equation.shape, integer=equation.target in self.integers)
        return Assign(self.tensor(equation.target), made, "", numbers)

    # --- maps and reductions
    def statement(self, statement: EquationKernel) -> Iterator[Statement]:
        equation, where = (
            statement.equation,
            f"equation ({statement.number}) {equation_text(statement.equation)}",
        )
        spelling = self.spelling(vector_order(equation, self.loops), equation.extents, where)
        if statement.scaling:
            op, factor = self._scaling(spelling, equation)
            self.helpers |= spelling.helpers
            scaled = Assign(self.tensor(equation.target), factor, op)
            yield from numbered([*spelling.prelude, scaled], statement.numbers)
            return
        cases = None if statement.at else positions(equation, self.plain(equation))
        if cases is not None:
            yield from self.each_position(statement, *cases)
            return
        passes = over_positions(self, statement)
        if passes is not None:
            yield from passes
            return
        if statement.at:
            yield from scattered(self, statement, where)
            return
        value = self._value(spelling, equation)
        self.helpers |= spelling.helpers
        stored = self._stored(value, equation, spelling)
        yield from numbered([*spelling.prelude, stored], statement.numbers)

    def each_position(
        self, statement: EquationKernel, index: Index, places: Sequence[Expr], complete: bool
    ) -> Iterator[Statement]:
        """A line for each of the positions along an index at which there are terms; 0 elsewhere."""
        equation = statement.equation
        _, start = started(self, equation, ZERO.node)
        if not complete:
            yield from numbered([start], statement.numbers)
        elif equation.target not in self.out and self.plain(equation) == equation.indices:
            yield self._empty(equation, statement.numbers)
        for place in places:
            self.loops[index] = self.extent(place)
            yield from self.statement(replace(statement, equation=at_position(equation, index, place)))
            del self.loops[index]

    def _scaling(self, spelling: ArraySpelling, equation: Equation) -> tuple[str, Expression]:
        """By what a target is divided or multiplied in place."""
        numerator, denominator = sympy.fraction(equation.body)
        op, factor = ("/", denominator) if numerator == 1 else ("*", equation.body)
        return op, spelling.lift(spelling.write(factor), self.plain(equation)).node

    def _value(self, spelling: ArraySpelling, equation: Equation) -> Written:
        if equation.op is None:
            if equation.target in self.integers:
                return spelling.integer(equation.body)
            spelling.name_repeated(equation.body)
            return spelling.cast(spelling.write(equation.body))
        if equation.op == "sum":
            return self._sum(spelling, equation)
        return self._extreme(spelling, equation)

    def _sum(self, spelling: ArraySpelling, equation: Equation) -> Written:
        scale, factors = split_scale(equation)
        written = self._einsum(equation, factors) or self._dot(spelling, equation, factors)
        if written is None:
            body = sympy.Mul(*factors)
            spelling.name_repeated(body)
            exact = equation.target in self.integers
            value = spelling.integer(body) if exact else spelling.write(body)
            written = self.reduced(spelling, value, equation, "sum")
        if scale == 1:
            return written
        spelling.known[_PART] = written
        return spelling.write(scale * _PART)

    def _dot(self, spelling: ArraySpelling, equation: Equation, factors: Sequence[Expr]) -> Written | None:
        """The sum of all products of two arrays, which nothing needs to hold."""
        body = sympy.Mul(*factors)
        if self.plain(equation) or equation.target in self.integers or body.atoms(Guard, IntegerAccess):
            return None
        base, power = body.as_base_exp()
        pair = [base, base] if power == 2 else list(sympy.Mul.make_args(body))
        values = [spelling.write(f) for f in pair]
        if len(pair) != 2 or any(v.axes != spelling.frame or v.kind != "real" for v in values):
            return None
        names: dict[Expression, Expression] = {}
        for value in values:
            if not isinstance(value.node, Name) and value.node not in names:
                names[value.node] = spelling.named("u", value, "real").node
        both = [names.get(v.node, v.node) for v in values]
        return Written(infer.call("np.vdot", *both, shape=()))

    def _einsum(self, equation: Equation, factors: list[Expr]) -> Written | None:
        """Three or more dense factors that no single matrix product serves."""
        arrays = [f for f in factors if isinstance(f, Access) and not isinstance(f, IntegerAccess)]
        own = [i for i in equation.all_indices if i not in self.loops]
        sets = [free_indices(f) - self.loops.keys() for f in arrays]
        if len(arrays) != len(factors) or any(a.outside is not None for a in arrays):
            return None
        if any(s == frozenset(own) for s in sets) or frozenset().union(*sets) != frozenset(own):
            return None
        spelling = self.spelling((), equation.extents, "")
        values = [spelling.sliced(a, spelling.array(a.name)) for a in arrays]
        if any(v is None for v in values) or len(own) > len(_LETTERS):
            return None
        letters = {i: _LETTERS[k] for k, i in enumerate(own)}
        if all(len(i.name) == 1 for i in letters):
            letters = {i: i.name for i in letters}
        spec = ",".join("".join(letters[i] for i in a.subscripts if i in letters) for a in arrays)
        spec += "->" + "".join(letters[i] for i in self.plain(equation))
        operands = [v[0].node for v in values if v is not None]
        shape = [equation.extents[i] for i in self.plain(equation)]
        more = {"optimize": infer.word("True")}
        node = infer.call("np.einsum", infer.quoted(spec), *operands, shape=shape, more=more)
        return Written(node, self.plain(equation))

    def _extreme(self, spelling: ArraySpelling, equation: Equation) -> Written:
        op = equation.op
        neutral = spelling.number("1") if op == "prod" else spelling.infinity(True)
        spelling.name_repeated(equation.body)
        conditions = [spelling.condition(g) for g in equation.where]
        spelling.guarded += bool(conditions)
        value = spelling.write(equation.body)
        spelling.guarded -= bool(conditions)
        if conditions:
            test = spelling.both(conditions) if len(conditions) > 1 else conditions[0]
            value = spelling.choose(test, value, neutral)
        if op != "argmax":
            return self.reduced(spelling, value, equation, str(op))
        return self._argmax(spelling, value, equation)

    def _argmax(self, spelling: ArraySpelling, value: Written, equation: Equation) -> Written:
        plain = self.plain(equation)
        frame = plain + equation.reduced
        full = value if value.axes == frame else self._broadcast(spelling, value, frame, equation)
        assert equation.reduction is not None
        kept = [equation.extents[i] for i in plain]
        sizes = [spelling.integer(equation.extents[i]).node for i in equation.reduced]
        axis = infer.number(len(plain))
        flat = full.node
        if len(sizes) > 1:
            whole = [*kept, sympy.Mul(*[equation.extents[i] for i in equation.reduced])]
            lead = [*(spelling.integer(e).node for e in kept), infer.python_number("-1")]
            flat = infer.call(".reshape", flat, *lead, shape=whole)
        place: Expression = infer.call(".argmax", flat, axis, shape=kept, dtype="integer")
        if len(sizes) > 1 and equation.reduction.component != FLAT:
            unraveled = infer.call(
                "np.unravel_index", place, infer.tuple_of(*sizes), shape=(), dtype="object"
            )
            component = infer.number(equation.reduction.component)
            place = Subscript(tuple(kept), "integer", unraveled, (component,))
        if not equation.where:
            return Written(place, plain, "integer")
        axes = infer.tuple_of(*map(infer.number, range(len(plain), len(frame))))
        best = infer.call(".max", full.node, axes, shape=kept)
        some = infer.binary(">", best, infer.infinity(negative=True))
        return Written(infer.where(some, place, infer.python_number("-1")), plain, "integer")

    def _broadcast(
        self, spelling: ArraySpelling, value: Written, axes: tuple[Index, ...], equation: Equation
    ) -> Written:
        if value.axes == axes:
            return value
        shape = [equation.extents[i] for i in axes]
        if value.kind == "number":
            exact = equation.target in self.integers
            return Written(self.made("np.full", shape, value.node, integer=exact), axes)
        lifted = spelling.lift(value, axes).node
        return Written(infer.call("np.broadcast_to", lifted, self.shape(shape), shape=shape), axes)

    def _stored(self, value: Written, equation: Equation, spelling: ArraySpelling) -> Assign:
        plain = self.plain(equation)
        if equation.target not in self.integers:
            value = spelling.cast(value)
        if equation.target in self.out or plain != equation.indices:
            return Assign(self.part(equation), spelling.lift(value, plain).node)
        if value.axes != plain:
            value = self._broadcast(spelling, value, plain, equation)
        elif value.kind == "number":
            value = Written(in_dtype(value.node))
        elif equation.op is None and isinstance(equation.body, Access) and value.axes:
            value = Written(infer.call(".copy", value.node, shape=value.node.shape), value.axes)
        return Assign(self.tensor(equation.target), value.node)


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PART = Access("(the sum)")  # stands for what is already written; no tensor can have this name


def vector_order(equation: Equation, loops: Collection[Index] = ()) -> tuple[Index, ...]:
    """The axes of a body: those of the largest array read, if its plain indices stand as in the target."""
    own = tuple(i for i in equation.all_indices if i not in loops)
    if equation.op == "argmax":
        return own
    plain = tuple(i for i in equation.indices if i not in loops)
    for access in sorted(equation.reads, key=lambda a: (-len(a.subscripts), expression_text(a))):
        moving = [s for s in access.subscripts if not free_indices(s) <= set(loops)]
        if len(set(moving)) == len(moving) and set(moving) == set(own):
            if tuple(i for i in moving if i in plain) == plain:
                return tuple(moving)
            break
    return own


def scanned(kernel: Scan) -> list[Equation]:
    """The equations of a loop, each once."""
    found: dict[str, Equation] = {}
    for inner in leaf_kernels(kernel.body):
        for statement in inner.statements if isinstance(inner, Nest) else ():
            if not statement.inline:
                found.setdefault(statement.target, statement.equation)
    return list(found.values())
