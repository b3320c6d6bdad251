"""Fuses maps and reductions into loop nests.

Enters: statements in the order of evaluation. Leaves: a tree of loops in which each element is computed once.
Must not know: targets, contractions, or anything of an equation but its indices and accesses.

Two statements share a loop if the later one reads what the earlier one defines only at the loop's own
position, and the earlier one is finished there: no read of a sum inside the loop that still adds to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.lower.program import (
    Begin,
    Cost,
    ElementStep,
    End,
    EquationKernel,
    Loop,
    Nest,
    Node,
    plain_subscripts,
)


@dataclass
class Draft:
    """A statement on its way into a tree: the loops it still needs, and the names of those around it."""

    statement: EquationKernel
    remaining: tuple[Index, ...]
    names: dict[Index, Index] = field(default_factory=dict)
    register: bool = False
    begun: bool = False

    @property
    def equation(self) -> Equation:
        return self.statement.equation

    @property
    def read_names(self) -> list[str]:
        """What the statement needs: a scaling one its own target, filled before."""
        own = [self.statement.target] if self.statement.scaling else []
        return [*dict.fromkeys(access.name for access in self.statement.reads), *own]


@dataclass
class Group:
    """Drafts that share a loop; `positions` gives each one's own index for it."""

    members: list[Draft]
    positions: list[Index]
    extent: Expr

    def common(self, one: Draft) -> int:
        """How many of the arrays that a draft reads are read or filled here."""
        met = {name for m in self.members for name in (*m.read_names, m.statement.target)}
        return sum(name in met for name in one.read_names)


def draft(statement: EquationKernel, fixed: Collection[Index] = ()) -> Draft:
    """A draft whose loops run in the order in which memory is read; loops around it fix some indices."""
    bound = (*fixed, *statement.places)
    return Draft(statement, loop_order(statement.equation, bound), {i: i for i in fixed})


def loop_order(equation: Equation, fixed: Collection[Index] = ()) -> tuple[Index, ...]:
    """The indices in the order of their loops: the axes of the largest array read, else the plain indices and
    then the reduced ones. An argmax keeps its reduced loops innermost, so that one scalar carries it."""
    own = tuple(i for i in equation.all_indices if i not in fixed)
    if equation.op in (None, "argmax"):
        return own
    for access in sorted(equation.reads, key=lambda a: (-len(a.subscripts), expression_text(a))):
        subscripts = plain_subscripts(access)
        order = tuple(i for i in subscripts or () if i not in fixed)
        if order and set(order) == set(own):
            return order
    return own


def can_join(group: Group, candidate: Draft) -> Index | None:
    """The candidate's index that may run in the group's loop, or None: its own outermost one, unless what it
    reads there leaves no choice."""
    defined = {
        m.statement.target: (m, position) for m, position in zip(group.members, group.positions, strict=True)
    }
    forced: set[Index] = set()
    for access in _reads_of(candidate.statement, defined):
        member, position = defined[access.name]
        if position not in member.equation.indices:
            return None  # the member reduces over this loop: it is finished only after it
        subscript = access.subscripts[member.equation.indices.index(position)]
        if not isinstance(subscript, Index):
            return None
        forced.add(subscript)
    if len(forced) > 1:
        return None
    fitting = [
        i for i in candidate.remaining
        if i in (forced or candidate.remaining[:1])
        and sympy.expand(candidate.equation.extents[i] - group.extent) == 0
        and (candidate.equation.op != "argmax" or i in candidate.equation.indices)
    ]  # fmt: skip
    return fitting[0] if fitting else None


def _reads_of(statement: EquationKernel, defined: dict[str, tuple[Draft, Index]]) -> list[Access]:
    found = [a for a in statement.reads if a.name in defined]
    if statement.scaling and statement.target in defined:
        found.append(Access(statement.target, *statement.equation.indices))
    return found


