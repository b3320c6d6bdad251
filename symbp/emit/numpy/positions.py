"""Statements as Python loops over a few positions, each pass one vectorised line over everything else.

Enters: statements, the frame of the lines. Leaves: lines, or None where no such loop helps.
Must not know: stages, ops, how other statements are written.

Pooling, sums over windows, terms that go back to windows, and reads at `i // 2` would otherwise gather
element by element, or run NumPy's innermost loop over two elements; a pass for each position in the window
reads and writes slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import sympy

from symbp.emit.blocks import note
from symbp.emit.numpy.arrays import ArraySpelling
from symbp.emit.numpy.frame import NumpyFrame
from symbp.emit.spelling import ADD, MUL, Written
from symbp.emit.views import slice_text, spaced
from symbp.ir.affine import Affine, affine, settled
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr, FloorDiv, Index, Mod, free_indices
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation
from symbp.lower.program import EquationKernel
from symbp.lower.select.contraction import split_scale
from symbp.lower.select.windows import decided, nominal

WRITTEN_OUT = 4  # passes; more are a loop
FEW = 64  # passes; more are left to a view and one call
FILL = {"sum": "0", "prod": "1", "max": "-np.inf"}
SIGN = {"sum": "+=", "prod": "*="}
METHOD = {"sum": "sum", "prod": "prod", "max": "max"}


def over_positions(lines: NumpyFrame, statement: EquationKernel) -> list[str] | None:
    """The lines of a statement as a loop over the positions in a window, if it has one."""
    equation = statement.equation
    if statement.at:
        return _placed(lines, statement)
    if equation.op in FILL and not equation.where and equation.target not in lines.integers:
        return _window(lines, statement)
    if equation.op == "argmax" and statement.best is not None:
        return _place(lines, statement)
    if equation.op is None and not statement.scaling and equation.body.atoms(FloorDiv, Mod):
        return _interleaved(lines, statement)
    return None


@dataclass(frozen=True)
class _Passes:
    """A loop over some indices around lines of one statement."""

    lines: NumpyFrame
    statement: EquationKernel
    indices: tuple[Index, ...]
    extents: dict[Index, Expr]

    @property
    def comment(self) -> str:
        return note(*self.statement.numbers)

    def written(self, frame: Sequence[Index], body: Callable[[ArraySpelling], list[str]]) -> list[str]:
        """What is written once before, and the loop; `body` gives the lines of one pass."""
        own = self.lines
        names = [own.names.free(i.name) for i in self.indices]
        own.loops |= dict(zip(self.indices, names, strict=True))
        own.steps |= {i: self.extents[i] for i in self.indices}
        where = f"equation ({self.statement.number}) {equation_text(self.statement.equation)}"
        spelling = own.spelling(tuple(frame), self.extents, where)
        spelling.hoisted = []
        inner = body(spelling)
        own.helpers |= spelling.helpers
        for index in self.indices:
            del own.loops[index], own.steps[index]
        counts = [own.extent(self.extents[i]) for i in self.indices]
        each = f"np.ndindex({', '.join(counts)})" if len(counts) > 1 else f"range({counts[0]})"
        head = f"for {', '.join(names)} in {each}:"
        return [
            *(line + self.comment for line in spelling.hoisted),
            head,
            *(f"    {line}{self.comment}" for line in [*spelling.prelude, *inner]),
        ]

    def each(self, frame: Sequence[Index], body: Expr) -> Iterator[tuple[list[str], Written, ArraySpelling]]:
        """A body at every position, the first one first: the lines that it needs before it, and its text."""
        where = f"equation ({self.statement.number}) {equation_text(self.statement.equation)}"
        for at in product(*(range(int(self.extents[i])) for i in self.indices)):
            spelling = self.lines.spelling(tuple(frame), self.extents, where)
            here = dict(zip(self.indices, map(sympy.Integer, at), strict=True))
            value = spelling.cast(spelling.write(body.xreplace(here)))
            self.lines.helpers |= spelling.helpers
            yield spelling.prelude, value, spelling

    def noted(self, lines: Sequence[str]) -> list[str]:
        """Lines with the number of their equation."""
        return [f"{line}{self.comment}" for line in lines]

    @property
    def unrolled(self) -> bool:
        """Whether the passes are so few that each is written out; a target that may lie where its operand
        does would be overwritten too early."""
        equation, lines = self.statement.equation, self.lines
        count = sympy.Mul(*[self.extents[i] for i in self.indices])
        own = sympy.Mul(*equation.shape)
        apart = all(sympy.expand(sympy.Mul(*lines.shapes[a.name]) - own) != 0 for a in equation.reads)
        return bool(count.is_Integer and 1 < count <= WRITTEN_OUT and apart)


def _few(indices: Sequence[Index], extents: dict[Index, Expr]) -> bool:
    return len(indices) > 0 and nominal(sympy.Mul(*[extents[i] for i in indices])) <= FEW


# --- reductions over windows
def _window(lines: NumpyFrame, statement: EquationKernel) -> list[str] | None:
    """A sum, product or maximum over the positions in a window."""
    equation = statement.equation
    indices = tuple(i for i in equation.reduced if _shares_axis(equation, i, lines.loops))
    plain = lines.plain(equation)
    if not plain or not _few(indices, equation.extents):
        return None
    op = str(equation.op)
    scale, factors = split_scale(equation) if op == "sum" else (sympy.Integer(1), [equation.body])
    body = sympy.Mul(*factors)
    target, start = started(lines, equation, FILL[op])
    inner = tuple(i for i in equation.reduced if i not in indices)
    rest = _over(equation, inner)

    def one(spelling: ArraySpelling) -> list[str]:
        spelling.name_repeated(body)
        value = spelling.cast(spelling.write(body))
        value = lines.reduced(spelling, value, rest, METHOD[op])
        text = spelling.lift(value, plain).text
        if op == "max":
            return [f"np.maximum({target}, {text}, out={target})"]
        return [f"{target} {SIGN[op]} {text}"]

    passes = _Passes(lines, statement, indices, equation.extents)
    if passes.unrolled and not inner and equation.target in lines.out:
        found = passes.noted(_written_out(passes, plain, body, op, target, start.rpartition(" = ")[0]))
    else:
        found = [start + passes.comment, *passes.written((*plain, *inner), one)]
    if scale != 1:
        spelling = lines.spelling(plain, equation.extents, "")
        numerator, denominator = sympy.fraction(scale)
        factor, sign = (denominator, "/=") if numerator == 1 else (scale, "*=")
        text = spelling.lift(spelling.write(factor), plain).text
        found += [line + passes.comment for line in spelling.prelude]
        found.append(f"{target} {sign} {text}{passes.comment}")
        lines.helpers |= spelling.helpers
    return found


def _written_out(
    passes: _Passes, plain: Sequence[Index], body: Expr, op: str, target: str, whole: str
) -> list[str]:
    """A sum, product or maximum over a few positions, each with a line of its own after the first two."""
    found: list[str] = []
    first = ""
    for k, (prelude, value, spelling) in enumerate(passes.each(plain, body)):
        text = spelling.lift(value, tuple(plain)).at_least(MUL if op == "prod" else ADD)
        if k == 1 and prelude:  # its local names are those of the first one, which is stored before
            found.append(f"{whole} = {first}")
        found += prelude
        if k == 0:
            first = text
        elif k == 1 and not prelude:
            both = f"np.maximum({first}, {text})" if op == "max" else f"{first} {SIGN[op][0]} {text}"
            found.append(f"{whole} = {both}")
        else:
            found.append(
                f"np.maximum({target}, {text}, out={target})"
                if op == "max"
                else f"{target} {SIGN[op]} {text}"
            )
    return found


def _over(equation: Equation, inner: tuple[Index, ...]) -> Equation:
    """The equation as if it reduced over some of its indices only."""
    assert equation.reduction is not None
    extents = equation.extents
    return equation.with_(
        reduction=replace(equation.reduction, indices=inner),
        ranges=tuple(extents[i] for i in (*equation.indices, *inner)),
    )


def _shares_axis(equation: Equation, index: Index, loops: dict[Index, str]) -> bool:
    """Whether the index moves along an axis of some tensor together with another one."""
    return any(
        index in free_indices(s) and len(free_indices(s) - loops.keys()) > 1
        for access in equation.reads
        for s in access.subscripts
    )


def started(lines: NumpyFrame, equation: Equation, fill: str) -> tuple[str, str]:
    """The target, or the part of it that this step fills, and the line that fills it first."""
    target, plain = lines.names.tensors[equation.target], lines.plain(equation)
    if equation.target in lines.out or plain != equation.indices:
        part = lines.part(equation)
        return (target if part == "..." else f"{target}[{part}]"), f"{target}[{part}] = {fill}"
    kind = "np.int64" if equation.target in lines.integers else "DTYPE"
    shape = lines.shape(equation.shape)
    make = f"np.zeros({shape}, {kind})" if fill == "0" else f"np.full({shape}, {fill}, {kind})"
    return target, f"{target} = {make}"


def _place(lines: NumpyFrame, statement: EquationKernel) -> list[str] | None:
    """Where in a window its known maximum is: the number of positions before it, all with less."""
    equation, best = statement.equation, statement.best
    assert equation.reduction is not None
    indices, plain = equation.reduced, lines.plain(equation)
    if not _few(indices, equation.extents) or not any(
        _shares_axis(equation, i, lines.loops) for i in indices
    ):
        return None
    target, start = started(lines, equation, "0")
    less = lines.names.free("less")

    def one(spelling: ArraySpelling) -> list[str]:
        spelling.name_repeated(equation.body)
        value = spelling.cast(spelling.write(equation.body))
        (low, high), _ = spelling.together([value, spelling.write(best)])
        return [f"{less} &= {low.at_least(ADD)} < {high.at_least(ADD)}", f"{target} += {less}"]

    passes = _Passes(lines, statement, indices, equation.extents)
    if passes.unrolled and equation.target in lines.out:
        found = []
        *earlier, _ = passes.each(plain, equation.body)  # if all others are less, the maximum is the last
        for k, (prelude, value, spelling) in enumerate(earlier):
            (low, high), _ = spelling.together([value, spelling.write(best)])
            test = f"{low.at_least(ADD)} < {high.at_least(ADD)}"
            found += prelude
            found += [f"{less} &= {test}", f"{target} += {less}"] if k else [f"{less} = {test}"]
            found += [] if k else [f"{start.rpartition(' = ')[0]} = {less}"]
        return passes.noted(found)
    shape = lines.shape([equation.extents[i] for i in plain])
    ones = f"{less} = np.ones({shape}, bool)"
    return [f"{line}{passes.comment}" for line in (start, ones)] + passes.written(plain, one)


# --- terms that go to windows
@dataclass(frozen=True)
class _Axis:
    """Where terms go along one axis of the target: the slice's index, and room for what falls outside."""

    form: Affine
    big: Index
    extent: Expr
    before: Expr
    after: Expr


