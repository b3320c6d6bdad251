"""Lowers a system to a program: contractions where the form allows, everything else fused into nests.

Enters: a system and the names of the tensors wanted. Leaves: a `Program` that computes what these need and
nothing else. Must not know: targets, ops, or why an equation is there.

Equations that depend on each other become a loop over time or depth; what does not depend on the loop's own
results is outside of it, over all steps at once, since it is in no such group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import sympy

from symbp.errors import EvaluationError, LoweringError
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, unused_index
from symbp.ir.groups import Group as Together
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, System, Tensor
from symbp.lower.contraction import Side, Split, match
from symbp.lower.nests import Draft, Group, can_join, draft, nest
from symbp.lower.program import (
    Branch,
    Contraction,
    Cost,
    Kernel,
    MatrixKernel,
    Operand,
    Program,
    Scan,
    Statement,
    plain_subscripts,
    validate,
)
from symbp.lower.scatter import scattered, selected
from symbp.lower.symmetric import SymmetricProduct, symmetric_product

Piece = Contraction | MatrixKernel | Statement
Drafted = Contraction | MatrixKernel | Scan | Branch | list[Draft]


def lower(system: System, wanted: Sequence[str], given: Iterable[str] = ()) -> Program:
    """The program for the tensors `wanted`; those in `given` are taken as computed already.

    Raises LoweringError, with the equations shown, where they depend on each other in a circle.
    """
    known = {*(leaf.name for leaf in system.leaves), *given}
    numbered = _needed(system, wanted, known)
    work = _Lowering(system, {equation.target: number for number, equation in numbered})
    kernels = work.kernels(_scalars_first(_order(system, numbered), known), {}, {})
    return _program(system, kernels, work.extra, known)


def _needed(system: System, wanted: Sequence[str], known: set[str]) -> list[tuple[int, Equation]]:
    """The equations that the wanted tensors need, with their numbers, in the system's order."""
    needed: set[str] = set()
    stack = [name for name in wanted if name not in known]
    for name in stack:
        system.tensor(name)
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [read for read in system.defining[name].read_names if read not in known]
    return [(k + 1, e) for k, e in enumerate(system.equations) if e.target in needed]


def _order(system: System, numbered: Sequence[tuple[int, Equation]]) -> tuple[Together, ...]:
    """The groups of these equations in the order of evaluation."""
    try:
        return groups(system.with_(equations=tuple(equation for _, equation in numbered)))
    except EvaluationError as circle:
        rows = tuple(f"({k}) {equation_text(e)}" for k, e in numbered if str(e) in circle.details)
        reasons = tuple(d for d in circle.details if d not in {str(e) for _, e in numbered})
        raise LoweringError(
            circle.what, where=circle.where, details=(*rows, *reasons), help=circle.help
        ) from None


def _scalars_first(order: Sequence[Together], known: set[str]) -> list[Together]:
    """Scalars of leaves alone come before every loop, so that they part no loops that belong together."""
    early: dict[str, Together] = {}
    for group in order:
        (equation, *others) = group.equations
        scalar = group.loop is None and not others and not equation.all_indices
        if scalar and all(name in known or name in early for name in equation.read_names):
            early[equation.target] = group
    return [*early.values(), *(g for g in order if g.equations[0].target not in early)]


Places = Mapping[str, Mapping[int, Index]]  # target → which of its axes a loop around fixes, and its index


