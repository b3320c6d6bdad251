"""Loops over a few positions around the lines of one statement.

Enters: a statement, the frame of the lines. Leaves: statements. Must not know: what a pass computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.written import ZERO, Written
from symbp.codegen.tree import Assign, Expression, For, Statement
from symbp.ir.expr import Expr, Index
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation
from symbp.lower.program import EquationKernel
from symbp.lower.select.windows import nominal
from symbp.targets.numpy.kernels.arrays import ArraySpelling
from symbp.targets.numpy.kernels.frame import NumpyFrame, numbered

WRITTEN_OUT = 4  # passes; more are a loop
FEW = 64  # passes; more are left to a view and one call


@dataclass(frozen=True)
class Passes:
    """A loop over some indices around lines of one statement."""

    lines: NumpyFrame
    statement: EquationKernel
    indices: tuple[Index, ...]
    extents: dict[Index, Expr]

    def written(
        self, frame: Sequence[Index], body: Callable[[ArraySpelling], list[Statement]]
    ) -> list[Statement]:
        """What is written once before, and the loop; `body` gives the lines of one pass."""
        own = self.lines
        steps = [infer.name(own.names.free(i.name), (), "number") for i in self.indices]
        own.loops |= dict(zip(self.indices, steps, strict=True))
        own.steps |= {i: self.extents[i] for i in self.indices}
        where = f"equation ({self.statement.number}) {equation_text(self.statement.equation)}"
        spelling = own.spelling(tuple(frame), self.extents, where)
        spelling.hoisted = []
        inner = body(spelling)
        own.helpers |= spelling.helpers
        for index in self.indices:
            del own.loops[index], own.steps[index]
        counts = [own.extent(self.extents[i]) for i in self.indices]
        each = infer.called("np.ndindex" if len(counts) > 1 else "range", *counts)
        variable = infer.tuple_of(*steps) if len(steps) > 1 else steps[0]
        return [
            *self.noted(spelling.hoisted),
            For(variable, each, tuple(self.noted([*spelling.prelude, *inner]))),
        ]

    def each(
        self, frame: Sequence[Index], body: Expr
    ) -> Iterator[tuple[list[Assign], Written, ArraySpelling]]:
        """A body at every position, the first one first: the lines that it needs before it, and its code."""
        where = f"equation ({self.statement.number}) {equation_text(self.statement.equation)}"
        for at in product(*(range(int(self.extents[i])) for i in self.indices)):
            spelling = self.lines.spelling(tuple(frame), self.extents, where)
            here = dict(zip(self.indices, map(sympy.Integer, at), strict=True))
            value = spelling.cast(spelling.write(body.xreplace(here)))
            self.lines.helpers |= spelling.helpers
            yield spelling.prelude, value, spelling

    def noted(self, lines: Sequence[Statement]) -> list[Statement]:
        """Statements with the number of their equation."""
        return list(numbered(lines, self.statement.numbers))

    @property
    def unrolled(self) -> bool:
        """Whether the passes are so few that each is written out; a target that may lie where its operand
        does would be overwritten too early."""
        equation, lines = self.statement.equation, self.lines
        count = sympy.Mul(*[self.extents[i] for i in self.indices])
        own = sympy.Mul(*equation.shape)
        apart = all(sympy.expand(sympy.Mul(*lines.shapes[a.name]) - own) != 0 for a in equation.reads)
        return bool(count.is_Integer and 1 < count <= WRITTEN_OUT and apart)


def is_few(indices: Sequence[Index], extents: dict[Index, Expr]) -> bool:
    return len(indices) > 0 and nominal(sympy.Mul(*[extents[i] for i in indices])) <= FEW


def over(equation: Equation, inner: tuple[Index, ...]) -> Equation:
    """The equation as if it reduced over some of its indices only."""
    assert equation.reduction is not None
    extents = equation.extents
    return equation.with_(
        reduction=replace(equation.reduction, indices=inner),
        ranges=tuple(extents[i] for i in (*equation.indices, *inner)),
    )


def started(lines: NumpyFrame, equation: Equation, fill: Expression) -> tuple[Expression, Assign]:
    """The target, or the part of it that this step fills, and the line that fills it first."""
    target, plain = lines.tensor(equation.target), lines.plain(equation)
    if equation.target in lines.out or plain != equation.indices:
        part = lines.part(equation)
        return infer.without_rest(part), Assign(part, fill)
    function, value = ("np.zeros", ()) if fill == ZERO.node else ("np.full", (fill,))
    made = lines.made(function, equation.shape, *value, integer=equation.target in lines.integers)
    return target, Assign(target, made)
