"""Proof that a derivation and the code made from it are right: against numeric and exact derivatives.

Enters: a derivation, sizes. Leaves: a `Report`, one row for each gradient and method.
Must not know: ops, layers, or how a gradient was found.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.fitting import sample_sizes
from symbp.ir.sampling import draws, sample_point
from symbp.ir.vector import run
from symbp.verify.blocks import blocks, described
from symbp.verify.exact import exact_rows
from symbp.verify.methods import Numeric
from symbp.verify.numeric import LEAST_STEP, STEP, Values, kink_margin
from symbp.verify.report import Report, Row, compare, relative_error

__all__ = ["METHODS", "Report", "Row", "check_derivation", "compare", "relative_error"]

METHODS = ("central differences", "complex step", "exact")
TOLERANCES = {"central differences": 1e-6, "complex step": 1e-12}
NOISE = {"central differences": 1e-12, "complex step": 1e-15}  # rounding of a function of size 1, by method
MOST_ENTRIES = {1: 48, 2: 24}  # of one result, by order; larger ones are sampled, and the report says so
STEPS_TO_A_KINK = 5  # so many at least, that a central difference doesn't cross it
TRIES = 40


def check_derivation(
    derivation: Derivation,
    *,
    sizes: Mapping[str, int] | None = None,
    methods: tuple[str, ...] = METHODS,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> Report:
    """Compares every derived result (gradients, Hessians, products with them, Jacobians) with each method, at
    a random point that obeys the leaves' facts.

    `sizes` overrides the sizes bound in the declaration; those still open are small. The exact method
    chooses its own tiny sizes. `hyper` gives constants their values; others are drawn.
    """
    system = derivation.declared
    chosen = {**sample_sizes(system), **system.bound, **(sizes or {})}
    chosen = {name: chosen[name] for name in system.sizes}
    values, margin = _away_from_kinks(derivation, chosen, seed, hyper or {})
    wanted = blocks(derivation)
    ours = run(derivation.system, values, chosen, wanted=[block.tensor for block in wanted])
    step = min(STEP, max(LEAST_STEP, margin / STEPS_TO_A_KINK))
    numeric = Numeric(derivation, values, chosen, step)
    rows: list[Row] = []
    for block in wanted:
        whole = np.asarray(ours[block.tensor], dtype=float).ravel()
        entries = block.entries(whole.size, MOST_ENTRIES[block.order], seed)
        for method in numeric.methods:
            if method in methods:
                theirs = [numeric.entry(method, block, entry) for entry in entries]
                noise = NOISE[method] * numeric.scale(block)
                rows.append(
                    compare(block.key, method, whole[entries], theirs, TOLERANCES[method], whole.size, noise)
                )
    if "exact" in methods:
        rows += exact_rows(derivation, seed=seed, hyper=hyper)
    rows = _by_parameter(rows, list(derivation.gradients))
    return Report(derivation.name, tuple(rows), chosen, seed, described(derivation))


def _by_parameter(rows: list[Row], names: list[str]) -> list[Row]:
    return sorted(rows, key=lambda row: names.index(row.parameter))


def _away_from_kinks(
    derivation: Derivation, sizes: Mapping[str, int], seed: int, hyper: Mapping[str, float]
) -> tuple[Values, float]:
    """The first random point with every preactivation further than some steps from its kink, else the
    farthest one found; and how far that is."""
    differentiated = sorted({block.of for block in blocks(derivation)})
    best, best_margin = None, -1.0
    for attempt in range(TRIES):
        _, values = sample_point(derivation.declared, seed + 1000 * attempt, sizes=sizes)
        values |= {name: np.asarray(value) for name, value in hyper.items() if name in values}
        values |= draws(derivation.declared, sizes, seed + 1000 * attempt)
        margin = kink_margin(derivation.declared, values, sizes, differentiated)
        if margin > best_margin:
            best, best_margin = values, margin
        if margin > STEPS_TO_A_KINK * STEP:
            break
    assert best is not None
    return best, best_margin
