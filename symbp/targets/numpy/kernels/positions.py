"""Statements as Python loops over a few positions, each pass one vectorised line over everything else.

Enters: equations, the frame of the lines. Leaves: statements, or None where no such loop helps.
Must not know: stages, ops, how other statements are written.

Pooling, sums over windows, terms that go back to windows, and reads at `i // 2` would otherwise gather
element by element, or run NumPy's innermost loop over two elements; a pass for each position in the window
reads and writes slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.written import ZERO, Written
from symbp.codegen.tree import Assign, Effect, Expression, Node, Slice, Statement
from symbp.ir.affine import settled
from symbp.ir.expr import Expr, FloorDiv, Index, Mod, free_indices
from symbp.ir.system import Equation
from symbp.lower.program import EquationKernel
from symbp.lower.select.contraction import split_scale
from symbp.lower.select.windows import decided, nominal
from symbp.targets.numpy.kernels.arrays import ArraySpelling, part_of
from symbp.targets.numpy.kernels.frame import NumpyFrame
from symbp.targets.numpy.kernels.placed import placed
from symbp.targets.numpy.kernels.position_loops import FEW, Passes, is_few, over, started
from symbp.targets.numpy.kernels.views import slice_of

FILL = {"sum": ZERO.node, "prod": infer.python_number("1"), "max": infer.infinity(negative=True)}
SIGN = {"sum": "+", "prod": "*"}
METHOD = {"sum": "sum", "prod": "prod", "max": "max"}


def over_positions(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """The code of a statement as a loop over the positions in a window, if it has one."""
    equation = statement.equation
    if statement.at:
        return placed(lines, statement)
    if equation.op in FILL and not equation.where and equation.target not in lines.integers:
        return _window(lines, statement)
    if equation.op == "argmax" and statement.best is not None:
        return _place(lines, statement)
    if equation.op is None and not statement.scaling and equation.body.atoms(FloorDiv, Mod):
        return _interleaved(lines, statement)
    return None


# --- reductions over windows
def _window(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """A sum, product or maximum over the positions in a window."""
    equation = statement.equation
    indices = tuple(i for i in equation.reduced if _shares_axis(equation, i, lines.loops))
    plain = lines.plain(equation)
    if not plain or not is_few(indices, equation.extents):
        return None
    op = str(equation.op)
    scale, factors = split_scale(equation) if op == "sum" else (sympy.Integer(1), [equation.body])
    body = sympy.Mul(*factors)
    target, start = started(lines, equation, FILL[op])
    inner = tuple(i for i in equation.reduced if i not in indices)
    rest = over(equation, inner)

    def one(spelling: ArraySpelling) -> list[Statement]:
        spelling.name_repeated(body)
        value = spelling.cast(spelling.write(body))
        value = lines.reduced(spelling, value, rest, METHOD[op])
        return [_further(op, target, spelling.lift(value, plain).node)]

    passes = Passes(lines, statement, indices, equation.extents)
    if passes.unrolled and not inner and equation.target in lines.out:
        found = passes.noted(_written_out(passes, plain, body, op, target, start.target))
    else:
        found = [*passes.noted([start]), *passes.written((*plain, *inner), one)]
    if scale != 1:
        spelling = lines.spelling(plain, equation.extents, "")
        numerator, denominator = sympy.fraction(scale)
        factor, sign = (denominator, "/") if numerator == 1 else (scale, "*")
        scaled = Assign(target, spelling.lift(spelling.write(factor), plain).node, sign)
        found += passes.noted([*spelling.prelude, scaled])
        lines.helpers |= spelling.helpers
    return found


def _further(op: str, target: Expression, value: Expression) -> Statement:
    """One more value of a sum, a product or a maximum."""
    return _larger(target, value, target) if op == "max" else Assign(target, value, SIGN[op])


def _larger(one: Expression, other: Expression, target: Expression) -> Effect:
    return Effect(infer.call("np.maximum", one, other, shape=target.shape, more={"out": target}))


def _written_out(
    passes: Passes, plain: Sequence[Index], body: Expr, op: str, target: Expression, whole: Expression
) -> list[Statement]:
    """A sum, product or maximum over a few positions, each with a line of its own after the first two."""
    found: list[Statement] = []
    first: Expression = ZERO.node
    for k, (prelude, value, spelling) in enumerate(passes.each(plain, body)):
        node = spelling.lift(value, tuple(plain)).node
        if k == 1 and prelude:  # its local names are those of the first one, which is stored before
            found.append(Assign(whole, first))
        found += prelude
        if k == 0:
            first = node
        elif k == 1 and not prelude:
            found.append(Assign(whole, _both(op, first, node)))
        else:
            found.append(_further(op, target, node))
    return found


def _both(op: str, one: Expression, other: Expression) -> Expression:
    if op == "max":
        return infer.elementwise("np.maximum", one, other)
    return infer.plus(one, other) if op == "sum" else infer.binary("*", one, other)


def _shares_axis(equation: Equation, index: Index, loops: Mapping[Index, Expression]) -> bool:
    """Whether the index moves along an axis of some tensor together with another one."""
    return any(
        index in free_indices(s) and len(free_indices(s) - loops.keys()) > 1
        for access in equation.reads
        for s in access.subscripts
    )


def _place(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """Where in a window its known maximum is: the number of positions before it, all with less."""
    equation, best = statement.equation, statement.best
    assert equation.reduction is not None
    indices, plain = equation.reduced, lines.plain(equation)
    if not is_few(indices, equation.extents) or not any(
        _shares_axis(equation, i, lines.loops) for i in indices
    ):
        return None
    target, start = started(lines, equation, ZERO.node)
    shape = [equation.extents[i] for i in plain]
    less = infer.name(lines.names.free("less"), shape, "boolean")
    further = Assign(target, less, "+")

    def one(spelling: ArraySpelling) -> list[Statement]:
        spelling.name_repeated(equation.body)
        value = spelling.cast(spelling.write(equation.body))
        return [Assign(less, _is_less(spelling, value, best), "&"), further]

    passes = Passes(lines, statement, indices, equation.extents)
    if passes.unrolled and equation.target in lines.out:
        found: list[Statement] = []
        *earlier, _ = passes.each(plain, equation.body)  # if all others are less, the maximum is the last
        for k, (prelude, value, spelling) in enumerate(earlier):
            test = _is_less(spelling, value, best)
            found += prelude
            found += (
                [Assign(less, test, "&"), further] if k else [Assign(less, test), Assign(start.target, less)]
            )
        return passes.noted(found)
    flags = infer.word("bool")
    ones = infer.call("np.ones", lines.shape(shape), flags, shape=shape, dtype="boolean")
    return [*passes.noted([start, Assign(less, ones)]), *passes.written(plain, one)]


def _is_less(spelling: ArraySpelling, value: Written, best: Expr) -> Expression:
    (low, high), _ = spelling.together([value, spelling.write(best)])
    return infer.binary("<", low.node, high.node)


# --- reads at i // 2
def _interleaved(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """A map that reads at quotients and remainders of its indices, for each remainder on its own."""
    equation = statement.equation
    factors = {i: f for i in lines.plain(equation) if (f := _factor(equation, i)) is not None}
    if not factors or nominal(sympy.Mul(*factors.values())) > FEW:
        return None
    taken = {i.name for i in equation.all_indices} | {i.name for i in lines.loops}
    letters = iter(f"{letter}{k}" for k in ("", "2", "3", "4", "5", "6") for letter in "pqrs")
    extents, names = dict(equation.extents), {}
    for index, factor in factors.items():
        name = next(letter for letter in letters if letter not in taken)
        outer, inner = Index(f"{index.name}_{name}"), Index(name)
        extents[outer] = sympy.expand(sympy.cancel(equation.extents[index] / factor))
        extents[inner] = factor
        names[index] = (outer, inner)
    body = equation.body.xreplace({i: factors[i] * outer + inner for i, (outer, inner) in names.items()})
    body = decided(settled(body, extents), extents, {})
    plain = lines.plain(equation)
    frame = tuple(names[i][0] if i in names else i for i in plain)
    target = lines.tensor(equation.target)

    def one(spelling: ArraySpelling) -> list[Statement]:
        parts: list[Node] = [
            lines.loops[i] if i in lines.loops
            else slice_of(spelling, names[i][1], factors[i], names[i][0], equation.extents[i]) if i in names
            else Slice()
            for i in equation.indices
        ]  # fmt: skip
        spelling.name_repeated(body)
        if equation.target in lines.integers:
            value = spelling.integer(body)
        else:
            value = spelling.cast(spelling.write(body))
        part = part_of(target, parts, [spelling.extents[i] for i in frame])
        return [Assign(part, spelling.lift(value, frame).node)]

    passes = Passes(lines, statement, tuple(inner for _, inner in names.values()), extents)
    found = passes.written(frame, one)
    if equation.target in lines.out or plain != equation.indices:
        return found
    made = lines.made("np.empty", equation.shape, integer=equation.target in lines.integers)
    return [*passes.noted([Assign(target, made)]), *found]


def _factor(equation: Equation, index: Index) -> Expr | None:
    """The one number by which the index is divided wherever it is, if it divides the index's extent."""
    met = [e for e in equation.body.atoms(FloorDiv, Mod) if index in free_indices(e)]
    factors = {e.args[1] for e in met}
    if len(factors) != 1 or any(e.args[0] != index for e in met):
        return None
    (factor,) = factors
    count = sympy.cancel(equation.extents[index] / factor)
    return factor if factor.is_Integer and factor > 1 and count.is_integer else None
