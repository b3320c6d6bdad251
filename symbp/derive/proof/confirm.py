"""The last word on a derivation: the closed forms against the raw sweep, at fresh points.

Enters: the raw joint system (and the closed one). Leaves: the closed system, or the raw one with a doubt.
Must not know: how the closed forms were found.

Points are fresh, of other sizes than the search's, and conditions on real values are free (`free`). At each
of them the closed system is compared with the raw sweep: in float64 (what differs there once more in 200
digits, since a saturated unit loses all of float64's) until there are points enough for the sizes (below),
each condition held, failed and was drawn for a hundred elements, each label that matters occurred, each two
conditions over one box were seen to disagree, and each tensor of the raw sweep was not 0 somewhere (what is 0
at all points could be missing). Then at a point in 50 digits, which sees what float64 takes for rounding.

How likely is it that a wrong form passes? It differs from the raw one in values, in conditions or in sizes.
*Values*: where conditions are fixed, the difference is an analytic function of random leaves; that it is
below ε at a point, but not 0, has at most the probability 4·ε^(1/n) for one of doubling index n (Remez;
Brudnyi and Ganzburg 1973): with ε = 1e-40 in 50 digits 3e-3 an element for n = 13, so 1e-12 from five
independent elements on; float64 with ε = 1e-8 adds 9e-3 an element for n = 3 and 0.75 for n = 11, at
hundreds of elements. *Conditions*: see `free`; less than 1e-12 for scalars, 1e-40 for others. *Sizes*: the
factor by which two forms differ is a rational function of the sizes; that it is 1 at a point, and not
always, has at most the probability d/(M − 1), where d is its degree in one of the sizes, which are drawn
from 2 to M whatever the others are. M is as large as boxes of `MOST_ELEMENTS` allow (27 for three axes, 11
for four), and there are so many points that (M − 1)^-points < 1e-12. Where a floor quotient of sizes, or a
size, was one number at all of them, there is one point more, at which it isn't (`room`).

What differs at a point is looked for again with that point among those of the search: a coincidence does not
come back. After some of these the raw form is returned, which needs no proof.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.derive.proof.constants import with_numbers, with_unknowns
from symbp.derive.proof.fixed import kinds_of
from symbp.derive.proof.free import FreeConditions, Kinds, Pairs
from symbp.derive.proof.points import drawn, largest_size, wide_run
from symbp.derive.proof.room import SizesSeen
from symbp.derive.search.closing import Closed, close
from symbp.errors import DoubtfulRewrite, EvaluationError
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import HIGH, HIGHER
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.seen import Coverage
from symbp.ir.evaluation.vector import Run
from symbp.ir.points.fitting import elements, least_sizes
from symbp.ir.points.sampling import (
    CENTRED,
    DENSE,
    ILL_CONDITIONED,
    SPARSE,
    WIDE,
    as_fractions,
    covering_runs,
    is_finite_at,
    moved_by_rounding,
    sample_run,
)
from symbp.ir.system import System

DIGITS = 40
TOLERANCE, NOISE = 1e-8, 1e-10  # of float64: relative to the largest value, and to 1
ATTEMPTS = 4
CHANCE = 1e-12  # with which forms that differ by a factor of sizes may pass
MOST_WITH_ROOM = 100_000_000  # elements of all boxes, at a point where quotients of sizes change
MOST_IN_DIGITS, MOST_FREE_IN_DIGITS = 300_000, 30_000  # elements of all boxes; those of a float64 point
DRAWS = 100  # of each condition at all points together
MOST_POINTS, FEW = 100, 4  # beyond those that sizes ask for, as long as something is open; their largest size
MOST_SILENT = 24  # beyond those, while a tensor was 0 at all of them: it may be left out, or it may be 0
FORWARD_POINTS = 4  # for rewrites by form, which are valid whatever the sizes are
MORE_POINTS = 24  # in 50 digits, where a value doesn't exist at the first ones
FAINT, SETTLED = 1e-30, 1e-10  # values beside 1 that may be rounding; how well they agree if they aren't
INFINITE = math.inf
DOUBT = (
    "a shorter form of {} could not be confirmed and was taken back: "
    "its equations are right, but longer than they may have to be"
)


@dataclass(frozen=True)
class Difference:
    """The tensors that differ, and the point in float64 at which they do, if there is one."""

    names: tuple[str, ...]
    run: Run | None = None


def close_confirmed(joint: System, targets: Sequence[str]) -> Closed:
    """Closed forms of `targets` that the last word confirms; a point at which some differ is taken into the
    search, and what doesn't agree even then is left as the chain rule gives it."""
    abstract, numbers = with_unknowns(joint)
    found = _close_confirmed(abstract, targets)
    assert found.ground is not None
    return replace(
        found,
        system=with_numbers(found.system, numbers),
        ground=with_numbers(found.ground, numbers),
        steps=tuple(step.changed(numbers) for step in found.steps) if numbers else found.steps,
    )


