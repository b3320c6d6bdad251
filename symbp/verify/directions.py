"""Results along random directions, at many points: all elements of a result take part in one number.

Enters: a derivation, points. Leaves: what was found at each, by result and method; rows that count it.
Must not know: how the points were drawn, or a gradient was found.

A direction has normal components, so that a result that is wrong in any element differs along it, except with
probability 0; in floating point, except by less than the tolerance of the other elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.verify.appeal import Appeal, has_lost_digits
from symbp.verify.blocks import DerivativeBlock, Directions, contracted
from symbp.verify.entries import ILL, entry_row, expected_shape, results
from symbp.verify.methods import DIFFERENCES, Numeric
from symbp.verify.numeric import EPSILON, Values, rounding_of
from symbp.verify.points import Point
from symbp.verify.report import FLOOR, Row, failed, left_out
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import rounding

Array = np.ndarray[Any, Any]
TOLERANCE = 2.0**22 * EPSILON
"""22 of 52 bits may be lost at points of all scales before rounding is measured, 1e-9."""
ALONG, RANDOM = "random directions", "along a random direction"
DIRECTIONS = 8  # of a result that is compared along nothing else
TIMES = 10  # a direction has so many times the length of a unit vector, and as much rounding


@dataclass(frozen=True)
class Finding:
    """One result at one point: `row` if it is wrong there, None if it is right, or at a `kink`."""

    row: Row | None = None
    point: Point | None = None
    kink: bool = False
    relative: float = 0.0  # error
    value: float = 0.0
    expected: float = 0.0


Findings = Mapping[tuple[str, str], Sequence[Finding]]


def at_fresh_points(
    derivation: Derivation, wanted: Sequence[DerivativeBlock], points: Sequence[Point], methods: Sequence[str]
) -> Findings:
    """What was found for each result and method; nothing at points at which nothing can be said."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for point in points:
        numeric = Numeric(derivation, point.values, point.sizes)
        appeal = Appeal(derivation, point.values, point.sizes)
        rng = np.random.default_rng(point.seed)
        ours = results(derivation, point.values, point.sizes)
        for block in wanted:
            for method in _used(numeric, block, methods):
                if any(finding.row for finding in found.get((block.key, method), ())):
                    continue  # it is wrong, and the report shows the first point
                finding = _finding(numeric, appeal, block, method, ours, rng)
                if finding is not None:
                    found.setdefault((block.key, method), []).append(replace(finding, point=point))
    return found


def _used(numeric: Numeric, block: DerivativeBlock, methods: Sequence[str]) -> list[str]:
    """The complex step is exact and one evaluation; of second derivatives, it rests on the derived gradient,
    so that differences are formed, too."""
    chosen = [method for method in numeric.methods if method in methods]
    return chosen[-1:] if block.order == 1 else chosen


def worst_of(row: Row, findings: Sequence[Finding]) -> Row:
    """The row, with the number of further points; or that of the first point at which the result is wrong."""
    kinks = row.kinks + sum(finding.kink for finding in findings)
    points = sum(not finding.kink for finding in findings)
    wrong = [finding.row for finding in findings if finding.row is not None]
    if wrong and row.ok:
        return replace(wrong[0], parameter=row.parameter, method=row.method, points=points, kinks=kinks)
    return replace(row, points=points, kinks=kinks) if findings and row.ok else row


def direction_rows(
    derivation: Derivation,
    wanted: Sequence[DerivativeBlock],
    point: Point,
    step: float,
    count: int = DIRECTIONS,
) -> list[Row]:
    """A row for each result, by the complex step along random directions at one point: it costs as much for a
    large net's parameters as for small ones."""
    numeric = Numeric(derivation, point.values, point.sizes, step)
    appeal = Appeal(derivation, point.values, point.sizes)
    ours, rng = results(derivation, point.values, point.sizes), np.random.default_rng(point.seed)
    rows = []
    for block in wanted:
        found = [_finding(numeric, appeal, block, "complex step", ours, rng) for _ in range(count)]
        known = [finding for finding in found if finding is not None]
        shape = expected_shape(derivation, block, point.sizes)
        row = left_out(block.key, ALONG, "no value along any direction", point.sizes, prod(shape))
        if known:
            row = replace(row, note="", tolerance=TOLERANCE, shape=shape, **_worst(known))
        rows.append(worst_of(row, known))
    return rows


def _worst(findings: Sequence[Finding]) -> dict[str, Any]:
    """The errors of those that aren't wrong, and the largest of them."""
    errors = tuple(finding.relative for finding in findings if finding.row is None and not finding.kink)
    worst = max(findings, key=lambda finding: finding.relative)
    return {
        "errors": errors, "max_rel_error": worst.relative, "max_abs_error": abs(worst.value - worst.expected),
        "value": worst.value, "expected": worst.expected, "element": RANDOM,
    }  # fmt: skip


