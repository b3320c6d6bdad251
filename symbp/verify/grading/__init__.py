"""Answers of students, graded by proof: a formula is right whatever its form, and what is wrong gets a hint.

Enters: a derivation, the text of an answer. Leaves: a `Verdict`. Must not know: ops, formats of pages.
Nothing of an answer is ever run.
"""

from __future__ import annotations

from symbp.verify.grading.grade import Grader, grade
from symbp.verify.grading.verdict import Counterexample, Proof, Slip, Verdict

__all__ = ["Counterexample", "Grader", "Proof", "Slip", "Verdict", "grade"]
