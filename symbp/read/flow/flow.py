"""The norm of the gradient at each place of its way, at the start and after a little training.

Enters: a derivation. Leaves: a `Flow`. Must not know: formats.

A recurrence is looked at by itself: a gradient of random direction sets out at the last step, and what is
left of it is measured at each step before. In a chain of layers it is the gradient of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Size
from symbp.ir.points.fitting import constraints
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import System
from symbp.read.flow.activations import applied, variants
from symbp.read.flow.helps import with_norms, with_skips
from symbp.read.flow.path import Path, path
from symbp.read.flow.starts import STARTS, leaves, trained

Array = np.ndarray[Any, Any]
PLACES, WIDE, FEW = 20, 32, 8  # of a recurrence; sizes that are bound are at most so wide, others so many
SEED = 3


@dataclass(frozen=True)
class Track:
    """The norms along the way under one start, the last place first, relative to it where a gradient sets out
    there; `bound` is what they can't exceed, where that is known."""

    start: str
    norms: tuple[float, ...]
    is_trained: bool = False
    bound: tuple[float, ...] = ()


@dataclass(frozen=True)
class StepBound:
    """What a step of a recurrence multiplies a gradient by at most: a number times spectral norms of
    matrices."""

    number: float
    norms: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """For each activation its tracks. `kind` says what the places are, `tensors` whose gradient is measured;
    `places` are called by their tensors in a chain, and counted back from the last in a recurrence."""

    kind: str
    tensors: tuple[str, ...]
    places: tuple[str, ...]
    tracks: Mapping[str, tuple[Track, ...]]
    sizes: Mapping[str, int]
    is_recurrence: bool


def flow(derivation: Derivation, bound: StepBound | None = None) -> Flow | None:
    """The flow of a net's gradients; None for one without depth, or that has no values at these sizes.
    `bound` is that of its recurrence."""
    declared = derivation.declared
    way = path(declared)
    if way is None:
        return None
    sizes = _sizes(declared, way)
    within = declared.resting([way.tensors[0]]) if way.last else declared.resting([declared.loss or ""])
    outputs = frozenset(declared.outputs)
    tracks: dict[str, tuple[Track, ...]] = {}
    try:
        for name, system in _changed(declared, way, frozenset(within) - outputs).items():
            changed = path(system)
            if changed is None or changed.tensors != way.tensors:
                changed = way if system is declared else None
            if changed is not None:
                own = bound if system is declared else None
                tracks[name] = _tracks(system, changed, sizes, derivation, own)
    except (EvaluationError, OutsideDomain):
        return None
    count = evaluate_size(way.length, sizes) if way.length is not None else 0
    places = tuple(map(str, range(count))) if count else tuple(reversed(way.tensors))
    return Flow(way.kind, way.tensors, places, tracks, sizes, way.last is not None)


def _changed(declared: System, way: Path, within: frozenset[str]) -> dict[str, System]:
    """The system with other activations, and with what helps a gradient on its way."""
    found = variants(declared, within)
    if len(found) == 1:
        return found
    own, hidden = next(iter(found)), applied(declared, within)
    helped = {"a skip": with_skips(declared, hidden, way.tensors), "a norm": with_norms(declared, hidden)}
    return found | {f"{own} with {what}": system for what, system in helped.items() if system is not None}


def _tracks(
    system: System,
    way: Path,
    sizes: Mapping[str, int],
    derivation: Derivation,
    bound: StepBound | None,
) -> tuple[Track, ...]:
    found = []
    for start in STARTS:
        values = leaves(system, start, sizes, derivation.initial, SEED)
        values |= {n: np.full((), v) for n, v in derivation.constants.items() if n in values}
        norms = _norms(way, values, sizes)
        found.append(Track(start, norms, bound=_bounds(bound, values, len(norms)) if way.last else ()))
        if start == "Glorot":
            after = trained(system, values, sizes)
            found.append(Track(start, _norms(way, after, sizes), is_trained=True))
    return tuple(found)


def _bounds(bound: StepBound | None, values: Mapping[str, Array], count: int) -> tuple[float, ...]:
    """The powers of a step's bound; nothing where it isn't made of matrices."""
    if bound is None or any(values[name].ndim != 2 for name in bound.norms):
        return ()
    factor = bound.number
    for name in bound.norms:
        factor *= float(np.linalg.norm(values[name], 2))
    return tuple(factor**k for k in range(count))


def _norms(way: Path, values: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, ...]:
    """The norms, from the last place to the first."""
    given = dict(values)
    if way.last is not None:
        shape = tuple(evaluate_size(e, sizes) for e in way.system.tensor(way.last).shape)
        given[way.last] = np.random.default_rng(SEED).normal(size=shape)
    run = Run(way.system, {n: v for n, v in given.items() if n in way.system.by_name}, sizes)
    with np.errstate(all="ignore"):
        arrays = {name: run.tensor(adjoint) for name, adjoint in way.adjoint.items()}
    if way.last is None:
        return tuple(float(np.linalg.norm(arrays[name])) for name in reversed(way.tensors))
    squares = sum(
        np.sum(
            np.moveaxis(arrays[name], way.axis[name], 0).reshape(arrays[name].shape[way.axis[name]], -1) ** 2,
            1,
        )
        for name in way.tensors
    )
    along = np.sqrt(squares)[:: -way.step]
    return tuple(float(value / along[0]) if along[0] else float(value) for value in along)


def _sizes(system: System, way: Path) -> dict[str, int]:
    """Wide enough for norms to mean something, long enough to be a way, small enough to be quick."""
    found = {
        name: min(system.bound[name], WIDE) if name in system.bound else FEW for name in system.sizes
    }  # fmt: skip
    if isinstance(way.length, Size):
        found[way.length.name] = PLACES
    if constraints(system).hold(found):
        return found
    found = {name: system.bound.get(name, FEW) for name in system.sizes}
    if isinstance(way.length, Size) and way.length.name not in system.bound:
        found[way.length.name] = PLACES
    return found
