"""Archives of arrays, written whole or not at all, and read without trust.

Enters: arrays by name, a path. Leaves: a file, or arrays. Must not know: what they are.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import Array


def _write_whole(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes an .npz; a file that is there is replaced whole or not at all, also where the process is killed
    or the power fails. What a process that was killed has left is removed."""
    target = Path(os.path.realpath(path))
    with suppress(OSError):
        for left in target.parent.iterdir():
            owner = left.name.removeprefix(f"{target.name}.").removesuffix(".part")
            if left.name == f"{target.name}.{owner}.part" and owner.isdecimal() and not _runs(int(owner)):
                left.unlink()
    temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system can do that to a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _runs(process: int) -> bool:
    """Whether a process may be running; Windows lets nobody remove what a running one has open."""
    try:
        if os.name != "nt":
            os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return os.name != "nt"


def _read_whole(path: str | os.PathLike[str], wanted: Iterable[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz as `_write_whole` writes it, those of `wanted` that it has. Nothing is made that
    is larger than the file, whatever is promised in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            chosen = names if wanted is None else [name for name in wanted if name in names]
            return {name: _member(archive, archive.getinfo(names[name])) for name in chosen}
    except OSError:
        raise
    except Exception as failure:  # whatever the readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from None


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """An array as a view of what the file holds."""
    if member.flag_bits & 1 or member.compress_type != zipfile.ZIP_STORED:
        raise DataError(f"{member.filename} is compressed or encrypted, which np.savez does not do")
    content = archive.read(member)
    head = io.BytesIO(content)
    version = np.lib.format.read_magic(head)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{member.filename} has version {version}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read(head)
    held = len(content) - head.tell()
    if min(shape, default=0) < 0 or dtype.itemsize * math.prod(shape) != held:
        raise DataError(f"{member.filename} promises {dtype} of shape {shape}, and has {held} bytes")
    found = np.frombuffer(content, dtype, offset=head.tell())
    return found.reshape(shape, order="F" if by_columns else "C")
