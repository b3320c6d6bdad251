"""Recurrences that read any of their earlier steps, `Σ_s [s < t]·a[t, s]·q[s]`, as recurrences over one step.

Enters: a system. Leaves: the same, in which such reads go to a memory that is carried from step to step:

    q_past[t, s] = [s = t]·q[t] + [s ≠ t]·q_past[t − 1, s]        q[s] with s < t is q_past[t − 1, s]

Must not know: ops, how a recurrence is derived or evaluated.

A read is rewritten only if a condition proves that it goes to an earlier step (all of them to earlier ones,
or all to later ones): one that stands beside the read, or one under which alone the value of the equation is
read. A read that nothing limits makes a value depend on itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.errors import EvaluationError
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, Guard, Index, Size, free_indices
from symbp.ir.groups import cycles, groups, shift
from symbp.ir.labels import Label
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.language.bodies import rewrite

Guards = frozenset[Expr]


def remembered(system: System) -> System:
    """The system with a memory for each tensor whose earlier steps are read at will.

    Raises EvaluationError: values that depend on themselves, or that nothing proves not to."""
    try:
        groups(system)
    except EvaluationError:
        plans = [_planned(system, members) for members in cycles(system)]
        for plan in filter(None, plans):
            system = plan.applied(system)
        groups(system)
    return system


@dataclass(frozen=True)
class _Plan:
    """Along which axis a group runs, which way, and the reads that leave the step, by who reads them."""

    axis: Mapping[str, int]
    step: int
    far: frozenset[tuple[str, Access]]

    def axes(self, inside: Mapping[str, Equation]) -> int:
        """How many axes what is remembered has."""
        return sum(len(inside[name].indices) for name in {a.name for _, a in self.far})

    def applied(self, system: System) -> System:
        memory = {name: _free(f"{name}_past", system) for name in sorted({a.name for _, a in self.far})}
        equations, tensors = list[Equation](), list(system.tensors)
        for equation in system.equations:
            equations.append(self._reading(equation, memory))
            if equation.target in memory:
                tensor, own = self._memory(system, equation, memory[equation.target])
                tensors.append(tensor)
                equations.append(own)
        return system.with_(tensors=tuple(tensors), equations=tuple(equations))

    def _reading(self, equation: Equation, memory: Mapping[str, str]) -> Equation:
        """The equation with its far reads going to memories as they were a step before."""
        here = equation.target
        if not any(reader == here for reader, _ in self.far):
            return equation
        before = equation.indices[self.axis[here]] - self.step

        def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
            if (here, access) not in self.far:
                return type(access)(access.args[0], *subscripts, outside=outside)
            beyond = sympy.Integer(0) if outside is None else outside
            return Access(memory[access.name], before, *subscripts, outside=beyond)

        return equation.with_(
            body=rewrite(equation.body, spell), where=tuple(rewrite(g, spell) for g in equation.where)
        )

    def _memory(self, system: System, equation: Equation, name: str) -> tuple[Tensor, Equation]:
        """What the steps up to each one have given, and 0 for those to come."""
        axis, own = self.axis[equation.target], equation.indices
        taken = {i.name for i in own}
        letter = next(n for n in ("s", "u", "r", *(f"s{k}" for k in range(1, 99))) if n not in taken)
        now, slot = own[axis], Index(letter)
        at = (*own[:axis], slot, *own[axis + 1 :])
        is_now = Guard("=", slot, now)
        body = is_now * Access(equation.target, *own) + is_now.complement() * Access(
            name, now - self.step, *at, outside=sympy.Integer(0)
        )
        ranges = equation.ranges[: len(own)]
        whole = Equation(
            name,
            (now, *at),
            body,
            ranges=(ranges[axis], *ranges),
            rule=f"the steps of {equation.target} so far",
            origin=equation.origin,
        )
        of = system.tensor(equation.target)
        label = Label(name, given=True)
        return Tensor(name, (of.shape[axis], *of.shape), Role.HIDDEN, origin=of.origin, label=label), whole


def _free(name: str, system: System) -> str:
    taken = {*system.by_name, *system.sizes}
    return next(n for n in (name, *(f"{name}_{k}" for k in range(2, 999))) if n not in taken)


def _planned(system: System, members: Sequence[str]) -> _Plan | None:
    """The way to run through a group that has the fewest axes to remember."""
    inside = {name: system.defining[name] for name in members}
    asked = {*system.asked}
    plans = []
    for first in members:
        for position in range(len(inside[first].indices)):
            axis = _aligned(first, position, inside)
            plan = _Reads(system, inside, axis, asked).plan() if axis.keys() == inside.keys() else None
            if plan is not None and plan.far:
                plans.append(plan)
    return min(plans, key=lambda plan: plan.axes(inside), default=None)


def _aligned(first: str, position: int, inside: Mapping[str, Equation]) -> dict[str, int]:
    """Where the loop's index stands in each target, following reads at that index, up to a shift."""
    axis, stack = {first: position}, [first]
    while stack:
        reader = stack.pop()
        index = inside[reader].indices[axis[reader]]
        for access in inside[reader].reads:
            if access.name in inside and access.name not in axis:
                at = [k for k, s in enumerate(access.subscripts) if shift(s, index) is not None]
                if at:
                    axis[access.name] = at[0]
                    stack.append(access.name)
    return axis


