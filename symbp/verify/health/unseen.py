"""What a training has learnt about examples that it doesn't see: whether their targets have to do with them.

Enters: a setting. Leaves: findings. Must not know: losses by name.

A part of the examples is kept apart, and what was learnt from the others is asked about it twice: with each
example's own targets, and with those of other examples. Who has learnt how targets follow from inputs is
better with the own ones; who can't tell them apart has learnt frequencies, or the examples by heart. Where it
shows nothing, the training goes on for longer before anything is said.

A loss may fall because outputs move away from what they are compared with: then its sign is the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from math import isfinite

import numpy as np

from symbp.ir.evaluation.vector import Run
from symbp.ir.system import Role, Tensor
from symbp.verify.health.records import Array, Course
from symbp.verify.health.setting import Setting
from symbp.verify.health.training import Moment, Point, moments
from symbp.verify.lint.report import Finding
from symbp.verify.points import bound_of

APART, LEAST, MOST = 3, 48, 128  # a third of the examples, within these
ORDERS = 12  # of other examples' targets
TELLS = 2.5  # deviations, by which own targets must be better than others
LONGER = 4  # times as many steps, before something is said
AWAY = 0.5  # of what it was: by so much outputs have left their targets


def unrelated(setting: Setting) -> Iterator[Finding]:
    """Targets that don't show in what is learnt of other examples. Only data that were given count."""
    system = setting.system
    targets = [t.name for t in system.with_role(Role.TARGET) if t.name in setting.data]
    inputs = [t.name for t in system.with_role(Role.INPUT) if t.name in setting.data]
    count = min(setting.examples // APART, MOST)
    if not targets or not inputs or count < LEAST or not setting.given:
        return
    order = np.random.default_rng(setting.seed).permutation(setting.examples)
    unseen = {name: array[order[:count]] for name, array in setting.data.items()}
    seen = {name: array[order[count:]] for name, array in setting.data.items()}
    own, others = 0.0, np.zeros(1)
    for steps in (setting.steps, LONGER * setting.steps):
        last = _trained(replace(setting, data=seen, steps=steps))
        if last is None:
            return
        own, others = _asked(setting, last, unseen, targets)
        if not isfinite(own) or not np.all(np.isfinite(others)):
            return
        if np.mean(others) - own > TELLS * np.std(others):
            return
    names = ", ".join(f"{{{name}}}" for name in targets)
    yield Finding(
        "problem", "targets that don't follow from inputs", tuple(targets),
        f"What is learnt doesn't tell whose {names} it is, on examples that were kept apart.",
        proof=f"On {count} of these, after {LONGER * setting.steps} steps on the others, the loss is "
        f"{own:.4g} with their targets, {np.mean(others):.4g} ± {np.std(others):.2g} with those of others.",
        advice="Look whether targets still belong to their inputs: shuffled apart, sorted, off by one. Else "
        "more examples, or a smaller network.",
    )  # fmt: skip


def _trained(setting: Setting) -> Moment | None:
    """The last step of a training; None, if it breaks off."""
    last = None
    for last in islice(moments(setting), setting.steps):
        if last.step is None:
            return None
    return last


def _asked(
    setting: Setting, last: Moment, data: Mapping[str, Array], targets: list[str]
) -> tuple[float, Array]:
    """The loss with the targets of each example, and with those of others, in several orders."""
    rng, count = np.random.default_rng(setting.seed), len(data[targets[0]])

    def loss(arrays: Mapping[str, Array]) -> float:
        return Point(setting, arrays, last.params, last.buffers, 0).differentiated[0]

    orders = [rng.permutation(count) for _ in range(ORDERS)]
    mixed = [{**data, **{name: data[name][order] for name in targets}} for order in orders]
    return loss(data), np.array([loss(arrays) for arrays in mixed])


# --- outputs that leave their targets
def leaving(setting: Setting, course: Course) -> Iterator[Finding]:
    """Outputs that move away from their targets while the loss falls."""
    if not course.end or not isfinite(course.last) or not course.last < course.first:
        return
    system, ends = setting.system, (course.start, course.end)
    for target in system.with_role(Role.TARGET):
        outputs = [name for name in system.outputs if _fits(system.tensor(name), target)]
        pairs = [tuple(_distance(setting, end, name, target.name) for end in ends) for name in outputs]
        if pairs and all(isfinite(before) and after > (1 + AWAY) * before > 0 for before, after in pairs):
            (before, after), output = pairs[0], outputs[0]
            yield Finding(
                "problem", "outputs leave their targets", (output, target.name),
                f"{{{output}}} moves away from {{{target.name}}} while the loss falls: is its sign right?",
                proof=f"The loss is {course.first:.4g} at the start, {course.last:.4g} in the end; "
                f"{{{output}}} is {before:.3g} from {{{target.name}}}, then {after:.3g}, on average.",
                advice="A loss is what is to become small: of a likelihood or a reward, its negative.",
            )  # fmt: skip


def _fits(output: Tensor, target: Tensor) -> bool:
    """Whether an output has the shape of a target, or an element for each class of its labels."""
    if output.integer or target.integer:
        return not output.integer and output.shape[:-1] == target.shape and bound_of(target) is not None
    return output.shape == target.shape


def _distance(setting: Setting, params: Mapping[str, Array], output: str, target: str) -> float:
    """The mean distance of an output from its target; of classes, minus the logarithm of the share of the
    right one."""
    data = setting.probe
    run = Run(setting.system, setting.leaves(data, params, {}, 0), setting.sizes_for(data))
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(run.tensor(output), float)
    except KeyError:  # it rests on buffers
        return float("nan")
    wanted = np.asarray(data[target])
    if found.ndim > wanted.ndim:
        right = np.take_along_axis(found, wanted[..., None], -1)
        if np.all(found >= 0) and np.allclose(found.sum(-1), 1):
            return float(np.mean(-np.log(np.maximum(right, 1e-300))))
        return float("nan")  # scores grow in learning
    return float(np.mean(np.abs(found - wanted)))
