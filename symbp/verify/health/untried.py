"""What is said of a training without a trial: what a network can't learn by its equations, or its data, or
values.

Enters: a setting, its course, the symptoms that are left. Leaves: findings. Must not know: remedies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from symbp.ir.printer import equation_text
from symbp.ir.system import Role
from symbp.verify.health.causes import Suspect
from symbp.verify.health.records import Array, Bend, Broken, Course
from symbp.verify.health.setting import Setting
from symbp.verify.health.symptoms import Symptoms
from symbp.verify.lint.gradients import unused
from symbp.verify.lint.report import Finding
from symbp.verify.stuck import HELP

ENOUGH = 8  # examples, for targets that agree to mean something


def certain(setting: Setting, course: Course) -> Iterator[Finding]:
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
    yield from _without_gradient(setting, course)
    yield from _told_apart(setting)
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


def _told_apart(setting: Setting) -> Iterator[Finding]:
    """Targets that are the same for every example."""
    names = [t.name for t in setting.system.with_role(Role.TARGET) if t.name in setting.data]
    every = [np.asarray(setting.data[name]) for name in names]
    if setting.examples >= ENOUGH and names and all(np.ptp(data) == 0 for data in every if data.size):
        values = ", ".join(f"{{{n}}} is {data.flat[0]:.4g}" for n, data in zip(names, every, strict=True))
        yield Finding(
            "problem", "targets without information", tuple(names),
            f"{values} for every example: an offset alone learns that.",
            advice="Look at how the data were read, and whether they were cut while they were sorted.",
        )  # fmt: skip


def _without_gradient(setting: Setting, course: Course) -> Iterator[Finding]:
    """Parameters whose gradient is 0 whatever the values are, though the loss is computed from them: nothing
    to mend, for they have no effect."""
    system, declared = setting.derivation.system, setting.derivation.declared
    used = declared.ancestors(declared.loss or "")
    for name in course.still:
        equation = system.defining.get(setting.derivation.gradients.get(name, ""))
        if name in used and equation is not None and equation.body == 0 and not _is_stopped(setting, name):
            yield Finding(
                "note", "gradient that is always zero", (name,),
                f"{{{name}}} has no effect on the loss, and stays as it starts.",
                proof="Its gradient in closed form is 0.",
                advice="symbp lint proves it.",
            )  # fmt: skip


def _is_constant(data: Array) -> bool:
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


def unexplained(
    setting: Setting, left: Symptoms, course: Course, found: Sequence[Finding], tried: Sequence[Suspect]
) -> Iterator[Finding]:
    """Symptoms that are problems whatever causes them, as far as no cause that was found takes them away."""
    if course.broken is not None:
        yield _not_finite(course.broken)
        return
    yield from (_dead(bend) for bend in (*left.dead, *left.died))
    if not left.dead and not left.died:
        yield from _without(setting, left, course, found)
    unlucky = [s for s in tried if "through" in s.cause]
    if left.forgets or left.leaves or (left.idle and left.vanishes):
        for suspect in unlucky[:1]:
            yield Finding(
                "problem", suspect.cause, suspect.about, suspect.text, suspect.why,
                "Measured at the start; the start that was tried doesn't mend it.", suspect.advice,
            )  # fmt: skip
    if not (found or left.dead or left.died or unlucky) and (left.stands or left.grows):
        yield Finding(
            "problem", "loss does not fall", (),
            f"The loss on the probe is {course.first:.4g} at the start and {course.last:.4g} in the end, and "
            "nothing that was tried changes that.",
            advice="Look at the data: can the targets be told from the inputs?",
        )  # fmt: skip


def _not_finite(broken: Broken) -> Finding:
    """Where values gave out."""
    index = f"[{','.join(map(str, broken.place))}]" if broken.place else ""
    return Finding(
        "problem", "not finite", (broken.tensor,),
        f"At step {broken.step} {{{broken.tensor}}}{index} is {broken.value}: {broken.operation}.",
        (f"{equation_text(broken.equation)}", *(f"It reads {read}." for read in broken.reads)),
        "All that it reads is finite; all that follows isn't.",
        _against(broken.operation),
        broken.equation.origin,
    )  # fmt: skip


def _dead(bend: Bend) -> Finding:
    return Finding(
        "problem", "dead units", (bend.tensor,),
        f"{bend.dead:.0%} of the {bend.units} units of {{{bend.tensor}}} pass nothing on, for any example.",
        advice="Offsets at 0, a lower learning rate, or an activation that has a slope everywhere.",
    )  # fmt: skip


def _without(setting: Setting, left: Symptoms, course: Course, found: Sequence[Finding]) -> Iterator[Finding]:
    """Parameters whose gradient was 0 all along, for a reason that nothing else says."""
    told = {name for finding in found for name in finding.about}
    for name in left.still:
        if name not in told and not _is_explained(setting, name):
            yield Finding(
                "problem", "no gradient", (name,),
                f"The gradient by {{{name}}} is 0 in all elements, at each of {len(course.steps)} steps.",
                proof="Its closed form isn't 0: what it is multiplied with is, on these data.",
                advice=HELP[0].upper() + HELP[1:] + ".",
                origin=setting.derivation.declared.tensor(name).origin,
            )  # fmt: skip


def _is_explained(setting: Setting, name: str) -> bool:
    """Whether a parameter has no gradient by its place in the network: unused, stopped, or without effect."""
    derivation = setting.derivation
    equation = derivation.system.defining.get(derivation.gradients.get(name, ""))
    return equation is None or equation.body == 0 or _is_stopped(setting, name)


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
