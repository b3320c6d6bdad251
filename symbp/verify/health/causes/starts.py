"""Starts that keep a network from learning: equal weights, weights out of scale, offsets that hold units.

Enters: a case. Leaves: suspects. Must not know: whether a remedy works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symbp.ir.training import Initial
from symbp.verify.health.causes.case import Case, Suspect
from symbp.verify.health.causes.words import lines, listed, shape, times, verb
from symbp.verify.health.records import Bend
from symbp.verify.health.setting import Setting
from symbp.verify.health.weights import Weight

LARGE, SMALL = 3.0, 1 / 3  # times what keeps the variance
AHEAD = 2.0  # deviations by which an offset exceeds what it is added to


def alike(case: Case) -> Iterator[Suspect]:
    """Weights that start equal: units that are copies of each other stay so, and zeros pass nothing back."""
    equal = [w for w in case.weights if w.is_constant and w.into * w.out > 1]
    concerned = [w for w in equal if case.seen.copies or w.name in case.seen.still]
    if not concerned:
        return
    zero = all(w.size == 0 for w in concerned)
    names = tuple(w.name for w in concerned)
    why = [f"All entries of {{{w.name}}} are {w.size:.4g}." for w in concerned[:1] if not zero]
    if case.seen.still:
        why.append(f"The gradient by {listed(case.seen.still)} is 0 in all elements, at each step.")
    if case.seen.copies:
        why.append(f"All units of {listed(case.seen.copies)} have the same value, for each example.")
    yield Suspect(
        "zero start" if zero else "constant start",
        names,
        f"{listed(names)} {verb(names, 'starts', 'start')} at {'0' if zero else 'one value'}: "
        + (
            f"nothing is passed back through {verb(names, 'it', 'them')}"
            if zero
            else "units are copies of each other and stay so"
        )
        + ".",
        tuple(why),
        "Draw the start: " + lines(case.setting, equal),
        started_anew(case.setting, equal),
    )


def out_of_scale(case: Case) -> Iterator[Suspect]:
    """Weights far from what keeps the variance, up or down."""
    seen = case.seen
    drawn = [w for w in case.weights if w.size > 0 and not (w.is_constant and w.into * w.out > 1)]
    large = [w for w in drawn if w.times > LARGE]
    small = [w for w in drawn if w.times < SMALL]
    up = seen.broken or seen.far or seen.flat or seen.decided or seen.grows or seen.explodes or seen.idle
    if large and up:
        yield _scaled("start too large", large, case)
    if small and seen.idle:
        yield _scaled("start too small", small, case)


def _scaled(cause: str, found: list[Weight], case: Case) -> Suspect:
    why = [
        f"{{{w.name}}}: root mean square {w.size:.3g}, {times(w.times)} {w.keeping:.3g}, which keeps the "
        f"variance of a sum over {w.into} ({w.source})."
        for w in found[:3]
    ]
    why += [_spreads(case)] if _spreads(case) else []
    why += [
        f"{{{b.tensor}}} is flat for {b.flat:.0%} of its entries at the start." for b in case.seen.flat[:2]
    ]
    return Suspect(
        cause,
        tuple(w.name for w in found),
        f"{listed(w.name for w in found)} {verb(found, 'starts', 'start')} too "
        f"{'large' if 'large' in cause else 'small'}: "
        + ("what comes out grows" if "large" in cause else "what comes out, and the gradient, shrinks")
        + " from layer to layer.",
        tuple(why),
        "Start so that the variance is kept: " + lines(case.setting, found),
        started_anew(case.setting, found),
    )


def _spreads(case: Case) -> str:
    """By how much the variance changes from bend to bend of a chain."""
    bends = {b.tensor: b for b in case.course.looks[0].bends} if case.course.looks else {}
    chain = [bends[name].leaving for name in case.tools.chain if name in bends]
    if len(chain) < 3 or not chain[0] or not chain[-1]:
        return ""
    factor = (chain[-1] / chain[0]) ** (2 / (len(chain) - 1))
    return f"The variance of what comes out is multiplied by {factor:.3g} from layer to layer."


def offsets(case: Case) -> Iterator[Suspect]:
    """Offsets that hold units where they pass nothing on."""
    bad: list[Bend] = [*case.seen.dead, *case.seen.flat]
    held = [b for b in bad if b.offsets and abs(b.offset) > max(AHEAD * b.spread, 0.5)]
    gates = [
        b
        for look in case.course.looks[:1]
        for b in look.bends
        if case.seen.forgets and b.offsets and abs(b.offset) > max(AHEAD * b.spread, AHEAD) and b not in held
    ]
    held += gates
    names = tuple(dict.fromkeys(n for b in held for n in b.offsets if np.any(case.course.start.get(n, 0))))
    if not names:
        return
    why = [
        f"{{{b.tensor}}}: offset {b.offset:.3g} in the mean, beside {b.spread:.3g}, the deviation of what it "
        f"is added to; " + (f"{b.dead:.0%} of its {b.units} units are dead." if b.dead else _flatly(b))
        for b in held[:3]
    ]
    zero = {n: Initial("constant", reason="an offset needs no asymmetry to learn") for n in names}
    dead = any(b.dead for b in held)
    yield Suspect(
        "dead units by their offset" if dead else "saturated units by their offset",
        names,
        f"{listed(names)} {verb(names, 'holds', 'hold')} units where they pass nothing on.",
        tuple(why),
        "Start offsets at 0, the default: "
        + "; ".join(f'{n} = bp.param("{n}", {shape(case.setting, n)})' for n in names),
        replace(case.setting, initial={**case.setting.initial, **zero}),
    )


def _flatly(b: Bend) -> str:
    return f"{b.flat:.0%} of its entries are on a flat side."


def started_anew(setting: Setting, found: list[Weight]) -> Setting:
    return replace(
        setting,
        initial={**setting.initial, **{w.name: w.start for w in found}},
        rescaled={n: v for n, v in setting.rescaled.items() if n not in {w.name for w in found}},
    )
