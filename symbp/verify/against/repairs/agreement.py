"""Whether arrays say the same, to rounding, and which constant lies between them if they don't.

Enters: arrays. Leaves: yes or no, numbers. Must not know: what the arrays are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ROUNDING = 1e-8  # of float64, against the largest element: what a wrong equation misses is far more
COARSE = 3e-4  # of anything shorter
FLAT = 1e-3  # of what may be fitted: parts that differ less tell no factors apart


def tolerance(answered: Array) -> float:
    """What may be rounding in an answer, against its largest element."""
    short = answered.dtype.kind == "f" and answered.dtype.itemsize < 8
    return COARSE if short else ROUNDING


def scale(*arrays: Array) -> float:
    """The largest element of all, or something tiny."""
    return max(max((float(np.max(np.abs(a), initial=0.0)) for a in arrays), default=0.0), 1e-300)


def same(answered: Array, found: Array) -> bool:
    """Whether two arrays have one shape and agree to rounding."""
    if answered.shape != found.shape or answered.dtype.kind not in "fiub":
        return False
    largest = scale(answered, found)
    if not np.isfinite(largest):
        return False
    return bool(np.all(np.abs(answered - found) <= tolerance(answered) * largest))


def ratio(answered: Array, found: Array) -> float | None:
    """The constant c for which `answered = c · found`, if there is one other than 0."""
    if answered.shape != found.shape or not np.all(np.isfinite(found)) or not np.all(np.isfinite(answered)):
        return None
    square = float(np.sum(found * found))
    if not square:
        return None
    c = float(np.sum(answered * found)) / square
    return c if c and same(answered, c * found) else None


def weights(answered: Array, parts: Sequence[Array], size: float = 0.0) -> list[float] | None:
    """The numbers c for which `answered = Σ c_k · parts_k`, if elements enough say so and no others do.
    What was answered may be what is left of something of some `size`, and is rounded like that."""
    flat = np.stack([part.reshape(-1) for part in parts], axis=1)
    if answered.size < len(parts) + 2 or any(part.shape != answered.shape for part in parts):
        return None
    if not np.all(np.isfinite(flat)) or not np.all(np.isfinite(answered)):
        return None
    norms = np.linalg.norm(flat, axis=0)
    if not np.all(norms > ROUNDING * scale(answered)):
        return None
    found, _, _, singular = np.linalg.lstsq(flat / norms, answered.reshape(-1).astype(float), rcond=None)
    if singular[-1] < FLAT * singular[0]:
        return None
    c = found / norms
    off = np.abs(answered - np.tensordot(parts, c, (0, 0)))
    largest = max(scale(answered), size)
    return [float(one) for one in c] if np.all(off <= tolerance(answered) * largest) else None
