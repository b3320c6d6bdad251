"""Exercises: a page with some right sides, or factors, left out, and the key to them.

Enters: a document, how many blanks, a seed. Leaves: a worksheet in a format. Must not know: how answers are
graded.
"""

from __future__ import annotations

from symbp.explain.exercise import html, latex, notebook, stack, text
from symbp.explain.exercise.worksheet import Blank, Worksheet, worksheet

__all__ = ["Blank", "Worksheet", "html", "latex", "notebook", "stack", "text", "worksheet"]
