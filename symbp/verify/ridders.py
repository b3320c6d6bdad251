"""The derivative of any function along a direction, with a bound on its error and a word on kinks.

Enters: a function of arrays, a point, a direction. Leaves: an `Estimate`.
Must not know: systems, derivations, what the function is for.

Central differences D(h) = (f(x+h) − f(x−h))/2h are formed at steps that are halved, and extrapolated to the
step 0 (Ridders 1982): T[k,j] = T[k,j−1] + (T[k,j−1] − T[k−1,j−1])/(4ʲ − 1), since their error is a series in
h². The five-point stencil is T[1,1]. What remains of truncation is estimated by the neighbours in the table,
rounding ε_f/h by the noise ε_f of the function; the entry with the least sum of both is taken, for each
element of the function's result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from symbp.errors import SymbpError

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
Function = Callable[[Values], Array]

REACH = 0.1  # the first step, of the size of what is moved
MOST_ROWS, LEAST_ROWS = 34, 4  # the last step is REACH/2³³, 1e-11 of that size
ENOUGH = 1e-10  # of the value: an error below needs no further rows
LONGEST = 1e-3  # share of noise in a value that the short step takes account of
SURE = 3  # a jump of the slope counts from so many times the rounding in it on
STRAIGHT = (
    1e-3  # share by which bends at two steps may fail to be proportional: functions change over 30 steps
)
BENT = 0.7  # share of a difference of slopes that half the step leaves: ½ of a smooth function, all at a kink
SHORTER = 1 / 32  # of the short step, where that reaches over a kink
EPSILON = float(np.finfo(float).eps)
SPACINGS = tuple(117.3 * float(np.finfo(kind).eps) for kind in (np.float64, np.float32))
DIFFERENCES = 6  # order of the highest difference of which noise is read off
GROWTH = 10  # what is measured of noise is a sample: the bound is so many times larger


@dataclass(frozen=True)
class Estimate:
    """A derivative: its `value`, a bound on its `error` (infinite where nothing is known), and whether the
    function has a `kink` at the point, where slopes to both sides differ and there is no derivative."""

    value: Array
    error: Array
    kink: Array

    def agrees(self, other: Any, more: float = 0.0) -> Array:
        """Where another value can't be told from this one; `more` is its own error."""
        return np.asarray(np.abs(self.value - np.asarray(other)) <= self.error + more)


def derivative_along(
    function: Function,
    at: Mapping[str, Any],
    direction: Mapping[str, Any],
    *,
    noise: Any = None,
    first: float | None = None,
) -> Estimate:
    """The derivative of a function of named arrays at a point, along a direction in some of them, of the
    shape of the function's result. `noise` is the rounding of the function if it is known, and measured if
    not; `first` the longest step, in units of the direction."""
    values = {name: np.asarray(array) for name, array in at.items()}
    along = {name: np.asarray(part, float) for name, part in direction.items()}
    values |= {name: np.asarray(values[name], float) for name in along}
    size, one = _size(values, along), _one(along)
    bound = noise_along(function, values, along) if noise is None else np.asarray(noise, float)
    with np.errstate(all="ignore"):
        first = first or REACH * max(size, one)
        return _extrapolated(_beside(function, values, along), first, bound, min(size, one))


def noise_along(function: Function, at: Values, direction: Values) -> Array:
    """A bound on the rounding of a function's values near a point, read off a table of differences of values
    at points close to each other: σ² = (k!)²/(2k)! · mean(Δᵏf)² (Moré and Wild 2011); smooth parts leave
    nothing in high differences. Where a function doesn't notice a move of many units in the last place, it
    computes in single precision, or rounds to more than that: there the points are further apart."""
    size = _size(at, direction)
    with np.errstate(all="ignore"):
        here = np.asarray(function(at))
        epsilon = np.finfo(here.dtype).eps if here.dtype.kind == "f" else EPSILON
        f = _beside(function, at, direction)
        tables = [[f(spacing * size * k) for k in range(DIFFERENCES + 1)] for spacing in SPACINGS]
        double, single = (np.array(table) for table in tables)
        spread = np.where(np.all(double == double[0], axis=0), _noise_in(single), _noise_in(double))
        return np.asarray(GROWTH * spread + float(epsilon) * np.abs(np.asarray(here, float)))


