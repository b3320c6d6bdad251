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
from symbp.verify.blocks import DerivativeBlock
from symbp.verify.methods import DIFFERENCES, Numeric
from symbp.verify.numeric import LEAST_STEP, STEP, TOLERANCES, Values, rounding_of
from symbp.verify.points import Drawer, Point, Style
from symbp.verify.report import Row, compare, failed
from symbp.verify.ridders import Estimate
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import exactly, rounding, shaken

Array = np.ndarray[Any, Any]

MOST_ENTRIES = {1: 48, 2: 24}  # of one result, by order; larger ones are sampled, and the report says so
STEPS_TO_A_KINK = 5  # so many at least, that a central difference doesn't cross it
ILL = 1e-6  # of a result that moves by so much of itself when its leaves are rounded, nothing can be said
TRIES = 40
LOOKED_INTO = 6  # entries that differ and aren't at a kink, before a result is called wrong


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


def expected_shape(
    derivation: Derivation, block: DerivativeBlock, sizes: Mapping[str, int]
) -> tuple[int, ...]:
    """The axes of what is differentiated, then those of what it is differentiated by."""
    tensors = [derivation.declared.tensor(name) for name in (block.of, *block.by)]
    return tuple(evaluate_size(extent, sizes) for tensor in tensors for extent in tensor.shape)


def entry_rows(
    derivation: Derivation,
    wanted: Sequence[DerivativeBlock],
    point: Point,
    step: float,
    methods: Sequence[str],
) -> list[Row]:
    """A row for each result and numeric method."""
    numeric = Numeric(derivation, point.values, point.sizes, step)
    chosen = [method for method in numeric.methods if method in methods]
    apart = {*DIFFERENCES} <= {*chosen}  # who asks for both wants two
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
                extrapolated = apart and method == DIFFERENCES[0]
                rows.append(entry_row(numeric, block, method, ours[block.key], extrapolated=extrapolated))
    return rows


def entry_row(
    numeric: Numeric, block: DerivativeBlock, method: str, ours: Array, *, extrapolated: bool = False
) -> Row:
    """One result beside a method, entry by entry. Rounding is measured only where they differ, and so are
    differences extrapolated, if that isn't asked for everywhere: the stencil is the head of their table."""
    entries = block.entries(ours.size, MOST_ENTRIES[block.order], len(block.key))
    compared = _Entries(numeric, block, method, ours, entries)
    if extrapolated:
        compared.extrapolate()
    found = compared.row()
    if found.ok:
        return found
    compared.look_closer()
    return compared.row()


class _Entries:
    """The entries of a result beside those of a method, what of a difference may be rounding, and which are
    at a kink."""

    def __init__(
        self, numeric: Numeric, block: DerivativeBlock, method: str, ours: Array, entries: Sequence[int]
    ) -> None:
        self.numeric, self.block, self.method, self.entries = numeric, block, method, entries
        self.whole, self.ours = ours, ours.ravel()[entries]
        self.theirs = np.array([numeric.entry(method, block, entry) for entry in entries])
        self.noise = np.full(len(entries), rounding_of(method) * numeric.size(block))
        self.own = np.zeros(len(entries))
        self.blind, self.kinks = np.zeros(len(entries), bool), np.zeros(len(entries), bool)

    def extrapolate(self) -> None:
        """Every entry with as many steps as it takes."""
        for k, entry in enumerate(self.entries):
            place, directions = self.block.at(entry, self.numeric.values)
            found = self.numeric.estimate(self.block, directions)
            self.kinks[k] = np.asarray(found.kink).flat[place]
            self._replace(k, found, place)

    def row(self) -> Row:
        names = tuple(element(self.whole.shape, entry) for entry in self.entries)
        return compare(
            self.block.key, self.method, self.ours, self.theirs, TOLERANCES[self.method], self.whole.size,
            self.noise, sizes=self.numeric.sizes, elements=names, blind=self.blind, kinks=self.kinks,
            shape=self.whole.shape,
        )  # fmt: skip

    def look_closer(self) -> None:
        """Measures rounding, and decides for those that differ still, the worst first, whether they are at a
        kink, and with as many steps as it takes what the difference is."""
        numeric, block = self.numeric, self.block
        if self.method != "complex step":
            self.noise = self.noise + numeric.rounding(block) / numeric.step
        self.own = _own_rounding(numeric, block, self.entries)
        self.noise = self.noise + self.own
        scale = float(np.linalg.norm(self.ours[np.isfinite(self.ours)]))
        with np.errstate(invalid="ignore"):
            off = np.abs(self.ours - self.theirs)
        allowed = self.noise + TOLERANCES[self.method] * scale / max(len(self.entries), 1)
        wrong = 0
        differing = np.flatnonzero(~(off <= allowed)).tolist()
        for k in sorted(differing, key=lambda k: -np.nan_to_num(off[k], nan=np.inf)):
            place, directions = block.at(self.entries[k], numeric.values)
            if self.method == "complex step":
                self.noise[k] += _their_rounding(numeric, self.method, block, self.entries[k])
                if off[k] <= self.noise[k]:
                    continue
            found = numeric.estimate(block, directions)
            self.kinks[k] = np.asarray(found.kink).flat[place]
            if self.method == "central differences":
                self._replace(k, found, place)
            wrong += not self.kinks[k] and not abs(self.ours[k] - self.theirs[k]) <= self.noise[k]
            if wrong == LOOKED_INTO:
                break
        self.blind |= ~(self.noise <= ILL * np.maximum(np.abs(self.ours), max(scale, 1e-300)))

    def _replace(self, k: int, found: Estimate, place: int) -> None:
        """An entry by the better difference, with the bound on its error."""
        value, error = found.value.flat[place], found.error.flat[place]
        if np.isfinite(error):
            self.theirs[k], self.noise[k] = value, error + self.own[k]
        else:
            self.blind[k] = True


def _own_rounding(numeric: Numeric, block: DerivativeBlock, entries: Sequence[int]) -> Array:
    derivation, tensor = numeric.derivation, numeric.derivation.gradients[block.key]

    def function(tensors: Tensors) -> Array:
        found = tensors(derivation.system, numeric.values, numeric.sizes, [tensor])[tensor]
        return found.ravel()[list(entries)]

    found = rounding(function)
    return np.asarray(np.where(np.isfinite(found), found, 0.0))


def _their_rounding(numeric: Numeric, method: str, block: DerivativeBlock, entry: int) -> float:
    place, directions = block.at(entry, numeric.values)
    found = rounding(lambda tensors: numeric.otherwise(tensors).along(method, block, directions))
    return float(np.where(np.isfinite(found), found, 0.0).flat[place])


def element(shape: tuple[int, ...], entry: int) -> str:
    """The subscripts of a flat position, as text."""
    return str([int(k) for k in np.unravel_index(entry, shape)]) if shape else ""
