"""Data from tables and from archives of arrays.

Enters: a parser, paths. Leaves: arrays by name, how columns were read, a line about it on stderr; a file of
outputs. Must not know: what is computed. It stands for `archives`.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError, _extent
from symbp.runtime.common.reading.stored import _stored
from symbp.runtime.common.reading.table_cells import _cells, _cells_of, _quoted, _without
from symbp.runtime.common.reading.table_columns import (
    _Asked,
    _Columns,
    _columns_from,
    _outputs_by_column,
    _read_again,
    _read_columns,
    _said,
)
from symbp.runtime.common.training.whole import _replace_whole, _write_whole
from symbp.runtime.network import FACTS, INPUTS, INTEGERS, SIZES, TARGETS, Array

_DATA = "FILE.npz|FILE.csv"
_TABLES = (".csv", ".tsv")


def _column_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target-column",
        metavar="COLUMN",
        help="the column of a table that is the target (default: the last)",
    )
    parser.add_argument(
        "--drop", metavar="COLUMN", action="append", default=[],
        help="a column of a table that isn't read, such as a date (repeatable)",
    )  # fmt: skip


def _words_in(path: Path, name: str) -> list[str]:
    """The cells of a table's column."""
    try:
        if path.suffix.lower() not in _TABLES:
            raise DataError(f"{name} would be a column of a table")
        return _cells_of(_cells(path, None), name)
    except DataError as failure:
        raise DataError(f"{path}: {failure}") from None


def _read(
    path: Path,
    names: tuple[str, ...],
    columns: str | None = None,
    options: argparse.Namespace | None = None,
) -> tuple[dict[str, Array], str]:
    """The arrays of a file by the names of input tensors, and how the columns of a table were read. Without
    `columns`, `options` say which column is the target and which aren't read."""
    if path.suffix.lower() not in _TABLES:
        return _stored(path, names, columns)
    target, split = (getattr(options, name, None) for name in ("target_column", "split_column"))
    left = [*getattr(options, "drop", ()), *([split] if split else [])]
    try:
        arrays, columns, said = _read_table(path, _asked(), columns, target, left)
    except DataError as failure:
        raise DataError(f"{path}: {failure}") from None
    print(f"{path}: {said}", file=sys.stderr)
    return arrays, columns


def _asked() -> _Asked:
    """What this network reads."""
    return _Asked(
        {name: tuple(_extent(extent, SIZES) for extent in shape) for name, shape in INPUTS.items()},
        {name: None if bound is None else _extent(bound, SIZES) for name, (bound, _) in INTEGERS.items()},
        TARGETS,
        tuple(name for name in INPUTS if ("binary", -1) in FACTS.get(name, ())),
    )


def _read_table(
    path: Path, asked: _Asked, columns: str | None, target: str | None, left: list[str]
) -> tuple[dict[str, Array], str, str]:
    """The arrays of a table, how its columns were read, and a line about it; columns that are `left` out
    aren't. A table after that of the training is read as that one was (`columns`); if the training had none,
    it can't have text in it."""
    if not columns:
        cells = _without(_cells(path, None), left)
        arrays, found = _read_columns(cells, asked, target)
        text = next((c for c in found.columns if c.values is not None), None)
        if columns is not None and text is not None:
            raise DataError(
                f"column {_quoted(text.name)} holds text, and the network wasn't trained on a table that "
                "says what its values stand for: give numbers"
            )
        return arrays, found.text(), _said(found, asked, len(cells.rows), left)
    known = _columns_from(columns)
    cells = _cells(path, known.headed)
    arrays = _read_again(cells, asked, known)
    unread = [n for n in cells.names if known.headed and n not in {c.name for c in known.columns}]
    found = _Columns(known.headed, tuple(c for c in known.columns if c.tensor in arrays))
    return arrays, columns, _said(found, asked, len(cells.rows), unread)


def _put(path: Path, outputs: dict[str, Any], columns: str = "") -> None:
    """Writes outputs to an archive, or to a table with a line for each example."""
    if path.suffix.lower() not in _TABLES:
        _write_whole(path, outputs)
        return
    known = _columns_from(columns) if columns else _Columns(True, ())
    named = _outputs_by_column(outputs, known, TARGETS)
    _replace_whole(path, lambda file: _write_rows(file, named, path.suffix.lower() == ".tsv"))


def _write_rows(file: Any, named: dict[str, Array], tabs: bool) -> None:
    """Writes columns as lines, some after the other."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text, delimiter="\t" if tabs else ",", lineterminator="\n")
    writer.writerow(named)
    for start in range(0, max(map(len, named.values()), default=0), 4096):
        columns = (column[start : start + 4096].tolist() for column in named.values())
        writer.writerows(zip(*columns, strict=True))
    text.flush()
    text.detach()
