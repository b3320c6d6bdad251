"""Gradients that die out or explode on their way: through layers, or through time.

Enters: a case. Leaves: suspects. Must not know: whether a remedy works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symbp.verify.health.causes.case import Case, Suspect
from symbp.verify.health.causes.words import listed, per


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
