"""Judges a training: tries remedies for what is suspected, and convicts what they mend.

Enters: a setting. Leaves: a frozen `Health`: measures, findings, the range test. Must not know: how anything
is shown.

Nothing is called a cause because of a threshold alone. A suspect's remedy is put in place and the training
run again, from the start, on the same batches; where that helps, the suspect is a problem, with the figures
before and after. Then what is left is looked at with the remedy in place, for there may be another cause
behind. Only what needs no trial is told without one: a value that isn't finite, a parameter without a
gradient, units without a slope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

from symbp.verify.health.causes import Suspect, opened, suspects
from symbp.verify.health.looks import Instruments, instruments
from symbp.verify.health.rates import range_test
from symbp.verify.health.records import Course, RangeTest
from symbp.verify.health.setting import Setting
from symbp.verify.health.symptoms import Symptoms, fall, symptoms
from symbp.verify.health.training import train
from symbp.verify.health.unseen import leaving, unrelated
from symbp.verify.health.untried import certain, unexplained
from symbp.verify.lint.report import Finding

HELPS = 0.15  # of the loss in the end, by which a remedy must lower it
ROUNDS = 3  # causes one behind another
Said = Callable[[str], None]


@dataclass(frozen=True)
class Health:
    """What is found of a network's training. `course` is the training as it is, `findings` have problems
    first, `test` is the range test of the learning rate, where there was one; `what` says on which data."""

    name: str
    setting: Setting
    course: Course
    findings: tuple[Finding, ...]
    test: RangeTest | None

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind == "problem")

    @property
    def ok(self) -> bool:
        return not self.problems


def examine(setting: Setting, *, with_range: bool = True, say: Said = lambda _: None) -> Health:
    """The whole examination; `say` is told what is being done."""
    tools = instruments(setting)
    say(f"training {setting.steps} steps")
    course = train(setting, tools)
    test = None
    if with_range and isfinite(course.first):
        say("range test of the learning rate")
        test = range_test(setting)
    found = list(certain(setting, course))
    found += _inquiry(setting, tools, course, test, say)
    found += leaving(setting, course)
    found = _told_once(found)
    if all(finding.kind != "problem" for finding in found) and not course.ended_early:
        say("asking about examples that were kept apart")
        found += unrelated(setting)
    found.sort(key=lambda finding: finding.kind != "problem")
    return Health(setting.derivation.name, setting, course, tuple(found), test)


def _told_once(found: list[Finding]) -> list[Finding]:
    kept: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for finding in found:
        key = finding.rule, finding.about
        if key not in kept or kept[key].kind != "problem":
            kept[key] = finding
    return list(kept.values())


# --- what is tried
def _inquiry(
    setting: Setting, tools: Instruments, course: Course, test: RangeTest | None, say: Said
) -> list[Finding]:
    """Causes, one behind another, and what stays without one."""
    found: list[Finding] = []
    tried: list[Suspect] = []
    seen = symptoms(course)
    for _ in range(ROUNDS):
        if not seen.any:
            break
        guilty = None
        for suspect in suspects(opened(setting, tools, course, seen, test)):
            if suspect.remedy is None:
                tried.append(suspect)
                continue
            say(f"trying: {suspect.cause}")
            after = train(suspect.remedy, tools)
            if _helps(course, after, suspect, seen, symptoms(after)):
                guilty = suspect
                break
            tried.append(suspect)
        if guilty is None or guilty.remedy is None:
            break
        found.append(_convicted(guilty, course, after))
        setting, course = guilty.remedy, after
        seen = symptoms(course)
        test = None if guilty.relative else test
    return [*unexplained(setting, seen, course, found, tried), *found, *_suspected(tried, found)]


def _helps(before: Course, after: Course, suspect: Suspect, ill: Symptoms, well: Symptoms) -> bool:
    """Whether a remedy mends a training: there is a loss where there was none, it comes through where it
    broke off, gets further down, or is rid of the symptom without harm to the loss."""
    if not isfinite(before.first) and isfinite(after.first):
        return True
    if after.ended_early or not isfinite(after.last):
        return False
    if before.ended_early or not isfinite(before.last):
        return fall(after) > 0
    if suspect.relative:
        return fall(after) > fall(before) + HELPS
    if gain(before, after) >= HELPS:
        return True
    harmless = gain(before, after) > -HELPS
    rid = (ill.forgets and not well.forgets) or (ill.leaves and not well.leaves)
    rid |= bool(ill.dead) and not well.dead and "dead" in suspect.cause
    rid |= bool(ill.flat) and not well.flat
    rid |= bool(ill.copies) and not well.copies and "start" in suspect.cause
    rid |= bool(ill.still) and not well.still and "start" in suspect.cause
    rid |= bool(ill.died) and not well.died and "rate" in suspect.cause
    return rid and harmless


def gain(before: Course, after: Course) -> float:
    """By how much lower the loss ends, as a share of what is above 0, or of the range of a loss that has no
    such bound."""
    seen = [before.first, before.last, after.first, after.last]
    known = [value for value in seen if isfinite(value)]
    scale = abs(before.last) if min(known) >= 0 else max(known) - min(known)
    return (before.last - after.last) / scale if scale > 0 else 0.0


def _convicted(suspect: Suspect, before: Course, after: Course) -> Finding:
    return Finding(
        "problem", suspect.cause, suspect.about, suspect.text, suspect.why,
        f"Tried: {_figures(before)} as it is, {_figures(after)} with the remedy"
        f"{_more_figures(before, after)}.",
        f"{suspect.advice} {suspect.with_remedy}".strip(),
    )  # fmt: skip


def _figures(course: Course) -> str:
    if course.broken is not None:
        start = f"loss {course.first:.4g}, then " if isfinite(course.first) else ""
        broken = course.broken
        return f"{start}no finite value at step {broken.step}, first in {{{broken.tensor}}}"
    if course.escaped:
        return f"loss {course.first:.4g}, then {course.highest:.3g} by step {len(course.steps)}"
    return f"loss {course.first:.4g} → {course.last:.4g}"


def _more_figures(before: Course, after: Course) -> str:
    """Of what else has changed: dead units, flat entries, the factor of a step through time."""
    if len(before.looks) != len(after.looks) or not before.looks:
        return ""
    one, two = before.looks[-1], after.looks[-1]
    found = []
    for old, new in zip(one.bends, two.bends, strict=True):
        if abs(old.dead - new.dead) > 0.3:
            found.append(f"dead units of {{{old.tensor}}} {old.dead:.0%} → {new.dead:.0%}")
        elif abs(old.flat - new.flat) > 0.3:
            found.append(f"flat entries of {{{old.tensor}}} {old.flat:.0%} → {new.flat:.0%}")
    ways = before.looks[0].way, after.looks[0].way
    if ways[0] is not None and ways[1] is not None and ways[0].factor != ways[1].factor:
        unit = "step" if ways[0].is_recurrence else "layer"
        found.append(f"gradient by {unit} ×{ways[0].factor or 0:.3g} → ×{ways[1].factor or 0:.3g}")
    return "; " + ", ".join(found[:3]) if found else ""


def _suspected(tried: list[Suspect], found: list[Finding]) -> Iterator[Finding]:
    """What was tried and didn't help, as a note."""
    known = {finding.rule for finding in found}
    for suspect in tried:
        if suspect.cause not in known:
            known.add(suspect.cause)
            yield Finding(
                "note", suspect.cause, suspect.about, suspect.text, suspect.why,
                "Tried: it alone doesn't help." if suspect.remedy is not None else "", suspect.advice,
            )  # fmt: skip
