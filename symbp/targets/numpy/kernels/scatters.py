"""Sums whose terms say where they go: `np.add.at` adds up what repeats, `_add_rows` whole rows.

Enters: the kernel of an equation with computed places, the frame of its stage. Leaves: statements.
Must not know: other kernels, stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.terms import guard_rank
from symbp.codegen.spelling.written import ZERO, Written
from symbp.codegen.tree import Assign, Effect, Expression, If, Statement
from symbp.ir.bounds import within
from symbp.ir.expr import Expr, Guard, Index, IntegerAccess, accesses, free_indices
from symbp.ir.system import Equation
from symbp.lower.program import EquationKernel
from symbp.targets.numpy.kernels.arrays import INT64, ArraySpelling
from symbp.targets.numpy.kernels.frame import NumpyFrame, numbered


def scattered(lines: NumpyFrame, statement: EquationKernel, where: str) -> Iterator[Statement]:
    """The lines that add each term at its place to a target which starts at 0."""
    equation, plain = statement.equation, lines.plain(statement.equation)
    factors = sympy.Mul.make_args(equation.body)
    whole = [g for g in factors if isinstance(g, Guard) and free_indices(g) <= lines.loops.keys()]
    others = tuple(i for i in plain if i not in statement.places)
    reduced = _in_memory(equation)
    spelling = lines.spelling(reduced + others, equation.extents, where)
    places, value = _terms(lines, statement, [f for f in factors if f not in whole], spelling)
    lines.helpers |= spelling.helpers
    lifted, axes = _lifted(places, plain, reduced, others, spelling)
    value = spelling.spread(value, reduced + others)
    rows_apart = len(lifted) == 1 and bool(others) and axes == reduced and _in_rows(lines, equation)
    if rows_apart and not whole:
        target = lines.part(equation)
    else:
        start = _started(lines, statement)
        target = start.target
        yield start
    target = infer.without_rest(target)
    if rows_apart:
        found = _rows_added(lines, equation, target, lifted[0], value, reduced)
    else:
        at = infer.tuple_of(*(v.node for v in lifted)) if len(lifted) > 1 else lifted[0].node
        found = [Effect(infer.called("np.add.at", target, at, value.node))]
    found = list(numbered([*spelling.prelude, *found], statement.numbers))
    if whole:
        test = spelling._all([spelling.condition(g) for g in sorted(whole, key=guard_rank)])
        yield If(test.node, tuple(found), equations=statement.numbers)
    else:
        yield from found


def _terms(
    lines: NumpyFrame, statement: EquationKernel, factors: list[Expr], spelling: ArraySpelling
) -> tuple[dict[Index, Written], Written]:
    """Where terms go along each axis with computed places, and what they are, 0 beyond the target."""
    equation = statement.equation
    lazy = any(isinstance(f, Guard) for f in factors)
    spelling.guarded += lazy  # what a guard excludes may be out of range
    positions, inside = {}, []
    for index, place in statement.places.items():
        position, extent = spelling.integer(place), equation.extents[index]
        if not _stated(lines, place, extent) and within(place, extent, spelling.extents):
            position, met = spelling._clipped(position, extent)
            inside.append(met)
        positions[index] = position
    spelling.guarded += bool(inside)
    value = spelling.cast(spelling.write(sympy.Mul(*factors)))
    spelling.guarded -= bool(inside) + lazy
    if inside:
        value = spelling.choose(spelling._all(inside), value, spelling.number("0"))
    return positions, value


def _lifted(
    places: Mapping[Index, Written],
    plain: tuple[Index, ...],
    reduced: tuple[Index, ...],
    others: tuple[Index, ...],
    spelling: ArraySpelling,
) -> tuple[list[Written], tuple[Index, ...]]:
    """The places along the leading axes, over the axes of the terms, which come with them."""
    leading, axes = plain[: len(places)], reduced
    if set(leading) != set(places) or any(set(p.axes) - set(axes) for p in places.values()):
        leading, axes = plain, reduced + others
    rows = [places[i] if i in places else spelling.arange(i) for i in leading]
    lifted = [spelling.lift(row, axes) for row in rows]
    if {i for row in rows for i in row.axes} != set(axes):
        lifted[0] = spelling.spread(rows[0], axes)
    return lifted, axes


def _started(lines: NumpyFrame, statement: EquationKernel) -> Assign:
    """The target, or its part that is filled here, at 0."""
    equation, numbers = statement.equation, statement.numbers
    if equation.target in lines.out or lines.plain(equation) != equation.indices:
        return Assign(lines.part(equation), ZERO.node, "", numbers)
    zeros = lines.made("np.zeros", equation.shape, integer=equation.target in lines.integers)
    return Assign(lines.tensor(equation.target), zeros, "", numbers)


def _rows_added(
    lines: NumpyFrame,
    equation: Equation,
    target: Expression,
    at: Written,
    value: Written,
    reduced: tuple[Index, ...],
) -> list[Statement]:
    """Whole rows added up by `_add_rows`, with room to sort them in."""
    lines.helpers.add("_add_rows")
    length = sympy.Mul(*[equation.extents[i] for i in reduced])
    count, shape = lines.extent(length), [equation.extents[i] for i in value.axes]
    order = infer.name(lines.names.free("order"), (length,), "integer")
    ordered = infer.name(lines.names.free("ordered"), shape)
    places = infer.call("np.arange", count, shape=(length,), dtype="integer")
    added = (target, at.node, value.node, places, order, ordered)
    return [
        Assign(order, infer.call("np.empty", count, INT64, shape=(length,), dtype="integer")),
        Assign(ordered, lines.made("np.empty", shape)),
        Effect(infer.called("_add_rows", *added)),
    ]


def _in_rows(lines: NumpyFrame, equation: Equation) -> bool:
    """Whether the part of a target that is filled at this step is one piece of memory, of reals."""
    fixed = [i in lines.loops for i in equation.indices]
    return fixed == sorted(fixed, reverse=True) and equation.target not in lines.integers


def _in_memory(equation: Equation) -> tuple[Index, ...]:
    """The indices of a sum in the order in which the first array with all of them has them."""
    for access in accesses(equation.body):
        found = tuple(dict.fromkeys(s for s in access.subscripts if s in equation.reduced))
        if len(found) == len(equation.reduced) and not isinstance(access, IntegerAccess):
            return found
    return equation.reduced


def _stated(lines: NumpyFrame, place: Expr, extent: Expr) -> bool:
    """Whether the place is an integer tensor whose values are declared to be below the extent."""
    fact = lines.tensors[place.name].fact("below") if isinstance(place, IntegerAccess) else None
    return place.outside is None and fact is not None and fact.bound == extent if fact else False


__all__ = ["scattered"]
