"""What goes on inside a network with given parameters: its bends, its shares, the way of its gradient.

Enters: a setting, parameters, arrays. Leaves: a frozen `Look`. Must not know: steps, causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, accesses
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import System
from symbp.read.flow.path import Path, path
from symbp.verify.health.records import Bend, Look, Shares, Way
from symbp.verify.health.setting import Setting
from symbp.verify.health.sites import Site, sites

Array = np.ndarray[Any, Any]
FLAT = 0.05  # of the greatest slope: |u| > 2.18 for tanh, beyond which hardly anything passes
DECIDED = 0.999  # of a whole in one entry
ALIKE = 1e-9  # relative: units that differ by no more are copies
LAYERS = 3  # of a chain


@dataclass(frozen=True)
class Instruments:
    """What is looked at in a network: found once, looked at many times. `whole` has the adjoint of every
    tensor, called as `adjoint` says."""

    whole: System
    adjoint: Mapping[str, str]
    sites: tuple[Site, ...]
    shares: tuple[tuple[str, int], ...]
    way: Path | None
    chain: tuple[str, ...]


def instruments(setting: Setting) -> Instruments:
    """All that can be looked at."""
    derivation = setting.derivation
    whole = derivation.grounds[-1].after if derivation.grounds else derivation.system
    adjoint = {
        t.differential.by: t.name
        for t in whole.tensors
        if t.differential is not None and not t.differential.part and t.name in whole.defining
    }
    found = sites(whole)
    try:
        way = path(derivation.declared)
    except SymbpError:
        way = None
    if way is not None and way.last is None:
        way = None
    return Instruments(whole, adjoint, found, tuple(_shares(whole)), way, _chain(whole, found))


def _shares(system: System) -> list[tuple[str, int]]:
    """(tensor, axis) of what is divided by its own sum along an axis: `e[n,k]/Σ_k e[n,k]`."""
    found = []
    for equation in system.equations:
        factors = equation.body.args if equation.body.is_Mul and equation.op is None else ()
        if len(factors) != 2:
            continue
        parts = [f for f in factors if isinstance(f, Access)]
        sums = [f.base for f in factors if f.is_Pow and f.exp == -1 and isinstance(f.base, Access)]
        total = system.defining.get(sums[0].name) if len(parts) == len(sums) == 1 else None
        if total is None or total.op != "sum" or len(total.reduced) != 1:
            continue
        read = accesses(total.body)
        own = len(read) == 1 and total.body == read[0] and read[0].name == parts[0].name
        if own and parts[0].subscripts == equation.indices:
            found.append((equation.target, read[0].subscripts.index(total.reduced[0])))
    return found


def _chain(system: System, found: tuple[Site, ...]) -> tuple[str, ...]:
    """The longest sequence of bends of which each rests on the one before it."""
    best: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(site.target for site in found):
        below = system.ancestors(name)
        before = max((best[other] for other in best if other in below), key=len, default=())
        best[name] = (*before, name)
    return max(best.values(), key=len, default=())


def look(tools: Instruments, setting: Setting, params: Mapping[str, Array], buffers: Mapping[str, Array],
         step: int, data: Mapping[str, Array]) -> Look:  # fmt: skip
    """What is seen over these arrays."""
    sizes, leaves = setting.sizes_for(data), setting.leaves(data, params, buffers, 0)
    with np.errstate(all="ignore"):
        own = Run(setting.system, leaves, sizes)
        stopped = {t.name: own.tensor(t.name) for t in tools.whole.leaves if t.name not in leaves}
        run = Run(tools.whole, {**leaves, **stopped}, sizes)
        bends = tuple(_bend(run, site, tools.adjoint.get(site.target)) for site in tools.sites)
        shares = tuple(_share(run.tensor(name), name, axis) for name, axis in tools.shares)
        way = _way(tools, setting, leaves, sizes) or _layers(tools, bends)
    return Look(step, bends, shares, way)


def _bend(run: Run, site: Site, adjoint: str | None) -> Bend:
    entering, leaving, slope = (
        np.asarray(run.value(e), float) for e in (site.argument, site.output, site.slope)
    )
    offset, rest = (np.asarray(run.value(e), float) for e in (site.offset, site.rest))
    shape = leaving.shape
    slope = np.broadcast_to(np.abs(slope), shape)
    others = tuple(k for k in range(len(shape)) if k not in site.units)
    dead = ~(slope > 0).any(axis=others) if others else np.zeros(1, bool)
    derivative = np.asarray(run.tensor(adjoint), float) if adjoint else np.asarray(np.nan)
    return Bend(
        site.target,
        site.is_bounded,
        int(np.prod([shape[k] for k in site.units], dtype=int)),
        _rms(entering),
        _rms(leaving),
        _rms(derivative),
        float(dead.mean()) if not site.is_bounded and dead.size > 1 else 0.0,
        float((slope < FLAT * site.steepest).mean()) if site.is_bounded else 0.0,
        _are_copies(leaving, site.units),
        float(offset.mean()),
        float(rest.std()),
        site.offsets,
    )


def _are_copies(values: Array, units: tuple[int, ...]) -> bool:
    """Whether along the last axis of units all entries are the same, for each example."""
    axis = units[-1] if units else None
    if axis is None or values.shape[axis] < 2:
        return False
    first = np.take(values, [0], axis=axis)
    scale = float(np.abs(values).max(initial=0.0))
    return bool(np.abs(values - first).max(initial=0.0) <= ALIKE * scale)


def _share(values: Array, name: str, axis: int) -> Shares:
    return Shares(name, float((values.max(axis=axis) > DECIDED).mean()) if values.shape[axis] > 1 else 0.0)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def _layers(tools: Instruments, bends: tuple[Bend, ...]) -> Way | None:
    """The derivative by what comes out of each bend of a chain, from the last to the first."""
    if len(tools.chain) < LAYERS:
        return None
    by_name = {bend.tensor: bend.adjoint for bend in bends}
    places = tuple(reversed(tools.chain))
    norms = tuple(by_name[name] for name in places)
    return None if any(np.isnan(n) for n in norms) else Way("layers", places, norms, False)


def _way(
    tools: Instruments, setting: Setting, leaves: Mapping[str, Array], sizes: Mapping[str, int]
) -> Way | None:
    """The norms of a gradient of random direction that sets out at the last step of a recurrence."""
    way = tools.way
    if way is None or way.last is None:
        return None
    shape = tuple(evaluate_size(e, sizes) for e in way.system.tensor(way.last).shape)
    arrival = np.random.default_rng(setting.seed).normal(size=shape)
    given = {name: v for name, v in {**leaves, way.last: arrival}.items() if name in way.system.by_name}
    try:
        run = Run(way.system, given, sizes)
        adjoints = {name: run.tensor(adjoint) for name, adjoint in way.adjoint.items()}
    except SymbpError:
        return None
    squares = sum(
        np.square(np.moveaxis(adjoints[name], way.axis[name], 0)).reshape(shape[way.axis[name]], -1).sum(1)
        for name in way.tensors
    )
    norms = np.sqrt(squares)[:: -way.step]
    start = float(norms[0]) or 1.0
    places = tuple(str(k) for k in range(len(norms)))
    return Way(way.kind, places, tuple(float(norm) / start for norm in norms), True)
