"""Proof that a derivation and the code made from it are right: against numeric and exact derivatives.

Enters: a derivation, sizes. Leaves: a `Report`, one row for each gradient and method.
Must not know: ops, layers, or how a gradient was found.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.sampling import sample_point, sample_sizes
from symbp.ir.vector import run
from symbp.verify.exact import exact_rows
from symbp.verify.numeric import Values, central_differences, complex_step, kink_margin, loss_at
from symbp.verify.report import Report, Row, compare, relative_error

__all__ = ["METHODS", "Report", "Row", "check_derivation", "compare", "relative_error"]

METHODS = ("central differences", "complex step", "exact")
TOLERANCES = {"central differences": 1e-6, "complex step": 1e-12}
NOISE = {"central differences": 1e-12, "complex step": 1e-15}  # rounding of a loss of size 1, by method
MOST_ENTRIES = 48  # of one tensor; larger tensors are sampled, and the report says so
SAFE_MARGIN = 5e-3  # distance from every kink at which a central difference doesn't cross one
TRIES = 40


def check_derivation(
    derivation: Derivation,
    *,
    sizes: Mapping[str, int] | None = None,
    methods: tuple[str, ...] = METHODS,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> Report:
    """Compares every derived gradient with each method, at a random point that obeys the leaves' facts.

    `sizes` overrides the sizes bound in the declaration; those still open are small. The exact method
    chooses its own tiny sizes. `hyper` gives constants their values; others are drawn.
    """
    system = derivation.declared
    chosen = {**sample_sizes(system), **system.bound, **(sizes or {})}
    chosen = {name: chosen[name] for name in system.sizes}
    values = _away_from_kinks(derivation, chosen, seed, hyper or {})
    ours = run(derivation.system, values, chosen, wanted=list(derivation.gradients.values()))
    numeric = {"central differences": central_differences, "complex step": complex_step}
    rows: list[Row] = []
    for name, gradient in derivation.gradients.items():
        size = int(np.asarray(values[name]).size)
        entries = np.sort(np.random.default_rng(seed).permutation(size)[:MOST_ENTRIES])
        mine = np.asarray(ours[gradient], dtype=float).ravel()[entries]
        for method, differentiate in numeric.items():
            if method in methods:
                theirs = differentiate(system, values, chosen, name, entries)
                noise = NOISE[method] * max(1.0, abs(loss_at(system, values, chosen)))
                rows.append(compare(name, method, mine, theirs, TOLERANCES[method], size, noise))
    if "exact" in methods:
        rows += exact_rows(derivation, seed=seed, hyper=hyper)
    return Report(derivation.name, tuple(_by_parameter(rows, list(derivation.gradients))), chosen, seed)


def _by_parameter(rows: list[Row], names: list[str]) -> list[Row]:
    return sorted(rows, key=lambda row: names.index(row.parameter))


def _away_from_kinks(
    derivation: Derivation, sizes: Mapping[str, int], seed: int, hyper: Mapping[str, float]
) -> Values:
    """The first random point with every preactivation further than a step from its kink, else the
    farthest one found."""
    best, best_margin = None, -1.0
    for attempt in range(TRIES):
        _, values = sample_point(derivation.declared, seed + 1000 * attempt, sizes=sizes)
        values |= {name: np.asarray(value) for name, value in hyper.items() if name in values}
        margin = kink_margin(derivation.declared, values, sizes)
        if margin > best_margin:
            best, best_margin = values, margin
        if margin > SAFE_MARGIN:
            break
    assert best is not None
    return best
