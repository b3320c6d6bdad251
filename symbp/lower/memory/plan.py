"""Where the buffers of a step lie: in memory that nothing else needs at the same time.

Enters: buffers with their shapes and lives. Leaves: a `MemoryPlan`: the place of each buffer and the length
of each arena, polynomials in the sizes, the same for every value of the sizes that stay open.
Must not know: targets, equations, what a buffer is for.

Greedy by size, the largest first, each at the lowest place where it meets nothing of its time; scalars, which
live long and fit anywhere, come before all others if that needs less. Places are compared as polynomials:
with every size written as 1 + something, a difference without a negative coefficient is never negative; what
such a proof doesn't settle is not shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import sympy
from sympy.polys.rings import PolyElement, PolyRing

from symbp.errors import LoweringError
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr, FloorDiv, Mod, Size
from symbp.ir.machine import LINE
from symbp.ir.printer import expression_text
from symbp.lower.memory.liveness import Life

REFERENCE = 64  # the value of an open size where one place must be called lower than another
ARENAS = ("reals", "integers", "flags")


@dataclass(frozen=True)
class Buffer:
    """What needs memory: its shape, its arena, its life, and the buffer whose place it takes over."""

    name: str
    shape: tuple[Expr, ...]
    life: Life
    arena: str = "reals"
    instead: str | None = None

    @property
    def count(self) -> Expr:
        """The number of its elements."""
        return sympy.expand(sympy.Mul(*self.shape))


@dataclass(frozen=True)
class Placement:
    """A buffer at its first element in an arena."""

    buffer: Buffer
    start: Expr

    @property
    def stop(self) -> Expr:
        return sympy.expand(self.start + self.buffer.count)


@dataclass(frozen=True)
class MemoryPlan:
    """The places of all buffers, in the order in which they are filled, and the lengths of the arenas."""

    places: tuple[Placement, ...]
    lengths: dict[str, Expr]

    @cached_property
    def named(self) -> dict[str, Placement]:
        return {place.buffer.name: place for place in self.places}

    def bytes(self, itemsize: int) -> Expr:
        """All arenas together, where a real number has `itemsize` bytes."""
        sizes = {"reals": itemsize, "integers": 8, "flags": 1}
        return sympy.expand(sum((sizes[a] * n for a, n in self.lengths.items()), sympy.S.Zero))

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Name, shape, arena, range of elements and life of each buffer, as text."""
        found = []
        for place in self.places:
            b, shape = place.buffer, ", ".join(map(expression_text, place.buffer.shape))
            where = f"{expression_text(place.start)} … {expression_text(place.stop)}"
            found.append((b.name, f"({shape})", b.arena, where, b.life.text))
        return found

    def __str__(self) -> str:
        rows = [("tensor", "shape", "arena", "elements", "needed"), *self.rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = [
            "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        lines += [f"{arena}: {expression_text(n)}" for arena, n in self.lengths.items() if n != 0]
        return "\n".join(lines)


def plan(buffers: Sequence[Buffer]) -> MemoryPlan:
    """Places for all buffers. Raises LoweringError if one takes the place of an unknown or larger one."""
    known = {b.name: b for b in buffers}
    roots = {b.name: _root(b, known) for b in buffers}
    starts: dict[str, Expr] = {}
    lengths: dict[str, Expr] = dict.fromkeys(ARENAS, sympy.S.Zero)
    for arena in ARENAS:
        rooms = [_room(b, buffers, roots) for b in buffers if b.arena == arena and roots[b.name] == b.name]
        orders = [False, True] if any(room.count == 1 for room in rooms) else [False]
        packed = min((_Packing(rooms, early) for early in orders), key=_Packing.about_length)
        starts.update(packed.starts())
        lengths[arena] = packed.length()
    return MemoryPlan(tuple(Placement(b, starts[roots[b.name]]) for b in buffers), lengths)


def _root(buffer: Buffer, known: Mapping[str, Buffer]) -> str:
    """The buffer whose place this one takes, through all that took it before."""
    while buffer.instead is not None:
        before = known.get(buffer.instead)
        if before is None or before.count != buffer.count or before.arena != buffer.arena:
            raise LoweringError(f"{buffer.name} cannot take the place of {buffer.instead}")
        buffer = before
    return buffer.name


def _room(first: Buffer, buffers: Sequence[Buffer], roots: Mapping[str, str]) -> Buffer:
    """A place's first buffer with the lives of all that follow it there."""
    life = first.life
    for other in buffers:
        if other is not first and roots[other.name] == first.name:
            life = life.joined(other.life)
    return Buffer(first.name, first.shape, life, first.arena)


@dataclass(frozen=True)
class _Span:
    """Elements from `start` to `stop`, and about where that is: the same at the reference sizes."""

    start: Any
    stop: Any
    begin: int
    end: int


class _Packing:
    """Rooms of one arena, put one after the other at the lowest place that is free during their life."""

    def __init__(self, rooms: Sequence[Buffer], scalars_first: bool) -> None:
        self.values = _Values([room.count for room in rooms])
        self.counts = {room.name: self.values.polynomial(room.count) for room in rooms}
        self.about = {room.name: self.values.at(self.counts[room.name]) for room in rooms}
        self.placed: list[tuple[Buffer, _Span]] = []
        early = [scalars_first and room.count == 1 for room in rooms]
        order = sorted(range(len(rooms)), key=lambda k: (not early[k], -self.about[rooms[k].name]))
        self.base = 0  # where the others begin: on a cache line
        for room in (rooms[k] for k in order):
            if room.count != 1 and scalars_first and not self.base:
                self.base = -(-self.about_length() // LINE) * LINE
            self.placed.append((room, self.lowest(room)))

    def lowest(self, room: Buffer) -> _Span:
        """The lowest span in which the room meets none of its time, else one beyond all that it meets."""
        ordered = self.values.ordered
        met = [span for other, span in self.placed if other.life.meets(room.life)]
        met.sort(key=lambda span: span.begin)
        found = self.span(room, self.values.ring(self.base), self.base)
        for k in range(len(met) + 1):
            free = k == len(met) or found.end <= met[k].begin
            if free and all(ordered(found.stop, s.start) or ordered(s.stop, found.start) for s in met):
                return found
            if k < len(met) and met[k].end > found.begin:
                found = self.span(room, met[k].stop, met[k].end)
        beyond, whole = self.largest(met), [other.name for other, _ in self.placed]
        start = sum((span.stop for span in beyond), self.values.ring.zero)
        total = sum((self.counts[name] for name in whole), self.values.ring(self.base))
        if ordered(start, total):
            return self.span(room, start, sum(span.end for span in beyond))
        return self.span(room, total, self.base + sum(self.about[name] for name in whole))

    def largest(self, spans: Sequence[_Span]) -> list[_Span]:
        """The spans of which none is known to end before another one does."""
        found: list[_Span] = []
        for span in sorted(spans, key=lambda s: -s.end):
            if not any(self.values.ordered(span.stop, other.stop) for other in found):
                found.append(span)
        return found

    def about_length(self) -> int:
        """The length at the reference sizes."""
        return max((span.end for _, span in self.placed), default=0)

    def length(self) -> Expr:
        """Where the last span ends: the maximum, where sizes decide which one that is."""
        ends = [self.expression(span.stop) for span in self.largest([span for _, span in self.placed])]
        return sympy.Max(*ends) if ends else sympy.S.Zero

    def span(self, room: Buffer, start: PolyElement, begin: int) -> _Span:
        """The room from a start on."""
        return _Span(start, start + self.counts[room.name], begin, begin + self.about[room.name])

    def expression(self, polynomial: PolyElement) -> Expr:
        return self.values.expression(polynomial)

    def starts(self) -> dict[str, Expr]:
        return {room.name: self.expression(span.start) for room, span in self.placed}


class _Values:
    """Polynomials in the sizes, each size written as its least value + a generator that is never negative.

    The least value is 1, or more where that is known by `extents`: axes of V − 3 elements aren't there for
    a smaller V than 3. A quotient of sizes is a generator too; if its sign isn't known, only its cancelling
    proves anything, but for quotients among extents, which are never negative.
    """

    def __init__(self, counts: Sequence[Expr], *, extents: Sequence[Expr] = ()) -> None:
        atoms = sorted({atom for count in counts for atom in _atoms(count)}, key=expression_text)
        self.symbols = {atom: sympy.Symbol(f"g{k}") for k, atom in enumerate(atoms)}
        self.ring = PolyRing(list(self.symbols.values()) or [sympy.Symbol("g")], sympy.QQ)
        self.unsure = [
            k
            for k, a in enumerate(atoms)
            if not extents and not isinstance(a, (Size, Mod)) and not never_negative(a, {})
        ]
        least = {a: 1 if isinstance(a, Size) else 0 for a in atoms} | _least(extents)
        self.shift = {a: g + least[a] for a, g in self.symbols.items()}
        self.back = {g: a - least[a] for a, g in self.symbols.items()}
        self.point = [sympy.QQ(_reference(a) - least[a]) for a in atoms] or [sympy.QQ(0)]

    def polynomial(self, count: Expr) -> PolyElement:
        return self.ring.from_expr(sympy.expand(count.xreplace(self.shift)))

    def expression(self, polynomial: PolyElement) -> Expr:
        return sympy.expand(polynomial.as_expr().xreplace(self.back))

    def at(self, polynomial: PolyElement) -> int:
        """The value where every open size is the reference one."""
        return int(polynomial.evaluate(list(zip(self.ring.gens, self.point, strict=True))))

    def ordered(self, low: PolyElement, high: PolyElement) -> bool:
        """Whether low ≤ high for all sizes: proven, not only likely."""
        return all(
            c >= 0 and not any(exponents[k] for k in self.unsure) for exponents, c in (high - low).terms()
        )


def _atoms(count: Expr) -> Iterator[Expr]:
    """The sizes and the outermost quotients of an expression."""
    if isinstance(count, (Size, FloorDiv, Mod)):
        yield count
    else:
        for arg in count.args:
            yield from _atoms(arg)


def _least(extents: Sequence[Expr]) -> dict[Size, int]:
    """The least values that sizes have because an extent, such as V − 3, is never negative."""
    found: dict[Size, int] = {}
    for extent in extents:
        constant, rest = sympy.expand(extent).as_coeff_Add()
        factor, size = rest.as_coeff_Mul()
        if isinstance(size, Size) and factor > 0:
            found[size] = max(found.get(size, 1), int(sympy.ceiling(-constant / factor)))
    return found


def _reference(atom: Expr) -> int:
    sizes = {size: sympy.Integer(REFERENCE) for size in atom.atoms(Size)}
    return int(atom.xreplace(sizes))


def validate(plan: MemoryPlan, sizes: Sequence[Mapping[str, int]] = ()) -> None:
    """Raises LoweringError where two buffers needed at the same time overlap or one leaves its arena: by
    proof for all sizes, and by numbers for those given. What takes another's place may meet it once."""
    extents = [e for p in plan.places for e in p.buffer.shape]
    limits = {a: n.args if isinstance(n, sympy.Max) else (n,) for a, n in plan.lengths.items()}
    counts = [e for p in plan.places for e in (p.start, p.buffer.count)]
    values = _Values([*counts, *(e for ends in limits.values() for e in ends)], extents=extents)
    ends = {p.buffer.name: tuple(map(values.polynomial, (p.start, p.stop))) for p in plan.places}
    chained = {(b.name, b.instead) for b in (p.buffer for p in plan.places)}
    for place in plan.places:
        _, stop = ends[place.buffer.name]
        if not any(
            values.ordered(stop, values.polynomial(limit)) or _at_most(place.stop, limit)
            for limit in limits[place.buffer.arena]
        ):
            raise LoweringError(f"{place.buffer.name} ends at {place.stop}, beyond its arena")
    for one, other in combinations(plan.places, 2):
        a, b = one.buffer, other.buffer
        if a.arena != b.arena:
            continue
        if {(a.name, b.name), (b.name, a.name)} & chained:
            if not _handed_over(a, b) and not _handed_over(b, a):
                raise LoweringError(f"{a.name} and {b.name} share memory for more than one moment")
        elif a.life.meets(b.life):
            (start, stop), (begin, end) = ends[a.name], ends[b.name]
            proven = values.ordered(stop, begin) or values.ordered(end, start)
            _check_apart(one, other, sizes, proven)


def _at_most(low: Expr, high: Expr) -> bool:
    """Whether one place ends before another, or within an arena; of quotients without a proven sign there may
    be more between them, since an extent is never negative."""
    rest = sympy.expand(high - low)
    quotients = sorted({a for a in _atoms(rest) if not isinstance(a, Size)}, key=expression_text)
    counted = {a: Size(f"(quotient {k})") - 1 for k, a in enumerate(quotients)}
    return never_negative(rest.xreplace(counted), {})


def _handed_over(before: Buffer, after: Buffer) -> bool:
    """Whether, in each run that has both, one is last needed when the other is first."""
    runs = before.life.stretches.keys() & after.life.stretches.keys()
    ends = {r: max(b for _, b in before.life.stretches[r]) for r in runs}
    return all(ends[r] == min(a for a, _ in after.life.stretches[r]) for r in runs)


def _check_apart(one: Placement, other: Placement, sizes: Sequence[Mapping[str, int]], proven: bool) -> None:
    proven = proven or _at_most(one.stop, other.start) or _at_most(other.stop, one.start)
    for values in sizes:
        bound = {Size(name): sympy.Integer(value) for name, value in values.items()}
        a, b, c, d = (int(e.xreplace(bound)) for e in (one.start, one.stop, other.start, other.stop))
        proven = proven and (b <= c or d <= a)
    if not proven:
        raise LoweringError(
            f"{one.buffer.name} and {other.buffer.name} are needed at the same time and overlap",
            details=(f"{one.start} … {one.stop}", f"{other.start} … {other.stop}"),
        )
