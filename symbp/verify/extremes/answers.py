"""Answers beside a network's data: those that it is surest of, those that surprise it most, its own ones.

Enters: a system in safe shapes (as declared, a loss far out may have no value), a point. Leaves: the point
with other targets. Must not know: losses or labels by name: an answer is right that makes the loss least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np

from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Role, System, Tensor
from symbp.verify.points import bound_of

Array = np.ndarray[Any, Any]
Answers = Literal["drawn", "right", "wrong", "near"]
MOST = 400  # evaluations of the loss
CLOSE = 1e-4  # relative


def answered(
    system: System,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    answers: Answers,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """The values, with answers as they were drawn; labels and binary targets `right` or `wrong`, with the
    least or the largest loss, as far as one change after the other finds it; or real targets `near` what
    the network puts out."""
    if answers == "drawn" or system.loss is None:
        return dict(values)
    if answers == "near":
        return _near(system, values, sizes, rng)
    return _chosen(system, values, sizes, 1 if answers == "right" else -1)


def _near(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[str, Array]:
    found = dict(values)
    outputs = [name for name in system.outputs if not system.tensor(name).integer]
    for target in system.leaves:
        if target.role is not Role.TARGET or target.integer or target.facts:
            continue
        alike = [name for name in outputs if system.tensor(name).shape == target.shape]
        if alike:
            with np.errstate(all="ignore"):
                output = run(system, values, sizes, wanted=alike[:1])[alike[0]]
            found[target.name] = output * (1 + CLOSE * rng.normal(size=output.shape))
    return found


def _chosen(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], sign: int
) -> dict[str, Array]:
    """Targets with the least `sign·loss`, element by element."""
    found = {name: np.array(value) for name, value in values.items()}
    assert system.loss is not None

    def loss() -> float:
        with np.errstate(all="ignore"):
            value = sign * float(run(system, found, sizes, wanted=[system.loss or ""])[system.loss or ""])
        return value if value == value else np.inf

    best, left = loss(), MOST
    for target in system.leaves:
        if target.role is not Role.TARGET:
            continue
        array = found[target.name]
        for at in np.ndindex(array.shape):
            for choice in _choices(target, sizes):
                if not left or choice == array[at]:
                    continue
                before, array[at], left = array[at], choice, left - 1
                value = loss()
                if value < best:
                    best = value
                else:
                    array[at] = before
    return found


def _choices(target: Tensor, sizes: Mapping[str, int]) -> Iterator[int]:
    """The values that an element of a target may have, if they are few."""
    bound = bound_of(target)
    if target.integer and bound is not None and bound.bound is not None:
        yield from range(evaluate_size(bound.bound, sizes))
    elif target.fact("binary"):
        yield from (0, 1)
