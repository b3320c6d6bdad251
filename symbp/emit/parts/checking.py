"""The module's gradients beside central differences of its own loss.

Enters: parameters and data, or nothing (both are then drawn). Leaves: a report, one row per parameter.
Must not know: how the gradients were derived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.emit.parts.arrays import Arena, DataError, _as_arena, _checked, _extent
from symbp.emit.parts.given_random import _given
from symbp.emit.parts.program import (
    DTYPE,
    FACTS,
    INPUTS,
    INTEGERS,
    LOSS,
    SAMPLE,
    SIZES,
    STOPPED,
    Array,
    _differentiate,
)
from symbp.emit.parts.state import init_params

_ENTRIES = 64  # of a larger parameter, so many entries are tried


def _sample_data(sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, Array]:
    """Random data that the network accepts."""
    data: dict[str, Array] = {}
    for name, extents in INPUTS.items():
        shape = tuple(int(_extent(extent, sizes) or 1) for extent in extents)
        if name in INTEGERS:
            bound, _ = INTEGERS[name]
            data[name] = rng.integers(0, 2 if bound is None else _extent(bound, sizes), shape)
            continue
        values: Array = np.asarray(rng.standard_normal(shape))
        for fact, axis in FACTS.get(name, ()):
            if fact == "binary":
                values = np.asarray(values > 0, float)
            elif fact in ("positive", "nonnegative"):
                values = np.exp(values)
            elif fact == "sums to one":
                values = np.exp(values) / np.exp(values).sum(axis, keepdims=True)
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
    """Each gradient beside central differences: parameter, method, max_abs_error, max_rel_error, ok.

    Random tensors are held fixed: those of the first step with this seed, or the given `masks`. Without
    parameters or inputs, both are drawn at random. Of a large parameter, 64 entries are tried.
    `max_rel_error` is ‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) over what was tried.
    # <stopped>
    Parameters in STOPPED are left out: where they move, so does what counts as a constant.
    # </stopped>
    """
    rng = np.random.default_rng(0)
    open_sizes = {e: 5 for shape in INPUTS.values() for e in shape if isinstance(e, str) and e not in SIZES}
    # <formulas>
    open_sizes = dict(SAMPLE)
    # </formulas>
    if params is None:
        shown = dict(SIZES)
        if inputs:
            _checked(inputs, tuple(INPUTS), shown)
        params = init_params(0, **{**open_sizes, **shown})
        for name, array in params.items():  # biases of zero would hide an error
            if name not in FACTS:
                array += np.asarray(0.1 * rng.standard_normal(array.shape), DTYPE)
    arena, sizes = _as_arena(params)
    arena = arena.copy()
    sizes = {**open_sizes, **sizes} if not inputs else sizes
    given = _checked(inputs or _sample_data(sizes, rng), tuple(INPUTS), sizes)
    data = _given(given, buffers, sizes, seed=seed, masks=masks)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    # <stopped>
    return [_check_one(n, arena, gradients, data, sizes, rng) for n in arena if n not in STOPPED]
    # </stopped>
    # <every>
    return [_check_one(name, arena, gradients, data, sizes, rng) for name in arena]  # type: ignore[unreachable]
    # </every>


def _check_one(
    name: str,
    arena: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
) -> dict[str, Any]:
    double, scratch = np.float64 == DTYPE, gradients.like()
    values, found = arena[name].reshape(-1), gradients[name].reshape(-1)
    entries = np.arange(values.size)
    if values.size > _ENTRIES:
        entries = np.sort(rng.choice(values.size, _ENTRIES, replace=False))

    def difference(entry: int, step: float) -> float:
        before = values[entry]
        h = step * max(1.0, abs(float(before)))
        values[entry] = before + h
        above, high = float(_differentiate(arena, scratch, data, sizes)[LOSS]), float(values[entry])
        values[entry] = before - h
        below, low = float(_differentiate(arena, scratch, data, sizes)[LOSS]), float(values[entry])
        values[entry] = before
        return (above - below) / (high - low)

    exact = found[entries].astype(float)
    numeric = np.array([difference(entry, 6e-6 if double else 8e-3) for entry in entries.tolist()])
    if double:  # a step that reaches over a kink says nothing: a smaller one doesn't reach so far
        for row in np.flatnonzero(np.abs(exact - numeric) > 1e-7 * np.abs(exact).max(initial=0.0)):
            nearer = difference(int(entries[row]), 2e-7)
            if abs(nearer - exact[row]) < abs(numeric[row] - exact[row]):
                numeric[row] = nearer
    absolute = float(np.abs(exact - numeric).max(initial=0.0))
    scale = max(float(np.linalg.norm(exact)), float(np.linalg.norm(numeric)), 1e-8)
    relative = float(np.linalg.norm(exact - numeric)) / scale
    # A gradient of exactly zero leaves only the rounding of the loss in the differences.
    floor = 1e-9 if double else 1e-4
    ok = relative <= (1e-6 if double else 2e-2) or absolute <= floor
    return {
        "parameter": name,
        "method": "central differences",
        "max_abs_error": absolute,
        "max_rel_error": relative,
        "ok": bool(ok),
    }