class _Lowering:
    """One lowering: the numbers of the equations, and the buffers that are no tensor of the system."""

    def __init__(self, system: System, numbers: Mapping[str, int]) -> None:
        self.system, self.numbers = system, numbers
        self.extra: dict[str, Tensor] = {}
        self.shapes = {t.name: t.shape for t in system.tensors}

    @cached_property
    def signs(self) -> Signs:
        return Signs(self.system, self.system.equations)

    def kernels(
        self, order: Sequence[Together], places: Places, fixed: Mapping[Index, Expr]
    ) -> tuple[Kernel, ...]:
        """The kernels of some groups, inside the loops over the `fixed` indices (with their extents)."""
        drafted: list[Drafted] = []
        home: dict[str, int] = {}
        for group in order:
            if group.loop is not None:
                block = self.scan(group, places, fixed)
                drafted.append(block)
                home.update(dict.fromkeys(block.targets, len(drafted) - 1))
                continue
            equation = aligned(group.equations[0], places.get(group.equations[0].target, {}))
            for piece in self.pieces(equation, fixed):
                if not isinstance(piece, Statement):
                    drafted.append(piece)
                    home[piece.target] = len(drafted) - 1
                else:
                    home[piece.target] = _place(drafted, draft(piece, fixed), home)
        return tuple(nest(k, fixed) if isinstance(k, list) else k for k in drafted)

    # --- recurrences
    def scan(self, group: Together, places: Places, fixed: Mapping[Index, Expr]) -> Scan:
        """The loop of a group of equations that depend on each other."""
        assert group.loop is not None
        index, axis = group.loop_index(group.equations[0]), group.loop.axis
        if index.name in {i.name for i in fixed}:
            index = unused_index(index, fixed)
        lengths = {e.target: e.ranges[axis[e.target]] for e in group.equations}
        extent = _longest(list(dict.fromkeys(lengths.values())), group)
        inside = {name: {**places.get(name, {}), axis[name]: index} for name in group.targets}
        within = {**fixed, index: extent}
        body: list[Kernel] = []
        start = 0
        for k, inner in enumerate(group.inner):  # neighbours of one length are lowered together
            following = group.inner[k + 1] if k + 1 < len(group.inner) else None
            if following is not None and lengths[following.targets[0]] == lengths[inner.targets[0]]:
                continue
            length, part = lengths[inner.targets[0]], group.inner[start : k + 1]
            start = k + 1
            if sympy.expand(length - extent) == 0:
                body += self.kernels(part, inside, within)
            else:
                shorter = self.kernels(part, inside, {**within, index: length})
                body.append(Branch(shorter, Guard("<", index, length)))
        return Scan(tuple(body), index, extent, group.loop.step)

    # --- equations
    def pieces(
        self, equation: Equation, fixed: Mapping[Index, Expr]
    ) -> Iterable[Contraction | MatrixKernel | Statement]:
        """The kernels of one equation: its operands where they need computing, the product, the scaling."""
        number = self.numbers[equation.target]
        if equation.leaf is not None:
            if fixed:
                raise LoweringError(
                    f"equation ({number}) is a leaf of linear algebra inside of a recurrence",
                    where=equation.origin,
                    details=(equation_text(equation),),
                    help="leaves of linear algebra are lowered outside of loops over time and depth",
                )
            yield from self.matrix_pieces(number, equation)
            return
        equation, places = scattered(selected(equation), fixed)
        if places:
            yield Statement(number, equation, at=tuple(places.items()))
            return
        split = match(equation, self.shapes, fixed)
        if split is None:
            yield Statement(number, equation)
            return
        twice = symmetric_product(split, equation.extents)
        if twice is not None and self.signs.nonnegative(twice.weight):
            yield from self.square(number, equation, split, twice, fixed)
            return
        operands = []
        for side, name in ((split.left, "left"), (split.right, "right")):
            if side.array is None:
                statement = self.operand(number, equation, side, name)
                yield statement
                operands.append(Operand(statement.target, side.indices))
            else:
                operands.append(_array(side))
        yield from self.product(number, equation, split, operands, fixed, symmetric=twice is not None)

    def square(
        self,
        number: int,
        equation: Equation,
        split: Split,
        twice: SymmetricProduct,
        fixed: Mapping[Index, Expr],
    ) -> Iterable[Contraction | Statement]:
        """`ZᵀZ` of `Z = √weight·X`: one array stands on both sides."""
        side = twice.side
        weight = twice.weight
        if weight.args and not isinstance(weight, Access):
            indices = tuple(i for i in side.indices if i in free_indices(weight))
            statement = replace(self.operand(number, equation, Side(weight, indices), "weight"), inline=False)
            yield statement
            weight = Access(statement.target, *indices)
        if weight != 1:
            side = Side(side.body * sympy.sqrt(weight), side.indices)
        if side.array is None:
            statement = replace(self.operand(number, equation, side, "factor"), inline=False)
            yield statement
            left = Operand(statement.target, side.indices)
        else:
            left = _array(side)
        operands = [left, replace(left, indices=twice.mirrored)]
        yield from self.product(number, equation, split, operands, fixed, symmetric=True)

    def matrix_pieces(self, number: int, equation: Equation) -> Iterable[MatrixKernel | Statement]:
        """The kernel of a leaf of linear algebra, after its matrix where that needs computing."""
        assert equation.op is not None
        batch = equation.indices[: len(equation.indices) - len(equation.result)]
        axes = (*batch, *equation.reduced)
        body, name = equation.body, ""
        if isinstance(body, Access) and plain_subscripts(body) == axes:
            name = body.name
        side = Side(body, axes)
        if not name:
            statement = self.operand(number, equation, side, "matrix")
            yield statement
            name = statement.target
        n = equation.extents[equation.reduced[0]]
        count = sympy.Mul(*[equation.extents[i] for i in batch])
        work = {"inverse": 2, "cholesky": sympy.Rational(1, 3)}.get(equation.op, sympy.Rational(2, 3))
        cost = Cost(sympy.expand(count * work * n**3), sympy.expand(2 * count * n**2))
        operand = Operand(name, side.indices)
        yield MatrixKernel(number, equation.target, equation.op, batch, operand, dict(equation.extents), cost)

    def product(
        self,
        number: int,
        equation: Equation,
        split: Split,
        operands: Sequence[Operand],
        fixed: Mapping[Index, Expr],
        symmetric: bool = False,
    ) -> Iterable[Contraction | Statement]:
        """The product into the target, then scaled; into scratch first where it is only a part of the target:
        one step of a loop, what a guard selects, what is the same along an axis."""
        if split.plain == equation.indices and not split.scale.atoms(Guard):
            product = _contraction(number, equation.target, equation, split, operands, fixed)
            yield replace(product, symmetric=symmetric)
            if split.scale != 1:
                scaling = equation.with_(body=split.scale, reduction=None, ranges=equation.shape)
                yield Statement(number, scaling, scaling=True)
            return
        scratch = self.buffer(f"{equation.target}_product", tuple(equation.extents[i] for i in split.plain))
        product = _contraction(number, scratch, equation, split, operands, fixed, inline=True)
        yield replace(product, symmetric=symmetric)
        body = split.scale * Access(scratch, *split.plain)
        yield Statement(number, equation.with_(body=body, reduction=None, ranges=equation.shape))

    def operand(self, number: int, equation: Equation, side: Side, name: str) -> Statement:
        """An operand that must be computed before the product."""
        shape = tuple(equation.extents[i] for i in side.indices)
        target = self.buffer(f"{equation.target}_{name}", shape)
        return Statement(number, Equation(target, side.indices, side.body, ranges=shape), inline=True)

    def buffer(self, name: str, shape: tuple[Expr, ...]) -> str:
        """A new buffer called like `name`."""
        while name in self.shapes:
            name += "_"
        self.extra[name] = Tensor(name, shape)
        self.shapes[name] = shape
        return name


