"""The order of evaluation: which equations depend on each other, and along which axis a recurrence runs.

Enters: a system. Leaves: groups of equations in the order of evaluation, each with its loop if it has one.
Must not know: how an equation is evaluated, derived or emitted.

Equations that depend on each other form one group, a strongly connected component of the dependency graph
(Tarjan 1972, with a stack of its own instead of recursion). Such a group is a recurrence: along one axis
every read inside the group stays at the same position or goes back by a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbp.errors import EvaluationError
from symbp.ir.expr import Access, Expr, Index, free_indices, parts_of
from symbp.ir.system import Equation, System


@dataclass(frozen=True)
class Loop:
    """A recurrence over one axis: `axis[target]` is the position of the loop's index among the target's
    plain indices; `step` is +1 where reads go back to earlier positions (`t − 1`), −1 where to later ones."""

    axis: Mapping[str, int]
    step: int


@dataclass(frozen=True)
class Group:
    """Equations that are evaluated together, those without a loop one at a time.

    With a loop, `equations` are ordered so that reads at the same step come first, and `inner` holds the same
    equations as the groups of one step: a recurrence inside the step (depth around time) has its own loop
    there. Without a loop `inner` is empty.
    """

    equations: tuple[Equation, ...]
    loop: Loop | None = None
    inner: tuple[Group, ...] = ()

    @cached_property
    def targets(self) -> tuple[str, ...]:
        return tuple(equation.target for equation in self.equations)

    def loop_index(self, equation: Equation) -> Index:
        """The index of one of the group's equations along which the loop runs."""
        if self.loop is None:
            raise ValueError(f"{equation.target} is not in a loop")
        return equation.indices[self.loop.axis[equation.target]]


def groups(system: System, wanted: Iterable[str] | None = None) -> tuple[Group, ...]:
    """The groups of a system in the order of evaluation; only what the `wanted` tensors need, if given.

    Independent groups keep the order of their equations. Linear in the number of equations and reads.
    Raises EvaluationError: values that depend on themselves at the same step, or in both directions.
    """
    if wanted is None:
        return system.grouped
    needed = _needed(system, wanted)
    return arranged(tuple(equation for equation in system.equations if equation.target in needed))


def cycles(system: System) -> tuple[tuple[str, ...], ...]:
    """The sets of tensors that depend on each other, or on themselves, each in the order of the system."""
    edges = {e.target: [n for n in e.read_names if n in system.defining] for e in system.equations}
    rank = {target: k for k, target in enumerate(edges)}
    found = (tuple(sorted(component, key=rank.__getitem__)) for component in _components(edges))
    return tuple(c for c in found if len(c) > 1 or c[0] in edges[c[0]])


def arranged(equations: Sequence[Equation]) -> tuple[Group, ...]:
    return _arrange(equations, {equation.target: equation.reads for equation in equations})


def _needed(system: System, wanted: Iterable[str]) -> set[str]:
    needed: set[str] = set()
    stack = [system.tensor(name).name for name in wanted]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            if name in system.defining:
                stack += system.defining[name].read_names
    return needed


Reads = Mapping[str, Sequence[Access]]  # target → the reads that must have been evaluated before


def _arrange(equations: Sequence[Equation], reads: Reads) -> tuple[Group, ...]:
    """The groups of some equations, when only the given reads count."""
    by_target = {equation.target: equation for equation in equations}
    rank = {target: k for k, target in enumerate(by_target)}
    edges = {
        target: list(dict.fromkeys(a.name for a in reads[target] if a.name in by_target))
        for target in by_target
    }
    arranged: list[Group] = []
    for component in _components(edges):
        members = [by_target[target] for target in sorted(component, key=rank.__getitem__)]
        if len(members) == 1 and members[0].target not in edges[members[0].target]:
            arranged.append(Group((members[0],)))
        else:
            arranged.append(_recurrence(members, reads))
    return tuple(arranged)


def _components(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Strongly connected components, each after those that it has edges to (Tarjan, iteratively)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for root in edges:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        path = [(root, iter(edges[root]))]
        while path:
            node, following = path[-1]
            child = next(following, None)
            if child is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    component: list[str] = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    found.append(component)
            elif child not in number:
                number[child] = low[child] = len(number)
                stack.append(child)
                on_stack.add(child)
                path.append((child, iter(edges[child])))
            elif child in on_stack:
                low[node] = min(low[node], number[child])
    return found


def _recurrence(members: Sequence[Equation], reads: Reads) -> Group:
    """The group of equations that depend on each other: the first axis of the first one that can be looped
    over decides, and what still depends on itself within one step is a recurrence of its own."""
    inside = {equation.target: equation for equation in members}
    relevant = {target: [a for a in reads[target] if a.name in inside] for target in inside}
    reasons: dict[str, None] = {}
    for position in range(len(members[0].indices)):
        try:
            axis = _aligned(members[0].target, position, inside, relevant)
            step, unshifted = _direction(axis, inside, relevant)
            inner = _arrange(members, unshifted)
        except _NoLoop as no:
            reasons[no.what] = None
            continue
        return Group(tuple(e for group in inner for e in group.equations), Loop(axis, step), inner)
    names = ", ".join(inside)
    raise _NoLoop(
        f"the value of {names} depends on itself" if len(inside) == 1 else f"{names} depend on each other",
        where=members[0].origin,
        details=tuple(str(equation) for equation in members) + tuple(reasons),
        help="in every cycle read an earlier position of one axis (t - 1), or a later one (t + 1); where any "
        "earlier one is read, say so beside the read: bp.Sum(bp.where(s < t, a[t, s]*q[s, d], 0), s)",
    )


class _NoLoop(EvaluationError):
    """One axis cannot be the loop's; another may."""


def _aligned(first: str, position: int, inside: Mapping[str, Equation], reads: Reads) -> dict[str, int]:
    """The position of the loop's index in every target, following the reads from `first[… position …]`."""
    axis = {first: position}
    stack = [first]
    while stack:
        reader = stack.pop()
        index = inside[reader].indices[axis[reader]]
        for access in reads[reader]:
            if access.name in axis:
                continue
            for place, subscript in enumerate(access.subscripts):
                if shift(subscript, index) is not None:
                    axis[access.name] = place
                    stack.append(access.name)
                    break
    return axis


def _direction(
    axis: Mapping[str, int], inside: Mapping[str, Equation], reads: Reads
) -> tuple[int, dict[str, list[Access]]]:
    """The step of the loop and the reads of the same step that remain. Raises _NoLoop if there is none."""
    back = ahead = False
    unshifted: dict[str, list[Access]] = {target: [] for target in inside}
    for target, equation in inside.items():
        for access in reads[target]:
            moved = None
            if access.name in axis and target in axis:
                index = equation.indices[axis[target]]
                moved = shift(access.subscripts[axis[access.name]], index)
            if moved is None:
                raise _NoLoop(f"no axis of {access} runs with an index of {target}")
            if moved.is_zero:
                unshifted[target].append(access)
            back, ahead = back or bool(moved.is_negative), ahead or bool(moved.is_positive)
    if back and ahead:
        raise _NoLoop("reads go to earlier and to later positions")
    if not back and not ahead:
        raise _NoLoop("no read goes to another position")
    return (1 if back else -1), unshifted


def shift(subscript: Expr, index: Index) -> Expr | None:
    """`s` if the subscript is `index + s` with s of known sign, free of indices and tensors; else None."""
    if index not in subscript.free_symbols:
        return None
    moved = subscript - index
    if free_indices(moved) or parts_of(moved, Access):
        return None
    return moved if moved.is_zero or moved.is_negative or moved.is_positive else None
