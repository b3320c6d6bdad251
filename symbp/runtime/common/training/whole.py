"""Archives of arrays, written whole or not at all, and read without trust.

Enters: arrays by name, a path. Leaves: a file, or arrays. Must not know: what they are.
"""

from __future__ import annotations

import glob
import io
import math
import os
import platform
import secrets
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import Array

_MOST, _TIMES = 2**30, 200  # bytes, and times its own length, that a compressed array may take


def _write_whole(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes an .npz; a file that is there is replaced whole or not at all, also where the process is killed
    or the power fails. What a process that was killed has left is removed."""
    _replace_whole(path, lambda file: np.savez(file, **arrays))


def _replace_whole(path: str | os.PathLike[str], write: Callable[[Any], object]) -> None:
    """Has a file written beside its place, syncs it, and moves it there."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise DataError(f"{path} is no file that could be replaced")
    _clear(target)
    temporary = target.with_name(f"{_stem(target)}{_here()}-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        _move(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system can do that to a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _stem(target: Path) -> str:
    """How the names of a file's temporary ones begin; file systems have names of some 255 bytes."""
    return f"{target.name[:50]}."


def _clear(target: Path) -> None:
    """Removes what processes have left that were killed: of this machine those that run no more; whether one
    of another runs nobody can tell, but that a file has not been written to for a day."""
    with suppress(OSError):
        for left in target.parent.glob(f"{glob.escape(_stem(target))}*.part"):
            place, _, process = left.name[len(_stem(target)) :].rpartition("-")[0].partition("-")
            if process.isdecimal():
                own = place == _here()
                old = left.stat().st_mtime < time.time() - 86400
                if (own and not _runs(int(process))) or (not own and old):
                    left.unlink(missing_ok=True)


def _here() -> str:
    """Where the numbers of processes are those of this one: on this machine, in this container."""
    counted = ""
    with suppress(OSError):
        counted = os.readlink("/proc/self/ns/pid")
    return f"h{zlib.crc32(f'{platform.node()} {counted}'.encode()):08x}"


def _move(temporary: Path, target: Path) -> None:
    """Puts a file in the place of another. Windows refuses that while anybody reads the other one (a scanner
    does for a moment)."""
    for pause in (0.01, 0.1, 1.0, None):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            if os.name != "nt" or pause is None:
                raise
            time.sleep(pause)


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
    """The arrays of an .npz, those of `wanted` that it has. Nothing is made that is larger than what is in
    the file, whatever is promised there."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            chosen = names if wanted is None else [name for name in wanted if name in names]
            return {name: _member(archive, archive.getinfo(names[name])) for name in chosen}
    except OSError:
        raise
    except Exception as failure:  # whatever the readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    """An array of an archive, compressed or not."""
    name, held = member.filename, member.file_size
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is encrypted, or compressed in a way that NumPy doesn't use")
    if held > _MOST and held > _TIMES * member.compress_size:
        raise DataError(f"{name} would be {held} bytes, out of {member.compress_size}")
    return _array(name, archive.read(member))


def _array(name: str, content: bytes) -> Array:
    """An array as a view of what an .npy file holds."""
    head = io.BytesIO(content)
    shape, by_columns, dtype = _head(name, head)
    _refuse_promises(name, shape, dtype, len(content) - head.tell())
    found = np.frombuffer(content, dtype, offset=head.tell())
    return found.reshape(shape, order="F" if by_columns else "C")


def _head(name: str, file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape, the order and the type that the head of an .npy file tells."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{name} has version {version}")
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    return read(file)


def _refuse_promises(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], held: int) -> None:
    """Refuses an array that promises more, or less, than is there, or holds records."""
    if dtype.hasobject or dtype.kind == "V":
        raise DataError(f"{name} holds {dtype}, not numbers")
    if min(shape, default=0) < 0 or dtype.itemsize * math.prod(shape) != held:
        raise DataError(f"{name} promises {dtype} of shape {shape}, and has {held} bytes")
