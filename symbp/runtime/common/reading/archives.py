"""Data from archives of arrays alone.

Enters: a parser, paths. Leaves: arrays by name; a file of outputs. Must not know: what is computed. `tables`
stands for it where a module reads tables, too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.reading.stored import _stored
from symbp.runtime.common.training.whole import _write_whole
from symbp.runtime.network import Array

_DATA = "FILE.npz"


def _column_option(parser: argparse.ArgumentParser) -> None:
    """Archives have no columns."""


def _words_in(path: Path, name: str) -> list[str]:
    """The cells of a table's column."""
    raise DataError(f"{name} would be a column of a table: generate this module --with tables")


def _read(
    path: Path,
    names: tuple[str, ...],
    columns: str | None = None,
    options: argparse.Namespace | None = None,
) -> tuple[dict[str, Array], str]:
    """The arrays of a file that carry the names of input tensors, and what is kept of a table's columns."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module reads .npz files; for tables, generate it --with tables")
    return _stored(path, names, columns)


def _put(path: Path, outputs: dict[str, Any], columns: str = "") -> None:
    """Writes outputs to an archive."""
    if path.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{path}: this module writes .npz files; for tables, generate it --with tables")
    _write_whole(path, outputs)
