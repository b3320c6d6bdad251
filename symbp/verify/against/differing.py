"""How far an answer is from what is right, and whether that means anything.

Enters: a tensor at several points, what of it is rounding. Leaves: where it differs most.
Must not know: why it differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.verify.against.answer import Compared, Seen
from symbp.verify.against.reference import Reference

Array = np.ndarray[Any, Any]
TOLERANCES = {"float64": 1e-7, "float32": 2e-4}  # of the largest element; honest ways of writing differ less
FLOOR = 1e-4  # of the tolerance, by which an element may differ whose tensor is 0
TIMES = 10  # code may order its operations otherwise than what rounding was measured of
ILL = 1e-2  # of a tensor that rounding moves by so much of itself, nothing can be said


@dataclass(frozen=True)
class Difference:
    """The worst element of a tensor over all points; `compared` tells at how many of them anything was."""

    ok: bool
    at: int = 0  # the number of the point
    element: tuple[int, ...] = ()
    answered: float = 0.0
    right: float = 0.0
    absolute: float = 0.0
    relative: float = 0.0
    compared: int = 0
    missing_values: int = 0  # elements without a value where the right one has one


def tolerance(dtype: Any) -> float:
    return TOLERANCES.get(str(np.dtype(dtype)), TOLERANCES["float32"])


def differences(reference: Reference, compared: Mapping[str, Compared], dtype: Any) -> dict[str, Difference]:
    """Of each tensor that has the right shape. Rounding is measured only where something differs."""
    close, points = tolerance(dtype), dict[int, list[str]]()
    for tensor, one in compared.items():
        for k, seen in enumerate(one.seen):
            if seen.answered.shape == seen.right.shape and not np.all(beyond(seen, close) <= 0):
                points.setdefault(k, []).append(tensor)
    noise = {
        k: reference.noise(compared[names[0]].seen[k].point, names, float(np.finfo(dtype).eps))
        for k, names in points.items()
    }
    return {
        tensor: _worst(one.seen, close, [noise.get(k, {}).get(tensor) for k in range(len(one.seen))])
        for tensor, one in compared.items()
        if all(seen.answered.shape == seen.right.shape for seen in one.seen)
    }


def _worst(seen: Sequence[Seen], close: float, noise: Sequence[Array | None]) -> Difference:
    worst = Difference(True)
    count = 0
    for k, one in enumerate(seen):
        off = beyond(one, close, noise[k])
        known = np.isfinite(one.right) & (off > -np.inf)
        count += bool(known.any()) or one.right.size == 0
        if not known.any():
            continue
        found = _at(one, k, off, known)
        if (not found.ok, found.relative) > (not worst.ok, worst.relative) or not worst.compared:
            worst = found
    return Difference(**{**vars(worst), "compared": count})


def _at(seen: Seen, number: int, much: Array, known: Array) -> Difference:
    with np.errstate(all="ignore"):
        off = np.abs(np.asarray(seen.answered) - seen.right)
    off = np.where(np.isnan(off), np.inf, off)
    ranked = np.where(known, np.where(much > 0, much, off * 1e-300), -1.0)
    place = np.unravel_index(int(np.argmax(ranked)), ranked.shape) if ranked.ndim else ()
    scale = _scale(seen.right)
    lost = int(np.sum(known & ~np.isfinite(seen.answered)))
    return Difference(
        not bool(np.any(much > 0)), number, tuple(map(int, place)),
        float(np.real(seen.answered[place])), float(seen.right[place]), float(off[place]),
        float(off[place]) / scale if scale else float(off[place]), 1, lost,
    )  # fmt: skip


def beyond(seen: Seen, close: float, noise: Array | None = None) -> Array:
    """By how much each element differs more than it may; −∞ where nothing can be said."""
    answered = np.asarray(seen.answered)
    with np.errstate(all="ignore"):
        off = np.abs(answered - seen.right)
    off = np.where(np.isnan(off) & np.isfinite(seen.right), np.inf, off)
    scale = _scale(seen.right)
    allowed = close * scale + close * FLOOR
    found = off - allowed
    if noise is not None:
        found = np.where(noise <= ILL * max(scale, FLOOR), found - TIMES * noise, -np.inf)
    return np.asarray(np.where(np.isfinite(seen.right), found, -np.inf))


def _scale(array: Array) -> float:
    finite = np.abs(array[np.isfinite(array)]) if np.ndim(array) else np.abs(np.atleast_1d(array))
    return float(np.max(finite, initial=0.0))


def same(a: Array, b: Array, close: float) -> bool:
    """Whether two arrays are one, within a tolerance of the largest element."""
    if np.shape(a) != np.shape(b):
        return False
    with np.errstate(all="ignore"):
        off = np.where(np.isnan(a) & np.isnan(b), 0.0, np.abs(np.asarray(a) - b))
    return bool(np.all(off <= close * max(_scale(np.asarray(b)), FLOOR)))
