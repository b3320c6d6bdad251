"""The backward pass as a lecture: one lesson for each derivative of a page.

Enters: the reading of a derivation by a textbook. Leaves: frozen lessons: who reads the tensor, local
derivatives, the chain rule's sum, the result. Must not know: formats, how a result became short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.ir.expr import Access, Expr, Index
from symbp.ir.system import Equation
from symbp.read.display import Reduced, bound
from symbp.read.lecture.alike import Alike, alike, letters_of
from symbp.read.lecture.chain import Chain, Contribution, chain
from symbp.read.lecture.local import NoLocalDerivative
from symbp.read.lecture.short import KnownSum, Selected, known_sums, selected
from symbp.read.reading import Line, Reading
from symbp.read.spelling import Quotient, derivative_symbols, latex_symbol, text_symbol
from symbp.read.symbols import Symbols


@dataclass(frozen=True)
class Part:
    """What one reader adds: the local derivative `of` by `by`, which is `slope` where that is one formula,
    `plainly` the same before the reader's own value was put in; the indices summed over."""

    reader: str
    of: Access
    by: Access
    slope: Expr | None
    summed: tuple[Index, ...]
    plainly: Expr | None = None


@dataclass(frozen=True)
class Lesson:
    """How one derivative comes about. `line` is the result, `sum` the chain rule's sum for it; `between` are
    the sums for what stands between, and has no equation on the page. `selected` is the sum where brackets
    left one term, `known` are sums on the way whose value is known. Without `sum` the readers have no local
    derivative in a formula: a place of a maximum, a matrix function."""

    line: Line
    by: str
    readers: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    sum: Equation | None = None
    between: tuple[Lesson, ...] = ()
    selected: Selected | None = None
    known: tuple[KnownSum, ...] = ()

    @property
    def is_result(self) -> bool:
        """Whether the sum is the result as it stands."""
        return self.sum is not None and _plain(self.sum) == _plain(self.line.equation)

    @property
    def is_selected(self) -> bool:
        """Whether the sum, with one term where brackets leave one, is the result."""
        if self.selected is None:
            return False
        difference = self.selected.equation.body - _plain(self.line.equation)
        return bool(sympy.expand(difference) == 0)


def _plain(equation: Equation) -> Expr:
    """The right-hand side, a sum over indices as a sum within a body."""
    if equation.op != "sum":
        return equation.body
    return Reduced("sum", equation.body, equation.reduced, [equation.extents[i] for i in equation.reduced])


@dataclass(frozen=True)
class Lecture:
    """Lessons in the order of the page; `symbols` for all that they mention. `alike` are blocks of lessons
    that say the same of other tensors: the layers of a network that are equal."""

    lessons: tuple[Lesson, ...]
    symbols: Symbols
    alike: tuple[Alike, ...] = ()

    @property
    def told(self) -> tuple[Lesson, ...]:
        """The lessons without those that are an earlier one with other names."""
        again = {k for run in self.alike for block in run.blocks[1:] for k in block}
        return tuple(lesson for k, lesson in enumerate(self.lessons) if k not in again)

    def likewise(self, lesson: Lesson) -> tuple[tuple[Lesson, ...], ...]:
        """The blocks of lessons that are the one which this lesson ends, with other names."""
        place = next(k for k, one in enumerate(self.lessons) if one is lesson)
        for run in self.alike:
            if place == run.blocks[0][-1]:
                return tuple(tuple(self.lessons[k] for k in block) for block in run.blocks[1:])
        return ()


def lecture(reading: Reading) -> Lecture:
    """The lessons of a page of gradients; none of another page."""
    system = reading.derivation.system
    loss = system.loss
    if not reading.derivation.is_gradient or loss is None:
        return Lecture((), reading.symbols)
    adjoints = {
        what.by: e.target
        for e in system.equations
        if (what := system.tensor(e.target).differential) and not what.part and what.of == loss
    }
    results = {name: by for by, name in adjoints.items()}
    needed = system.ancestors(loss)
    found: list[Lesson] = []
    named: dict[str, str] = {}
    for line in reading.lines:
        if line.target not in results or any(lesson.line.target == line.target for lesson in found):
            continue
        by = results[line.target]
        readers = tuple(
            e.target
            for e in system.equations
            if by in e.read_names and e.target in needed and e.target not in results
        )
        try:
            lesson = _lesson(reading, line, chain(system, loss, adjoints, by, line.target), readers, named)
        except NoLocalDerivative:
            lesson = Lesson(line, by, readers)
        found.append(reading.origin.lesson(replace(lesson, known=_known(reading, line))))
    hidden = [not system.tensor(lesson.by).role.is_leaf for lesson in found]
    runs = alike([_said(reading, lesson) for lesson in found], hidden)
    return Lecture(tuple(found), _with_between(reading, named), runs)