def _placed(lines: NumpyFrame, statement: EquationKernel) -> list[str] | None:
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
        or (few and not _few(few, equation.extents))
        or equation.target in lines.integers
    ):
        return None
    plain = lines.plain(equation)
    if plain != equation.indices:
        return None
    roomy = any(a.before != 0 or a.after != 0 for a in axes.values())
    target, start = started(lines, equation, "0")
    if roomy:
        shape = [
            sympy.expand(e + axes[i].before + axes[i].after) if i in axes else e
            for i, e in zip(plain, equation.shape, strict=True)
        ]
        target = lines.names.free("padded")
        start = f"{target} = np.zeros({lines.shape(shape)}, DTYPE)"
    frame = tuple(axes[i].big if i in axes else i for i in plain)
    inner = tuple(i for i in equation.reduced if i not in bigs and i not in few)
    rest = _over(equation, inner)

    def one(spelling: ArraySpelling) -> list[str]:
        parts = [
            slice_text(
                spelling, sympy.expand(axes[i].form.offset + axes[i].before + sum(
                    w * p for p, w in axes[i].form.weights.items() if p != axes[i].big
                )), axes[i].form.weights[axes[i].big], axes[i].big,
                sympy.expand(axes[i].extent + axes[i].before + axes[i].after),
            ) if i in axes else ":"
            for i in plain
        ]  # fmt: skip
        while parts and parts[-1] == ":":
            parts.pop()
        spelling.guarded += roomy  # what falls outside is cut off, wherever it would have been read
        spelling.name_repeated(equation.body)
        value = spelling.cast(spelling.write(equation.body))
        value = lines.reduced(spelling, value, rest, "sum")
        spelling.guarded -= roomy
        return [f"{target}[{', '.join(parts) or '...'}] += {spelling.lift(value, frame).text}"]

    passes = _Passes(lines, statement, few, equation.extents)
    if few:
        found = [start + passes.comment, *passes.written((*frame, *inner), one)]
    else:
        spelling = lines.spelling((*frame, *inner), equation.extents, "")
        text = one(spelling)
        lines.helpers |= spelling.helpers
        found = [line + passes.comment for line in (start, *spelling.prelude, *text)]
    if roomy:
        cut = ", ".join(_cut(lines, axes.get(i)) for i in plain)
        name, out = lines.names.tensors[equation.target], equation.target in lines.out
        found.append(
            f"{name}{'[...]' if out else ''} = {target}[{cut}]{'' if out else '.copy()'}{passes.comment}"
        )
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


