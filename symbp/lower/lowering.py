"""Lowers a system to a program: contractions where the form allows, everything else fused into nests.

Enters: a system and the names of the tensors wanted. Leaves: a `Program` that computes what these need and
nothing else. Must not know: targets, ops, or why an equation is there.

Equations that depend on each other become a loop over time or depth; what does not depend on the loop's own
results is outside of it, over all steps at once, since it is in no such group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.errors import EvaluationError, LoweringError
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr, Guard, Index, unused_index
from symbp.ir.groups import Group as Together
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, System, Tensor
from symbp.lower.program import Branch, Contraction, EquationKernel, Kernel, MatrixKernel, Program, Scan
from symbp.lower.schedule.fusion import Draft, Group, can_join, draft, nest
from symbp.lower.select.kernel_selection import Pieces
from symbp.lower.select.solve import only_multiplied
from symbp.lower.validate import validate

Piece = Contraction | MatrixKernel | EquationKernel
Drafted = Contraction | MatrixKernel | Scan | Branch | list[Draft]


def lower(
    system: System,
    wanted: Sequence[str],
    given: Iterable[str] = (),
    numbers: Mapping[str, int] | None = None,
) -> Program:
    """The program for the tensors `wanted`; those in `given` are taken as computed already. `numbers` gives
    the equations' numbers by target, if they are not their places in the system.

    Raises LoweringError, with the equations shown, where they depend on each other in a circle.
    """
    known = {*(leaf.name for leaf in system.leaves), *given}
    numbered = _needed(system, wanted, known, numbers or {})
    every = numbers or {e.target: k + 1 for k, e in enumerate(system.equations)}
    work = _Lowering(system, {equation.target: number for number, equation in numbered}, every)
    work.filled |= known
    order = _order(system, numbered)
    inside = {name for group in order if group.loop is not None for name in group.targets}
    stage = [equation.target for _, equation in numbered if equation.target not in wanted]
    work.solved = only_multiplied(system, stage, inside, work.split)
    kernels = work.kernels(_scalars_first(order, known), {}, {})
    return _program(system, kernels, work.extra, known)


def _needed(
    system: System, wanted: Sequence[str], known: set[str], numbers: Mapping[str, int]
) -> list[tuple[int, Equation]]:
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
    return [(numbers.get(e.target, k + 1), e) for k, e in enumerate(system.equations) if e.target in needed]


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


class _Lowering(Pieces):
    """One lowering: groups of equations into kernels, nests and loops."""

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
                self.filled |= set(block.targets)
                continue
            equation = aligned(group.equations[0], places.get(group.equations[0].target, {}))
            for piece in self.pieces(equation, fixed):
                if not isinstance(piece, EquationKernel):
                    drafted.append(piece)
                    home[piece.target] = len(drafted) - 1
                else:
                    home[piece.target] = _place(drafted, draft(piece, fixed), home)
            self.filled.add(equation.target)
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


def _place(kernels: list[Drafted], one: Draft, home: dict[str, int]) -> int:
    """Puts a statement into the first nest with which it may share its outer loop, else into a new one.

    A statement that reads nothing goes into the last such nest, unless that has one already: those of equal
    layers stay each in its layer.
    """
    first = max((home[name] for name in one.read_names if name in home), default=0)
    later = range(first, len(kernels))
    for k in later if one.read_names else reversed(later):
        drafts = kernels[k]
        if isinstance(drafts, list) and one.remaining and _shares_loop(drafts, one):
            if not one.read_names and not all(d.read_names for d in drafts):
                break
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
