"""The report of a gradient check: one row for each parameter and method, as a table and as JSON.

Enters: rows. Leaves: a frozen table that prints itself. Must not know: how a gradient was computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from symbp.verify.report.rows import Located, Row, sizes_text

HEAD: tuple[str, ...] = (
    "parameter", "shape", "method", "max |Δ|", "relative", "entries", "kinks", "worst element", "value",
    "expected",
)  # fmt: skip
VERDICT = "verdict"
BAR = r"\|"  # in a table of Markdown


@dataclass(frozen=True)
class Report:
    """All rows of a check, at which sizes, from which seed; what goes wrong first, if something does."""

    network: str
    rows: tuple[Row, ...]
    sizes: dict[str, int]
    seed: int
    what: str = "gradients"  # what was checked, in words
    located: Located | None = None
    notes: tuple[str, ...] = ()  # what was left out, in words

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max((row.max_rel_error for row in self.rows), default=0.0)

    @property
    def kinks(self) -> int:
        """How many entries and directions were left out because there is no derivative."""
        return sum(row.kinks for row in self.rows)

    def json(self) -> list[dict[str, object]]:
        """One object a row; a number that isn't finite is null."""
        return [_plain(_without_errors(row)) for row in self.rows]

    def document(self) -> dict[str, object]:
        """The whole report as JSON has it, with the errors of single entries."""
        return {
            "network": self.network,
            "what": self.what,
            "ok": self.ok,
            "worst": _plain(self.worst),
            "kinks": self.kinks,
            "sizes": dict(self.sizes),
            "seed": self.seed,
            "located": None if self.located is None else _plain(asdict(self.located)),
            "notes": list(self.notes),
            "rows": [_plain({**asdict(row), "verdict": row.verdict}) for row in self.rows],
        }

    def errors(self) -> dict[str, list[float]]:
        """The relative errors of all single entries, by method."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row.errors:
                found.setdefault(row.method, []).extend(row.errors)
        return found

    def title(self) -> str:
        return (
            f"{self.network}: symbolic {self.what} against other methods "
            f"({sizes_text(self.sizes)}; seed {self.seed})"
        )

    def table(self) -> list[tuple[str, ...]]:
        """The cells of the table, its head first, without verdicts."""
        return [HEAD, *(_cells(row) for row in self.rows)]

    def ends(self) -> list[str]:
        """The verdict of each line of the table, with the sizes at which it was found."""
        at = (f"  at {sizes_text(row.sizes)}" if row.sizes else "" for row in self.rows)
        return ["", *(f"{row.verdict}{sizes}" for row, sizes in zip(self.rows, at, strict=True))]

    def _below(self) -> list[str]:
        return [*([] if self.located is None else [str(self.located)]), *self.notes]

    def _repr_html_(self) -> str:
        table = [(*cells, end) for cells, end in zip(self.table(), self.ends(), strict=True)]
        rows = [
            f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"
            for cells, kind in zip(table, ["th", *["td"] * len(self.rows)], strict=True)
        ]
        below = "".join(f"<p>{escape(line)}</p>" for line in self._below())
        return f"<table><caption>{escape(self.title())}</caption>{''.join(rows)}</table>{below}"

    def _repr_markdown_(self) -> str:
        table = [(*cells, end) for cells, end in zip(self.table(), self.ends(), strict=True)]
        lines = [f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |" for cells in table]
        rule = "|" + "---|" * len(table[0])
        below = [part for line in self._below() for part in ("", line)]
        return "\n".join([self.title(), "", lines[0], rule, *lines[1:], *below])

    def __str__(self) -> str:
        table = self.table()
        widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table
        ]
        shown = (f"{a}  {b}".rstrip() for a, b in zip(lines, self.ends(), strict=True))
        return "\n".join([self.title(), *shown, *self._below()])


def _cells(row: Row) -> tuple[str, ...]:
    shape = "" if row.shape is None else "×".join(map(str, row.shape)) or "scalar"
    points = f" + {row.points} point{'s' if row.points > 1 else ''}" if row.points else ""
    compared = f"{row.entries}/{row.size}{points}"
    if row.is_empty:  # there are no errors
        return row.parameter, shape, row.method, "–", "–", compared, str(row.kinks), "", "–", "–"
    errors = (f"{row.max_abs_error:.1e}", f"{row.max_rel_error:.1e}")
    sides = (f"{row.value:.6g}", f"{row.expected:.6g}")
    return row.parameter, shape, row.method, *errors, compared, str(row.kinks), row.element, *sides


def _without_errors(row: Row) -> dict[str, object]:
    return {key: value for key, value in asdict(row).items() if key != "errors"}


def _plain(value: Any) -> Any:
    """What JSON has a word for: a number that isn't finite is null."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