class _Reads:
    """The reads inside a group, with the conditions under which each is needed."""

    def __init__(
        self, system: System, inside: Mapping[str, Equation], axis: Mapping[str, int], asked: set[str]
    ) -> None:
        self.system, self.inside, self.axis, self.asked = system, inside, axis, asked
        self.readers: dict[str, list[tuple[Equation, Access, Guards]]] = {}
        for equation in system.equations:
            for access, guards in _reads(equation):
                self.readers.setdefault(access.name, []).append((equation, access, guards))

    def plan(self) -> _Plan | None:
        steps, far = set[int](), set[tuple[str, Access]]()
        for name in self.inside:
            for equation, access, guards in self.readers.get(name, ()):
                if equation.target not in self.inside:
                    continue
                index = equation.indices[self.axis[equation.target]]
                subscript = access.subscripts[self.axis[name]]
                moved = shift(subscript, index)
                if moved is not None:
                    steps |= {1} if moved.is_negative else {-1} if moved.is_positive else set()
                    continue
                step = self._way(equation, subscript, index, guards | self._needed(equation.target, ()))
                if step is None or self.system.tensor(name).integer:
                    return None
                steps.add(step)
                far.add((equation.target, access))
        return _Plan(dict(self.axis), steps.pop(), frozenset(far)) if len(steps) == 1 else None

    def _way(self, equation: Equation, subscript: Expr, index: Index, guards: Guards) -> int | None:
        """+1 if the place is provably before the step, −1 if it is behind it."""
        extents = dict(zip(equation.all_indices, equation.ranges, strict=True))
        for step in (1, -1):
            room = step * (index - subscript) - 1  # not negative where it holds
            if any(never_negative(sympy.expand(room - given), extents) for given in _given(guards)):
                return step
        return None

    def _needed(self, name: str, behind: tuple[str, ...]) -> Guards:
        """The conditions, in the equation's own indices, under which alone its value is read."""
        readers = self.readers.get(name, [])
        if name in self.asked or name in behind or not readers:
            return frozenset()
        own = self.system.defining[name].indices
        found: Guards | None = None
        for equation, access, guards in readers:
            every = guards | self._needed(equation.target, (*behind, name))
            here = frozenset(_in_indices(every, access.subscripts, own))
            found = here if found is None else found & here
        return found or frozenset()


def _reads(equation: Equation) -> Iterator[tuple[Access, Guards]]:
    """Each read with the brackets that stand beside it as factors, or remove elements."""
    yield from _guarded(equation.body, frozenset(equation.where))
    for guard in equation.where:
        yield from _guarded(guard, frozenset())


def _guarded(expr: Expr, guards: Guards) -> Iterator[tuple[Access, Guards]]:
    if isinstance(expr, Access):
        yield expr, guards
    if isinstance(expr, Guard) or not expr.has(Access):
        beside = guards if not isinstance(expr, Guard) else frozenset()
    else:
        beside = guards | frozenset(a for a in sympy.Mul.make_args(expr) if isinstance(a, Guard))
    for part in expr.args:
        yield from _guarded(part, beside)


def _given(guards: Guards) -> Iterator[Expr]:
    """What is not negative where integer conditions hold; and 0."""
    yield sympy.Integer(0)
    for guard in sorted(guards, key=sympy.default_sort_key):
        if guard.op in ("<=", "=") and guard.lhs.is_integer and guard.rhs.is_integer:
            yield guard.rhs - guard.lhs
            if guard.op == "=":
                yield guard.lhs - guard.rhs


def _in_indices(guards: Guards, subscripts: Sequence[Expr], own: Sequence[Index]) -> Iterator[Expr]:
    """The conditions that the subscripts of a read turn into ones on the indices of what is read."""
    known: dict[Expr, Expr] = {}
    for subscript, index in zip(subscripts, own, strict=True):
        for letter in free_indices(subscript):
            moved = sympy.expand(subscript - letter)
            if not free_indices(moved) and all(isinstance(s, Size) for s in moved.free_symbols):
                known.setdefault(letter, index - moved)
    for guard in guards:
        if free_indices(guard) <= known.keys() and not guard.has(Access):
            yield guard.xreplace(known)
