"""Reading a user's own data: arrays by name, or one table of numbers.

Enters: the path of a `.npz`, `.npy` or `.csv` file. Leaves: a mapping from names to arrays; a table that has
no names goes under the name `TABLE`. Must not know: networks, which array means what.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from symbp.errors import DataError, meant_file

Data = dict[str, "np.ndarray[Any, Any]"]
TABLE = ""  # the name of arrays that come without one: no tensor is called so


def load(path: str | Path) -> Data:
    """The arrays of a file: of an `.npz` by name, sorted, and so of a folder of `.npy` files; of a `.csv`
    with a head line its columns by name; of an `.npy`, or a `.csv` of numbers alone, one array under `TABLE`.
    Large arrays that aren't compressed stay in their files, from which rows are read when they are needed.

    Raises DataError: no such file, not a file of plain arrays, or an array of a kind that no network can
    read."""
    where = str(path)
    try:
        data = _table(Path(path)) if where.lower().endswith(".csv") else _arrays(Path(path))
    except FileNotFoundError:
        raise DataError("there is no such data file", where=where, help=meant_file(path)) from None
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(
            "the data file is not a .npz archive of plain arrays, an .npy array or a .csv table of numbers",
            where=where,
            details=(str(error),),
            help="write it by numpy.savez(path, x=…, y=…), with the names of the network's inputs",
        ) from None
    for name, array in data.items():
        if array.dtype.kind not in "fiub":
            raise DataError(
                f"array {name!r} holds {array.dtype}, which is not a number", where=where,
                help="store floats for real tensors and integers for labels",
            )  # fmt: skip
    if not data:
        raise DataError("the data file holds no array", where=where)
    return data


def _arrays(path: Path) -> Data:
    """The arrays of an archive or a folder, read as modules read them; of images in a folder, as arrays."""
    from symbp.runtime.common.arrays.mapping import _mapped, _mapped_one

    if path.is_dir():
        from symbp.data.images import images, is_of_images

        return images(path) if is_of_images(path) else _mapped(path)
    with path.open("rb") as file:
        alone = file.read(6) == b"\x93NUMPY"
    return {TABLE: _mapped_one(path)} if alone else _mapped(path)


def _table(path: Path) -> Data:
    """A comma-separated table, its columns by the names of the first line if that is not all numbers."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = [row for row in csv.reader(file) if row]
        except csv.Error as failure:
            raise ValueError(str(failure)) from None
    if not rows:
        raise ValueError("the table is empty")
    head = None if all(map(_is_number, rows[0])) else [name.strip() for name in rows.pop(0)]
    for line, row in enumerate(rows, start=2 if head else 1):
        wrong = [cell for cell in row if not _is_number(cell)]
        if wrong or len(row) != len(head or rows[0]):
            raise ValueError(
                f"row {line}: {wrong[0]!r} is no number" if wrong else f"row {line}: {len(row)} cells"
            )
    table = np.array([[float(cell) for cell in row] for row in rows]).reshape(len(rows), -1)
    if head is None:
        return {TABLE: table}
    return {name: table[:, column] for column, name in enumerate(head)}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
