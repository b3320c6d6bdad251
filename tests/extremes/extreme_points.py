"""Extreme points: what each kind of operand may be, from ordinary to far off, saturated, tied, zero,
denormal.

All values are float32 numbers, held in float64: a reference in 50 digits sees exactly what the module sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FREE: Mapping[str, Callable[[Array], Array]] = {
    "ordinary": lambda r: r,
    "offset 1e2": lambda r: r + 1e2,
    "offset -1e2": lambda r: r - 1e2,
    "offset 1e4": lambda r: r + 1e4,
    "offset 1e6": lambda r: np.round(r) + 1e6,
    "offset -1e6": lambda r: np.round(r) - 1e6,
    "equal at 1e6": lambda r: 0 * r + 1e6,
    "saturated 40": lambda r: 40 * np.sign(r),
    "saturated 100": lambda r: 100 * np.sign(r),
    "scaled 800": lambda r: 800 * r,
    "constant": lambda r: 0 * r + 0.5,
    "tied": np.round,
    "zero": lambda r: 0 * r,
    "small": lambda r: 1e-6 * r,
    "denormal": lambda r: 1e-40 * r,
}
"""Real operands, from standard normal numbers."""


def operand(values: str, kind: str, normal: Array, ordinary: Callable[[], Array]) -> Array:
    """An operand of one sort of values (those of `symbp.ops.Sample`) at a kind of extreme point."""
    if values == "real":
        found = FREE[kind](normal)
    elif values in ("positive", "above one"):
        least = 1.0 if values == "above one" else 0.0
        found = least + {
            "offset 1e2": 1e2 + np.exp(normal),
            "offset 1e4": 1e4 + np.exp(normal),
            "offset 1e6": 1e6 + np.round(np.exp(normal)),
            "small": 1e-6 * np.exp(normal),
            "denormal": 1e-30 * np.exp(normal),
            "constant": 0 * normal + 0.5,
            "scaled 800": np.exp(4 * normal),
        }.get(kind, np.exp(normal))
    elif values in ("unit", "probability"):
        near = {"saturated 40": 1e-6, "saturated 100": 2.0**-23, "scaled 800": 1e-3}.get(kind)
        inside = np.where(normal > 0, 1 - (near or 0), near or 0) if near else 1 / (1 + np.exp(-normal))
        found = 2 * inside - 1 if values == "unit" else inside
    elif values == "simplex" and kind in ("saturated 40", "scaled 800"):
        e = np.exp(np.clip((10 if kind == "saturated 40" else 3) * normal, -60, 60))
        found = e / e.sum(axis=-1, keepdims=True)
    else:
        found = ordinary()
    if np.issubdtype(np.asarray(found).dtype, np.integer):
        return np.asarray(found)
    return np.asarray(found, dtype=np.float32).astype(float)
