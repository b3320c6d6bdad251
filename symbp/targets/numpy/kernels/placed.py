"""Terms of a sum that say where they go, at affine places: each pass adds to a slice of the target.

Enters: statements, the frame of the lines. Leaves: statements, or None where places aren't affine.
Must not know: stages, ops, how other statements are written.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    @property
    def roomy(self) -> bool:
        """Whether terms may fall outside."""
        return bool(self.before != 0 or self.after != 0)

    @property
    def whole(self) -> Expr:
        """The length with room for what falls outside."""
        return sympy.expand(self.extent + self.before + self.after)

    def slice(self, spelling: ArraySpelling) -> Slice:
        """The positions that one pass adds to."""
        others = sum(w * p for p, w in self.form.weights.items() if p != self.big)
        first = sympy.expand(self.form.offset + self.before + others)
        return slice_of(spelling, first, self.form.weights[self.big], self.big, self.whole)


@dataclass(frozen=True)
class _Passes:
    """How terms are added: a pass for each position of the `few` indices, a sum over the `inner` ones in
    each; `axes` says where terms go along the target's axes that aren't plain."""

    axes: Mapping[Index, _Axis]
    few: tuple[Index, ...]
    inner: tuple[Index, ...]
    frame: tuple[Index, ...]

    @property
    def roomy(self) -> bool:
        """Whether terms may fall outside of the target."""
        return any(axis.roomy for axis in self.axes.values())


def _passes(lines: NumpyFrame, statement: EquationKernel) -> _Passes | None:
    """None where places aren't affine, or passes would be many."""
    equation = statement.equation
    axes: dict[Index, _Axis] = {}
    for index, place in statement.places.items():
        axis = _place_axis(place, equation, index)
        if axis is None or any(axis.big in other.form.weights for other in axes.values()):
            return None
        axes[index] = axis
    bigs = {axis.big for axis in axes.values()}
    moved = {i for axis in axes.values() for i in axis.form.weights}
    few = tuple(i for i in equation.reduced if i in moved - bigs)
    if few and not is_few(few, equation.extents):
        return None
    if equation.target in lines.integers or lines.plain(equation) != equation.indices:
        return None
    inner = tuple(i for i in equation.reduced if i not in bigs and i not in few)
    frame = tuple(axes[i].big if i in axes else i for i in equation.indices)
    return _Passes(axes, few, inner, frame)


def placed(lines: NumpyFrame, statement: EquationKernel) -> list[Statement] | None:
    """Terms added at affine places: slices of the target, or of a larger one that is cut."""
    equation, by = statement.equation, _passes(lines, statement)
    if by is None:
        return None
    axes = by.axes
    target, start = started(lines, equation, ZERO.node)
    if by.roomy:
        own = zip(equation.indices, equation.shape, strict=True)
        shape = [axes[i].whole if i in axes else e for i, e in own]
        target = infer.name(lines.names.free("padded"), shape)
        start = Assign(target, lines.made("np.zeros", shape))

    def one(spelling: ArraySpelling) -> list[Statement]:
        parts: list[Node] = [axes[i].slice(spelling) if i in axes else Slice() for i in equation.indices]
        spelling.guarded += by.roomy  # what falls outside is cut off, wherever it would have been read
        spelling.name_repeated(equation.body)
        value = spelling.cast(spelling.write(equation.body))
        value = lines.reduced(spelling, value, over(equation, by.inner), "sum")
        spelling.guarded -= by.roomy
        shape = [spelling.extents[i] for i in by.frame]
        part = part_of(target, parts, shape)
        part = infer.sliced(target, [Rest()], shape) if part is target else part
        return [Assign(part, spelling.lift(value, by.frame).node, "+")]

    passes = Passes(lines, statement, by.few, equation.extents)
    if by.few:
        found = [*passes.noted([start]), *passes.written((*by.frame, *by.inner), one)]
    else:
        spelling = lines.spelling((*by.frame, *by.inner), equation.extents, "")
        added = one(spelling)
        lines.helpers |= spelling.helpers
        found = passes.noted([start, *spelling.prelude, *added])
    return [*found, *passes.noted([_stored(lines, equation, axes, target)])] if by.roomy else found


def _stored(lines: NumpyFrame, equation: Equation, axes: Mapping[Index, _Axis], target: Expression) -> Assign:
    """The larger array cut and put into its place."""
    cuts = [_cut(lines, axes.get(i)) for i in equation.indices]
    cut: Expression = infer.sliced(target, cuts, equation.shape)
    if equation.target in lines.out:
        return Assign(lines.part(equation), cut)
    return Assign(lines.tensor(equation.target), infer.call(".copy", cut, shape=cut.shape))


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
    if axis is None or not axis.roomy:
        return Slice()
    stop = lines.extent(sympy.expand(axis.before + axis.extent)) if axis.after != 0 else None
    return Slice(lines.extent(axis.before) if axis.before != 0 else None, stop)
