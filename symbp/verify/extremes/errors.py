"""How far float32 is from the truth: of a gradient beside its largest entry, of a loss beside itself.

Enters: arrays. Leaves: numbers. Must not know: where they come from.

A point counts where the loss has lost less than 1e-4 of itself; a gradient is lost where it is off by more
than 1e-3 of its largest entry. What isn't a number where the truth is one is lost wherever that happens.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BOUND, LOSS_BOUND = 1e-3, 1e-4
LARGEST, LEAST = 1e37, 1e-30  # what float32 holds, and what products of two may still hold


def error_of(ours: Array, right: Array) -> float:
    """The error of a gradient, infinite if an entry isn't a number; entries beyond float32 don't count."""
    known = np.isfinite(right) & (np.abs(right) < LARGEST)
    ours, right = np.asarray(ours, float)[known], right[known]
    if not right.size:
        return 0.0
    if not np.all(np.isfinite(ours)):
        return float("inf")
    largest, off = float(np.max(np.abs(right))), float(np.max(np.abs(ours - right)))
    return off / largest if largest > LEAST else off


def loss_error(ours: float, right: float) -> float:
    """The error of the loss, infinite where float32 can't hold it."""
    if not abs(right) < LARGEST:
        return float("inf")
    return abs(ours - right) / abs(right) if right else abs(ours)


def is_lost(error: float, loss: float, *, loss_holds: bool) -> bool:
    """Whether a gradient is lost beside a loss of that error; none is where float32 can't hold that."""
    return loss_holds and not error <= BOUND and (loss < LOSS_BOUND or not np.isfinite(error))
