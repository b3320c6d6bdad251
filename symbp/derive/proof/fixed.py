"""What no leaf moves: differences and values that are numbers of the formula, whichever leaves are drawn.

Enters: a system, its kinds of conditions. Leaves: the numbers that conditions compare and maxima choose
among. Must not know: which rewrite is on trial.

min(x, ½) is ½ wherever x is above it, and [min(x, ½) < 1] holds there for every leaf. Drawn freely, it would
be one draw for a whole point, since all these elements compare the same numbers; half of the points would
show a pattern that no leaf ever takes, and few points the one that all leaves take. So what is a number at
two draws of all leaves, with the same conditions, is compared as it is. That loses no pattern of real
values: fixed numbers have one order.

The first draw's decisions are recorded and taken again with other leaves; what is compared then and hasn't
changed is fixed. As decisions of fixed numbers decide which others come up, this is done a few times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.derive.proof.free import Fixed, FreeConditions, Kinds
from symbp.errors import EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Guard, parts_of
from symbp.ir.points.sampling import sample_run
from symbp.ir.system import System

Array = Any

ROUNDS = 6
ENOUGH = 2  # rounds in a row that show nothing new
SAME = 1e-13  # of the larger side: a difference that no leaf moves is the same to the last digits
DISCRETE = ("binary", "one hot", "mask")


def kinds_of(system: System) -> Kinds:
    """The kinds of a system's conditions, with the numbers that they compare."""
    kinds = Kinds(system)
    idle = 0 if kinds.any_free and _may_compare_numbers(system, kinds) else ENOUGH
    for seed in range(ROUNDS):
        if idle == ENOUGH:
            break
        known = kinds.fixed
        kinds.fixed = known.joined(_found(system, kinds, 2 * seed))
        idle = idle + 1 if kinds.fixed.count == known.count else 0
    return kinds


def _may_compare_numbers(system: System, kinds: Kinds) -> bool:
    """Whether a free condition, or a maximum, rests on a value that a bracket may make a number; or a
    condition on one beyond a range."""
    bracketed = {e.target for e in system.equations if parts_of(e.body, Guard)}
    beyond = {e.target for e in system.equations if any(a.outside is not None for a in e.reads)}
    behind, behind_brackets = system.dependents(bracketed | beyond), system.dependents(bracketed)
    for equation in system.equations:
        brackets = {g for part in (equation.body, *equation.where) for g in parts_of(part, Guard)}
        free = (g for g in brackets if any(a.name in behind for a in parts_of(g, Access)))
        if any(map(kinds.is_free, free)):
            return True
        chosen = equation.op in ("max", "argmax", "argsort")
        if chosen and (equation.target in bracketed or behind_brackets & {*equation.read_names}):
            return True
    return False


def _found(system: System, kinds: Kinds, seed: int) -> Fixed:
    """The numbers that one pair of draws shows."""
    try:
        drawn = FreeConditions(kinds, seed + 1)
        one = sample_run(system, seed, variant=seed % 2, conditions=(drawn,))
        other = sample_run(system, seed + 1, sizes=one.sizes, conditions=(AS_THEY_ARE,))
    except EvaluationError:
        return Fixed()
    kept = {t.name for t in system.leaves if t.integer or any(t.fact(kind) for kind in DISCRETE)}
    moved = {name: one.values[name] if name in kept else other.values[name] for name in one.values}
    first = _Recorded(FreeConditions(kinds, seed + 1))
    second = _Repeated(first)
    with np.errstate(all="ignore"):
        try:
            Run(system, one.values, one.sizes, first).everything()
            Run(system, moved, one.sizes, second).everything()
        except (EvaluationError, _Lost):
            pass  # what was compared before counts
    return Fixed(_unique(second.differences), _unique(second.values))


class _Lost(Exception):
    """The second draw compares something else."""


class _Recorded:
    """Decides as another does, and keeps what was compared and decided."""

    def __init__(self, by: Conditions) -> None:
        self.by = by
        self.log: list[tuple[Array, Array]] = []

    @property
    def drawn(self) -> Any:
        return self.by.drawn

    def holds(self, guard: Guard, lhs: Array, rhs: Array) -> Array:
        found = self.by.holds(guard, lhs, rhs)
        self.log.append((_difference(lhs, rhs), found))
        return found

    def order(self, values: Array) -> Array:
        found = self.by.order(values)
        self.log.append((np.asarray(values, dtype=float), found))
        return found


class _Repeated:
    """Decides as was decided before, and keeps the numbers that are the same again."""

    def __init__(self, before: _Recorded) -> None:
        self._left = iter(before.log)
        self.differences: list[Array] = []
        self.values: list[Array] = []

    @property
    def drawn(self) -> Any:
        return {}

    def holds(self, guard: Guard, lhs: Array, rhs: Array) -> Array:  # noqa: ARG002
        return self._again(_difference(lhs, rhs), self.differences)

    def order(self, values: Array) -> Array:
        return self._again(np.asarray(values, dtype=float), self.values)

    def _again(self, now: Array, kept: list[Array]) -> Array:
        before, decided = next(self._left, (None, None))
        if before is None or before.shape != now.shape:
            raise _Lost
        scale = np.maximum(np.abs(before), np.abs(now))
        same = np.isfinite(now) & np.isfinite(before) & (np.abs(now - before) <= SAME * (scale + 1))
        kept.append(now[same])
        return decided


def _difference(lhs: Array, rhs: Array) -> Array:
    return np.asarray(np.asarray(rhs, dtype=float) - np.asarray(lhs, dtype=float))


def _unique(found: list[Array]) -> Array:
    flat = np.concatenate([np.ravel(a) for a in found]) if found else np.zeros(0)
    return np.unique(flat)
