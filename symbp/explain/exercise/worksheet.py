"""Chooses what is left out of a page.

Enters: a document, how many blanks, a seed. Leaves: a frozen `Worksheet`. Must not know: formats.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Basic

from symbp.errors import UsageError
from symbp.explain.document import Document, NumberedEquation, Section
from symbp.ir.expr import Access, Expr, Guard
from symbp.read.display import Along
from symbp.read.lecture import Lesson
from symbp.read.reading import Line

GAP = sympy.Symbol("□")
"""What stands in a formula in the place of a factor."""

FACTORS = 3  # one blank in so many is a factor, where there are several


@dataclass(frozen=True)
class Blank:
    """An equation of the page of which the right side is asked for; or a factor of it, if `partly` is the
    line with a gap in its place. `lesson` explains the result."""

    shown: NumberedEquation
    partly: Line | None
    lesson: Lesson | None

    @property
    def named(self) -> str:
        """Of a value of the forward pass, what it is called: nothing else on the page would tell."""
        return "" if self.lesson is not None else self.shown.rule

    @property
    def shape(self) -> tuple[Expr, ...]:
        """Of what is asked for, without the axes that the equation fixes."""
        line = self.shown.line
        return tuple(line.equation.extents[i] for i in line.equation.indices if i not in line.fixed)


@dataclass(frozen=True)
class Worksheet:
    """A document with its blanks, in the order of the page. `command` says how an answer is graded."""

    document: Document
    blanks: tuple[Blank, ...]
    seed: int
    command: str

    @property
    def sections(self) -> tuple[Section, ...]:
        """The parts of the page up to the last blank: metrics and what inference does are left out."""
        last = max(self.by_number, default=0)
        return tuple(s for s in self.document.sections if any(e.number <= last for e in s.equations))

    @property
    def task(self) -> str:
        """What is to be done."""
        numbers = ", ".join(f"({number})" for number in self.by_number)
        return f"Fill in {numbers}. Any form that is equal is right."

    @property
    def by_number(self) -> Mapping[int, Blank]:
        return {blank.shown.number: blank for blank in self.blanks}


def worksheet(
    document: Document,
    *,
    blanks: int = 5,
    seed: int = 0,
    command: str = "",
    only: Callable[[NumberedEquation], bool] | None = None,
) -> Worksheet:
    """A worksheet with so many blanks, or as many as the page has equations to ask for; the same for the same
    seed. `only` says what can be asked for besides, and then whole right sides are. Raises UsageError: no
    blanks, or a page without derivatives of a loss."""
    if blanks < 1:
        raise UsageError("a worksheet has at least one blank", help="--blanks 5")
    if not document.derivation.is_gradient:
        raise UsageError("exercises ask for gradients", help="derive a network: bp.derive(net)")
    draw = random.Random(seed)
    known = [shown for shown in document.equations if _is_asked_for(document, shown)]
    known = known if only is None else [shown for shown in known if only(shown)]
    chosen = _varied(draw.sample(known, len(known)))[:blanks]
    lessons = {lesson.line.number: lesson for lesson in document.lecture.lessons}
    found = [
        Blank(shown, None if only else _with_gap(shown.line, draw), lessons.get(shown.number))
        for shown in sorted(chosen, key=lambda shown: shown.number)
    ]
    return Worksheet(document, tuple(found), seed, command)


def _varied(drawn: Sequence[NumberedEquation]) -> list[NumberedEquation]:
    """The equations so that one of each kind comes first, then a second one: not two sums for two biases."""
    before = Counter[Any]()
    turns = list[int]()
    for shown in drawn:
        kind = _kind(shown.line.equation.body), len(shown.line.equation.reduced)
        turns.append(before[kind])
        before[kind] += 1
    return [shown for _, shown in sorted(zip(turns, drawn, strict=True), key=lambda pair: pair[0])]


def _kind(e: Basic) -> tuple[Any, ...]:
    """An expression without its names: what is done, in any order."""
    if isinstance(e, Access) or not e.args:
        return (type(e).__name__,)
    return (type(e).__name__, *sorted((_kind(a) for a in e.args), key=str))


def _is_asked_for(document: Document, shown: NumberedEquation) -> bool:
    """Whether an equation can be found out: a derivative that a lesson explains, or a function by its name,
    and the loss. Sums of a forward pass are its author's choice, places of maxima no formula."""
    system, line = document.reading.derivation.system, shown.line
    equation = line.equation
    if system.tensor(line.target).integer or equation.leaf is not None:
        return False
    if any(lesson.line.number == shown.number for lesson in document.lecture.lessons):
        return True
    if system.loss is None or line.target not in system.ancestors(system.loss):
        return False
    function = isinstance(equation.body, Along) or equation.body.is_Function
    named = function and not isinstance(equation.body, Access) and equation.op is None
    return bool(shown.rule) and (named or line.target == system.loss)


def _with_gap(line: Line, draw: random.Random) -> Line | None:
    """The line with a gap for a factor, now and then."""
    body = line.equation.body
    factors = [f for f in sympy.Mul.make_args(body) if f.atoms(Access) and not f.atoms(Guard)]
    factors = [factor for factor in factors if body.count(factor) == 1]
    if len(factors) < 2 or draw.randrange(FACTORS):
        return None
    gone = draw.choice(sorted(factors, key=sympy.default_sort_key))
    return replace(line, equation=line.equation.with_(body=body.xreplace({gone: GAP})))
