"""The embedded data sets, and reading a user's own.

Enters: nothing, or the path of a `.npz` file. Leaves: mappings from names to arrays, one row an example.
Must not know: networks, derivation, targets; which array means what is the network's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from symbp.errors import DataError

Data = dict[str, "np.ndarray[Any, Any]"]


def digits() -> Data:
    """1,797 handwritten digits: `x` is float64 (1797, 64) from 0 to 1, `y` is int64 (1797,) from 0 to 9.

    The test part of Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998, UCI, CC BY 4.0).
    """
    with (
        resources.files(__package__).joinpath("files/digits.npz").open("rb") as file,
        np.load(file) as stored,
    ):
        return {"x": stored["x"] / 16.0, "y": stored["y"].astype(np.int64)}


def load(path: str | Path) -> Data:
    """The arrays of a `.npz` file by name, sorted. Raises DataError: no such file, not an `.npz` of plain
    arrays, or an array of a kind that no network can read."""
    where = str(path)
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            raise DataError(
                "the data file holds one unnamed array", where=where, help="save it by np.savez(path, x=…)"
            )
        with stored:
            data = {name: stored[name] for name in sorted(stored.files)}
    except FileNotFoundError:
        raise DataError("there is no such data file", where=where) from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(
            "the data file is not a .npz archive of plain arrays",
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


def split(data: Mapping[str, Any], held_out: int | None = None, seed: int = 0) -> tuple[Data, Data]:
    """(what to train on, what is held out): the first `held_out` examples of a seeded permutation are held
    out, a fifth by default (359 of the 1,797 digits).

    Raises DataError when the arrays differ in their numbers of examples, or too few would be left.
    """
    lengths = {len(array) if np.ndim(array) else -1 for array in data.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError(
            "the arrays have different numbers of examples",
            details=tuple(f"{name}: {np.shape(array)}" for name, array in data.items()),
            help="the first axis of each array counts the examples",
        )
    count = lengths.pop()
    held_out = count // 5 if held_out is None else held_out
    if not 0 < held_out < count:
        raise DataError(
            f"cannot hold out {held_out} of {count} examples",
            help="give at least five examples, or another number",
        )
    order = np.random.default_rng(seed).permutation(count)
    held, kept = order[:held_out], order[held_out:]
    return {n: a[kept] for n, a in data.items()}, {n: a[held] for n, a in data.items()}