def _noise_in(values: Array) -> Array:
    """The largest of what high differences say."""
    orders = range(DIFFERENCES - 2, DIFFERENCES + 1)
    squares = [np.mean(np.diff(values, k, axis=0) ** 2, axis=0) / comb(2 * k, k) for k in orders]
    return np.asarray(np.sqrt(np.fmax.reduce([np.where(np.isfinite(part), part, 0.0) for part in squares])))


def repeats(function: Function, at: Values) -> bool:
    """Whether a function gives the same answer twice."""
    with np.errstate(all="ignore"):
        one, other = (np.asarray(function(at), float) for _ in range(2))
    return bool(np.array_equal(one, other, equal_nan=True))


def _size(values: Values, direction: Values) -> float:
    """The step that moves values by about their own size, the largest counts; by 1 if they are 0."""
    still = [np.abs(values[name])[part != 0] for name, part in direction.items()]
    size = max((float(np.max(part, initial=0.0)) for part in still), default=0.0)
    return (size or 1.0) * _one(direction)


def _one(direction: Values) -> float:
    """The step that moves values by 1 at most."""
    most = max((float(np.max(np.abs(part), initial=0.0)) for part in direction.values()), default=0.0)
    return 1 / most if most > 0 else 1.0


def _moved(function: Function, values: Values, direction: Values, by: float) -> Array:
    moved = {name: values[name] + by * part for name, part in direction.items()}
    return np.asarray(function({**values, **moved}), float)


def _beside(function: Function, values: Values, direction: Values) -> Callable[[float], Array]:
    """The function by the step along a direction; not a number where it refuses, though not at the point."""
    here = _moved(function, values, direction, 0.0)

    def at(by: float) -> Array:
        try:
            return _moved(function, values, direction, by) if by else here
        except (ArithmeticError, ValueError, SymbpError):
            return np.full(here.shape, np.nan)

    return at


def _extrapolated(f: Callable[[float], Array], step: float, noise: Array, unit: float) -> Estimate:
    """The best of the table of central differences; none that contradicts those at a short step, which a
    function that oscillates, or has a kink nearby, makes of long ones. Of D(h) the error h² + ε_f/h is least
    at h = ε_f^⅓."""
    size = float(np.max(np.abs(f(0.0)), initial=0.0))
    share = float(np.max(noise, initial=0.0)) / size if 0 < size < np.inf else EPSILON
    near = unit * float(np.clip(share, EPSILON, LONGEST)) ** (1 / 3)
    slope, error, kink = _nearby(f, near, noise)
    table, here, longer = _Table(slope, error), f(0.0), np.full(np.shape(slope), np.inf)
    for row in range(MOST_ROWS):
        ahead, behind = f(step), f(-step)
        bend = np.abs(ahead - 2 * here + behind) / step
        rough = (
            bend - 4 * noise / step > BENT * longer
        )  # a kink in reach: of no longer step is there a series
        table = table.without(rough | ~np.isfinite(bend))
        longer = bend
        table.add((ahead - behind) / (2 * step), noise / step)
        enough = (table.error <= ENOUGH * np.abs(table.best)) | (table.latest > 2 * table.own)
        if step < near or (row + 1 >= LEAST_ROWS and np.all(enough)):
            break
        step /= 2
    return Estimate(table.best, table.error, kink)


