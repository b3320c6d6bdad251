"""Lessons that say the same of other tensors: equal layers, found by what their equations are.

Enters: lessons with the lines of the page. Leaves: runs of blocks of lessons, each block the first one with
other names. Must not know: formats, how tensors are called; digits in names mean nothing here.

Two blocks are alike if one renaming of tensors, indices and sizes, one to one, makes each lesson of the
first the lesson at the same place of the second: who reads what, local derivatives, sums, results. Terms and
factors have no order, so the renaming is searched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.system import Equation

Names = Mapping[Any, Any]


@dataclass(frozen=True)
class Alike:
    """`count` blocks of `length` lessons each, from lesson `first` on, that are one with other names; then
    the first `rest` lessons of another: of a layer below which nothing is differentiated."""

    first: int
    length: int
    count: int
    rest: int = 0

    @property
    def blocks(self) -> tuple[range, ...]:
        """The places of the lessons of each block, also of the one that is cut short."""
        ends = self.first + self.length * self.count
        starts = range(self.first, ends, self.length)
        last = (range(ends, ends + self.rest),) if self.rest else ()
        return (*(range(start, start + self.length) for start in starts), *last)


def alike(lessons: Sequence[Sequence[Any]], hidden: Sequence[bool]) -> tuple[Alike, ...]:
    """The runs of equal blocks among lessons, each given by what it says: expressions, equations and names
    (`Str`). A block is a layer: it has a lesson for a tensor that is no parameter, one of the `hidden`."""
    return tuple(_Runs(lessons, [_shape(tuple(said)) for said in lessons], hidden).within(0, len(lessons)))


@dataclass(frozen=True)
class _Runs:
    """Lessons with their shapes, and where runs are looked for in them."""

    lessons: Sequence[Sequence[Any]]
    shapes: Sequence[Any]
    hidden: Sequence[bool]

    def within(self, start: int, stop: int) -> Iterator[Alike]:
        """The run that leaves the least to be told, and those before and behind it."""
        runs = [
            run
            for first in range(start, stop)
            for length in range(1, (stop - first) // 2 + 1)
            if any(self.hidden[first : first + length]) and (run := self.run(first, length, stop)).count > 1
        ]
        if not runs:
            return
        best = max(runs, key=lambda r: (r.length * (r.count - 1), -r.length, -r.first))
        best = self.with_rest(best, stop)
        yield from self.within(start, best.first)
        yield best
        yield from self.within(best.blocks[-1].stop, stop)

    def run(self, first: int, length: int, stop: int) -> Alike:
        """How often the block at a place is repeated behind it."""
        count = 1
        while self.is_alike(first, first + count * length, length, stop):
            count += 1
        return Alike(first, length, count)

    def with_rest(self, run: Alike, stop: int) -> Alike:
        """The run with what follows of a further block, if that is more than half of one."""
        there = run.blocks[-1].stop
        for rest in range(min(run.length, stop - there), run.length // 2, -1):
            if self.is_alike(run.first, there, rest, stop):
                return replace(run, rest=rest)
        return run

    def is_alike(self, start: int, there: int, length: int, stop: int) -> bool:
        """Whether so many lessons from one place on are those from another on, with other names."""
        block, other = slice(start, start + length), slice(there, there + length)
        if there + length > stop or self.shapes[block] != self.shapes[other]:
            return False
        pairs = list(zip(self.lessons[block], self.lessons[other], strict=True))
        return next(_together(pairs, {}), None) is not None


def _shape(said: Any) -> Any:
    """What is left without names: different for what no renaming makes equal."""
    if isinstance(said, Equation):
        return ("equation", *(_shape(part) for part in _parts(said)))
    if isinstance(said, tuple):
        return ("tuple", *(_shape(part) for part in said))
    if isinstance(said, Access):
        return ("access", *(_shape(part) for part in said.args[1:]))
    if isinstance(said, (Index, Size, Str)):
        return type(said).__name__
    if not said.args:
        return str(said)
    inner = [_shape(a) for a in said.args if not isinstance(a, Str) or not isinstance(said, Access)]
    names = [str(a) for a in said.args if isinstance(a, Str)]
    ordered = sorted(inner, key=repr) if _is_unordered(said) else inner
    return (type(said).__name__, *names, *ordered)


def _parts(equation: Equation) -> tuple[Any, ...]:
    """What an equation says; names of tensors as Str."""
    axes = (*equation.indices, *equation.reduced)
    ranges = sympy.Tuple(*equation.ranges)
    return (Str(equation.target), sympy.Tuple(*axes), ranges, equation.body, sympy.Tuple(*equation.where))


def _is_unordered(e: Expr) -> bool:
    return bool(e.is_Add or e.is_Mul) or (isinstance(e, Guard) and e.op in ("=", "!="))


def letters_of(a: Expr, b: Expr, free: Sequence[Index]) -> dict[Index, Index] | None:
    """Letters for the indices of sums within a that make it b; None if it isn't b with any."""
    if _shape(a) != _shape(b):
        return None
    known = {("Index", i.name): ("Index", i.name) for i in free}
    for e in (a, b):
        known |= {(kind, name): (kind, name) for kind, name in _kinds(e) if kind != "Index"}
    found = next(_same(a, b, known), None)
    if found is None:
        return None
    return {Index(old): Index(new) for (kind, old), (_, new) in found.items() if kind == "Index"}


