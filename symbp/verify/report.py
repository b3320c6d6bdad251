"""The report of a gradient check: one row for each parameter and method.

Enters: rows. Leaves: a frozen table that prints itself and turns into JSON.
Must not know: how a gradient was computed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

FLOOR = 1e-8  # gradients below this norm are compared absolutely


@dataclass(frozen=True)
class Row:
    """One comparison; `parameter` is the key of the result, `"W1,W2"` for a second derivative.
    `max_abs_error` is the largest elementwise difference; `max_rel_error` is
    ‖a − b‖/max(‖a‖, ‖b‖, 1e-8); `entries` says how many of the `size` elements were compared."""

    parameter: str
    method: str
    max_abs_error: float
    max_rel_error: float
    ok: bool
    tolerance: float
    entries: int
    size: int


@dataclass(frozen=True)
class Report:
    """All rows of a check, at which sizes, from which seed."""

    network: str
    rows: tuple[Row, ...]
    sizes: dict[str, int]
    seed: int
    what: str = "gradients"  # what was checked, in words

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max((row.max_rel_error for row in self.rows), default=0.0)

    def json(self) -> list[dict[str, object]]:
        """One object a row."""
        return [asdict(row) for row in self.rows]

    def __str__(self) -> str:
        width = max([len(row.parameter) for row in self.rows] + [9])
        kind = max([len(row.method) for row in self.rows] + [6])
        sizes = ", ".join(f"{name} = {value}" for name, value in self.sizes.items())
        lines = [
            f"{self.network}: symbolic {self.what} against other methods ({sizes}; seed {self.seed})",
            f"{'parameter':{width}}  {'method':{kind}}  max |Δ|    relative   entries",
        ]
        for row in self.rows:
            verdict = "ok" if row.ok else f"WRONG: above {row.tolerance:.0e}"
            lines.append(
                f"{row.parameter:{width}}  {row.method:{kind}}  {row.max_abs_error:.1e}    "
                f"{row.max_rel_error:.1e}    {row.entries}/{row.size}  {verdict}"
            )
        return "\n".join(lines)


def compare(
    parameter: str,
    method: str,
    ours: ArrayLike,
    theirs: ArrayLike,
    tolerance: float,
    size: int | None = None,
    noise: float = 0.0,
) -> Row:
    """A row from two arrays of the same entries. A difference below `noise`, the rounding of the method
    itself, passes: a gradient that is exactly zero has no relative error."""
    a, b = np.asarray(ours, dtype=float).ravel(), np.asarray(theirs, dtype=float).ravel()
    absolute = float(np.max(np.abs(a - b), initial=0.0))
    relative = relative_error(a, b)
    ok = bool(relative <= tolerance or absolute <= noise)  # False for NaN too
    return Row(parameter, method, absolute, relative, ok, tolerance, a.size, a.size if size is None else size)


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """‖a − b‖/max(‖a‖, ‖b‖, 1e-8)."""
    x, y = np.asarray(a, dtype=float).ravel(), np.asarray(b, dtype=float).ravel()
    norms = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    return float(np.linalg.norm(x - y)) / max(*norms, FLOOR)