def _nearby(f: Callable[[float], Array], step: float, noise: Array) -> tuple[Array, Array, Array]:
    """(slope, bound on its error, whether there is a kink) by differences at a short step, or, where a kink
    is within its reach, at a shorter one. A shorter step at which rounding is larger than what the kink shows
    can't say that there is none."""
    slope, error, kink, off, _ = _at_three_steps(f, step, noise)
    if np.any(kink):
        nearer = _at_three_steps(f, step * SHORTER, noise)
        slope, error = np.where(kink, nearer[0], slope), np.where(kink, nearer[1], error)
        kink = kink & (nearer[2] | (2 * nearer[4] > off))
    return slope, np.where(np.isfinite(error), error, np.inf), kink


def _at_three_steps(
    f: Callable[[float], Array], step: float, noise: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """(slope, bound on its error, whether there is a kink, the bend that shows it, the rounding in that) by
    differences at a step, at ½ and ¼ of it.

    With S(h) = (f(x+h) − 2f(x) + f(x−h))/h, the difference of slopes to both sides, 2·S(h/2) − S(h) is of
    the order h³ where the function is smooth. A jump J of the slope at a distance a·h makes J·|1 − 3a| of it
    for a < ½, and J·(1 − a) beyond; at half the step J·|1 − 6a|, J·(1 − 2a): one of both is seen."""
    here, steps = f(0.0), (step, step / 2, step / 4)
    sides = [(f(h), f(-h)) for h in steps]
    slopes = [(a - b) / (2 * h) for (a, b), h in zip(sides, steps, strict=True)]
    bends = [(a - 2 * here + b) / h for (a, b), h in zip(sides, steps, strict=True)]
    kink, unsure = np.zeros(np.shape(here), bool), np.zeros(np.shape(here))
    blur = SURE * 20 * noise / steps[1]
    for long, short, h in zip(bends, bends[1:], steps, strict=False):  # rounding is 4ε_f/h in each bend
        off = np.abs(2 * short - long)
        kink |= off > SURE * 20 * noise / h + STRAIGHT * np.abs(long)
        unsure = np.maximum(unsure, off)
    return slopes[1], np.abs(slopes[0] - slopes[1]) + 2 * noise / step + unsure, kink, unsure, blur


class _Table:
    """Neville's table of central differences at steps that are halved. An entry's error is what tells it from
    its neighbours, and the noise in it; one that contradicts what is known from the start is left out."""

    def __init__(self, known: Array, error: Array) -> None:
        self.known, self.within = known, error
        self.best, self.error = known, error
        self.own = self.latest = np.full(np.shape(known), np.inf)  # the least error of the table, of its row
        self.row: list[tuple[Array, Array]] = []  # value and noise

    def without(self, gone: Array) -> _Table:
        """The table that forgets its rows where it is told to."""
        if not np.any(gone):
            return self
        kept = _Table(self.known, self.within)
        unknown = np.full(np.shape(self.known), np.nan)
        kept.best = np.where(gone, kept.best, self.best)
        kept.error = np.where(gone, kept.error, self.error)
        kept.own = np.where(gone, np.inf, self.own)
        kept.row = [(np.where(gone, unknown, value), noise) for value, noise in self.row]
        return kept

    def add(self, value: Array, noise: Array) -> None:
        """A row, from the difference at its step and the noise in that."""
        row, factor = [(value, noise)], 4.0
        self.latest = np.full(np.shape(value), np.inf)
        for before, uncertain in self.row:
            last, rough = row[-1]
            better = last + (last - before) / (factor - 1)
            shaky = (factor * rough + uncertain) / (factor - 1)
            off = np.maximum(np.abs(better - last), np.abs(better - before)) + shaky
            fits = np.isfinite(off) & (np.abs(better - self.known) <= self.within + off)
            off = np.where(fits | (np.isfinite(off) & np.isinf(self.within)), off, np.inf)
            self.best = np.where(off < self.error, better, self.best)
            self.error, self.latest = np.minimum(self.error, off), np.minimum(self.latest, off)
            self.own = np.minimum(self.own, off)
            row.append((better, shaky))
            factor *= 4
        self.row = row