def _said(reading: Reading, lesson: Lesson) -> tuple[Any, ...]:
    """All that a lesson says, and the equations that it ends with."""
    inner = tuple(_said(reading, one) for one in lesson.between)
    parts = tuple(
        (Str(p.reader), p.of, p.by, sympy.Integer(0) if p.slope is None else p.slope, p.summed)
        for p in lesson.parts
    )
    lines = tuple(
        (line.equation, tuple(line.fixed.items()), () if line.condition is None else (line.condition,))
        for line in reading.lines
        if line.target == lesson.line.target
    )
    total = () if lesson.sum is None else (lesson.sum,)
    return (Str(lesson.by), tuple(map(Str, lesson.readers)), parts, total, inner, lines)


def _lesson(
    reading: Reading, line: Line, found: Chain, readers: tuple[str, ...], named: dict[str, str]
) -> Lesson:
    between = []
    for one in found.between:
        named[one.equation.target] = one.by
        their = tuple(dict.fromkeys(c.reader for c in one.contributions))
        between.append(_lesson(reading, line, one, their, named))
    letters = _letters(reading, found, line)
    shown = partial(_with_letters, reading, letters)
    everywhere = set(bound(found.equation))
    parts = tuple(_part(reading, letters, everywhere, c) for c in found.contributions)
    total = found.equation.with_(
        indices=tuple(letters.get(i, i) for i in found.equation.indices),
        body=shown(found.equation.body),
        ranges=tuple(shown(extent) for extent in found.equation.ranges),
    )
    tensors = reading.derivation.system.by_name
    short = selected(found.equation, [one.equation for one in found.between], tensors)
    if short is not None:
        short = Selected(
            total.with_(body=shown(short.equation.body)),
            tuple(shown(bracket) for bracket in short.brackets),
            tuple(shown(access) for access in short.cancels),
            short.put,
        )
    return Lesson(line, found.by, readers, parts, total, tuple(between), short)


def _letters(reading: Reading, found: Chain, line: Line) -> dict[Index, Index]:
    """The letters of a chain rule's sum: those of the result, if it is that."""
    letters = reading.lettering.of(found.equation)
    if found.equation.target == line.target:
        page = reading.derivation.system.defining[line.target]
        own = letters_of(found.equation.body, _plain(page), found.equation.indices)
        if own is not None and found.equation.indices == page.indices:
            shown = reading.lettering.of(page)
            return {old: shown.get(new, new) for old, new in own.items()}
    return letters


def _with_letters(reading: Reading, letters: Mapping[Index, Index], e: Expr) -> Expr:
    apart = {old: Index(f"{old.name}__apart") for old in letters}
    back = {apart[old]: new for old, new in letters.items()}
    return e.xreplace(apart).xreplace(back).xreplace(dict(reading.lengths))


def _part(reading: Reading, letters: Mapping[Index, Index], known: set[Index], c: Contribution) -> Part:
    """The contribution with the letters of the chain rule's sum, if it has all of its indices."""
    if c.local is None:
        return Part(c.reader, c.of, c.by, None, ())
    if not set(c.local.indices) <= known:
        letters = reading.lettering.of(c.local)
    shown = partial(_with_letters, reading, letters)
    summed = tuple(letters.get(i, i) for i in c.summed)
    plainly = None if c.plainly is None else shown(c.plainly)
    return Part(c.reader, shown(c.of), shown(c.by), shown(c.local.body), summed, plainly)


def _known(reading: Reading, line: Line) -> tuple[KnownSum, ...]:
    """What is known of sums on the way to a line's tensor, with the letters of the page."""
    system = reading.derivation.system
    page = {t.name for t in system.tensors} - set(reading.computed.values()) - set(reading.defined)
    found = []
    numbers = {value: letter for letter, value in reading.constants.items()}
    for one in known_sums(reading.derivation.steps, line.target, page, reading.sizes):
        letters = reading.lettering.of(one.equation)
        shown = partial(_with_letters, reading, letters)
        extents = {letters.get(index, index): shown(extent) for index, extent in one.extents.items()}
        left, right = (shown(side).xreplace(numbers) for side in (one.left, one.right))
        found.append(replace(one, left=left, right=right, extents=extents))
    return tuple(found)


def _with_between(reading: Reading, named: Mapping[str, str]) -> Symbols:
    """The symbols of the page, and those of derivatives that only the lessons have."""
    symbols, system = reading.symbols, reading.derivation.system
    loss = system.loss
    assert loss is not None
    text, latex, own = dict(symbols.text), dict(symbols.latex), dict(symbols.symbols)
    for name, by in named.items():
        quotient = Quotient((loss, 0), ((by, len(system.tensor(by).shape)),))
        candidates = derivative_symbols(quotient, text, loss, symbols.notation, computed=True)
        free = (s for s in candidates if text_symbol(s) not in {*text.values(), *symbols.taken})
        own[name] = next(free, candidates[-1])
        text[name], latex[name] = text_symbol(own[name]), latex_symbol(own[name], latex)
    return replace(symbols, symbols=own, text=text, latex=latex)
