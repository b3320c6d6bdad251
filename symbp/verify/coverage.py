"""Which ways the conditions of a system go at a point: what a check has seen, and what it hasn't.

Enters: a system, points. Leaves: for each goal (a branch taken, a label that occurred, an argument that was
the largest) whether a point reaches it. Must not know: how points are drawn, or what is compared at them.

A branch is a set of conditions that stand together in a product, within those around it; it is taken where
all of them hold. A single condition must also fail somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import sympy

from symbp.ir.evaluation.margins import in_range
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import FLAT, Equation, Reduction, System
from symbp.verify.points import Point, bound_of

Array = np.ndarray[Any, Any]
Goal = tuple[str, int, int]  # (kind, number of the branch, tensor or equation, which way, label or place)
MOST_LABELS, MOST_ARGUMENTS = 64, 8


@dataclass(frozen=True)
class Branch:
    """Conditions of one equation that stand together, and those that keep what they read in range."""

    equation: Equation
    guards: tuple[Guard, ...]
    inside: Expr

    @property
    def may_be_sought(self) -> bool:
        """Whether it compares real values and asks for no equality, so that it has a distance."""
        return all(g.op in ("<", "<=") for g in self.guards if not _is_whole(g)) and any(
            not _is_whole(g) for g in self.guards
        )

    def at(self, run: Run) -> tuple[Array, Array]:
        """(where it is asked, where it holds), over all the indices of its equation."""
        asked = self._value(run, self.inside) != 0
        return asked, self._value(run, sympy.Mul(self.inside, *self.guards)) != 0

    def slack(self, run: Run) -> Array:
        """How far the conditions are from failing, the nearest one; negative where one fails, −∞ where it
        isn't asked or fails on integers."""
        whole = sympy.Mul(self.inside, *[g for g in self.guards if _is_whole(g)])
        asked = self._value(run, whole) != 0
        real = [g for g in self.guards if not _is_whole(g)]
        parts = [self._value(run, sympy.Mul(whole, g.rhs - g.lhs)) for g in real]
        return np.where(asked, np.minimum.reduce(parts), -np.inf)

    def _value(self, run: Run, body: Expr) -> Array:
        equation = Equation("_", self.equation.all_indices, body, None, (), self.equation.ranges)
        return np.real(run.value(equation))


class Coverage:
    """The goals of what `wanted` rests on, and what points reach of them."""

    def __init__(self, system: System, wanted: Iterable[str]) -> None:
        self.system = system
        needed = system.resting(wanted)
        self.equations = [e for e in system.equations if e.target in needed and not e.constant]
        self.labels = [t for t in system.leaves if t.integer and t.name in needed and bound_of(t)]

    @cached_property
    def branches(self) -> list[Branch]:
        """Every branch that depends on values, those of all equations; alike ones once."""
        found: dict[tuple[str, frozenset[Guard]], Branch] = {}
        shapes = {t.name: t.shape for t in self.system.tensors}
        for equation in self.equations:
            for guards in _together(equation):
                key = (equation.target, frozenset(guards))
                if key not in found:
                    found[key] = Branch(equation, guards, in_range(equation, guards, shapes))
        return list(found.values())

    def reached(self, point: Point) -> tuple[frozenset[Goal], dict[int, bytes]]:
        """The goals that a point reaches; and of each branch the pattern of where it holds."""
        run = Run(self.system, point.values, point.sizes)
        goals: set[Goal] = set()
        patterns: dict[int, bytes] = {}
        for number, branch in enumerate(self.branches):
            asked, holds = branch.at(run)
            goals |= {("branch", number, 1)} if (asked & holds).any() else set()
            if len(branch.guards) == 1:
                goals |= {("branch", number, 0)} if (asked & ~holds).any() else set()
                patterns[number] = np.packbits(holds & asked).tobytes() + str(holds.shape).encode()
        for number, tensor in enumerate(self.labels):
            goals |= {("label", number, int(v)) for v in np.unique(point.values[tensor.name])}
        for number, equation in enumerate(self.equations):
            if equation.op == "max":
                goals |= {("argument", number, int(v)) for v in _arguments(run, equation)}
        return frozenset(goals), patterns

    def goals(self, sizes: Mapping[str, int]) -> frozenset[Goal]:
        """All goals, where sizes are these."""
        found: set[Goal] = set()
        for number, branch in enumerate(self.branches):
            found |= {("branch", number, way) for way in ((0, 1) if len(branch.guards) == 1 else (1,))}
        for number, tensor in enumerate(self.labels):
            fact = bound_of(tensor)
            if fact is not None and fact.bound is not None:
                top = evaluate_size(fact.bound, sizes)
                found |= {("label", number, v) for v in range(top if top <= MOST_LABELS else 0)}
        for number, equation in enumerate(self.equations):
            if equation.op == "max":
                count = prod(evaluate_size(equation.extents[i], sizes) for i in equation.reduced)
                found |= {("argument", number, v) for v in range(count if count <= MOST_ARGUMENTS else 0)}
        return frozenset(found)

    def distance(self, goal: Goal, point: Point) -> float:
        """How far a point is from a branch that it doesn't take; −∞ if that can't be said."""
        _, number, way = goal
        branch = self.branches[number]
        if not branch.may_be_sought:
            return -np.inf
        run = Run(self.system, point.values, point.sizes)
        slack = branch.slack(run)
        if not way:
            slack = np.where(np.isfinite(slack), -slack, -np.inf)
        return float(np.max(slack, initial=-np.inf))


def _is_whole(guard: Guard) -> bool:
    return bool(guard.lhs.is_integer and guard.rhs.is_integer)


def _together(equation: Equation) -> list[tuple[Guard, ...]]:
    """The sets of conditions of an equation that read a tensor: each by itself, and those that stand
    together."""
    found: dict[frozenset[Guard], tuple[Guard, ...]] = {}

    def add(guards: Sequence[Guard]) -> None:
        if any(g.has(Access) for g in guards):
            found.setdefault(frozenset(guards), tuple(guards))

    def walk(e: Expr, around: tuple[Guard, ...]) -> None:
        if isinstance(e, Guard):
            add((e,))
            return
        here = [f for f in e.args if isinstance(f, Guard)] if e.is_Mul else []
        inner = tuple(dict.fromkeys((*around, *here)))
        if here and len(inner) > 1:
            add(inner)
        for arg in e.args:
            walk(arg, inner if not isinstance(arg, Guard) else around)

    walk(equation.body, ())
    for guard in equation.where:
        walk(guard, ())
    return list(found.values())


def _arguments(run: Run, equation: Equation) -> Array:
    """The flat places at which a maximum is taken."""
    assert equation.reduction is not None
    place = Reduction("argmax", equation.reduced, FLAT)
    return np.unique(run.value(equation.with_(target="_", reduction=place)))
