"""What may make a training ill: each suspect with its evidence and a remedy to try.

Enters: a setting, its course, the symptoms. Leaves: suspects, the likeliest first. Must not know: whether a
remedy works.

A suspect is named by what is measured of it (the scale of inputs, of weights beside what keeps the variance,
of offsets beside what they are added to, of updates beside weights), never by the symptom alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import sympy

from symbp.ir.system import Role, Tensor
from symbp.ir.training import Initial
from symbp.verify.health.looks import Instruments
from symbp.verify.health.records import Array, Bend, Course, RangeTest
from symbp.verify.health.setting import RATE, Setting, unscheduled
from symbp.verify.health.symptoms import Symptoms, fall
from symbp.verify.health.weights import Weight, weights

LARGE, SMALL = 3.0, 1 / 3  # times what keeps the variance
WIDE, NARROW, OFF_CENTRE = 10.0, 0.02, 5.0  # inputs: root mean square, and mean in deviations
FAR_TARGETS = 10.0  # size of regression targets beside 1
AHEAD = 2.0  # deviations by which an offset exceeds what it is added to
HASTY, TIMID = 0.1, 1e-4  # median of update to weight
DECAYS = 0.01  # of a weight in a step
BOUND = 10.0  # times a clipped norm, of the gradient


@dataclass(frozen=True)
class Suspect:
    """`text` says what is wrong and `why` what shows it, `{name}` standing for a tensor; `about` are the
    tensors, `advice` is what to do, with the line to write; `remedy` is the setting in which that is done.
    `relative` says that the remedy changes what the loss is measured in."""

    cause: str
    about: tuple[str, ...]
    text: str
    why: tuple[str, ...]
    advice: str
    remedy: Setting | None
    relative: bool = False


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


def suspects(case: Case) -> Iterator[Suspect]:
    """All that is suspected, the likeliest first."""
    yield from _alike(case)
    yield from _inputs(case)
    yield from _offsets(case)
    yield from _starts(case)
    yield from _recurrence(case)
    yield from _targets(case)
    yield from _held_back(case)
    yield from _rate(case)


# --- starts
def _alike(case: Case) -> Iterator[Suspect]:
    """Weights that start equal: units that are copies of each other stay so, and zeros pass nothing back."""
    equal = [w for w in case.weights if w.is_constant and w.into * w.out > 1]
    concerned = [w for w in equal if case.seen.copies or w.name in case.seen.still]
    if not concerned:
        return
    zero = all(w.size == 0 for w in concerned)
    names, listed = tuple(w.name for w in concerned), _listed(w.name for w in concerned)
    why = [f"All entries of {{{w.name}}} are {w.size:.4g}." for w in concerned[:1] if not zero]
    if case.seen.still:
        why.append(f"The gradient by {_listed(case.seen.still)} is 0 in all elements, at each step.")
    if case.seen.copies:
        why.append(f"All units of {_listed(case.seen.copies)} have the same value, for each example.")
    yield Suspect(
        "zero start" if zero else "constant start",
        names,
        f"{listed} {_verb(names, 'starts', 'start')} at {'0' if zero else 'one value'}: "
        + ("nothing is passed back through it" if zero else "units are copies of each other and stay so")
        + ".",
        tuple(why),
        "Draw the start: " + _lines(case.setting, equal),
        _started_anew(case.setting, equal),
    )


def _starts(case: Case) -> Iterator[Suspect]:
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
    if seen.vanishes and seen.idle and not small and not large:
        yield _faint(case)


def _scaled(cause: str, found: list[Weight], case: Case) -> Suspect:
    why = [
        f"{{{w.name}}}: root mean square {w.size:.3g}, {_times(w.times)} {w.keeping:.3g}, which keeps the "
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
        f"{_listed(w.name for w in found)} {_verb(found, 'starts', 'start')} too "
        f"{'large' if 'large' in cause else 'small'}: "
        + ("what comes out grows" if "large" in cause else "what comes out, and the gradient, shrinks")
        + " from layer to layer.",
        tuple(why),
        "Start so that the variance is kept: " + _lines(case.setting, found),
        _started_anew(case.setting, found),
    )


def _spreads(case: Case) -> str:
    """By how much the variance changes from bend to bend of a chain."""
    bends = {b.tensor: b for b in case.course.looks[0].bends} if case.course.looks else {}
    chain = [bends[name].leaving for name in case.tools.chain if name in bends]
    if len(chain) < 3 or not chain[0] or not chain[-1]:
        return ""
    factor = (chain[-1] / chain[0]) ** (2 / (len(chain) - 1))
    return f"The variance of what comes out is multiplied by {factor:.3g} from layer to layer."


def _faint(case: Case) -> Suspect:
    """A gradient that vanishes over layers whose weights are as they should be: slopes that are small."""
    way = case.seen.way
    assert way is not None
    steep = {s.target: s.steepest for s in case.tools.sites}
    slopes = sorted({steep[p] for p in way.places if p in steep})
    found = [w for w in case.weights if w.into > 1]
    lift = 1 / slopes[0] if slopes and slopes[0] < 1 else 1 / max(way.factor or 1.0, 1e-3)
    raised = replace(case.setting, rescaled={**case.setting.rescaled, **{w.name: lift for w in found}})
    text = f"The gradient loses a factor of {way.factor or 0:.3g} at each of {len(way.places)} layers."
    why = [f"∂loss/∂{{{way.places[0]}}} is {_per(way.norms)} times ∂loss/∂{{{way.places[-1]}}}."]
    if slopes and slopes[0] < 1:
        why.append(f"The slope of its activation is {slopes[0]:.3g} at most, and multiplies at each layer.")
    advice = (
        f"Use an activation whose slope at 0 is 1 (tanh, relu), a skip connection or a normalisation; or "
        f"start with weights {lift:.3g} times as large."
    )
    return Suspect("gradient vanishes through layers", tuple(way.places), text, tuple(why), advice, raised)


def _recurrence(case: Case) -> Iterator[Suspect]:
    """Weights through which a recurrence reads itself, and a gradient that dies out or explodes in time."""
    seen, way = case.seen, case.seen.way
    if way is None or not (seen.forgets or seen.leaves) or way.factor is None or case.tools.way is None:
        return
    loop = case.tools.way
    system = case.setting.derivation.declared
    states = set(loop.axis)
    own = [
        t.name
        for t in system.parameters
        if any(
            e.target in states and t.name in e.read_names and states & set(e.read_names)
            for e in system.equations
        )
    ]
    what = "explodes" if seen.leaves else "vanishes"
    factor = way.factor or 1e-3
    change = min(1 / factor, 1e3)
    sizes = {n: float(np.sqrt(np.mean(np.asarray(case.course.start[n]) ** 2))) for n in own}
    own = [n for n in own if sizes[n] > 0]
    remedy = replace(
        case.setting,
        rescaled={**case.setting.rescaled, **{n: change * case.setting.rescaled.get(n, 1.0) for n in own}},
    )
    yield Suspect(
        f"gradient {what} through time",
        tuple(own) or way.places[:1],
        f"Each step back through time multiplies the gradient by {way.factor:.3g}: "
        + ("what is far back is not learnt." if what == "vanishes" else "it explodes."),
        (
            f"Of a gradient that sets out at the last of {len(way.norms)} steps, {way.norms[-1]:.2g} times "
            "its norm is left at the first.",
            *(f"{{{n}}} has the root mean square {sizes[n]:.3g} at the start." for n in own),
        ),
        f"Start with {_listed(own)} {change:.3g} times as large, root mean square "
        + ", ".join(f"{change * sizes[n]:.3g}" for n in own)
        + (", or clip the gradient (--clip-norm 1)." if what == "explodes" else ", or use gates.")
        if own
        else "Use gates, or normalise what the recurrence carries.",
        remedy if own else None,
    )


def _offsets(case: Case) -> Iterator[Suspect]:
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
        f"{_listed(names)} {_verb(names, 'holds', 'hold')} units where they pass nothing on.",
        tuple(why),
        "Start offsets at 0, the default: "
        + "; ".join(f'{n} = bp.param("{n}", {_shape(case.setting, n)})' for n in names),
        replace(case.setting, initial={**case.setting.initial, **zero}),
    )


def _flatly(b: Bend) -> str:
    return f"{b.flat:.0%} of its entries are on a flat side."


def _started_anew(setting: Setting, found: list[Weight]) -> Setting:
    return replace(
        setting,
        initial={**setting.initial, **{w.name: w.start for w in found}},
        rescaled={n: v for n, v in setting.rescaled.items() if n not in {w.name for w in found}},
    )


# --- data
def _inputs(case: Case) -> Iterator[Suspect]:
    """Inputs far from mean 0 and deviation 1."""
    found: dict[str, Array] = {}
    why = []
    for tensor in case.setting.system.with_role(Role.INPUT):
        if tensor.integer or tensor.facts or tensor.name not in case.setting.data:
            continue
        data = np.asarray(case.setting.data[tensor.name], float)
        size, mean, deviation = float(np.sqrt(np.mean(data**2))), float(data.mean()), float(data.std())
        if deviation == 0 or not (size > WIDE or size < NARROW or abs(mean) > OFF_CENTRE * deviation):
            continue
        found[tensor.name] = standardised(data)
        why.append(f"{{{tensor.name}}} has the mean {mean:.4g} and the deviation {deviation:.4g}.")
    if found:
        yield Suspect(
            "inputs not standardised",
            tuple(found),
            f"{_listed(found)} {_verb(found, 'is', 'are')} not standardised.",
            tuple(why),
            "Standardise: net = bp.standardised(net), or symbp train --standardise.",
            replace(case.setting, data={**case.setting.data, **found}),
        )


def standardised(data: Array) -> Array:
    """Each feature by its mean and deviation: columns, the last axis of sequences, channels of images."""
    axis = None if data.ndim < 2 else 1 if data.ndim >= 4 else data.ndim - 1
    others = None if axis is None else tuple(k for k in range(data.ndim) if k != axis)
    deviation = data.std(axis=others, keepdims=True)
    return np.asarray((data - data.mean(axis=others, keepdims=True)) / np.where(deviation == 0, 1, deviation))


def _targets(case: Case) -> Iterator[Suspect]:
    """Regression targets that are out of reach."""
    found, why = {}, []
    for tensor in case.setting.system.with_role(Role.TARGET):
        if tensor.integer or tensor.facts or tensor.name not in case.setting.data:
            continue
        data = np.asarray(case.setting.data[tensor.name], float)
        if np.sqrt(np.mean(data**2)) > FAR_TARGETS and data.std() > 0:
            found[tensor.name] = (data - data.mean()) / data.std()
            why.append(f"{{{tensor.name}}} has the mean {data.mean():.4g}, the deviation {data.std():.4g}.")
    if found and (fall(case.course) < 0.2 or case.seen.grows or case.seen.broken):
        yield Suspect(
            "targets not standardised",
            tuple(found),
            f"{_listed(found)} {_verb(found, 'is', 'are')} far from what the network gives at the start.",
            tuple(why),
            "Train on (y − mean)/deviation, and turn what is predicted back.",
            replace(case.setting, data={**case.setting.data, **found}),
            relative=True,
        )


# --- updates
def _held_back(case: Case) -> Iterator[Suspect]:
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


def _rate(case: Case) -> Iterator[Suspect]:
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
    if suggested is not None and suggested > 10 * rate and timid and fall(course) < 0.02:
        plain = replace(case.setting, rule=unscheduled(case.setting.rule))
        yield Suspect(
            "learning rate too low", (),
            f"The learning rate {rate:.3g} is too low: in {len(course.steps)} steps the loss hardly moves.",
            told, f"Train at {suggested:.2g}: --lr {suggested:.2g}.", plain.at_rate(suggested),
        )  # fmt: skip


# --- words
def _listed(names: object) -> str:
    places = [f"{{{name}}}" for name in names]  # type: ignore[attr-defined]
    if len(places) > 4:
        return f"{', '.join(places[:3])} and {len(places) - 3} more"
    return ", ".join(places[:-1]) + (" and " if len(places) > 1 else "") + places[-1] if places else "it"


def _verb(things: object, one: str, many: str) -> str:
    return one if len(things) == 1 else many  # type: ignore[arg-type]


def _times(factor: float) -> str:
    return f"{factor:.3g} times" if factor >= 0.1 else f"1/{1 / factor:.3g} of"


def _per(norms: tuple[float, ...]) -> str:
    return f"{norms[0] / norms[-1]:.2g}" if norms[-1] else "infinitely many"


def _lines(setting: Setting, found: list[Weight]) -> str:
    """The declarations of weights with starts that keep the variance."""
    lines = [f'{w.name} = bp.param("{w.name}", {_shape(setting, w.name)}, init={w.init})' for w in found[:3]]
    more = f" (and {len(found) - 3} more alike)" if len(found) > 3 else ""
    deviations = ", ".join(f"{w.keeping:.3g}" for w in found[:3])
    return "; ".join(lines) + more + f" (deviation {deviations})"


def _shape(setting: Setting, name: str) -> str:
    tensor: Tensor = setting.system.tensor(name)
    extents = ", ".join(sympy.sstr(extent) for extent in tensor.shape)
    return f"({extents}{',' if len(tensor.shape) == 1 else ''})"


