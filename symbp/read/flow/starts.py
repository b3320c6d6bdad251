"""How weights may start: small, as Glorot and Bengio, or as He et al. have it; and a little training.

Enters: a system, sizes. Leaves: values of its leaves. Must not know: paths, pages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symbp.derive import adjoints
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Index, Size
from symbp.ir.points.drawn import drawn
from symbp.ir.points.sampling import evaluate_size, sample_leaf
from symbp.ir.system import Role, System
from symbp.ir.training import Initial

Array = np.ndarray[Any, Any]
STARTS = ("normal 0.01", "Glorot", "He")
SMALL = 0.01
STEPS, RATE, CLIP = 12, 0.5, 1.0  # of the training


def fans(system: System, sizes: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """For each weight how many numbers go into one sum of it, and into how many sums one goes."""
    found: dict[str, tuple[int, int]] = {}
    for equation in system.equations:
        for access in equation.reads:
            if system.tensor(access.name).role is not Role.PARAMETER or access.name in found:
                continue
            own = {s for s in access.subscripts if isinstance(s, Index)}
            others = set().union(*(a.free_symbols for a in equation.reads if a.name != access.name))
            into = [equation.extents[i] for i in own if i in equation.reduced]
            out = [equation.extents[i] for i in own if i in equation.indices and i not in others]
            if into and out:
                count = [math.prod(evaluate_size(e, sizes) for e in extents) for extents in (into, out)]
                found[access.name] = (count[0], count[1])
    return found


def leaves(
    system: System, start: str, sizes: Mapping[str, int], initial: Mapping[str, Initial], seed: int
) -> dict[str, Array]:
    """Data at random, and parameters that start so; offsets and what scales start as declared, or at 0."""
    rng, weights = np.random.default_rng(seed), fans(system, sizes)
    found: dict[str, Array] = {}
    for tensor in system.leaves:
        shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
        if tensor.name in weights:
            into, out = weights[tensor.name]
            normal = rng.normal(size=shape)
            deviation = {
                "normal 0.01": SMALL, "Glorot": math.sqrt(2 / (into + out)), "He": math.sqrt(2 / into)
            }  # fmt: skip
            found[tensor.name] = deviation[start] * normal
        elif tensor.role in (Role.PARAMETER, Role.BUFFER):
            found[tensor.name] = _declared(initial.get(tensor.name), shape, sizes, rng)
        else:
            found[tensor.name] = sample_leaf(tensor, sizes, rng)
    return found


def _declared(
    start: Initial | None, shape: tuple[int, ...], sizes: Mapping[str, int], rng: np.random.Generator
) -> Array:
    if start is None:
        return np.zeros(shape)
    values = {Size(name): extent for name, extent in sizes.items()}
    scale, shift = (sympy.sympify(e).xreplace(values) for e in (start.scale, start.shift))
    if not (scale.is_number and shift.is_number):
        return np.zeros(shape)
    return np.asarray(float(shift) + float(scale) * drawn(start.distribution, shape, rng))


def trained(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The leaves after a few steps of gradient descent on the loss, the gradient's norm clipped."""
    names = [t.name for t in system.parameters]
    swept = adjoints(system, system.loss or "", names)
    found = dict(values)
    for _ in range(STEPS):
        run = Run(swept.system, found, sizes)
        with np.errstate(all="ignore"):
            gradients = {name: run.tensor(swept.gradients[name]) for name in names}
        norm = math.sqrt(sum(float(np.sum(g**2)) for g in gradients.values()))
        if not math.isfinite(norm):
            break
        rate = RATE * min(1.0, CLIP / norm) if norm else 0.0
        found |= {name: found[name] - rate * gradients[name] for name in names}
    return found
