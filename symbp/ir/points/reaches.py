"""How far the reads of an equation go: a subscript over the ranges of its indices, and the axis that is read.

Enters: an equation, the shapes of tensors. Leaves: for each read that may leave its tensor, whether it stays
in it at given sizes. Must not know: how sizes are chosen.

Guards are lazy: `[s%2 = 1]·y[n, s//2]` reads y at odd s only, and so far it reaches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, free_indices
from symbp.ir.shapes import bounded_beside
from symbp.ir.sizes.formula import Formula
from symbp.ir.system import Equation, System

MOST = 4096  # elements of the ranges of a subscript under guards, which are gone through one by one
TRIED, MOST_OPEN = (1, 2, 3, 5, 8, 40), 3  # values of open sizes, and at most so many of these
Guards = tuple[Guard, ...]


@dataclass(frozen=True)
class Reach:
    """A subscript over its indices' ranges, as far as guards hold, and the extent of the axis that it must
    not leave."""

    subscript: Formula
    ranges: tuple[tuple[Index, Formula], ...]
    extent: Formula
    guards: tuple[Formula, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The sizes that it depends on."""
        formulas = (self.subscript, self.extent, *(extent for _, extent in self.ranges), *self.guards)
        return tuple(sorted({name for formula in formulas for name in formula.names}))

    @cached_property
    def _known(self) -> dict[tuple[int | None, ...], bool | None]:
        return {}

    def stays(self, sizes: Mapping[str, int]) -> bool | None:
        """Whether it stays in range at these values; None where that is not known, or a value is missing."""
        point = tuple([sizes.get(name) for name in self.names])
        if point not in self._known:
            self._known[point] = self._stays(sizes)
        return self._known[point]

    def _stays(self, sizes: Mapping[str, int]) -> bool | None:
        *counts, extent = [e.at(sizes) for e in (*(e for _, e in self.ranges), self.extent)]
        if not all(e.is_Integer for e in (*counts, extent)):
            return None
        subscript = self.subscript.at(sizes)
        ranges = {i: (0, int(e) - 1) for (i, _), e in zip(self.ranges, counts, strict=True)}
        found = interval(subscript, ranges)
        if found is None or (found[0] >= 0 and found[1] < int(extent)):
            return None if found is None else True
        return self._stays_guarded(sizes, subscript, ranges, int(extent)) if self.guards else False

    def leaves(self, sizes: Mapping[str, int]) -> bool:
        """Whether it surely leaves it at these values: an interval may be wider than a quotient is."""
        if self.stays(sizes) is not False:
            return False
        subscript, extent = self.subscript.at(sizes), int(self.extent.at(sizes))
        if self.guards or not subscript.has(FloorDiv, Mod):
            return True
        ranges = {i: (0, int(e.at(sizes)) - 1) for i, e in self.ranges}
        return self._stays_guarded(sizes, subscript, ranges, extent) is False

    def _stays_guarded(
        self, sizes: Mapping[str, int], subscript: Expr, ranges: Mapping[Index, tuple[int, int]], extent: int
    ) -> bool | None:
        """The same, element by element."""
        if math.prod(high + 1 for _, high in ranges.values()) > MOST:
            return None
        condition = sympy.Mul(*(guard.at(sizes) for guard in self.guards))
        for values in itertools.product(*(range(high + 1) for _, high in ranges.values())):
            at = dict(zip(ranges, map(sympy.Integer, values), strict=True))
            if condition.xreplace(at) == 0:
                continue
            position = subscript.xreplace(at)
            if not position.is_Integer:
                return None
            if not 0 <= position < extent:
                return False
        return True


def reaches(
    equation: Equation, shapes: Mapping[str, tuple[Expr, ...]], bound: Mapping[str, int]
) -> Iterator[Reach]:
    """The reaches of an equation's reads, without those that nothing is known of: a subscript that reads a
    tensor, or whose indices guards bound."""
    ranges = equation.extents
    for access in equation.reads:
        around: frozenset[Guards] | None = None
        guarded: frozenset[Index] | None = None
        for subscript, extent in zip(access.subscripts, shapes[access.name], strict=True):
            if isinstance(subscript, Index) and ranges.get(subscript) == extent:
                continue
            if guarded is None:
                guarded = bounded_beside(access, equation)
            indices = free_indices(subscript)
            if indices & guarded or not indices <= ranges.keys() or subscript.has(Access):
                continue
            if around is None:
                around = guards_around(access, equation, _equalities)
            own = tuple((i, Formula(ranges[i])) for i in sorted(indices, key=str))
            for guards in around:
                asked = tuple(Formula(g) for g in guards if free_indices(g) <= indices)
                reach = Reach(Formula(subscript), own, Formula(extent), asked)
                # a padded image is left at its edges, but its channels at no values that were declared
                if access.outside is None or reach.stays(bound):
                    yield reach


