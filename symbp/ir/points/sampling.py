"""Random points of a system: small sizes, and leaves that obey their facts.

Enters: a system, a seed. Leaves: values for sizes and leaves at which every tensor is finite, if possible.
Must not know: what the points are used for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import sympy
from numpy.typing import NDArray

from symbp.errors import EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.seen import Coverage
from symbp.ir.expr import Expr
from symbp.ir.points.fitting import ANEW, sample_sizes
from symbp.ir.points.random import drawn
from symbp.ir.system import Role, System, Tensor

if TYPE_CHECKING:
    from symbp.ir.evaluation.vector import Run

Array = NDArray[np.generic]
Point = tuple[dict[str, int], dict[str, Array]]

MOST_POINTS = 16
MOVED = 1e-12  # a relative change of leaves, by which values with digits change little
CONDITIONED, ILL_CONDITIONED = 1e-8, 1e-3  # by so much at most, or so much that they have none
TOO_LARGE = 1e60  # for a value whose powers shall stay finite
MORE_DRAWS = 6  # of a point, where nothing is finite at the first


@dataclass(frozen=True)
class Spread:
    """How real leaves are drawn: uniformly from an interval; `whole` rounds them, so that ties occur;
    `dominant` adds to the diagonals of square matrices, so that they are positive definite; `sparse` makes
    whole rows zero where facts allow it, `dense` masks nearly full. Integers without a bound reach up to the
    largest size if `far`."""

    low: float
    high: float
    whole: bool = False
    dominant: bool = False
    sparse: bool = False
    dense: bool = False
    far: bool = True


CENTRED, UNIT, ABOVE_ONE = Spread(-0.9, 0.9), Spread(0.15, 0.85), Spread(1.1, 1.9)
DOMINANT = Spread(-0.9, 0.9, dominant=True)
WIDE, LATTICE = Spread(-3.0, 3.0), Spread(-2.4, 2.4, whole=True)
SPARSE, DENSE = Spread(-0.9, 0.9, sparse=True), Spread(-0.9, 0.9, dense=True)
FIRST_SPREADS, LATER_SPREADS = (CENTRED, WIDE, LATTICE), (SPARSE, WIDE, LATTICE)


def sample_point(
    system: System,
    seed: int,
    *,
    variant: int = 0,
    sizes: Mapping[str, int] | None = None,
    first: Spread = CENTRED,
) -> Point:
    """Sizes and leaves; real leaves are drawn as `first` says, and if the system isn't finite there (a
    logarithm or a root of an input) centred, then positive, then above 1, then with dominant diagonals."""
    run = sample_run(system, seed, variant=variant, sizes=sizes, first=first)
    return run.sizes, dict(run.values)


def sample_run(
    system: System,
    seed: int,
    *,
    variant: int = 0,
    sizes: Mapping[str, int] | None = None,
    first: Spread = CENTRED,
    conditions: Sequence[Conditions] = (AS_THEY_ARE,),
) -> Run:
    """A point as `sample_point` draws it, with the values of all tensors; `conditions` decided by the first
    of these with which the system has values somewhere (−∞ is one, if no spread avoids it: the maximum of a
    row that is wholly excluded), else by the first."""
    without: Run | None = None
    choices = list(_size_choices(system, variant, sizes))
    for decided in conditions:
        valued: Run | None = None
        for (spread, own), chosen in itertools.product(_draws(first, seed), choices):
            if own != seed and valued is not None:
                break  # others may be drawn, but rows that are wholly excluded are to be seen, too
            # Once there is a point to fall back on, only better ones are evaluated to the end.
            until: Callable[[Array], bool] = _never
            if without is not None:
                until = _has_none if valued is None or spread.sparse else _is_infinite
            run = _drawn_run(system, chosen, own, spread, decided, until)
            tensors = run.everything(until).values()
            if not any(map(_is_infinite, tensors)) and is_conditioned(run):
                return run
            if not any(map(_has_none, tensors)):
                valued = valued or run
                if spread.sparse and any(t.fact("mask") for t in system.leaves):
                    return run  # with elements that are masked by −∞
            without = without or run
        if valued is not None:
            return valued
    assert without is not None
    return without


def _never(_: Array) -> bool:
    return False


def _is_infinite(value: Array) -> bool:
    """Whether an element isn't finite, or its powers aren't."""
    return not bool((np.abs(value) < TOO_LARGE).all())


def _has_none(value: Array) -> bool:
    """Whether an element is no number, or infinite, but for the −∞ of what is excluded."""
    return bool((np.isnan(value) | (value.real > TOO_LARGE)).any())


def is_conditioned(run: Run) -> bool:
    """Whether matrices are far enough from singular ones for the digits of their inverses to be digits."""
    if not any(equation.leaf for equation in run.system.equations):
        return True
    moved = moved_by_rounding(run).everything()
    with np.errstate(all="ignore"):
        return all(
            float(np.max(np.abs(moved[name] - value), initial=0.0))
            <= CONDITIONED * float(np.max(np.abs(value), initial=0.0)) + MOVED
            for name, value in run.everything().items()
        )


def moved_by_rounding(run: Run) -> Run:
    """The same point, real leaves moved by some roundings: values that change more are ill-conditioned."""
    from symbp.ir.evaluation.vector import Run

    rng = np.random.default_rng(5)
    exact = {t.name for t in run.system.leaves if t.integer or t.facts}
    values = {
        name: value if name in exact else value * (1 + MOVED * rng.uniform(-1, 1, np.shape(value)))
        for name, value in run.values.items()
    }
    return Run(run.system, values, run.sizes, run.conditions)


def _draws(first: Spread, seed: int) -> Iterator[tuple[Spread, int]]:
    """The spreads to try, and the seeds; the first ones again with others, for labels that no path
    reaches."""
    for spread in dict.fromkeys((first, CENTRED, UNIT, ABOVE_ONE, DOMINANT)):
        yield spread, seed
    for again in range(1, MORE_DRAWS):
        yield (first, UNIT)[again % 2], seed + 7919 * again


def _size_choices(
    system: System, variant: int, sizes: Mapping[str, int] | None
) -> Iterator[Mapping[str, int]]:
    if sizes is not None:
        yield sizes
        return
    yield sample_sizes(system, variant)
    if any(equation.leaf for equation in system.equations):
        yield sample_sizes(system, variant, falling=True)


def _drawn_run(
    system: System,
    sizes: Mapping[str, int],
    seed: int,
    spread: Spread,
    conditions: Conditions,
    until: Callable[[Array], bool] = _never,
) -> Run:
    """A point of a spread, evaluated up to a tensor of which `until` holds. Where an integer of the user's
    reaches beyond a tensor, integers are small; where positions given as numbers do, sizes have their
    values."""
    from symbp.ir.evaluation.vector import Run

    known = {**sizes, **{name: n for name, n in system.bound.items() if name in sizes}}
    near = replace(spread, far=False)
    for extents, drawn_as in ((sizes, spread), (sizes, near), (known, spread), (known, near)):
        rng = np.random.default_rng(seed)
        values = {t.name: sample_leaf(t, extents, rng, drawn_as) for t in system.leaves}
        run = Run(system, values, extents, conditions)
        try:
            with np.errstate(all="ignore"):
                run.everything(until)
        except EvaluationError as error:
            refused = error
            continue
        return run
    raise refused


def is_finite_at(system: System, sizes: Mapping[str, int], seed: int) -> bool:
    """Whether every tensor of a system with a leaf of linear algebra has digits at a random point of these
    sizes; a system without one is taken to have them at any."""
    if not any(equation.leaf for equation in system.equations):
        return True
    run = sample_run(system, seed, sizes=sizes)
    return all(bool(np.all(np.isfinite(v))) for v in run.everything().values()) and is_conditioned(run)


def covering_runs(
    system: System,
    seed: int,
    *,
    least: int = 1,
    sizes: Sequence[Mapping[str, int]] | None = None,
    decided: Callable[[int], Sequence[Conditions]] = lambda _: (AS_THEY_ARE,),
    draws: int = 0,
) -> list[Run]:
    """At least `least` points with the values of all tensors, and more until each condition held somewhere
    and failed somewhere, and each label occurred that positions given as numbers may ask for.

    Without that, `[z > 0]·z` of a single neuron equals 0 or z at every point by accident, and a recurrence
    over lengths that are all 1 has no second step. `sizes` are taken in turn; the sampler's own, if not
    given. At most `MOST_POINTS` points are tried; a condition may be left that went one way only. `decided`
    says by what conditions are decided at each point; where that is chance, each is drawn so often.
    """
    coverage = Coverage(system, draws)
    runs: list[Run] = []
    poor: list[Run] = []  # where only the last way of deciding conditions, or none, gave values
    for attempt in range(least if coverage.complete and not draws else MOST_POINTS):
        spread = CENTRED if attempt < 2 else (FIRST_SPREADS if attempt < 6 else LATER_SPREADS)[attempt % 3]
        given = None if sizes is None else sizes[attempt % len(sizes)]
        variant = attempt + ANEW * (seed // 100)  # another try takes other sizes, too
        ways_to_decide = decided(attempt)
        run = sample_run(
            system, seed + attempt, variant=variant, sizes=given, first=spread, conditions=ways_to_decide
        )
        if len(ways_to_decide) > 1 and run.conditions is ways_to_decide[-1]:
            poor.append(run)
            continue
        if coverage.take(run) or len(runs) < least:
            runs.append(run)
        if len(runs) >= least and coverage.complete:
            break
    return [*runs, *poor[: max(0, least - len(runs))]]


def draws(system: System, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """The random tensors as a module draws them in the first step with that seed, for fixed masks."""
    shapes = {t.name: tuple(evaluate_size(e, sizes) for e in t.shape) for t in system.random}
    return dict(drawn({t.name: t.draw for t in system.random if t.draw is not None}, shapes, seed=seed))


def sample_leaf(
    tensor: Tensor, sizes: Mapping[str, int], rng: np.random.Generator, spread: Spread = CENTRED
) -> Array:
    """One leaf that obeys its facts; shape by the sizes."""
    shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
    if tensor.integer:
        bound = tensor.fact("below") or tensor.fact("below or ignored")
        if bound is not None and bound.bound is not None:
            top = evaluate_size(bound.bound, sizes)
        else:  # a length, say: any up to the largest size, unless it is too large for a subscript
            top = 1 + max(sizes.values(), default=1) if spread.far else 2
        drawn = _labels(top, shape, rng)
        if bound is not None and bound.ignored is not None:
            return np.where(rng.random(shape) < 0.3, bound.ignored, drawn)
        return drawn
    if tensor.fact("binary"):  # a mask, too, is a fair coin here: one that is nearly always 1 hides itself
        drawn = rng.integers(0, 2, shape).astype(float)
        if spread.dense:
            return np.asarray(np.maximum(drawn, rng.random(shape) < 0.9))
        return np.asarray(drawn * _some_rows(shape, rng)) if spread.sparse else drawn
    if tensor.draw is not None and tensor.draw.kind == "uniform":
        return np.asarray(rng.uniform(0.1, 0.9, shape))
    simplex = tensor.fact("sums to one")
    if simplex is not None and simplex.axis is not None:
        weights = rng.uniform(0.1, 1.0, shape)
        return np.asarray(weights / weights.sum(axis=simplex.axis, keepdims=True))
    one_hot = tensor.fact("one hot")
    if one_hot is not None and one_hot.axis is not None:
        ranks = rng.random(shape).argsort(axis=one_hot.axis)
        return np.asarray(ranks == 0, dtype=float)
    halved = tensor.role is Role.PARAMETER and spread is CENTRED  # saturation would hide differences
    value = np.asarray((0.5 if halved else 1.0) * rng.uniform(spread.low, spread.high, shape))
    value = np.asarray(np.round(value)) if spread.whole else value
    if tensor.fact("positive") or tensor.fact("nonnegative"):
        value = np.asarray(0.1 + np.abs(value))
    if spread.sparse and tensor.fact("mask"):
        rows = rng.random((*shape[:-1], 1) if shape else ()) < 0.3  # wholly masked
        return np.where((rng.random(shape) < 0.3) | rows, -np.inf, value)
    if spread.sparse and not tensor.fact("positive"):
        value = np.asarray(value * _some_rows(shape, rng))
    if spread.dominant and len(shape) > 1 and tensor.shape[-1] == tensor.shape[-2]:
        value = np.asarray(value + 2 * shape[-1] * np.eye(shape[-1]))
    if tensor.fact("symmetric"):
        value = np.asarray((value + np.swapaxes(value, -1, -2)) / 2)
    if tensor.fact("lower triangular"):
        value = np.tril(value)
    if tensor.fact("upper triangular"):
        value = np.triu(value)
    return value


def _labels(top: int, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """Integers below `top`: drawn one by one, so that some repeat, or in turn from one of them on, so that
    few points show them all."""
    count = math.prod(shape)
    if rng.random() < 0.5:
        return rng.integers(0, top, shape)
    return rng.permutation((rng.integers(0, top) + np.arange(count)) % top).reshape(shape)


def _some_rows(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """1 or 0 for each row along some number of the last axes, so that sums over them may vanish."""
    kept = shape[: rng.integers(0, len(shape) + 1)]
    return rng.integers(0, 2, kept).astype(float).reshape(kept + (1,) * (len(shape) - len(kept)))


def evaluate_size(extent: Expr, sizes: Mapping[str, int]) -> int:
    """The integer value of a size expression such as `(L + 2·P − K)//S + 1`."""
    if extent.is_Integer:
        return int(extent)
    bound = extent.xreplace({s: sympy.Integer(sizes[s.name]) for s in extent.free_symbols})
    return int(bound)


def as_fractions(system: System, values: Mapping[str, Array]) -> dict[str, Array]:
    """The leaves of a point rounded to short fractions that obey their facts exactly."""
    return {tensor.name: _as_fractions(tensor, values[tensor.name]) for tensor in system.leaves}


def _as_fractions(tensor: Tensor, array: Array) -> Array:
    if tensor.integer:
        return array
    out = np.empty(array.shape, dtype=object)
    for at in np.ndindex(array.shape):
        if np.isinf(array[at]):  # a mask's −∞ stands beside the rationals
            out[at] = float(array[at])
            continue
        out[at] = Fraction(round(float(array[at]) * 64), 64) or Fraction(int(array[at] != 0), 64)
    simplex = tensor.fact("sums to one")
    if simplex is not None:
        return np.asarray(out / out.sum(axis=simplex.axis, keepdims=True))
    if any(tensor.fact(k) for k in ("binary", "one hot", "lower triangular", "upper triangular")):
        out[array == 0] = Fraction(0)
    return out
