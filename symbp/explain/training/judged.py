"""Predictions beside targets: which classes are taken for which, what is left of a regression.

Enters: a system, its outputs for some data, the data. Leaves: counts or residuals, or a sentence that says
why there are none. Must not know: how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.ir.system import Role, System, Tensor

HALF = 0.5


@dataclass(frozen=True)
class Confusion:
    """How often a class (row) was taken for a class (column), by the output `output`."""

    output: str
    target: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Residuals:
    """Predictions of `output` and the targets that they are for, one after the other."""

    output: str
    target: str
    predicted: tuple[float, ...]
    actual: tuple[float, ...]


def judged(
    system: System,
    outputs: Mapping[str, Any],
    data: Mapping[str, Any],
    names: Mapping[str, Sequence[str]],
) -> tuple[list[Confusion | Residuals], list[str]]:
    """For each target what its predictions are worth, and why there is nothing for the others. `names` are
    those of classes, by target."""
    found: list[Confusion | Residuals] = []
    missing = []
    targets = system.with_role(Role.TARGET)
    for target in targets:
        one = _judged(target, system, outputs, np.asarray(data[target.name]), names.get(target.name, ()))
        if isinstance(one, str):
            missing.append(one)
        else:
            found.append(one)
    return found, missing if targets else ["The network has no target to compare its outputs with."]


def _judged(
    target: Tensor, system: System, outputs: Mapping[str, Any], truth: Any, names: Sequence[str]
) -> Confusion | Residuals | str:
    """The one output that fits the target decides; of several, only if they say the same."""
    by_label = target.integer and any(fact.bound is not None for fact in target.facts)
    of_classes = (*target.shape, next((f.bound for f in target.facts if f.bound is not None), None))
    wanted = of_classes if by_label else target.shape
    fitting = {n: np.asarray(outputs[n]) for n in system.outputs if system.tensor(n).shape == wanted}
    if not fitting:
        shape = ", ".join(map(str, wanted))
        return f"No output has the shape ({shape}) that predictions of {target.name} would have."
    output = next(iter(fitting))
    if any(not np.isfinite(values).all() for values in fitting.values()):
        return f"The predictions of {target.name} are not finite."
    if by_label:
        said = {name: values.argmax(-1) for name, values in fitting.items()}
        if any((labels != said[output]).any() for labels in said.values()):
            return f"Several outputs may predict {target.name}, and say different classes: {_listed(said)}."
        classes = fitting[output].shape[-1]
        return _confusion(output, target.name, said[output], truth, classes, names)
    if len(fitting) > 1:
        return f"Several outputs may predict {target.name}: {_listed(fitting)}."
    values = fitting[output]
    if not any(fact.kind == "binary" for fact in target.facts):
        return Residuals(output, target.name, *(tuple(map(float, a.ravel())) for a in (values, truth)))
    if values.min() < 0 or values.max() > 1:
        return f"{output} holds no probabilities, so nothing says which of them mean {target.name} = 1."
    return _confusion(output, target.name, values >= HALF, truth >= HALF, 2, names or ("0", "1"))


def _confusion(
    output: str, target: str, said: Any, truth: Any, classes: int, names: Sequence[str]
) -> Confusion:
    """Counted over rows with a label: others are ignored."""
    said, truth = np.asarray(said).ravel().astype(int), np.asarray(truth).ravel().astype(int)
    labelled = (truth >= 0) & (truth < classes)
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (truth[labelled], said[labelled]), 1)
    called = tuple(names) if len(names) == classes else tuple(map(str, range(classes)))
    return Confusion(output, target, called, tuple(tuple(map(int, row)) for row in counts))


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
