"""How places count and what they are called: the equations of a page, rewritten for indices that count from
1, and with the names of gates in the place of numbers.

Enters: equations whose indices start at 0. Leaves: the same equations as a page has them, true as they are
printed. Must not know: letters, symbols, formats, matrix notation.

An index i stands for i − 1 of before, a subscript counts from 1 as well: `h[t - 1]` stays, `x[2·i + p]`
becomes `x[2·i + p - 2]`, `a[0]` becomes `a[1]`. Labels and places of maxima are compared with indices and
stand in subscripts: they count as indices do. All other values are what they were. Along an axis whose
places have names (`named_places`) a number is the name, whatever the origin: `a[n,t,0,m]` is `a[n,t,i,m]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import sympy

from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, IntegerAccess, Mod
from symbp.ir.system import Equation, Fact, System, Tensor
from symbp.read.display import Along, Place, Reduced, bound
from symbp.read.named_places import Axis, NamedPlaces

if TYPE_CHECKING:
    from symbp.derive.derivation import Step
    from symbp.read.lecture import Lesson, Part
    from symbp.read.lecture.short import KnownSum, Selected

PLACES = ("argmax", "argsort")  # what gives the place of an element


@dataclass(frozen=True)
class Origin:
    """Indices start at `first`; `system` says which integer tensors count places; `named` has the names
    of places along some axes."""

    first: int
    system: System
    named: NamedPlaces = field(default_factory=NamedPlaces)

    @property
    def is_plain(self) -> bool:
        """Whether everything is as it was."""
        return not self.first and not self.named.axes

    @property
    def numbers(self) -> dict[str, dict[str, int]]:
        """What a reader counts the named places as, by tensor and by letter."""
        return self.named.numbers(self.first)

    @cached_property
    def places(self) -> frozenset[str]:
        """The integer tensors whose values are places along an axis: labels that select along one or are
        compared with its index, places of maxima, and what reads these as they are. A number of steps is no
        place."""
        found = set[str]()
        for equation in self.system.equations:
            found.update(self._selecting(equation))
        for equation in self.system.equations:
            body = equation.body
            reads = equation.op is None and isinstance(body, IntegerAccess) and body.outside is None
            if equation.op in PLACES or (reads and body.name in found):
                found.add(equation.target)
        return frozenset(found)

    def _selecting(self, equation: Equation) -> Iterator[str]:
        """The labels that stand alone at an axis, or beside an index along one, that has as many places as
        they have values."""
        extents = bound(equation)
        for e in (equation.body, *equation.where):
            pairs = [
                (subscript, length)
                for read in e.atoms(Access)
                for subscript, length in zip(
                    read.subscripts, self.system.tensor(read.name).shape, strict=True
                )
            ]
            for guard in e.atoms(Guard):
                sides = guard.lhs, guard.rhs
                pairs += [(a, extents.get(b)) for a, b in (sides, sides[::-1]) if isinstance(b, Index)]
            for label, length in pairs:
                fact = self.system.tensor(label.name).fact("below") if isinstance(label, Access) else None
                if fact is not None and fact.bound == length:
                    yield label.name

    # --- expressions
    def value(self, e: Expr) -> Expr:
        """The expression over the new indices, with its old value."""
        if self.is_plain:
            return e
        if isinstance(e, Index):
            return e - self.first
        if isinstance(e, Access):
            return self.access(e) - (self.first if e.name in self.places else 0)
        if isinstance(e, Reduced):
            where = [self.value(guard) for guard in e.where]
            return Reduced(e.op, self.value(e.body), e.indices, e.args[3], where)
        if isinstance(e, Along):
            where = [self.value(guard) for guard in e.where]
            return Along(e.function, self.value(e.body), e.index, e.extent, where)
        if isinstance(e, Guard):
            named = self._at_place(e)
            return Guard(e.op, self.value(e.lhs), self.value(e.rhs)) if named is None else named
        if isinstance(e, (FloorDiv, Mod)):
            return e.func(*(self._gathered(self.value(part)) for part in e.args))
        return e.func(*map(self.value, e.args)) if e.args else e

    def _at_place(self, e: Guard) -> Expr | None:
        """[l = f] for an index along gates, if the condition is one."""
        for index, number in ((e.lhs, e.rhs), (e.rhs, e.lhs)):
            names = self.named.letters.get(index.name) if isinstance(index, Index) else None
            if names and number.is_Integer and e.op in ("=", "!="):
                return Guard(e.op, index, Place(names[int(number)], number))
        return None

    def access(self, e: Expr) -> Expr:
        """The read at the same place, as an access."""
        if self.is_plain or not isinstance(e, Access):
            return self.value(e)
        outside = None if e.outside is None else self.value(e.outside)
        subscripts = (self.subscript(s, (e.name, k)) for k, s in enumerate(e.subscripts))
        return type(e)(e.name, *subscripts, outside=outside)

    def subscript(self, e: Expr, axis: Axis) -> Expr:
        """A place along an axis by its name, or counted anew."""
        if e.is_Integer and axis in self.named.axes:
            return Place(self.named.axes[axis][int(e)], e)
        return self._gathered(self.value(e) + self.first)

    def _gathered(self, e: Expr) -> Expr:
        """A sum without products of sums: `2·(i - 1) + p` as `2·i + p - 2`."""
        if not self.first:
            return e
        return sympy.Add(*[sympy.expand_mul(term, deep=False) for term in sympy.Add.make_args(e)])

    def guard(self, e: Guard) -> Guard:
        """A condition."""
        found = self.value(e)
        assert isinstance(found, Guard), f"{e} is decided by where indices start"
        return found

    # --- what is made of them
    def equation(self, e: Equation) -> Equation:
        """The equation over the new indices."""
        if self.is_plain:
            return e
        body = self.value(e.body)
        if self.first and e.target in self.places and e.op is None:
            body += self.first
        return e.with_(body=body, where=tuple(map(self.guard, e.where)))

    def lesson(self, lesson: Lesson) -> Lesson:
        """The lesson, but for its line."""
        if self.is_plain:
            return lesson
        between = tuple(map(self.lesson, lesson.between))
        return replace(
            lesson,
            parts=tuple(map(self._part, lesson.parts)),
            sum=None if lesson.sum is None else self.equation(lesson.sum),
            between=between,
            selected=None if lesson.selected is None else self._selected(lesson.selected),
            known=tuple(self._known(one) for one in lesson.known),
        )

    def _part(self, part: Part) -> Part:
        of, by = self.access(part.of), self.access(part.by)
        assert isinstance(of, Access)
        assert isinstance(by, Access)
        slope, plainly = (None if e is None else self.value(e) for e in (part.slope, part.plainly))
        return replace(part, of=of, by=by, slope=slope, plainly=plainly)

    def _selected(self, one: Selected) -> Selected:
        brackets, cancels = tuple(map(self.guard, one.brackets)), tuple(map(self.access, one.cancels))
        return replace(one, equation=self.equation(one.equation), brackets=brackets, cancels=cancels)

    def _known(self, one: KnownSum) -> KnownSum:
        return replace(one, left=self.value(one.left), right=self.value(one.right))

    def step(self, step: Step) -> Step:
        """The rewrite of equations over the new indices."""
        if self.is_plain:
            return step
        before, after = (tuple(map(self.equation, side)) for side in (step.before, step.after))
        rests = tuple(self.equation(r) if isinstance(r, Equation) else r for r in step.rests_on)
        return replace(step, before=before, after=after, rests_on=rests)

    def tensor(self, tensor: Tensor) -> Tensor:
        """The tensor with what is known of its values, as they are counted."""
        if not self.first or tensor.name not in self.places:
            return tensor
        return replace(tensor, facts=frozenset(map(self._fact, tensor.facts)))

    def _fact(self, fact: Fact) -> Fact:
        if fact.kind != "below" or fact.bound is None:
            return fact
        return replace(fact, bound=fact.bound + self.first)
