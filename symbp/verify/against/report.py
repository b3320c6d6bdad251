"""The report on somebody's backward pass: a row for each tensor, the first wrong one on top.

Enters: rows. Leaves: a frozen report that prints itself and turns into JSON and HTML.
Must not know: how anything was compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal

Verdict = Literal["right", "wrong", "follows", "missing", "shape", "dtype", "no value", "not compared"]
FINE = ("right", "not compared")
HEAD = ("tensor", "in the code", "shape", "element", "there", "right", "max |Δ|", "relative", "verdict")


@dataclass(frozen=True)
class TensorRow:
    """One tensor: `tensor` as a page calls it, `theirs` as the code does, its `shape` in sizes. At `element`,
    the worst, at `sizes`, the code has `answered` where `right` would be; `points` says at how many points it
    was compared.
    `why` says in words what is wrong, `repair` what mends it, of which kind the `slip` is; `follows` names
    the wrong tensors that explain it, `equation` what the network has for it."""

    tensor: str
    theirs: str
    kind: str
    verdict: Verdict
    shape: str = ""
    element: tuple[int, ...] = ()
    answered: float = 0.0
    right: float = 0.0
    absolute: float = 0.0
    relative: float = 0.0
    points: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    slip: str = ""
    repair: str = ""
    follows: tuple[str, ...] = ()
    equation: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict in FINE

    @property
    def place(self) -> str:
        """The worst element as code has it: dW1[0,3]."""
        return f"{self.tensor}[{','.join(map(str, self.element))}]" if self.element else self.tensor

    @property
    def told(self) -> str:
        """The verdict in words."""
        if self.verdict == "right":
            return f"right ({self.why})" if self.why else "right"
        if self.verdict == "follows":
            return f"WRONG: follows from {', '.join(self.follows)}"
        what = "not compared" if self.verdict == "not compared" else "WRONG"
        more = "; ".join(part for part in (self.why, self.slip) if part)
        return f"{what}: {more}" if more else what


@dataclass(frozen=True)
class AgainstReport:
    """What was found of `code` beside the derivation of a `network`, at `sizes` (those of the first of
    `points` points). `first` is the tensor that is wrong first in the order of the backward pass, `problems`
    are what is wrong of the code as a whole, `notes` what else is to be known."""

    network: str
    code: str
    rows: tuple[TensorRow, ...]
    first: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    points: int = 0
    seed: int = 0
    beside: str = "the derivation"

    @property
    def ok(self) -> bool:
        return not self.problems and all(row.ok for row in self.rows)

    @property
    def wrong(self) -> tuple[TensorRow, ...]:
        return tuple(row for row in self.rows if not row.ok)

    def __getitem__(self, tensor: str) -> TensorRow:
        """The row of a tensor, by its name on the page or in the code."""
        for row in self.rows:
            if tensor in (row.tensor, row.theirs):
                return row
        raise KeyError(tensor)

    def json(self) -> dict[str, Any]:
        """One object; a number that isn't finite is null."""
        found = asdict(self)
        found["rows"] = [{key: _plain(value) for key, value in row.items()} for row in found["rows"]]
        return {"ok": self.ok, **found}

    # --- text
    def _head(self) -> list[str]:
        """What was compared, and what is wrong first."""
        sizes = ", ".join(f"{name} = {value}" for name, value in self.sizes.items())
        where = f"{self.points} points, the first at {sizes}; " if sizes else ""
        lines = [f"{self.network}: {self.code} beside {self.beside} ({where}seed {self.seed})"]
        lines += [f"WRONG: {problem}" for problem in self.problems]
        if self.first:
            lines += self._first(self[self.first])
        elif not self.problems:
            lines.append(f"right: {_counted(len([r for r in self.rows if r.verdict == 'right']), 'tensor')}")
        return lines

    def _first(self, row: TensorRow) -> list[str]:
        called = f" ({row.theirs} in the code)" if row.theirs and row.theirs != row.tensor else ""
        lines = [f"first wrong: {row.tensor}{called}{': ' + row.why if row.why else ''}"]
        if row.verdict in ("wrong", "no value") and row.points:
            at = ", ".join(f"{name} = {value}" for name, value in row.sizes.items())
            where = f" (at {at})" if at else ""
            lines.append(f"  {row.place} is {row.answered:.6g}, and should be {row.right:.6g}{where}")
        if row.equation:
            lines.append(f"  right: {row.equation}")
        if row.repair:
            lines.append(f"  likely slip: {row.slip} ({row.repair})")
        return lines

    def _table(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            (
                row.tensor,
                row.theirs,
                row.shape,
                ",".join(map(str, row.element)),
                f"{row.answered:.6g}" if row.points else "",
                f"{row.right:.6g}" if row.points else "",
                f"{row.absolute:.1e}" if row.points else "",
                f"{row.relative:.1e}" if row.points else "",
                row.told,
            )
            for row in self.rows
        ]
        return [HEAD, *rows]

    def __str__(self) -> str:
        table = self._table()
        widths = [max(len(line[k]) for line in table) for k in range(len(HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in table
        ]
        return "\n".join([*self._head(), "", *lines, *self._foot()])

    def _foot(self) -> list[str]:
        """What mends the others, and what else is to be known."""
        others = [row for row in self.rows if row.repair and row.tensor != self.first]
        mended = [f"{row.tensor}: likely slip: {row.slip} ({row.repair})" for row in others]
        return [*mended, *(f"note: {note}" for note in self.notes)]

    def _repr_html_(self) -> str:
        head = "<br>".join(map(escape, self._head()))
        rows = [
            f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"
            for cells, kind in zip(self._table(), ["th", *["td"] * len(self.rows)], strict=True)
        ]
        notes = "".join(f"<p>{escape(line)}</p>" for line in self._foot())
        return f"<p>{head}</p><table>{''.join(rows)}</table>{notes}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
