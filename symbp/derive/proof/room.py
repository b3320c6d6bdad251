"""Sizes with room: what was one number at all points has another there, what was equal differs.

Enters: a system, the sizes of points. Leaves: sizes at which floor quotients that never changed do, and sizes
that never differed. Must not know: what the points shall decide.

An image halved four times has ⌊(H − 1)/16⌋ + 1 rows, which is 1 at every H below 17: at small sizes such a
factor says nothing, and a mean over those rows is a sum. Five windows in a row fit into few images of small
sizes, which may all be squares: then H/W says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from symbp.ir.expr import Expr, FloorDiv, Size, free_indices, free_sizes, parts_of
from symbp.ir.points.fitting import constraints, least_sizes
from symbp.ir.sizes.formula import Formula
from symbp.ir.sizes.obeying import obeying
from symbp.ir.system import System

FARTHEST = 4096  # to which a size is raised in search of another value
FEW = 12  # values that are tried for a size, so that no other has it
MORE = (1, 2)  # by how much quotients differ from what they were, in turn, so that two of them differ


class SizesSeen:
    """The values that sizes, and floor quotients of sizes, had at the points so far."""

    def __init__(self, system: System) -> None:
        self._system = system
        found = {d for e in _expressions(system) for d in parts_of(e, FloorDiv) if _of_sizes(d)}
        self._quotients: dict[Expr, set[int]] = {d: set() for d in found}
        self._sizes: dict[str, list[int]] = {name: [] for name in system.sizes}

    def look(self, sizes: Mapping[str, int]) -> None:
        """Takes in the sizes of a point."""
        known = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
        for quotient, values in self._quotients.items():
            value = quotient.xreplace(known)
            if value.is_Integer:
                values.add(int(value))
        for name, history in self._sizes.items():
            history.append(sizes.get(name, 0))

    @property
    def stuck(self) -> dict[Expr, int]:
        """The quotients that had one value at all points, with it."""
        return {d: next(iter(values)) for d, values in self._quotients.items() if len(values) == 1}

    @property
    def alike(self) -> tuple[str, ...]:
        """The sizes that had one value at all points, or at each the value of another one before them."""
        before: set[tuple[int, ...]] = set()
        found = []
        for name, history in sorted(self._sizes.items()):
            if len(set(history)) == 1 or tuple(history) in before:
                found.append(name)
            before.add(tuple(history))
        return tuple(found)

    def room(self) -> dict[str, int] | None:
        """Small sizes at which the quotients that are stuck have another value, and sizes that are alike
        differ as far as others fit; None where nothing fits."""
        sizes = roomy_sizes(self._system, self.stuck)
        if sizes is None:
            return None
        moved = {d: value for d, value in self.stuck.items() if _value(d, sizes) != value}
        return _apart(self._system, sizes, self.alike, moved)


def roomy_sizes(system: System, stuck: Mapping[Expr, int]) -> dict[str, int] | None:
    """Small sizes that fit, at which each quotient that can has more than the value given."""
    least = least_sizes(system)
    found, needed = dict(least), constraints(system)
    turns: dict[str, int] = {}
    for quotient in sorted(stuck, key=lambda d: (sympy.count_ops(d), str(d))):
        for size in sorted(free_sizes(quotient), key=lambda s: s.name):
            turn = turns.get(size.name, len(turns))
            raised = _raised(quotient, size.name, found, stuck[quotient] + MORE[turn % 2])
            if raised is not None:
                found, turns[size.name] = raised, turn
                break
    names = sorted(found)
    for k, name in enumerate(names):  # two images of equal sizes would be taken for each other
        others = {found[other] for other in names[:k]}
        if name in turns and found[name] in others:
            found = {**found, name: max(found.values()) + 1}
    found = obeying(found, needed.equal)
    # Where not even the sizes of a sample fit, a subscript is too involved for its range to be known (the
    # other of two neighbours, 1 + k - 2·(k%2)): then evaluating will tell.
    fits = needed.hold(found) or not needed.hold(least)
    return found if fits else None


def _apart(
    system: System, sizes: Mapping[str, int], names: Iterable[str], stuck: Mapping[Expr, int]
) -> dict[str, int]:
    """The sizes with each of the names raised to a value that no other has, where that fits."""
    found, needed = dict(sizes), constraints(system)
    for name in names:
        for value in range(found[name], found[name] + FEW):
            others = {v for other, v in found.items() if other != name}
            changed = obeying({**found, name: value}, needed.equal)
            if value in others or not needed.hold(changed):
                continue
            if all(_value(d, changed) != v for d, v in stuck.items()):
                found = changed
                break
    return found


def _raised(quotient: Expr, name: str, sizes: Mapping[str, int], wanted: int) -> dict[str, int] | None:
    """The sizes with one raised until the quotient is that large."""
    if _value(quotient, sizes) >= wanted:
        return dict(sizes)
    if _value(quotient, {**sizes, name: FARTHEST}) < wanted:
        return None
    low, high = sizes[name], FARTHEST
    while low < high:  # a quotient that grows with a size grows without falls
        middle = (low + high) // 2
        if _value(quotient, {**sizes, name: middle}) >= wanted:
            high = middle
        else:
            low = middle + 1
    return {**sizes, name: low}


def _value(quotient: Expr, sizes: Mapping[str, int]) -> int:
    return int(Formula(quotient).at(sizes))


def _of_sizes(quotient: Expr) -> bool:
    return (
        bool(free_sizes(quotient))
        and not free_indices(quotient)
        and not parts_of(quotient, sympy.Function) - (parts_of(quotient, FloorDiv))
    )


def _expressions(system: System) -> Iterable[Expr]:
    for tensor in system.tensors:
        yield from tensor.shape
    for equation in system.equations:
        yield from (equation.body, *equation.where, *equation.ranges)
