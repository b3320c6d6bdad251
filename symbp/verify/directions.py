"""Results along random directions, at many points: all elements of a result take part in one number.

Enters: a derivation, points. Leaves: what was found at each, by result and method; rows that count it.
Must not know: how the points were drawn, or a gradient was found.

A direction has normal components, so that a result that is wrong in any element differs along it, except with
probability 0; in floating point, except by less than the tolerance of the other elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.verify.appeal import Appeal, has_lost_digits
from symbp.verify.blocks import Block, Directions, contracted
from symbp.verify.entries import ILL, NOISE, entry_row, expected_shape, results
from symbp.verify.methods import Numeric
from symbp.verify.numeric import Values
from symbp.verify.points import Point
from symbp.verify.report import FLOOR, Row, failed
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import rounding

Array = np.ndarray[Any, Any]
TOLERANCES = {"central differences": 1e-6, "complex step": 1e-9}


@dataclass(frozen=True)
class Finding:
    """One result at one point: `row` if it is wrong there, None if it is right."""

    row: Row | None = None


Findings = Mapping[tuple[str, str], Sequence[Finding]]


def at_fresh_points(
    derivation: Derivation, wanted: Sequence[Block], points: Sequence[Point], methods: Sequence[str]
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
                    found.setdefault((block.key, method), []).append(finding)
    return found


def _used(numeric: Numeric, block: Block, methods: Sequence[str]) -> list[str]:
    """The complex step is exact and one evaluation; of second derivatives, it rests on the derived gradient,
    so that differences are formed, too."""
    chosen = [method for method in numeric.methods if method in methods]
    return chosen[-1:] if block.order == 1 else chosen


def worst_of(row: Row, findings: Sequence[Finding]) -> Row:
    """The row, with the number of further points; or that of the first point at which the result is wrong."""
    wrong = [finding.row for finding in findings if finding.row is not None]
    if wrong and row.ok:
        return replace(wrong[0], parameter=row.parameter, method=row.method, points=len(findings))
    return replace(row, points=len(findings)) if findings and row.ok else row


def _finding(
    numeric: Numeric,
    appeal: Appeal,
    block: Block,
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
    directions = _directions(block, numeric.values, rng)
    try:
        with np.errstate(all="ignore"):
            theirs = np.asarray(numeric.along(method, block, directions))
    except SymbpError:  # the function has no value beside this point
        return None
    if not np.isfinite(theirs).all():
        return None
    mine = contracted(whole, block, directions)
    scale = max(
        _largest(mine), _largest(theirs), _largest(contracted(whole, block, directions, norm=True)), FLOOR
    )
    allowed = TOLERANCES[method] * scale + NOISE[method] * numeric.size(block) * 10
    if _within(mine, theirs, allowed):
        return Finding()
    noise = _noise(numeric, block, method, directions)
    if method == "central differences":
        theirs, blind = numeric.past_kinks(block, directions, mine, allowed + noise)
        if np.any(blind):
            return None
    clear = noise <= ILL * scale  # not where rounding decides a tie, say
    if clear and _within(mine, theirs, allowed + noise):
        return Finding()
    sides = appeal.sides(block, directions)
    if sides is None:
        if not clear or has_lost_digits(numeric.derivation, block.of, numeric.values, numeric.sizes):
            return None
        return Finding(_row(numeric, block, method, whole, (mine, theirs), scale))
    if not np.isfinite(sides[1]).all():
        return None
    if _within(*sides, allowed) and (not clear or _within(mine, sides[1], ILL * scale)):
        return Finding()
    return Finding(_row(numeric, block, method, whole, (sides[0] if not clear else mine, sides[1]), scale))


def _within(a: Array, b: Array, allowed: float) -> bool:
    return bool(np.all(np.abs(a - b) <= allowed))  # False for NaN


def _row(
    numeric: Numeric, block: Block, method: str, whole: Array, pair: tuple[Array, Array], scale: float
) -> Row:
    """The entries at this point, if they show what is wrong, else the result along the direction."""
    row = entry_row(numeric, block, method, whole)
    if not row.ok:
        return row
    mine, theirs = (np.asarray(side, float).ravel() for side in pair)
    off = np.abs(mine - theirs)
    at = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    return Row(
        block.key, method, float(off[at]), float(off[at]) / scale, False, TOLERANCES[method], 0, whole.size,
        numeric.sizes, "along a random direction", float(mine[at]), float(theirs[at]), points=1,
    )  # fmt: skip


def _noise(numeric: Numeric, block: Block, method: str, directions: Directions) -> float:
    """The rounding of both sides."""

    def own(tensors: Tensors) -> Array:
        found = results(numeric.derivation, numeric.values, numeric.sizes, tensors)
        assert not isinstance(found, str)
        return contracted(found[block.key], block, directions)

    def other(tensors: Tensors) -> Array:
        return numeric.otherwise(tensors).along(method, block, directions)

    differenced = method == "central differences"
    theirs = numeric.rounding(block) / numeric.step if differenced else _largest(rounding(other))
    return _largest(rounding(own)) + theirs


def _directions(block: Block, values: Values, rng: np.random.Generator) -> Directions:
    moved: list[Mapping[str, Array]] = [{name: rng.normal(size=np.shape(values[name]))} for name in block.by]
    if block.vector:
        moved.append({name: values[leaf] for name, leaf in block.vector.items()})
    return tuple(moved)


def _largest(array: Array) -> float:
    finite = np.abs(np.asarray(array, float))
    return float(np.max(finite, initial=0.0)) if not np.isnan(finite).any() else np.inf
