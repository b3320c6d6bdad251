"""A text of equations in symbp's notation, one a line: each is judged by itself, with all else right.

Enters: a text. Leaves: a backward pass that can be asked. Must not know: what is right.
Nothing of the text is run. `#` begins a comment, a number in parentheses may stand before an equation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbp.errors import FormulaError, Origin, UsageError
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import FLOAT
from symbp.verify.against.answer import Answer, Array
from symbp.verify.against.spelled import Spelled
from symbp.verify.grading.answer import Answer as Written
from symbp.verify.grading.answer import read_answer
from symbp.verify.grading.judge import Judge, Places
from symbp.verify.grading.key import SheetAtPoint
from symbp.verify.grading.names import Names
from symbp.verify.grading.values import Clock, Misfit, TooMuch
from symbp.verify.points import Point
from symbp.verify.proofs.evaluation import Refused
from symbp.verify.proofs.points import Point as Where

SECONDS = 60.0
NUMBER = re.compile(r"\s*\(\d+\)\s+")


@dataclass(frozen=True)
class Line:
    """One equation, and where it stands."""

    number: int
    text: str
    written: Written


@dataclass(frozen=True)
class Equations:
    """The equations of a text; `name` is that of its file."""

    name: str
    text: str
    spelled: Spelled
    dtype: Any = np.float64
    apart: bool = True

    __hash__ = object.__hash__

    @cached_property
    def names(self) -> Names:
        return Names(self.spelled.reference.sheet)

    @cached_property
    def lines(self) -> list[Line]:
        """Raises FormulaError: a line that is no equation in the names of the network."""
        found = []
        for number, line in enumerate(self.text.splitlines(), start=1):
            bare = NUMBER.sub("", line.partition("#")[0]).strip()
            if bare:
                found.append(Line(number, bare, self._read(bare, number)))
        if not found:
            raise UsageError("the file has no equations", where=self.name)
        return found

    def _read(self, text: str, number: int) -> Written:
        try:
            return read_answer(text, self.names)
        except FormulaError as error:
            where = Origin(self.name, number)
            raise FormulaError(error.what, where=where, details=error.details, help=error.help) from None

    def at(self, point: Point) -> Answer:
        place = SheetAtPoint(
            self.spelled.reference.sheet, Where(point.sizes, point.values, FLOAT, AS_THEY_ARE, False)
        )
        clock = Clock.of(SECONDS)
        loss, gradients, kept = None, dict[str, Array](), dict[str, Array]()
        for line in self.lines:
            value = self._value(place, line, clock)
            by = line.written.by
            if line.written.target == self.spelled.reference.loss:
                loss = float(value)
            elif by is None:
                kept[line.written.target] = value
            elif by in self.spelled.reference.derivation.gradients:
                gradients[f"d{by}"] = value
            else:
                kept[f"d{by}"] = value
        return Answer(loss, gradients, kept)

    def _value(self, place: SheetAtPoint, line: Line, clock: Clock) -> Array:
        judge = Judge(Places(self.spelled.reference.sheet), self.names, clock)
        where = Origin(self.name, line.number, line.text)
        try:
            with np.errstate(all="ignore"):
                found = judge.found(place, line.written, line.written.tree)
            if line.written.subscripts is not None and any(
                isinstance(s, int) for s in judge.slices(place, line.written, found.ndim)
            ):
                raise UsageError("an equation here is about a whole tensor", where=where)
            return np.asarray(found, float)
        except FormulaError as error:
            raise FormulaError(error.what, where=where, details=error.details, help=error.help) from None
        except Misfit as misfit:
            shapes = tuple(str(shape) for shape in misfit.shapes)
            raise UsageError(f"shapes don't fit: {misfit.what}", where=where, details=shapes) from None
        except (TooMuch, Refused) as error:
            raise UsageError(f"it can't be evaluated: {error}", where=where) from None