def _kinds(e: Expr) -> set[tuple[str, str]]:
    sizes = {("Size", s.name) for s in e.atoms(Size)}
    return sizes | {("Str", a.name) for a in e.atoms(Access)}


# --- the search for one renaming
def _together(pairs: Sequence[tuple[Any, Any]], names: Names) -> Iterator[Names]:
    """The renamings, beyond those known, that make the first of each pair the second."""
    if not pairs:
        yield names
        return
    (a, b), *rest = pairs
    for found in _same(a, b, names):
        yield from _together(rest, found)


def _same(a: Any, b: Any, names: Names) -> Iterator[Names]:
    if isinstance(a, Equation):
        yield from _together(list(zip(_parts(a), _parts(b), strict=True)), names)
    elif isinstance(a, (tuple, list)):
        if len(a) == len(b):
            yield from _together(list(zip(a, b, strict=True)), names)
    elif isinstance(a, (Index, Size, Str)) or isinstance(b, (Index, Size, Str)):
        yield from _named(a, b, names)
    elif type(a) is not type(b) or len(a.args) != len(b.args):
        return
    elif isinstance(a, Access):
        yield from _together(list(zip(a.args, b.args, strict=True)), names)
    elif not a.args:
        if a == b:
            yield names
    elif _is_unordered(a):
        first = a.args[:1] if isinstance(a, Guard) else ()
        yield from _matched(a.args[len(first) :], b.args[len(first) :], names)
    else:
        fixed = [(x, y) for x, y in zip(a.args, b.args, strict=True) if isinstance(x, Str)]
        if all(x == y for x, y in fixed):  # what is reduced, which function
            others = [(x, y) for x, y in zip(a.args, b.args, strict=True) if not isinstance(x, Str)]
            yield from _together(others, names)


def _named(a: Any, b: Any, names: Names) -> Iterator[Names]:
    """The renaming with a as b, one to one."""
    if type(a) is not type(b):
        return
    key, value = (type(a).__name__, str(a)), (type(b).__name__, str(b))
    if key in names:
        if names[key] == value:
            yield names
    elif value not in names.values():
        yield {**names, key: value}


def _matched(these: Sequence[Any], those: Sequence[Any], names: Names) -> Iterator[Names]:
    """The renamings with each of these as one of those, in any order."""
    if not these:
        yield names
        return
    first, shape = these[0], _shape(these[0])
    for k, other in enumerate(those):
        if _shape(other) == shape:
            for found in _same(first, other, names):
                yield from _matched(these[1:], [*those[:k], *those[k + 1 :]], found)
