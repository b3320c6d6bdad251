"""Starting values that NumPy doesn't draw in one call.

Enters: a generator, a shape. Leaves: arrays. Must not know: parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _truncated_normal(rng: Any, shape: Any) -> Any:
    """Normal numbers, drawn again as long as they are further than 2 from 0."""
    found = rng.standard_normal(shape)
    while (far := np.abs(found) > 2).any():
        found[far] = rng.standard_normal(int(far.sum()))
    return found


def _orthogonal(rng: Any, shape: Any) -> Any:
    """Matrices of the last two axes whose rows, or columns if these are fewer, are orthonormal."""
    *stack, rows, columns = shape
    drawn = rng.standard_normal((*stack, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]  # all directions alike
    return q if rows >= columns else q.swapaxes(-1, -2).copy()