def _finding(
    numeric: Numeric,
    appeal: Appeal,
    block: DerivativeBlock,
    method: str,
    ours: dict[str, Array] | str,
    rng: np.random.Generator,
) -> Finding | None:
    shape = expected_shape(numeric.derivation, block, numeric.sizes)
    if isinstance(ours, str):
        return Finding(failed(block.key, method, ours, numeric.sizes))
    whole = ours[block.key]
    if whole.shape != shape:
        return Finding(failed(block.key, method, f"its shape is {whole.shape}, not {shape}", numeric.sizes))
    directions = random_directions(block, numeric.values, rng)
    try:
        with np.errstate(all="ignore"):
            theirs = np.asarray(numeric.along(method, block, directions))
            if not np.isfinite(theirs).all():
                return None
            return _judged(numeric, appeal, block, method, whole, directions, theirs)
    except SymbpError:  # the function has no value beside this point
        return None


def _judged(
    numeric: Numeric,
    appeal: Appeal,
    block: DerivativeBlock,
    method: str,
    whole: Array,
    directions: Directions,
    theirs: Array,
) -> Finding | None:
    """A result beside what a method found along directions. Where they differ, rounding is measured, then a
    difference formed with as many steps as it takes, then both sides are asked for in 50 digits."""
    mine = contracted(whole, block, directions)
    scale = max(
        _largest(mine), _largest(theirs), _largest(contracted(whole, block, directions, norm=True)), FLOOR
    )
    allowed = TOLERANCE * scale + TIMES * rounding_of(method) * numeric.size(block)
    if _within(mine, theirs, allowed):
        return _right(mine, theirs, scale)
    noise = _noise(numeric, block, method, directions)
    clear = noise <= ILL * scale  # not where rounding decides a tie, say
    if clear and method not in DIFFERENCES and _within(mine, theirs, allowed + noise):
        return _right(mine, theirs, scale)
    found = numeric.estimate(block, directions)
    if np.any(found.kink):
        return Finding(kink=True)
    if method in DIFFERENCES:
        theirs = found.value
        if clear and np.all(found.agrees(mine, allowed + noise)):
            return _right(mine, theirs, scale) if np.isfinite(found.error).all() else None
    sides = appeal.sides(block, directions)
    if sides is None:
        if not clear or has_lost_digits(numeric.derivation, block.of, numeric.values, numeric.sizes):
            return None
        return Finding(_row(numeric, block, method, whole, (mine, theirs), scale))
    if not np.isfinite(sides[1]).all():
        return None
    if _within(*sides, allowed) and (not clear or _within(mine, sides[1], ILL * scale)):
        return _right(*sides, scale)
    return Finding(_row(numeric, block, method, whole, (sides[0] if not clear else mine, sides[1]), scale))


def _right(mine: Array, theirs: Array, scale: float) -> Finding:
    """What isn't wrong, with the largest difference in it."""
    at = int(np.argmax(np.abs(mine - theirs)))
    value, expected = float(np.asarray(mine).flat[at]), float(np.asarray(theirs).flat[at])
    return Finding(relative=abs(value - expected) / scale, value=value, expected=expected)


def _within(a: Array, b: Array, allowed: float) -> bool:
    return bool(np.all(np.abs(a - b) <= allowed))  # False for NaN


def _row(
    numeric: Numeric,
    block: DerivativeBlock,
    method: str,
    whole: Array,
    pair: tuple[Array, Array],
    scale: float,
) -> Row:
    """The entries at this point, if they show what is wrong, else the result along the direction."""
    row = entry_row(numeric, block, method, whole)
    if not row.ok:
        return row
    mine, theirs = (np.asarray(side, float).ravel() for side in pair)
    off = np.abs(mine - theirs)
    at = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    return Row(
        block.key, method, float(off[at]), float(off[at]) / scale, False, TOLERANCE, 0, whole.size,
        numeric.sizes, RANDOM, float(mine[at]), float(theirs[at]), points=1, shape=whole.shape,
    )  # fmt: skip


def _noise(numeric: Numeric, block: DerivativeBlock, method: str, directions: Directions) -> float:
    """The rounding of both sides."""

    def own(tensors: Tensors) -> Array:
        found = results(numeric.derivation, numeric.values, numeric.sizes, tensors)
        assert not isinstance(found, str)
        return contracted(found[block.key], block, directions)

    def other(tensors: Tensors) -> Array:
        return numeric.otherwise(tensors).along(method, block, directions)

    differenced = method in DIFFERENCES
    theirs = numeric.rounding(block) / numeric.step if differenced else _largest(rounding(other))
    return _largest(rounding(own)) + theirs


def random_directions(block: DerivativeBlock, values: Values, rng: np.random.Generator) -> Directions:
    """Normal components in what a block is differentiated by; the last direction as it is given, if it is."""
    moved: list[Mapping[str, Array]] = [{name: rng.normal(size=np.shape(values[name]))} for name in block.by]
    if block.vector:
        moved.append({name: values[leaf] for name, leaf in block.vector.items()})
    return tuple(moved)


def _largest(array: Array) -> float:
    finite = np.abs(np.asarray(array, float))
    return float(np.max(finite, initial=0.0)) if not np.isnan(finite).any() else np.inf