def _close_confirmed(joint: System, targets: Sequence[str]) -> Closed:
    pairs = {name: name for name in (*targets, *joint.outputs, *([joint.loss] if joint.loss else []))}
    beside: list[Run] = []
    doubtful: dict[str, None] = {}
    for attempt in range(ATTEMPTS):
        try:
            found = close(joint, targets, seed=7 + (0 if beside else 100 * attempt), beside=beside)
            differing = difference(joint, found.system, pairs, seed=11 + 1000 * attempt)
        except Exception:  # the raw sweep is right whatever a search stumbles over
            doubtful |= dict.fromkeys(targets)
            break
        if differing is None:
            return replace(found, doubtful=tuple({**doubtful, **dict.fromkeys(found.doubtful)}))
        if attempt == ATTEMPTS - 1:
            doubtful |= dict.fromkeys(differing.names)
        elif differing.run is not None:
            beside.append(differing.run)
    return replace(close(joint, targets, plain=True), doubtful=tuple(doubtful))


def warn_of(doubtful: Sequence[str]) -> tuple[str, ...]:
    """The sentences that say which forms are longer than they may have to be; each is a warning, too."""
    sentences = tuple(DOUBT.format(name) for name in doubtful)
    for sentence in sentences:
        warnings.warn(sentence, DoubtfulRewrite, stacklevel=3)
    return sentences


def difference(
    raw: System, closed: System, pairs: Mapping[str, str], *, seed: int = 11, free: bool = True
) -> Difference | None:
    """Where tensors of `closed` differ from their counterparts in `raw`; None if they don't.

    `pairs` maps names in `raw` to names in `closed`. Where `raw` has no value (0/0 in a row that is wholly
    excluded), `closed` may give it one. Without `free`, conditions are as they are, and points are added
    until every branch was taken both ways: what a rewrite by form needs that rests on what conditions
    imply."""
    kinds = kinds_of(raw)
    return _in_floats(raw, closed, pairs, seed, kinds, free) or _in_digits(
        raw, closed, pairs, seed, kinds, free
    )


# --- float64
def _in_floats(
    raw: System, closed: System, pairs: Mapping[str, str], seed: int, kinds: Kinds, free: bool
) -> Difference | None:
    largest, told = largest_size(raw), Pairs()
    enough = math.ceil(math.log(CHANCE) / -math.log(max(largest - 1, 2))) if free else FORWARD_POINTS
    open_names, coverage = dict.fromkeys(pairs), Coverage(raw, DRAWS if free and kinds.any_free else 0)
    silent = {equation.target for equation in raw.equations}
    seen = SizesSeen(raw)
    for attempt in range(MOST_POINTS + enough):
        complete = not open_names and told.all_told and coverage.complete
        if attempt >= enough and complete and (not silent or attempt >= enough + MOST_SILENT):
            break
        first = (CENTRED, WIDE, CENTRED, SPARSE)[attempt % 4]
        most = largest if attempt < enough else FEW
        run = wide_run(raw, kinds, seed + attempt, most, free=free, first=first)
        wrong, compared = _differing(closed, pairs, run)
        if wrong:
            return Difference(wrong, run)
        for name in compared:
            open_names.pop(name, None)
        coverage.take(run)
        seen.look(run.sizes)
        silent = {name for name in silent if not np.any(np.nan_to_num(run.tensor(name), posinf=0, neginf=0))}
        if isinstance(run.conditions, FreeConditions):
            told.look(run.conditions)
    return _with_room(raw, closed, pairs, seed, kinds, free, seen) if seen.stuck or seen.alike else None


