"""What starting values are drawn from, with the numbers that generated modules draw.

Enters: a distribution, a shape, a generator. Leaves: an array. Must not know: parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def drawn(distribution: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The values before scale and shift; ones where nothing is drawn."""
    if distribution == "normal":
        return rng.standard_normal(shape)
    if distribution == "uniform":
        return rng.uniform(-1, 1, shape)
    if distribution == "truncated":
        return _truncated(shape, rng)
    return _orthogonal(shape, rng) if distribution == "orthogonal" else np.ones(shape)


def _truncated(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal numbers within 2: those beyond are drawn again."""
    found = np.asarray(rng.standard_normal(shape))
    while (far := np.abs(found) > 2).any():
        found[far] = rng.standard_normal(int(far.sum()))
    return found


def _orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Orthonormal rows or columns, whichever are fewer, all directions alike: the factor of a product with a
    triangle whose diagonal is positive."""
    *stack, rows, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((*stack, max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return np.asarray(q if rows >= columns else q.swapaxes(-1, -2))


__all__ = ["drawn"]
