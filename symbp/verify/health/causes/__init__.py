"""What may make a training ill: each suspect with its evidence and a remedy to try.

Enters: a case: a setting, its course, the symptoms. Leaves: suspects, the likeliest first. Must not know:
whether a remedy works.

A suspect is named by what is measured of it (the scale of inputs, of weights beside what keeps the variance,
of offsets beside what they are added to, of updates beside weights), never by the symptom alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbp.verify.health.causes.case import Case, Suspect, opened
from symbp.verify.health.causes.data import inputs, targets
from symbp.verify.health.causes.depth import faint, recurrence, swollen
from symbp.verify.health.causes.starts import alike, offsets, out_of_scale
from symbp.verify.health.causes.updates import held_back, rates

__all__ = ["Case", "Suspect", "opened", "suspects"]

ORDER = (alike, inputs, offsets, recurrence, out_of_scale, swollen, faint, targets, held_back, rates)


def suspects(case: Case) -> Iterator[Suspect]:
    """All that is suspected, the likeliest first."""
    for suspected in ORDER:
        yield from suspected(case)
