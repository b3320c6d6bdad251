"""The module's gradients beside central differences of its own loss.

Enters: parameters and data, or nothing (both are then drawn). Leaves: a report, one row per parameter.
Must not know: how the gradients were derived.

At one point entries are compared one by one; what is drawn is drawn again at other scales, with all labels in
turn, and there each gradient is compared along a random direction, in which all its entries take part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena, _as_arena, _checked
from symbp.runtime.common.arrays.shapes import DataError, _extent
from symbp.runtime.common.arrays.sizes_shown import _sample_sizes
from symbp.runtime.common.given.random_tensors import _given
from symbp.runtime.common.training.parameters import init_params
from symbp.runtime.network import (
    BATCH,
    DTYPE,
    FACTS,
    INPUTS,
    INTEGERS,
    LOSS,
    SIZES,
    STOPPED,
    Array,
    _differentiate,
)

_ENTRIES = 64  # of a larger parameter, so many entries are tried
_SCALES = (1.0, 3.0, 0.3, 10.0, 0.03, 1.0, 5.0, 0.1)  # of what is drawn, one for each further point
_TRIES = 8  # to find data of which the loss is finite: a mask may hide a whole row
_STEPS = (1.0, 0.03, 1e-3)  # of a difference, the shorter ones where it may reach over a kink
Point = tuple[Arena, dict[str, Array], dict[str, int]]


def _sample_data(
    sizes: Mapping[str, int], rng: np.random.Generator, scale: float = 1.0, density: float = 0.5
) -> dict[str, Array]:
    """Random data that the network accepts; labels in turn, each as often as any other."""
    data: dict[str, Array] = {}
    for name, extents in INPUTS.items():
        shape = tuple(int(_extent(extent, sizes) or 1) for extent in extents)
        if name in INTEGERS:
            bound, _ = INTEGERS[name]
            top = 2 if bound is None else int(_extent(bound, sizes) or 1)
            turn = rng.integers(top) + np.arange(math.prod(shape))
            data[name] = rng.permutation(turn % top).reshape(shape)
            continue
        values: Array = np.asarray(scale * rng.standard_normal(shape))
        for fact, axis in FACTS.get(name, ()):
            if fact == "binary":
                values = np.asarray(rng.random(shape) < density, float)
            elif fact in ("positive", "nonnegative"):
                values = np.exp(values.clip(-3, 3))
            elif fact == "sums to one":
                values = np.exp(values.clip(-3, 3))
                values = values / values.sum(axis, keepdims=True)
            elif fact == "one hot":
                values = np.asarray(values == values.max(axis, keepdims=True), float)
            elif fact == "symmetric":
                values = np.asarray(values + values.swapaxes(-1, -2))
            elif fact in ("lower triangular", "upper triangular"):
                values = np.tril(values) if fact[0] == "l" else np.triu(values)
        data[name] = np.asarray(values, DTYPE)
    return data


def check_gradients(
    params: Mapping[str, Any] | None = None,
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> list[dict[str, Any]]:
    """Each gradient beside central differences: parameter, method, max_abs_error, max_rel_error, ok; the
    worst element with its value and the expected one; the sizes; how many entries, and at how many further
    points.

    Random tensors are held fixed: those of the first step with this seed, or the given `masks`. Without
    parameters or inputs, both are drawn at random, at several points. Of a large parameter, 64 entries are
    tried. `max_rel_error` is ‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) over what was tried. A difference within the
    rounding of the loss passes; where a kink lies within the step, nothing is compared.
    Parameters in STOPPED are left out: where they move, so does what counts as a constant.
    """
    rng = np.random.default_rng(0)
    points = _points(params, buffers, seed, masks, inputs, rng)
    arena, data, sizes = next(points)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    rows = [_check_one(n, (arena, data, sizes), gradients, loss, rng) for n in arena if n not in STOPPED]
    for arena, data, sizes in points:
        gradients = arena.like()
        loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
        if np.isfinite(loss):
            for row in (row for row in rows if row["ok"]):
                _check_along(row, (arena, data, sizes), gradients, loss, rng)
    return rows


def _points(
    params: Mapping[str, Any] | None,
    buffers: Mapping[str, Any] | None,
    seed: int,
    masks: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
    rng: np.random.Generator,
) -> Iterator[Point]:
    """Where gradients are compared: at what is given; and what isn't given is drawn several times."""
    open_sizes, shown = _sample_sizes(), dict(SIZES)
    if params is None and inputs:
        _checked(inputs, tuple(INPUTS), shown)
    for number, scale in enumerate((1.0, *_SCALES)):
        if number and params is not None and inputs:
            return
        if BATCH in open_sizes and masks is None:
            open_sizes[BATCH] = 5 + number % 4
        for attempt in range(_TRIES):
            drawn = params if params is not None else init_params(number, **{**open_sizes, **shown})
            arena, sizes = _as_arena(drawn)
            arena = arena.copy()
            for name, array in arena.items():  # biases of zero would hide an error
                if params is None and name not in FACTS:
                    array += np.asarray(0.1 * scale * rng.standard_normal(array.shape), DTYPE)
            sizes = {**open_sizes, **sizes} if not inputs else sizes
            sample = inputs or _sample_data(sizes, rng, scale, min(0.5 + attempt / 8, 1.0))
            given = _checked(sample, tuple(INPUTS), sizes)
            data = _given(given, buffers, sizes, seed=seed, masks=masks)
            if np.isfinite(float(_differentiate(arena, arena.like(), data, sizes)[LOSS])):
                break
        yield arena, data, sizes