def leaving(system: System) -> tuple[Equation, Access] | None:
    """A read that leaves its tensor, has no value there, and is kept from it by no condition: at the sizes
    that are bound, and whatever the others are; or none."""
    shapes = {t.name: t.shape for t in system.tensors}
    for equation in system.equations:
        for access in equation.reads:
            if access.outside is None and any(
                _always_leaves(reach, system.bound) for reach in _of(access, equation, shapes)
            ):
                return equation, access
    return None


def _of(access: Access, equation: Equation, shapes: Mapping[str, tuple[Expr, ...]]) -> Iterator[Reach]:
    """The reaches of one read, at places where no condition on values may keep it in."""
    ranges, around = equation.extents, None
    for subscript, extent in zip(access.subscripts, shapes[access.name], strict=True):
        plain = isinstance(subscript, Index) and ranges.get(subscript) == extent
        if plain or subscript.has(Access) or not free_indices(subscript) <= ranges.keys():
            continue
        around = guards_around(access, equation) if around is None else around
        for guards in around:
            if any(g.has(Access) or not (g.lhs.is_integer and g.rhs.is_integer) for g in guards):
                continue
            indices = free_indices(subscript).union(*map(free_indices, guards))
            own = tuple((i, Formula(ranges[i])) for i in sorted(indices, key=str))
            yield Reach(Formula(subscript), own, Formula(extent), tuple(map(Formula, guards)))


def _always_leaves(reach: Reach, bound: Mapping[str, int]) -> bool:
    """Whether it leaves its tensor at each of some values of the sizes that are open, one of which is beyond
    all numbers and sizes with a value, so that `x[n, 50]` is a column of a table that is wide enough. Of more
    sizes than can be varied nothing is concluded."""
    left = [name for name in reach.names if name not in bound]
    if len(left) > MOST_OPEN:
        return False
    formulas = (reach.subscript, reach.extent, *(extent for _, extent in reach.ranges), *reach.guards)
    numbers = (abs(int(k)) for formula in formulas for k in formula.at(bound).atoms(sympy.Integer))
    wide = 2 * sum(numbers) + 2
    tried = itertools.product((*TRIED, wide), repeat=len(left))
    return all(reach.leaves({**dict(zip(left, values, strict=True)), **bound}) for values in tried)


def _every(*factors: Expr) -> frozenset[Guard]:
    return frozenset(f for f in factors if isinstance(f, Guard))


def guards_around(
    access: Access, equation: Equation, asked: Callable[..., frozenset[Guard]] = _every
) -> frozenset[Guards]:
    """The guards, those that are `asked`, around each place at which something is read: the factors beside
    it, and the equation's own conditions."""
    found: set[Guards] = set()

    def walk(e: Expr, around: frozenset[Guard]) -> None:
        if e == access:
            found.add(tuple(sorted(around, key=sympy.default_sort_key)))
        if not e.has(access):
            return
        beside = asked(*e.args) if e.is_Mul else frozenset()
        for arg in e.args:
            walk(arg, around | (beside - {arg}))

    for e in (equation.body, *equation.where):
        walk(e, asked(*equation.where) - {e})
    return frozenset(found)


def _equalities(*factors: Expr) -> frozenset[Guard]:
    return frozenset(f for f in factors if isinstance(f, Guard) and f.op == "=" and not f.has(Access))


def interval(e: Expr, ranges: Mapping[Index, tuple[int, int]]) -> tuple[int, int] | None:
    """The least and the largest value that an integer expression may take; None if it isn't known."""
    if e.is_Integer:
        return int(e), int(e)
    if isinstance(e, Index):
        return ranges[e]
    parts = [interval(arg, ranges) for arg in e.args]
    if not parts or any(p is None for p in parts):
        return None
    known = [p for p in parts if p is not None]
    if e.is_Add:
        return sum(low for low, _ in known), sum(high for _, high in known)
    if e.is_Mul:
        low, high = known[0]
        for a, b in known[1:]:
            corners = (low * a, low * b, high * a, high * b)
            low, high = min(corners), max(corners)
        return low, high
    (low, high), (divisor, _) = known[0], known[-1]
    if isinstance(e, FloorDiv) and divisor > 0:
        return low // divisor, high // divisor
    if isinstance(e, Mod) and divisor > 0:
        return (low, high) if low >= 0 and high < divisor else (0, divisor - 1)
    return None
