"""The report of a gradient check: one row for each parameter and method.

Enters: rows. Leaves: a frozen table that prints itself and turns into JSON.
Must not know: how a gradient was computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

HEAD: tuple[str, ...] = (
    "parameter", "method", "max |Δ|", "relative", "entries", "worst element", "value", "expected",
)  # fmt: skip
BAR = r"\|"  # in a table of Markdown
FLOOR = 1e-8  # gradients below this norm are compared absolutely


@dataclass(frozen=True)
class Row:
    """One comparison; `parameter` is the key of the result, `"W1,W2"` for a second derivative.

    `max_abs_error` is the largest elementwise difference, at `element`, where the result is `value` and the
    other method has `expected`; `max_rel_error` is ‖a − b‖/max(‖a‖, ‖b‖, 1e-8). `entries` says how many of
    the `size` elements were compared, at `sizes`; at further `points` the result was compared along a random
    direction, where all elements take part. `note` says in words why a result is wrong, or what couldn't be
    compared.
    """

    parameter: str
    method: str
    max_abs_error: float
    max_rel_error: float
    ok: bool
    tolerance: float
    entries: int
    size: int
    sizes: Mapping[str, int] = field(default_factory=dict)
    element: str = ""
    value: float = 0.0
    expected: float = 0.0
    points: int = 0
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was compared."""
        return self.size > 0 and not self.entries and not self.points

    @property
    def verdict(self) -> str:
        """`ok`, or what is wrong."""
        if self.ok:
            return f"ok ({self.note})" if self.note else "ok"
        if self.is_empty:
            return f"NOT COMPARED: {self.note}"
        return f"WRONG: {self.note or f'above {self.tolerance:.0e}'}"


@dataclass(frozen=True)
class Report:
    """All rows of a check, at which sizes, from which seed."""

    network: str
    rows: tuple[Row, ...]
    sizes: dict[str, int]
    seed: int
    what: str = "gradients"  # what was checked, in words
    notes: tuple[str, ...] = ()  # what was left out, in words

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max((row.max_rel_error for row in self.rows), default=0.0)

    def json(self) -> list[dict[str, object]]:
        """One object a row; a number that isn't finite is null."""
        return [{key: _plain(value) for key, value in asdict(row).items()} for row in self.rows]

    def _table(self) -> list[tuple[str, ...]]:
        return [HEAD] + [
            (
                row.parameter,
                row.method,
                f"{row.max_abs_error:.1e}",
                f"{row.max_rel_error:.1e}",
                f"{row.entries}/{row.size}" + (f" + {row.points} points" if row.points else ""),
                row.element,
                f"{row.value:.6g}",
                f"{row.expected:.6g}",
            )
            for row in self.rows
        ]

    def _first(self) -> str:
        return (
            f"{self.network}: symbolic {self.what} against other methods "
            f"({_text(self.sizes)}; seed {self.seed})"
        )

    def _repr_html_(self) -> str:
        table = [(*cells, end) for cells, end in zip(self._table(), self._ends(), strict=True)]
        rows = [
            f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"
            for cells, kind in zip(table, ["th", *["td"] * len(self.rows)], strict=True)
        ]
        return f"<table><caption>{escape(self._first())}</caption>{''.join(rows)}</table>"

    def _repr_markdown_(self) -> str:
        table = [(*cells, end) for cells, end in zip(self._table(), self._ends(), strict=True)]
        lines = [f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |" for cells in table]
        rule = "|" + "---|" * len(table[0])
        return "\n".join([self._first(), "", lines[0], rule, *lines[1:]])

    def _ends(self) -> list[str]:
        return ["", *(f"{row.verdict}{_at(row.sizes)}" for row in self.rows)]

    def __str__(self) -> str:
        table = self._table()
        widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table
        ]
        shown = (f"{a}  {b}".rstrip() for a, b in zip(lines, self._ends(), strict=True))
        return "\n".join([self._first(), *shown, *self.notes])


def _text(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


def _at(sizes: Mapping[str, int]) -> str:
    return f"  at {_text(sizes)}" if sizes else ""


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def compare(
    parameter: str,
    method: str,
    ours: ArrayLike,
    theirs: ArrayLike,
    tolerance: float,
    size: int | None = None,
    noise: ArrayLike = 0.0,
    *,
    sizes: Mapping[str, int] | None = None,
    elements: tuple[str, ...] = (),
    blind: ArrayLike = False,
) -> Row:
    """A row from two arrays of the same entries. Of a difference, `noise`, the rounding of the methods
    themselves, is taken off, so that a gradient that is exactly zero passes. Where the other method has no
    value, or is `blind`, nothing is compared; where it has one, ours must."""
    a, b = np.asarray(ours, dtype=float).ravel(), np.asarray(theirs, dtype=float).ravel()
    known = np.isfinite(b) & ~np.broadcast_to(np.asarray(blind, bool).ravel(), b.shape)
    with np.errstate(invalid="ignore"):
        off = np.where(known, np.abs(a - b), 0.0)
    off = np.where(np.isnan(off), np.inf, off)
    scale = max(float(np.linalg.norm(part[known])) for part in (np.where(np.isfinite(a), a, 0.0), b))
    beyond = np.maximum(off - np.broadcast_to(np.asarray(noise, float).ravel(), off.shape), 0.0)
    at = int(np.argmax(beyond)) if np.any(beyond > 0) else int(np.argmax(off)) if off.size else -1
    absolute = float(np.max(off, initial=0.0))
    relative = float(np.linalg.norm(off)) / max(scale, FLOOR)
    left = int(known.size - known.sum())
    return Row(
        parameter,
        method,
        absolute,
        relative,
        bool(np.linalg.norm(beyond) <= tolerance * max(scale, FLOOR)),
        tolerance,
        int(known.sum()),
        a.size if size is None else size,
        dict(sizes or {}),
        elements[at] if elements and at >= 0 else str(at) if at >= 0 else "",
        float(a[at]) if at >= 0 else 0.0,
        float(b[at]) if at >= 0 else 0.0,
        note=f"{left} without a value or at a kink" if left else "",
    )


def failed(parameter: str, method: str, reason: str, sizes: Mapping[str, int], size: int = 0) -> Row:
    """The row of a result that can't be compared because it isn't what it should be."""
    return Row(parameter, method, math.inf, math.inf, False, 0.0, 0, size, dict(sizes), points=1, note=reason)


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """‖a − b‖/max(‖a‖, ‖b‖, 1e-8)."""
    x, y = np.asarray(a, dtype=float).ravel(), np.asarray(b, dtype=float).ravel()
    norms = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    return float(np.linalg.norm(x - y)) / max(*norms, FLOOR)
