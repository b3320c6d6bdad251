"""Grades an answer: read, judged, and if it is wrong, where it fails and which slip it probably is.

Enters: a derivation, the text of an answer. Leaves: a `Verdict`. Must not know: how equality is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError
from symbp.read.reading import reading
from symbp.verify.grading.answer import Answer, read_answer
from symbp.verify.grading.counterexample import counterexample
from symbp.verify.grading.judge import Finding, Judge, Places
from symbp.verify.grading.key import Sheet
from symbp.verify.grading.names import Names
from symbp.verify.grading.shapes import told
from symbp.verify.grading.slips import slip
from symbp.verify.grading.values import Clock, TooMuch
from symbp.verify.grading.verdict import Verdict

SECONDS = 20.0


@dataclass(frozen=True)
class Grader:
    """A derivation with what all its answers are compared with, found once."""

    derivation: Derivation
    seed: int = 0

    @cached_property
    def sheet(self) -> Sheet:
        if not self.derivation.is_gradient:
            raise UsageError(
                "only answers about gradients are graded", help="derive a network: bp.derive(net)"
            )
        return Sheet(self.derivation, reading(self.derivation, None, "textbook").computable)

    @cached_property
    def names(self) -> Names:
        return Names(self.sheet)

    @cached_property
    def places(self) -> Places:
        return Places(self.sheet, self.seed)

    def read(self, text: str) -> Answer:
        return read_answer(text, self.names)

    def grade(self, text: str, *, seconds: float = SECONDS) -> Verdict:
        """The verdict on an answer, within about so many seconds.

        Raises FormulaError, which points at the place: what is no equation in the names of the page.
        """
        answer, clock = self.read(text), Clock.of(seconds)
        judge = Judge(self.places, self.names, clock)
        try:
            finding = judge.finding(answer, answer.tree)
        except TooMuch as limit:
            return Verdict(answer.text, None, why=f"could not be decided: {limit}")
        notes = _notes(judge)
        if finding.proof is not None:
            return Verdict(answer.text, True, finding.proof, notes=notes)
        if finding.wrong is None and finding.misfit is None:
            return Verdict(answer.text, None, why=f"could not be decided: {finding.why}", notes=notes)
        verdict = _wrong(judge, answer, finding)
        if finding.doubtful and verdict.counterexample is None:
            why = (
                "could not be decided: it is equal at all points, but for conditions that could go otherwise"
            )
            return Verdict(answer.text, None, why=why, notes=notes)
        return replace(verdict, notes=notes)


def _wrong(judge: Judge, answer: Answer, finding: Finding) -> Verdict:
    """A wrong answer: as much of a hint as the time allows."""
    verdict = Verdict(answer.text, False)
    if finding.misfit is not None:
        verdict = replace(verdict, misfit=told(finding.misfit, judge, answer))
    try:
        if finding.misfit is None:
            verdict = replace(verdict, counterexample=counterexample(judge, answer, finding))
        return replace(verdict, slip=slip(judge, answer))
    except TooMuch:
        return verdict


def _notes(judge: Judge) -> tuple[str, ...]:
    return tuple(sorted({note for meaning in judge.meanings.values() for note in meaning.notes}))


def grade(derivation: Derivation, text: str, *, seconds: float = SECONDS, seed: int = 0) -> Verdict:
    """The verdict on one answer; `Grader` for several."""
    return Grader(derivation, seed).grade(text, seconds=seconds)
