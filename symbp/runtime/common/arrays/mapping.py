"""Arrays of files, the large ones mapped: read from the disk when their rows are.

Enters: paths of .npy and .npz files, or of a folder of .npy files. Leaves: arrays by name. Must not know:
networks.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.training.whole import _array, _head, _member, _refuse_promises
from symbp.runtime.network import Array

_MAPPED_FROM = 2**28  # bytes from which an array stays in its file


def _mapped(path: Path, wanted: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz, or of the .npy files of a folder, those of `wanted` that are there."""
    try:
        if path.is_dir():
            files = {file.stem: file for file in sorted(path.glob("*.npy"))}
            return {n: _mapped_one(f) for n, f in files.items() if wanted is None or n in wanted}
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in sorted(archive.namelist())}
            return {
                name: _mapped_member(path, archive, archive.getinfo(member))
                for name, member in names.items()
                if wanted is None or name in wanted
            }
    except (OSError, DataError):
        raise
    except Exception as failure:  # whatever the readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure


def _mapped_one(path: Path) -> Array:
    """The array of an .npy file."""
    held = path.stat().st_size
    try:
        return (
            _array(path.name, path.read_bytes()).copy() if held < _MAPPED_FROM else _in_place(path, 0, held)
        )
    except (OSError, DataError):
        raise
    except Exception as failure:
        raise DataError(f"{path} is no whole .npy file: {failure}") from failure


def _mapped_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """An array of an .npz; mapped if it is large and not compressed."""
    plain = not member.flag_bits & 1 and member.compress_type == zipfile.ZIP_STORED
    if not plain or member.file_size < _MAPPED_FROM:
        return _member(archive, member).copy()
    with path.open("rb") as file:
        file.seek(member.header_offset)
        local = file.read(30)
    if local[:4] != b"PK\x03\x04":
        raise DataError(f"{path} has no {member.filename} where its directory says")
    start = member.header_offset + 30 + sum(int.from_bytes(local[k : k + 2], "little") for k in (26, 28))
    return _in_place(path, start, member.file_size)


def _in_place(path: Path, start: int, held: int) -> Array:
    """An array that stays where it is in a file, for reading alone."""
    with path.open("rb") as file:
        file.seek(start)
        shape, by_columns, dtype = _head(path.name, file)
        first = file.tell()
    _refuse_promises(path.name, shape, dtype, held - (first - start))
    if first + (held - (first - start)) > path.stat().st_size:
        raise DataError(f"{path} ends before its array does")
    return np.memmap(path, dtype, "r", first, shape, "F" if by_columns else "C")