def _cut(lines: NumpyFrame, axis: _Axis | None) -> str:
    if axis is None or (axis.before == 0 and axis.after == 0):
        return ":"
    stop = lines.extent(sympy.expand(axis.before + axis.extent)) if axis.after != 0 else ""
    return spaced(lines.extent(axis.before) if axis.before != 0 else "", stop)


# --- reads at i // 2
def _interleaved(lines: NumpyFrame, statement: EquationKernel) -> list[str] | None:
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
    target, _ = started(lines, equation, "0")

    def one(spelling: ArraySpelling) -> list[str]:
        parts = [
            lines.loops[i] if i in lines.loops
            else slice_text(spelling, names[i][1], factors[i], names[i][0], equation.extents[i]) if i in names
            else ":"
            for i in equation.indices
        ]  # fmt: skip
        while parts and parts[-1] == ":":
            parts.pop()
        spelling.name_repeated(body)
        if equation.target in lines.integers:
            value = spelling.integer(body)
        else:
            value = spelling.cast(spelling.write(body))
        return [
            f"{lines.names.tensors[equation.target]}[{', '.join(parts)}] = {spelling.lift(value, frame).text}"
        ]

    passes = _Passes(lines, statement, tuple(inner for _, inner in names.values()), extents)
    found = passes.written(frame, one)
    if equation.target in lines.out or plain != equation.indices:
        return found
    kind = "np.int64" if equation.target in lines.integers else "DTYPE"
    return [f"{target} = np.empty({lines.shape(equation.shape)}, {kind}){passes.comment}", *found]


def _factor(equation: Equation, index: Index) -> Expr | None:
    """The one number by which the index is divided wherever it is, if it divides the index's extent."""
    met = [e for e in equation.body.atoms(FloorDiv, Mod) if index in free_indices(e)]
    factors = {e.args[1] for e in met}
    if len(factors) != 1 or any(e.args[0] != index for e in met):
        return None
    (factor,) = factors
    count = sympy.cancel(equation.extents[index] / factor)
    return factor if factor.is_Integer and factor > 1 and count.is_integer else None