def group_drafts(drafts: Sequence[Draft]) -> list[Group | Draft]:
    """Groups in order; a draft joins the group with which it has most arrays in common, the first of them,
    no earlier than what it depends on."""
    groups: list[Group | Draft] = []
    home: dict[str, int] = {}
    for one in drafts:
        first = max((home[name] for name in one.read_names if name in home), default=0)
        place = len(groups)
        if one.remaining:
            open_ = [
                (k, group, can_join(group, one))
                for k, group in enumerate(groups)
                if k >= first and isinstance(group, Group)
            ]
            fitting = [(k, group, index) for k, group, index in open_ if index is not None]
            if fitting:
                place, group, index = min(fitting, key=lambda found: -found[1].common(one))
                group.members.append(one)
                group.positions.append(index)
            else:
                first_index = one.remaining[0]
                groups.append(Group([one], [first_index], one.equation.extents[first_index]))
        else:
            groups.append(one)
        home[one.statement.target] = place
    return groups


def build_loops(drafts: Sequence[Draft], around: tuple[Index, ...] = ()) -> tuple[Node, ...]:
    """The loop tree of drafts that share the loops `around`."""
    nodes: list[Node] = []
    for group in group_drafts(drafts):
        if isinstance(group, Draft):
            nodes.append(ElementStep(group.statement, group.names, group.register))
        else:
            nodes += _loop(group, around)
    return tuple(nodes)


def _loop(group: Group, around: tuple[Index, ...]) -> list[Node]:
    index = _fresh(group.positions[0], around)
    before: list[Node] = []
    after: list[Node] = []
    inner: list[Draft] = []
    for member, position in zip(group.members, group.positions, strict=True):
        begun, register = member.begun, member.register
        if position in member.equation.reduced and not begun:
            begun = True
            whole = not any(i in member.equation.indices for i in member.remaining)
            register = whole and not member.statement.at
            before.append(Begin(member.statement, dict(member.names)))
            if register:
                after.append(End(member.statement, dict(member.names)))
        rest = tuple(i for i in member.remaining if i != position)
        inner.append(Draft(member.statement, rest, {**member.names, position: index}, register, begun))
    return [*before, Loop(index, group.extent, build_loops(inner, (*around, index))), *after]


def _fresh(index: Index, around: tuple[Index, ...]) -> Index:
    taken = {i.name for i in around}
    name, k = index.name, 1
    while name in taken:
        name, k = f"{index.name}{k}", k + 1
    return Index(name)


def nest(drafts: Sequence[Draft], fixed: Mapping[Index, Expr] | None = None) -> Nest:
    """The fused nest of drafts that belong together, with its cost; `fixed` gives the indices and extents of
    the loops around it."""
    fixed = fixed or {}
    statements = tuple(d.statement for d in drafts)
    return Nest(statements, build_loops(drafts, tuple(fixed)), nest_cost(statements, fixed))


def nest_cost(
    statements: Sequence[EquationKernel], fixed: Mapping[Index, Expr], local: Collection[str] = ()
) -> Cost:
    """The work of statements inside loops over the `fixed` indices; what is `local` is not moved."""
    cost = Cost()
    for statement in statements:
        one = statement_cost(statement.equation, statement.places, local)
        times = sympy.Mul(*[e for i, e in fixed.items() if i not in statement.equation.indices])
        cost += Cost(one.flops * times, one.moved * times)
    return cost


def statement_cost(equation: Equation, placed: Collection[Index] = (), local: Collection[str] = ()) -> Cost:
    """Operations of the body (and the reduction) over the box of indices, without those that are `placed` by
    the terms themselves; each array read once, but for those that are `local`."""
    box = sympy.Mul(*[e for i, e in equation.extents.items() if i not in placed])
    plain = sympy.Mul(*equation.shape) if equation.target not in local else sympy.S.Zero
    operations = _operations(equation.body) + (1 if equation.reduction else 0)
    own = set(equation.all_indices)
    arrays = sympy.Integer(0)
    for access in equation.reads:
        if access.name in local:
            continue
        met = sorted(access.free_symbols & own, key=lambda i: str(i.name))
        arrays += sympy.Mul(*[equation.extents[i] for i in met])
    return Cost(sympy.expand(operations * box), sympy.expand(arrays + plain))


def _operations(body: Expr) -> int:
    """Additions, multiplications, divisions, functions, powers and comparisons of one element."""
    if isinstance(body, (Access, sympy.Symbol)) or body.is_number:
        return 0
    if isinstance(body, Guard):
        return 1
    inner = sum(_operations(arg) for arg in body.args)
    return inner + (len(body.args) - 1 if body.is_Add or body.is_Mul else 1)
