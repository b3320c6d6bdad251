"""The rows of the point at which entries are compared one by one.

Enters: a derivation, a drawer of points. Leaves: the point, rows.
Must not know: how any method differentiates, or a gradient was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.evaluation.margins import kink_margin
from symbp.ir.points.sampling import evaluate_size
from symbp.verify.blocks import Block
from symbp.verify.methods import Numeric
from symbp.verify.numeric import LEAST_STEP, STEP, Values
from symbp.verify.points import Drawer, Point, Style
from symbp.verify.report import Row, compare, failed
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import exactly, rounding, shaken

Array = np.ndarray[Any, Any]

TOLERANCES = {"central differences": 1e-6, "complex step": 1e-12}
NOISE = {"central differences": 1e-12, "complex step": 1e-15}  # rounding of a function of size 1, by method
MOST_ENTRIES = {1: 48, 2: 24}  # of one result, by order; larger ones are sampled, and the report says so
STEPS_TO_A_KINK = 5  # so many at least, that a central difference doesn't cross it
ILL = 1e-6  # of a result that moves by so much of itself when its leaves are rounded, nothing can be said
TRIES = 40


def main_point(
    derivation: Derivation, drawer: Drawer, sizes: Mapping[str, int], seed: int
) -> tuple[Point, float]:
    """The first random point with a value, results that rounding doesn't move, and every preactivation
    further than some steps from its kink, else the best one found; and the step of central differences
    there."""
    best: tuple[bool, bool, float] = (False, False, -1.0)
    chosen = drawer.attempt(sizes, seed, far=False)
    for attempt in range(TRIES):
        point = drawer.attempt(
            sizes, seed + 1000 * attempt, Style(density=min(0.5 + attempt / 20, 1)), far=attempt % 2 == 0
        )
        if not drawer.is_finite(point):
            continue
        margin = kink_margin(drawer.system, point.values, sizes, drawer.wanted)
        found = (True, _is_well_conditioned(derivation, point), margin)
        if found > best:
            chosen, best = point, found
        if best[1] and best[2] > STEPS_TO_A_KINK * STEP:
            break
    return chosen, min(STEP, max(LEAST_STEP, best[2] / STEPS_TO_A_KINK))


def _is_well_conditioned(derivation: Derivation, point: Point) -> bool:
    """Whether the results stay what they are when the leaves are rounded."""
    here = results(derivation, point.values, point.sizes)
    there = results(derivation, point.values, point.sizes, shaken(1))
    if isinstance(here, str) or isinstance(there, str):
        return True  # what is wrong with it is said later
    with np.errstate(invalid="ignore"):
        return all(
            np.linalg.norm(here[key] - there[key]) <= ILL * 1e-3 * np.linalg.norm(here[key]) for key in here
        )


def results(
    derivation: Derivation, values: Values, sizes: Mapping[str, int], tensors: Tensors = exactly
) -> dict[str, Array] | str:
    """The derived results by key; or why there are none."""
    missing = [t for t in derivation.gradients.values() if t not in derivation.system.by_name]
    if missing:
        return f"{missing[0]} is missing from the derivation"
    try:
        found = tensors(derivation.system, values, sizes, list(derivation.gradients.values()))
    except SymbpError as failure:
        return f"it can't be evaluated: {failure.what}"
    return {key: np.asarray(found[t], float) for key, t in derivation.gradients.items()}


def expected_shape(derivation: Derivation, block: Block, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The axes of what is differentiated, then those of what it is differentiated by."""
    tensors = [derivation.declared.tensor(name) for name in (block.of, *block.by)]
    return tuple(evaluate_size(extent, sizes) for tensor in tensors for extent in tensor.shape)


def entry_rows(
    derivation: Derivation, wanted: Sequence[Block], point: Point, step: float, methods: Sequence[str]
) -> list[Row]:
    """A row for each result and numeric method."""
    numeric = Numeric(derivation, point.values, point.sizes, step)
    chosen = [method for method in numeric.methods if method in methods]
    ours = results(derivation, point.values, point.sizes) if chosen else {}
    rows = []
    for block in wanted:
        shape = expected_shape(derivation, block, point.sizes)
        for method in chosen:
            if isinstance(ours, str):
                rows.append(failed(block.key, method, ours, point.sizes))
            elif ours[block.key].shape != shape:
                reason = f"its shape is {ours[block.key].shape}, not {shape}"
                rows.append(failed(block.key, method, reason, point.sizes, ours[block.key].size))
            else:
                rows.append(entry_row(numeric, block, method, ours[block.key]))
    return rows


def entry_row(numeric: Numeric, block: Block, method: str, ours: Array) -> Row:
    """One result beside a method, entry by entry. Rounding is measured only where they differ."""
    entries = block.entries(ours.size, MOST_ENTRIES[block.order], len(block.key))
    theirs = np.array([numeric.entry(method, block, entry) for entry in entries])
    noise = np.full(len(entries), NOISE[method] * numeric.size(block))
    flat, names = ours.ravel()[entries], tuple(element(ours.shape, entry) for entry in entries)
    blind = np.zeros(len(entries), bool)

    def row() -> Row:
        return compare(
            block.key, method, flat, theirs, TOLERANCES[method], ours.size, noise,
            sizes=numeric.sizes, elements=names, blind=blind,
        )  # fmt: skip

    found = row()
    if found.ok:
        return found
    if method == "central differences":
        noise = noise + numeric.rounding(block) / numeric.step
    noise = noise + _own_rounding(numeric, block, entries)
    tolerance = TOLERANCES[method] * float(np.linalg.norm(flat[np.isfinite(flat)]))
    for k in np.flatnonzero(~(np.abs(flat - theirs) <= noise + tolerance / max(len(entries), 1))):
        place, directions = block.at(entries[k], numeric.values)
        if method == "central differences":
            found_there, unseen = numeric.past_kinks(block, directions, flat[k], float(noise[k]) + tolerance)
            theirs[k], blind[k] = found_there.flat[place], unseen.flat[place]
        else:
            noise[k] += _their_rounding(numeric, method, block, entries[k])
    blind |= noise > ILL * np.maximum(np.abs(flat), max(tolerance / TOLERANCES[method], 1e-300))
    return row()


def _own_rounding(numeric: Numeric, block: Block, entries: Sequence[int]) -> Array:
    derivation, tensor = numeric.derivation, numeric.derivation.gradients[block.key]

    def function(tensors: Tensors) -> Array:
        found = tensors(derivation.system, numeric.values, numeric.sizes, [tensor])[tensor]
        return found.ravel()[list(entries)]

    found = rounding(function)
    return np.asarray(np.where(np.isfinite(found), found, 0.0))


def _their_rounding(numeric: Numeric, method: str, block: Block, entry: int) -> float:
    place, directions = block.at(entry, numeric.values)
    found = rounding(lambda tensors: numeric.otherwise(tensors).along(method, block, directions))
    return float(np.where(np.isfinite(found), found, 0.0).flat[place])


def element(shape: tuple[int, ...], entry: int) -> str:
    """The subscripts of a flat position, as text."""
    return str([int(k) for k in np.unravel_index(entry, shape)]) if shape else ""
