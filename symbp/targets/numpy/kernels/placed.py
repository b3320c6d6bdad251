"""Terms of a sum that say where they go, at affine places: each pass adds to a slice of the target.

Enters: statements, the frame of the lines. Leaves: statements, or None where places aren't affine.
Must not know: stages, ops, how other statements are written.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.written import ZERO
from symbp.codegen.tree import Assign, Expression, Node, Rest, Slice, Statement
from symbp.ir.affine import Affine, affine
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Equation
from symbp.lower.program import EquationKernel
from symbp.lower.select.windows import nominal
from symbp.targets.numpy.kernels.arrays import ArraySpelling, part_of
from symbp.targets.numpy.kernels.frame import NumpyFrame
from symbp.targets.numpy.kernels.position_loops import Passes, is_few, over, started
from symbp.targets.numpy.kernels.views import slice_of


@dataclass(frozen=True)
class _Axis:
    """Where terms go along one axis of the target: the slice's index, and room for what falls outside."""

    form: Affine
    big: Index
    extent: Expr
    before: Expr
    after: Expr


def placed(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """Terms added at affine places: slices of the target, or of a larger one that is cut."""
    equation = statement.equation
    axes: dict[Index, _Axis] = {}
    for index, place in statement.places.items():
        axis = _place_axis(place, equation, index)
        if axis is None or any(axis.big in other.form.weights for other in axes.values()):
            return None
        axes[index] = axis
    bigs = {axis.big for axis in axes.values()}
    few = tuple(
        i for i in equation.reduced if i not in bigs and any(i in a.form.weights for a in axes.values())
    )
    if (
        any(i in bigs for i in few)
        or (few and not is_few(few, equation.extents))
        or equation.target in lines.integers
    ):
        return None
    plain = lines.plain(equation)
    if plain != equation.indices:
        return None
    roomy = any(a.before != 0 or a.after != 0 for a in axes.values())
    target, start = started(lines, equation, ZERO.node)
    if roomy:
        shape = [
            sympy.expand(e + axes[i].before + axes[i].after) if i in axes else e
            for i, e in zip(plain, equation.shape, strict=True)
        ]
        target = infer.name(lines.names.free("padded"), shape)
        start = Assign(target, lines.made("np.zeros", shape))
    frame = tuple(axes[i].big if i in axes else i for i in plain)
    inner = tuple(i for i in equation.reduced if i not in bigs and i not in few)
    rest = over(equation, inner)

    def one(spelling: ArraySpelling) -> list[Statement]:
        parts: list[Node] = [
            slice_of(
                spelling, sympy.expand(axes[i].form.offset + axes[i].before + sum(
                    w * p for p, w in axes[i].form.weights.items() if p != axes[i].big
                )), axes[i].form.weights[axes[i].big], axes[i].big,
                sympy.expand(axes[i].extent + axes[i].before + axes[i].after),
            ) if i in axes else Slice()
            for i in plain
        ]  # fmt: skip
        spelling.guarded += roomy  # what falls outside is cut off, wherever it would have been read
        spelling.name_repeated(equation.body)
        value = spelling.cast(spelling.write(equation.body))
        value = lines.reduced(spelling, value, rest, "sum")
        spelling.guarded -= roomy
        shape = [spelling.extents[i] for i in frame]
        part = part_of(target, parts, shape)
        part = infer.sliced(target, [Rest()], shape) if part is target else part
        return [Assign(part, spelling.lift(value, frame).node, "+")]

    passes = Passes(lines, statement, few, equation.extents)
    if few:
        found = [*passes.noted([start]), *passes.written((*frame, *inner), one)]
    else:
        spelling = lines.spelling((*frame, *inner), equation.extents, "")
        added = one(spelling)
        lines.helpers |= spelling.helpers
        found = passes.noted([start, *spelling.prelude, *added])
    if roomy:
        cut: Expression = infer.sliced(target, [_cut(lines, axes.get(i)) for i in plain], equation.shape)
        if equation.target in lines.out:
            found += passes.noted([Assign(lines.part(equation), cut)])
        else:
            copy = infer.call(".copy", cut, shape=cut.shape)
            found += passes.noted([Assign(lines.tensor(equation.target), copy)])
    return found


def _place_axis(place: Expr, equation: Equation, index: Index) -> _Axis | None:
    form, extent = affine(place), equation.extents[index]
    if form is None or not form.weights or not set(form.weights) <= set(equation.reduced):
        return None
    ordered = sorted(form.weights, key=lambda i: (-nominal(equation.extents[i]), i.name))
    big = ordered[0]
    if form.weights[big] < 0:
        return None
    room = []
    ends = (form.least(equation.extents), sympy.expand(extent - 1 - form.greatest(equation.extents)))
    for end in ends:
        if never_negative(end, {}):
            room.append(sympy.Integer(0))
        elif never_negative(-end, {}):
            room.append(-end)
        else:
            return None
    return _Axis(form, big, extent, room[0], room[1])


def _cut(lines: NumpyFrame, axis: _Axis | None) -> Slice:
    if axis is None or (axis.before == 0 and axis.after == 0):
        return Slice()
    stop = lines.extent(sympy.expand(axis.before + axis.extent)) if axis.after != 0 else None
    return Slice(lines.extent(axis.before) if axis.before != 0 else None, stop)