def _with_room(
    raw: System,
    closed: System,
    pairs: Mapping[str, str],
    seed: int,
    kinds: Kinds,
    free: bool,
    seen: SizesSeen,
) -> Difference | None:
    """The last point in float64, where quotients of sizes never changed, or sizes never differed."""
    sizes = seen.room()
    if sizes is None or elements(raw, sizes) > MOST_WITH_ROOM:
        return None
    decided = drawn(kinds, seed - seed % 2) if free else (AS_THEY_ARE,)
    try:
        run = sample_run(raw, seed, sizes=sizes, conditions=decided)
    except EvaluationError:  # positions given as numbers, say, that these sizes don't hold
        return None
    wrong, _ = _differing(closed, pairs, run)
    return Difference(wrong, run) if wrong else None


def _differing(closed: System, pairs: Mapping[str, str], run: Run) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that differ at a point, and those that could be compared."""
    other = Run(closed, run.values, run.sizes, run.conditions)
    wrong, compared = [], []
    for name in _alike(run.system, closed):
        if run.knows(name):
            other.define(name, run.tensor(name))
    moved: Run | None = None
    for name, counterpart in pairs.items():
        left, right = run.tensor(name), other.tensor(counterpart)
        there = np.isfinite(left)
        if not np.any(there):
            compared += [] if left.size else [name]
            continue
        compared.append(name)
        gap = np.abs(np.where(there, right - np.where(there, left, 0), 0))
        bound = TOLERANCE * float(np.max(np.abs(left[there]))) + NOISE
        if not bool(np.all(gap <= bound)):
            moved = moved or moved_by_rounding(run)
            rounding = float(
                np.max(np.abs(np.where(there, moved.tensor(name) - np.where(there, left, 0), 0)))
            )
            if not rounding <= ILL_CONDITIONED * float(np.max(np.abs(left[there]))):
                compared.pop()  # a matrix without an inverse, say: nothing can be said here
            elif not bool(np.all(gap <= bound + rounding)):
                wrong.append(name)
    most = MOST_IN_DIGITS if run.conditions is AS_THEY_ARE else MOST_FREE_IN_DIGITS
    if wrong and elements(run.system, run.sizes) <= most:
        wrong = _still_differing(closed, {name: pairs[name] for name in wrong}, run, other)
    return tuple(wrong), tuple(compared)


def _alike(raw: System, closed: System) -> tuple[str, ...]:
    """The tensors that are defined alike in both, with all that they rest on: they have one value."""
    unlike = [e.target for e in closed.equations if raw.defining.get(e.target) != e]
    different = closed.dependents(unlike)
    return tuple(e.target for e in closed.equations if e.target not in different)


def _still_differing(closed: System, pairs: Mapping[str, str], run: Run, other: Run) -> list[str]:
    """The names that differ at a point in many digits, too: what float64 loses in a saturated unit,
    `log(1 - sigmoid(25))`, is no difference between two forms. Free conditions may be drawn otherwise there,
    where what they compare is rounding, and the difference may lie where they were drawn: so each value must
    be what float64 has in one of the two."""
    return [
        name
        for name, counterpart in pairs.items()
        if (exact := _exactly(run.system, closed, (name, counterpart), run.values, run.sizes, run)) is None
        or (
            run.conditions is not AS_THEY_ARE
            and not _in_one(exact, run.tensor(name), other.tensor(counterpart))
        )
    ]


def _exactly(
    raw: System, closed: System, pair: tuple[str, str], values: Any, sizes: Mapping[str, int], run: Run
) -> Any:
    """The value of a tensor in many digits, if it and its counterpart agree there; else None."""
    try:
        left = evaluate(raw, values, sizes, HIGHER, [pair[0]], run.conditions)[pair[0]]
        right = evaluate(closed, values, sizes, HIGHER, [pair[1]], run.conditions)[pair[1]]
    except EvaluationError:  # no value there in either: what was found stands
        return None
    return left if _agree([(a, b) for a, b in zip(left.flat, right.flat, strict=True) if a == a]) else None


def _in_one(exact: Any, left: Any, right: Any) -> bool:
    """Whether each of the exact values is that of float64 in one of two."""
    values = exact.astype(float)
    there = np.isfinite(values)
    bound = TOLERANCE * float(np.max(np.abs(values[there]), initial=0)) + NOISE
    gaps = [np.abs(np.where(there, side, 0) - np.where(there, values, 0)) for side in (left, right)]
    return bool(np.all(np.fmin(*gaps) <= bound))


# --- 50 digits
def _in_digits(
    raw: System, closed: System, pairs: Mapping[str, str], seed: int, kinds: Kinds, free: bool
) -> Difference | None:
    """Sizes are 2 and 3 where they fit. Points are added until each tensor was compared somewhere. Boxes that
    are too large for that, since sizes must be, are left to float64."""
    sizes = _digit_sizes(raw, closed, seed)
    if elements(raw, sizes) > MOST_IN_DIGITS:
        return None
    wrong: dict[str, None] = {}
    open_names = dict.fromkeys(pairs)
    needed = closed.resting(pairs.values())
    alike = [name for name in _alike(raw, closed) if name in needed]
    rest = closed.with_(equations=tuple(e for e in closed.equations if e.target not in alike))
    if free:
        points = [sample_run(raw, seed, sizes=sizes, conditions=drawn(kinds, seed - seed % 2))]
    else:
        points = covering_runs(raw, seed, sizes=[sizes])
    for attempt in range(len(points) + MORE_POINTS):
        if attempt >= len(points):
            if not open_names:
                break
            points.append(sample_run(raw, seed + 1000 + attempt, sizes=sizes, first=DENSE))
        run = points[attempt]
        values, extents = as_fractions(raw, run.values), {**sizes, **run.sizes}
        left = evaluate(raw, values, extents, HIGH, [*pairs, *alike], run.conditions)
        known = values | {name: left[name] for name in alike}
        right = evaluate(rest, known, extents, HIGH, list(pairs.values()), run.conditions)
        for name, other in pairs.items():
            compared = [(a, b) for a, b in zip(left[name].flat, right[other].flat, strict=True) if a == a]
            if not _agree(compared):
                if _exactly(raw, closed, (name, other), values, extents, run) is None:
                    wrong[name] = None
            elif _is_faint(compared):
                exact = evaluate(raw, values, extents, HIGHER, [name], run.conditions)[name]
                if not _agree_faintly(compared, [e for e in exact.flat if e == e]):
                    wrong[name] = None
            if compared or not left[name].size:
                open_names.pop(name, None)
    wrong |= open_names
    return Difference(tuple(wrong)) if wrong else None


def _digit_sizes(raw: System, closed: System, seed: int) -> dict[str, int]:
    sizes = least_sizes(raw)
    swapped = {name: 5 - size for name, size in sizes.items()} if set(sizes.values()) <= {2, 3} else sizes
    if not is_finite_at(raw, sizes, seed) and is_finite_at(raw, swapped, seed):
        sizes = swapped  # the inverse of XᵀX needs more rows than columns
    return sizes | {name: 2 for name in closed.sizes if name not in sizes}


def _agree(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether all pairs are equal to 40 digits of the largest finite value; infinities exactly."""
    finite = [(a, b) for a, b in pairs if abs(a) != INFINITE]
    largest: Any = max((abs(a) for a, _ in finite), default=0)
    bound = (largest + 1) * 10**-DIGITS
    return all(bool(abs(a - b) <= bound) for a, b in finite) and all(
        bool(a == b) for a, b in pairs if abs(a) == INFINITE
    )


def _is_faint(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether values differ, and are so small that the difference passes for rounding beside 1."""
    return any(a != b for a, b in pairs) and all(abs(a) < FAINT and abs(b) < FAINT for a, b in pairs)


def _agree_faintly(pairs: Sequence[tuple[Any, Any]], exact: Sequence[Any]) -> bool:
    """Whether faint values agree to some digits of their own: w^999 is 1e-346, and not 0. What changes with
    the digits is rounding, of which nothing is asked."""
    largest: Any = max(abs(e) for e in exact)
    settled = all(abs(a - e) <= SETTLED * largest for (a, _), e in zip(pairs, exact, strict=True))
    return not settled or all(abs(b - e) <= SETTLED * largest for (_, b), e in zip(pairs, exact, strict=True))
