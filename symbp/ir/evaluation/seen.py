"""What points of a system have shown so far: which ways its conditions went, which labels occurred.

Enters: a system, then points with the values of all tensors. Leaves: what is still to be seen.
Must not know: how points are drawn, what they shall decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Guard, Index, Size, accesses, free_indices
from symbp.ir.points.fitting import literal_sizes
from symbp.ir.system import Equation, System

if TYPE_CHECKING:
    from symbp.ir.evaluation.vector import Run


class Coverage:
    """Which ways the conditions of a system have not gone yet, which labels have not occurred, and which
    conditions have not been drawn so often."""

    def __init__(self, system: System, draws: int = 0) -> None:
        wanted = [(key, c, e) for e in system.equations for key, c in conditions(e.body, e.where).items()]
        self._branches = {key: (condition, equation) for key, condition, equation in reversed(wanted)}
        self._ways = {key: ways_wanted(condition) for key, (condition, _) in self._branches.items()}
        self._labels = labels_wanted(system)
        self._shapes = {t.name: t.shape for t in system.tensors}
        self._draws = draws
        self._drawn: dict[object, int] = {}

    @property
    def complete(self) -> bool:
        return not self._ways and not self._labels and not self._few

    @property
    def _few(self) -> bool:
        return min(self._drawn.values(), default=self._draws) < self._draws

    def take(self, run: Run) -> bool:
        """Takes in a point; whether it showed anything new."""
        ways = {k: w - ways_taken(run, *self._branches[k], self._shapes) for k, w in self._ways.items()}
        labels = {name: left - labels_seen(run, name) for name, left in self._labels.items()}
        news = ways != self._ways or labels != self._labels or self._few
        for key, count in run.conditions.drawn.items():
            self._drawn[key] = self._drawn.get(key, 0) + count
        self._ways = {key: left for key, left in ways.items() if left}
        self._labels = {name: left for name, left in labels.items() if left}
        return news


def labels_wanted(system: System) -> dict[str, frozenset[int]]:
    """The values that integer leaves must take somewhere: all of those below a size that has positions of
    its own (the sixth of six classes is read at a number), for others the first."""
    kept = literal_sizes(system)
    found: dict[str, frozenset[int]] = {}
    for tensor in system.leaves:
        bound = tensor.fact("below") or tensor.fact("below or ignored")
        if tensor.integer and bound is not None and isinstance(bound.bound, Size):
            found[tensor.name] = frozenset(range(kept.get(bound.bound.name, 1)))
    return found


def labels_seen(run: Run, name: str) -> frozenset[int]:
    """The values of an integer leaf at a point."""
    return frozenset(int(v) for v in np.unique(run.tensor(name)))


@lru_cache(maxsize=16384)
def conditions(body: Expr, where: tuple[Expr, ...] = ()) -> Mapping[Expr, Expr]:
    """The guards of a body, and the conjunctions that stand together in a product, by `guard_key`.

    A guard that reads a tensor may do so only where the guards around it that read nothing hold: then it
    stands, and so does its complement, in a conjunction with them.
    """
    found: dict[Expr, Expr] = {}

    def add(*guards: Expr) -> None:
        condition = sympy.Mul(*guards)
        if not condition.is_number:
            found.setdefault(guard_key(condition), condition)

    def walk(e: Expr, around: tuple[Expr, ...]) -> None:
        if isinstance(e, Guard):
            if around and e.has(Access):
                add(*around, e)
                add(*around, e.complement())
            else:
                add(e)
        together = [f for f in e.args if isinstance(f, Guard)] if e.is_Mul else []
        if len(together) > 1:
            add(*together)
        for arg in e.args:
            more = (g for g in together if g != arg and not g.has(Access))
            walk(arg, (*around, *more))

    for e in (body, sympy.Mul(*where)):
        walk(e, ())
    return found


def ways_wanted(condition: Expr) -> frozenset[bool]:
    """A guard must hold and fail somewhere; of a conjunction it is enough that it holds."""
    return frozenset({True, False}) if isinstance(condition, Guard) else frozenset({True})


def guard_key(condition: Expr) -> Expr:
    """A condition up to the names of its indices."""
    order: dict[Index, Index] = {}
    for node in sympy.preorder_traversal(condition):
        if isinstance(node, Index):
            order.setdefault(node, Index(f"_{len(order)}"))
    return condition.xreplace(order)


def ways_taken(
    run: Run, condition: Expr, equation: Equation, shapes: Mapping[str, tuple[Expr, ...]]
) -> frozenset[bool]:
    """Which ways a condition goes wherever what it reads is in range; elsewhere, another factor keeps it
    from being asked."""
    guards = [
        guard
        for access in accesses(condition)
        if access.outside is None
        for subscript, extent in zip(access.subscripts, shapes[access.name], strict=True)
        for guard in within(subscript, extent, equation.extents)
    ]
    inside = sympy.Mul(*guards)
    extents = equation.extents
    moving = free_indices(inside * condition)  # along the others a condition stands still
    if not all(run.extent(extent) for index, extent in extents.items() if index not in moving):
        return frozenset()
    indices = tuple(i for i in equation.all_indices if i in moving)
    ranges = tuple(extents[i] for i in indices)
    asked, held = (
        np.real(run.value(Equation("_", indices, body, None, (), ranges)))
        for body in (inside, inside * condition)
    )
    ways = held[asked != 0] != 0
    return frozenset({way for way, taken in ((True, ways.any()), (False, not ways.all())) if taken})
