"""A suspect, and the case in which one is suspected.

Enters: nothing (types only). Leaves: frozen values. Must not know: any cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symbp.verify.health.looks import Instruments
from symbp.verify.health.records import Course, RangeTest
from symbp.verify.health.setting import Setting
from symbp.verify.health.symptoms import Symptoms
from symbp.verify.health.weights import Weight, weights


@dataclass(frozen=True)
class Suspect:
    """`text` says what is wrong and `why` what shows it, `{name}` standing for a tensor; `about` are the
    tensors, `advice` is what to do, with the line to write; `remedy` is the setting in which that is done.
    `relative` says that the remedy changes what the loss is measured in, `with_remedy` is advice for where
    it helps."""

    cause: str
    about: tuple[str, ...]
    text: str
    why: tuple[str, ...]
    advice: str
    remedy: Setting | None
    relative: bool = False
    with_remedy: str = ""


@dataclass(frozen=True)
class Case:
    """One training, and what is known of it."""

    setting: Setting
    tools: Instruments
    course: Course
    seen: Symptoms
    test: RangeTest | None = None
    weights: tuple[Weight, ...] = field(default=())


def opened(
    setting: Setting, tools: Instruments, course: Course, seen: Symptoms, test: RangeTest | None
) -> Case:
    found = weights(setting.derivation.system, tools.sites, setting.sizes, course.start)
    return Case(setting, tools, course, seen, test, found)