def _array(side: Side) -> Operand:
    """An operand that is an array as it stands."""
    assert side.array is not None
    first = len(side.array.subscripts) - len(side.indices)
    return Operand(side.array.name, side.indices, side.array.subscripts[:first])


def aligned(equation: Equation, at: Mapping[int, Index]) -> Equation:
    """The equation with its indices at some positions called like the loops around it."""
    names: dict[Index, Index] = {equation.indices[k]: index for k, index in at.items()}
    taken = {*equation.all_indices, *at.values()}
    for index in equation.all_indices:
        if index not in names and index in at.values():
            names[index] = unused_index(index, taken)
            taken.add(names[index])
    names = {old: new for old, new in names.items() if old != new}
    if not names:
        return equation
    reduction = equation.reduction
    if reduction is not None:
        reduction = replace(reduction, indices=tuple(names.get(i, i) for i in reduction.indices))
    return equation.with_(
        indices=tuple(names.get(i, i) for i in equation.indices),
        body=equation.body.xreplace(names),
        where=tuple(guard.xreplace(names) for guard in equation.where),
        reduction=reduction,
    )


def _longest(lengths: Sequence[Expr], group: Together) -> Expr:
    """The extent that is at least as large as the others, for all sizes."""
    for extent in lengths:
        if all(never_negative(extent - other, {}) for other in lengths):
            return extent
    raise LoweringError(
        f"the steps of {', '.join(group.targets)} have lengths that nothing compares",
        where=group.equations[0].origin,
        details=tuple(f"{e.target}: {e.ranges[group.loop.axis[e.target]]} steps" for e in group.equations)
        if group.loop
        else (),
        help="give the tensors of a recurrence the same number of steps",
    )


def _contraction(
    number: int,
    target: str,
    equation: Equation,
    split: Split,
    operands: Sequence[Operand],
    fixed: Mapping[Index, Expr],
    inline: bool = False,
) -> Contraction:
    extents, steps = equation.extents, sympy.Mul(*fixed.values())
    volume = sympy.Mul(*[extents[i] for i in split.plain + split.summed])
    moved = sum(
        (sympy.Mul(*[extents[i] for i in indices])
         for indices in (operands[0].indices, operands[1].indices, split.plain)),
        sympy.Integer(0),
    )  # fmt: skip
    return Contraction(
        number, target, split.batch, split.rows, split.summed, split.columns,
        operands[0], operands[1], dict(extents),
        Cost(sympy.expand(2 * volume * steps), sympy.expand(moved * steps)), inline,
    )  # fmt: skip


def _place(kernels: list[Drafted], one: Draft, home: dict[str, int]) -> int:
    """Puts a statement into the first nest with which it may share its outer loop, else into a new one."""
    first = max((home[name] for name in one.read_names if name in home), default=0)
    for k in range(first, len(kernels)):
        drafts = kernels[k]
        if isinstance(drafts, list) and one.remaining and _shares_loop(drafts, one):
            drafts.append(one)
            return k
    kernels.append([one])
    return len(kernels) - 1


def _shares_loop(drafts: list[Draft], one: Draft) -> bool:
    """Whether all of a nest's statements and this one run in a single outer loop."""
    if not all(d.remaining for d in drafts):
        return False
    seed = drafts[0]
    group = Group([seed], [seed.remaining[0]], seed.equation.extents[seed.remaining[0]])
    for other in [*drafts[1:], one]:
        index = can_join(group, other)
        if index is None:
            return False
        group.members.append(other)
        group.positions.append(index)
    return True


def _program(
    system: System, kernels: Sequence[Kernel], extra: Mapping[str, Tensor], known: set[str]
) -> Program:
    filled = list(dict.fromkeys(name for kernel in kernels for name in kernel.targets))
    read = {name for kernel in kernels for name in kernel.reads}
    leaves = tuple(t for t in system.tensors if t.name in known and t.name in read)
    buffers = tuple(extra.get(name) or system.tensor(name) for name in filled)
    program = Program(leaves, buffers, tuple(kernels))
    validate(program)
    return program
