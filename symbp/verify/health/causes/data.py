"""Data that no start is made for: inputs and targets far from mean 0 and deviation 1.

Enters: a case. Leaves: suspects. Must not know: whether a remedy works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symbp.ir.system import Role
from symbp.verify.health.causes.case import Case, Suspect
from symbp.verify.health.causes.words import listed, verb
from symbp.verify.health.records import Array
from symbp.verify.health.symptoms import fall

WIDE, NARROW, OFF_CENTRE = 10.0, 0.02, 5.0  # inputs: root mean square, and mean in deviations
FAR_TARGETS = 10.0  # size of regression targets beside 1


def inputs(case: Case) -> Iterator[Suspect]:
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
            f"{listed(found)} {verb(found, 'is', 'are')} not standardised.",
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


def targets(case: Case) -> Iterator[Suspect]:
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
            f"{listed(found)} {verb(found, 'is', 'are')} far from what the network gives at the start.",
            tuple(why),
            "Train on (y − mean)/deviation, and turn what is predicted back.",
            replace(case.setting, data={**case.setting.data, **found}),
            relative=True,
        )