def _check_one(
    name: str, point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> dict[str, Any]:
    """One gradient at one point, entry by entry."""
    values, found = point[0][name].reshape(-1), gradients[name].reshape(-1)
    entries = np.arange(values.size)
    if values.size > _ENTRIES:
        entries = np.sort(rng.choice(values.size, _ENTRIES, replace=False))
    exact = found[entries].astype(float)
    along = [(entries[k : k + 1], np.ones(1)) for k in range(entries.size)]
    allowed = _tolerance() * np.abs(exact[np.isfinite(exact)]).max(initial=0.0)
    compared = [
        _difference(_moving(name, point, *to), g, allowed, loss) for to, g in zip(along, exact, strict=True)
    ]
    numeric, noise, seen = (np.array([c[k] for c in compared]) for k in range(3))
    off = np.where(seen.astype(bool), np.abs(exact - numeric), 0.0)
    scale = max(float(np.linalg.norm(exact)), float(np.linalg.norm(numeric)), 1e-8)
    beyond = np.where(np.isfinite(off), np.maximum(off - noise, 0.0), np.inf)
    worst = int(np.argmax(beyond)) if np.any(beyond) else int(np.argmax(off)) if off.size else 0
    place = np.unravel_index(entries[worst], gradients[name].shape) if off.size else ()
    return {
        "parameter": name,
        "method": "central differences",
        "max_abs_error": float(off.max(initial=0.0)),
        "max_rel_error": float(np.linalg.norm(off)) / scale,
        "ok": bool(np.linalg.norm(beyond) <= _tolerance() * scale),
        "element": [int(k) for k in place],
        "value": float(exact[worst]) if off.size else 0.0,
        "expected": float(numeric[worst]) if off.size else 0.0,
        "rounding": float(noise.max(initial=0.0)),
        "entries": int(seen.sum()),
        "points": 0,
        "sizes": dict(point[2]),
    }


def _check_along(
    row: dict[str, Any], point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> None:
    """The same gradient at another point, along a random direction; the row says so if it is wrong there."""
    found = gradients[row["parameter"]].reshape(-1).astype(float)
    direction = rng.standard_normal(found.size)
    direction *= 4 / max(4.0, float(np.linalg.norm(direction)))
    scale = float(np.linalg.norm(found * direction))
    exact = float(found @ direction)
    moving = _moving(row["parameter"], point, np.arange(found.size), direction)
    numeric, noise, seen = _difference(moving, exact, _tolerance() * scale, loss)
    off = abs(exact - numeric)
    row["points"] += int(seen)
    if seen and not off <= _tolerance() * max(scale, abs(numeric)) + noise:
        row |= {"ok": False, "max_abs_error": off, "max_rel_error": off / max(scale, abs(numeric), 1e-8)}
        row |= {"element": "along a random direction", "value": exact, "expected": numeric}
        row |= {"sizes": dict(point[2])}


def _tolerance() -> float:
    return 1e-6 if np.float64 == DTYPE else 2e-2


def _moving(
    name: str, point: Point, entries: Array, direction: Array
) -> Callable[[float], tuple[float, float]]:
    """How far the parameter gets by a step along a direction, with the type's rounding, and the loss
    there."""
    arena, data, sizes = point
    values, scratch = arena[name].reshape(-1), arena.like()
    unit = max(1.0, float(np.abs(values[entries]).mean()) if entries.size else 1.0)

    def loss_at(step: float) -> tuple[float, float]:
        before = values[entries]
        values[entries] = before + np.asarray(step * unit * direction, DTYPE)
        moved = float((values[entries].astype(float) - before) @ direction / (direction @ direction))
        loss = float(_differentiate(arena, scratch, data, sizes)[LOSS])
        values[entries] = before
        return moved, loss

    return loss_at


def _difference(
    loss_at: Callable[[float], tuple[float, float]], exact: float, allowed: float, loss: float
) -> tuple[float, float, bool]:
    """(a central difference, its rounding, whether it says anything). It doesn't if it differs by no more
    than a kink within its reach explains: slopes over one step and two differ then, and so do the slopes to
    both sides."""
    double = np.float64 == DTYPE
    # The loss adds terms up: it is rounded to some units in its last place, never to fewer than those of 1.
    rounding = 32 * float(np.finfo(DTYPE).eps) * max(1.0 if not double else 0.1, abs(loss))
    numeric, noise = 0.0, 0.0
    for share in _STEPS if double else _STEPS[:1]:
        step = share * (3e-5 if double else 8e-3)
        (low, below), (high, above) = loss_at(-step), loss_at(step)
        numeric, noise = (above - below) / (high - low), rounding / (high - low)
        if not abs(exact - numeric) > allowed + noise:
            break
        (lower, far_below), (higher, far_above) = loss_at(-2 * step), loss_at(2 * step)
        farther = (far_above - far_below) / (higher - lower)
        near, far = (above - 2 * loss + below) / high, (far_above - 2 * loss + far_below) / higher
        refined = (4 * numeric - farther) / 3
        reach = abs(numeric - farther) + abs(far - 2 * near)
        if abs(exact - refined) <= allowed + 2 * noise:
            numeric, noise = refined, 2 * noise
            break
        if abs(exact - numeric) > 2 * reach + allowed + 8 * noise:
            break
    else:
        return numeric, noise, False
    return numeric, noise, True
