"""Gradients that die out or explode on their way: through layers, or through time.

Enters: a case. Leaves: suspects. Must not know: whether a remedy works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

import numpy as np

from symbp.verify.health.causes.case import Case, Suspect
from symbp.verify.health.causes.words import listed, per
from symbp.verify.health.looks import LAYERS, Instruments, look
from symbp.verify.health.records import Look
from symbp.verify.health.setting import started

SWOLLEN, KEPT = 100.0, 10.0  # times as large at the end of a chain of layers as at its start
SHARES = (0.5, 0.25, 0.125, 0.0625)  # of the weights' size, that are tried


def faint(case: Case) -> Iterator[Suspect]:
    """A gradient that vanishes over layers whose weights are as they should be: slopes that are small."""
    seen, way = case.seen, case.seen.way
    if way is None or way.is_recurrence or not (seen.vanishes and seen.idle):
        return
    steep = {s.target: s.steepest for s in case.tools.sites}
    slopes = sorted({steep[p] for p in way.places if p in steep})
    found = [w for w in case.weights if w.into > 1]
    lift = 1 / slopes[0] if slopes and slopes[0] < 1 else 1 / max(way.factor or 1.0, 1e-3)
    raised = replace(case.setting, rescaled={**case.setting.rescaled, **{w.name: lift for w in found}})
    text = f"The gradient loses a factor of {way.factor or 0:.3g} at each of {len(way.places)} layers."
    why = [f"∂loss/∂{{{way.places[0]}}} is {per(way.norms)} times ∂loss/∂{{{way.places[-1]}}}."]
    if slopes and slopes[0] < 1:
        why.append(f"The slope of its activation is {slopes[0]:.3g} at most, and multiplies at each layer.")
    yield Suspect(
        "gradient vanishes through layers",
        tuple(way.places),
        text,
        tuple(why),
        "Use an activation whose slope at 0 is 1 (tanh, relu), a skip connection or a normalisation.",
        raised,
        with_remedy=f"Or start with weights {lift:.3g} times as large.",
    )


def swollen(case: Case) -> Iterator[Suspect]:
    """What comes out grows from layer to layer though each weight keeps the variance: sums of layers, such as
    skips. How much smaller weights must be is measured."""
    seen, setting, tools = case.seen, case.setting, case.tools
    growth = _growth(case.course.looks[0], tools) if case.course.looks else None
    if growth is None or growth < SWOLLEN or not (seen.broken or seen.far or seen.grows or seen.idle):
        return
    found = [w for w in case.weights if w.into > 1 and w.size > 0]
    for share in SHARES:
        less = {w.name: share * setting.rescaled.get(w.name, 1.0) for w in found}
        smaller = replace(setting, rescaled={**setting.rescaled, **less})
        after = _growth(look(tools, smaller, *started(smaller), 0, smaller.probe), tools)
        if after is None or after >= KEPT:
            continue
        by_layer = growth ** (2 / (len(tools.chain) - 1))
        yield Suspect(
            "start too large",
            tuple(w.name for w in found),
            f"The variance of what comes out is multiplied by {by_layer:.3g} from layer to layer.",
            (
                f"{{{tools.chain[-1]}}} is {growth:.3g} times as large as {{{tools.chain[0]}}}; with weights "
                f"{share:.3g} times as large it is {after:.3g} times as large.",
            ),
            "Normalise between layers.",
            smaller,
            with_remedy=f"Or start with weights {share:.3g} times as large: deviations "
            + ", ".join(f"{{{w.name}}} {share * w.size:.3g}" for w in found[:4])
            + (", …" if len(found) > 4 else "")
            + ".",
        )
        return


def _growth(seen: Look, tools: Instruments) -> float | None:
    """How many times as large the last bend of a chain is as the first; None without a chain, or values."""
    sizes = {bend.tensor: bend.leaving for bend in seen.bends}
    chain = [sizes[name] for name in tools.chain if name in sizes]
    if len(chain) < LAYERS or not chain[0] > 0:
        return None
    return chain[-1] / chain[0] if isfinite(chain[-1]) else float("inf")


def recurrence(case: Case) -> Iterator[Suspect]:
    """Weights through which a recurrence reads itself, and a gradient that dies out or explodes in time."""
    seen, way = case.seen, case.seen.way
    if way is None or not (seen.forgets or seen.leaves) or way.factor is None or case.tools.way is None:
        return
    own = _recurrent(case)
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
        "Use gates, or clip the gradient (--clip-norm 1)." if what == "explodes" else "Use gates.",
        remedy if own else None,
        with_remedy=f"Or start with {listed(own)} {change:.3g} times as large: root mean square "
        + ", ".join(f"{change * sizes[n]:.3g}" for n in own)
        + ".",
    )


def _recurrent(case: Case) -> list[str]:
    """The parameters by which a recurrence multiplies what it carries."""
    assert case.tools.way is not None
    states, system = set(case.tools.way.axis), case.setting.derivation.declared
    inside = [e for e in system.equations if e.target in states and states & set(e.read_names)]
    return [t.name for t in system.parameters if any(t.name in e.read_names for e in inside)]
