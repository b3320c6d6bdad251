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

import numpy as np

from symbp.ir.printer import equation_text
from symbp.ir.system import Role
from symbp.verify.health.causes import Suspect, opened, suspects
from symbp.verify.health.looks import Instruments, instruments
from symbp.verify.health.rates import range_test
from symbp.verify.health.records import Course, RangeTest
from symbp.verify.health.setting import Setting
from symbp.verify.health.symptoms import Symptoms, fall, symptoms
from symbp.verify.health.training import train
from symbp.verify.lint.gradients import unused
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
    found = list(_certain(setting, course))
    found += _inquiry(setting, tools, course, test, say)
    found = _told_once(found)
    found.sort(key=lambda finding: finding.kind != "problem")
    return Health(setting.derivation.name, setting, course, tuple(found), test)


# --- what needs no trial
def _certain(setting: Setting, course: Course) -> Iterator[Finding]:
    """Parameters that nothing reads, or whose gradient is stopped; inputs that say nothing."""
    system = setting.derivation.declared
    for finding in unused(setting.derivation):
        if system.tensor(finding.about[0]).role is Role.PARAMETER:
            yield finding
    for name in course.still:
        if _is_stopped(setting, name):
            yield Finding(
                "problem", "gradient stopped", (name,),
                f"The loss rests on {{{name}}} only through values that count as constants: it never learns.",
                proof=f"Each chain of definitions from {{{name}}} to the loss passes a stopped value.",
                origin=system.tensor(name).origin,
            )  # fmt: skip
    real = [
        t.name
        for t in system.with_role(Role.INPUT)
        if not t.integer and not t.facts and t.name in setting.data
    ]
    if setting.examples > 1 and real and all(_is_constant(np.asarray(setting.data[n])) for n in real):
        yield Finding(
            "problem", "inputs without information", tuple(real),
            f"{', '.join(f'{{{n}}}' for n in real)}: every example is the same.",
            advice="Look at how the data were read.",
        )  # fmt: skip


def _is_constant(data: np.ndarray) -> bool:
    return bool((data == data[:1]).all())


def _is_stopped(setting: Setting, name: str) -> bool:
    """Whether each way to the loss passes a constant value, and there is one."""
    system = setting.derivation.declared
    if system.loss is None or name not in system.ancestors(system.loss):
        return False
    open_, stack = set[str](), [system.loss]
    while stack:
        target = stack.pop()
        if target in open_:
            continue
        open_.add(target)
        equation = system.defining.get(target)
        if equation is not None and not equation.constant:
            stack += equation.read_names
    return name not in open_


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
    seen = symptoms(course, setting)
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
            if _helps(course, after, suspect, seen, symptoms(after, suspect.remedy)):
                guilty = suspect
                break
            tried.append(suspect)
        if guilty is None or guilty.remedy is None:
            break
        found.append(_convicted(guilty, course, after))
        setting, course = guilty.remedy, after
        seen = symptoms(course, setting)
        test = None if guilty.relative else test
    return [*_unexplained(seen, course, found, tried), *found, *_suspected(tried, found)]


def _helps(before: Course, after: Course, suspect: Suspect, ill: Symptoms, well: Symptoms) -> bool:
    """Whether a remedy mends a training: it comes through where it broke off, gets further down, or is rid of
    the symptom without harm to the loss."""
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


def _unexplained(
    left: Symptoms, course: Course, found: list[Finding], tried: list[Suspect]
) -> Iterator[Finding]:
    """Symptoms that are problems whatever causes them, as far as no cause that was found takes them away."""
    if left.broken and course.broken is not None:
        broken = course.broken
        index = f"[{','.join(map(str, broken.place))}]" if broken.place else ""
        yield Finding(
            "problem", "not finite", (broken.tensor,),
            f"At step {broken.step} {{{broken.tensor}}}{index} is {broken.value}: {broken.operation}.",
            (f"{equation_text(broken.equation)}", *(f"It reads {read}." for read in broken.reads)),
            "All that it reads is finite; all that follows isn't.",
            _against(broken.operation),
            broken.equation.origin,
        )  # fmt: skip
    if left.dead or left.died:
        for bend in (*left.dead, *left.died):
            yield Finding(
                "problem", "dead units", (bend.tensor,),
                f"{bend.dead:.0%} of the {bend.units} units of {{{bend.tensor}}} pass nothing on, for any "
                "example.",
                advice="Offsets at 0, a lower learning rate, or an activation that has a slope everywhere.",
            )  # fmt: skip
    unlucky = [s for s in tried if "through" in s.cause]
    if left.forgets or left.leaves or (left.idle and left.vanishes):
        for suspect in unlucky[:1]:
            yield Finding(
                "problem", suspect.cause, suspect.about, suspect.text, suspect.why,
                "Measured at the start; the start that was tried doesn't mend it.", suspect.advice,
            )  # fmt: skip
    if found or left.broken or left.dead or left.died or unlucky:
        return
    if left.stands or left.grows:
        yield Finding(
            "problem", "loss does not fall", (),
            f"The loss on the probe is {course.first:.4g} at the start and {course.last:.4g} in the end, and "
            "nothing that was tried changes that.",
            advice="Look at the data: can the targets be told from the inputs?",
        )  # fmt: skip


def _against(operation: str) -> str:
    """What to do about an operation that has no finite value."""
    if operation.startswith("the logarithm"):
        return "Take the logarithm of what can't be 0: of a softmax or a sigmoid, or add a small number."
    if operation.startswith("a division"):
        return "Add a small number below the line."
    if "root" in operation:
        return "Add a small number under the root."
    if operation.startswith("exp"):
        return "Subtract the maximum before the exponential, or keep its argument small."
    return "A smaller learning rate, or a smaller start."
