"""Updates that are too large, too small, or not what the gradient asks for.

Enters: a case. Leaves: suspects. Must not know: whether a remedy works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symbp.verify.health.causes.case import Case, Suspect
from symbp.verify.health.setting import RATE, unscheduled
from symbp.verify.health.symptoms import fall

HASTY, USUAL, TIMID = 0.1, 1e-2, 1e-4  # median of update to weight
DECAYS = 0.01  # of a weight in a step
BOUND = 10.0  # times a clipped norm, of the gradient


def held_back(case: Case) -> Iterator[Suspect]:
    """Clipping and decay that leave nothing of an update."""
    rule, course = case.setting.rule, case.course
    clip, decay, rate = (rule.hyper.get(name, 0.0) for name in ("clip_norm", "weight_decay", RATE))
    norms = [float(np.sqrt(sum(g**2 for g in step.gradient.values()))) for step in course.steps]
    if clip and norms and min(norms) > BOUND * clip and case.seen.idle:
        free = float(np.median(norms))
        yield Suspect(
            "gradient clipped away", (),
            f"Each gradient is cut to the norm {clip:.3g}; the smallest has {min(norms):.3g}.", (),
            f"Clip at a norm that is rarely reached: --clip-norm {free:.2g}.",
            replace(case.setting, rule=replace(rule, hyper={**rule.hyper, "clip_norm": free})),
        )  # fmt: skip
    if decay and rate * decay > DECAYS and (case.seen.idle or case.seen.grows or case.seen.broken):
        yield Suspect(
            "weight decay too strong", (),
            f"Each step shrinks the weights by {rate * decay:.3g} of themselves.",
            (f"lr·weight_decay = {rate:.3g}·{decay:.3g}.",),
            "Decay by 1e-4 or less a step: --weight-decay 0.01.",
            replace(case.setting, rule=replace(rule, hyper={**rule.hyper, "weight_decay": 1e-4 / rate})),
        )  # fmt: skip


def rates(case: Case) -> Iterator[Suspect]:
    """A learning rate that is too high or too low, by what the updates are beside the weights."""
    rate, course, seen = case.setting.rate, case.course, case.seen
    if rate is None or not course.steps:
        return
    drawn = [n for n, values in course.start.items() if np.any(values)]  # of others nothing can be told
    ratios = {n: r for n in drawn if (r := course.ratio(n)) is not None}
    most, name = max(((r, n) for n, r in ratios.items()), default=(0.0, ""))
    told = (f"{{{name}}} changes by {most:.2g} of itself a step, in the median.",) if name else ()
    suggested = case.test.suggested if case.test is not None else None
    if seen.grows or seen.died or seen.broken or (seen.idle and most > HASTY):
        why = [*told, f"The loss begins at {course.steps[0].loss:.4g} and reaches {course.highest:.4g}."]
        why += [f"{b.dead:.0%} of the units of {{{b.tensor}}} have died on the way." for b in seen.died]
        lower = [rate / 10, rate / 100]
        if suggested is not None and rate / 1e4 < suggested < rate / 3:
            lower = [suggested, *lower]
        for other in lower:
            yield Suspect(
                "learning rate too high", (),
                f"The learning rate {rate:.3g} is too high: the steps leap over what they look for.",
                tuple(why), f"Train at {other:.2g}: --lr {other:.2g}.", case.setting.at_rate(other),
            )  # fmt: skip
    timid = all(r < TIMID for r in ratios.values())
    if case.test is None and timid and most > 0:
        suggested = rate * USUAL / most
    if suggested is not None and suggested > 10 * rate and timid and fall(course) < 0.02:
        plain = replace(case.setting, rule=unscheduled(case.setting.rule))
        yield Suspect(
            "learning rate too low", (),
            f"The learning rate {rate:.3g} is too low: in {len(course.steps)} steps the loss hardly moves.",
            told, f"Train at {suggested:.2g}: --lr {suggested:.2g}.", plain.at_rate(suggested),
        )  # fmt: skip
