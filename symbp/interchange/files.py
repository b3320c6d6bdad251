"""Files that are written whole or not at all, and what reading one may fail with.

Enters: paths, bytes, readers. Leaves: files, values, or an error that says what is wrong with a file.
Must not know: formats.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from symbp.errors import DataError, GenerationError, UsageError

T = TypeVar("T")


def library(name: str, extra: str) -> Any:
    """A library that an extra brings. Raises UsageError where it isn't installed."""
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(
            f"this needs the library {name.partition('.')[0]}, which isn't installed",
            help=f'install it: pip install "symbp[{extra}]"',
        ) from None


def write_whole(path: str | os.PathLike[str], content: bytes, *, force: bool = False) -> Path:
    """Writes a file beside its place, syncs it, and moves it there. Raises GenerationError: a file that is
    there already, unless `force` is set, and whatever the disk refuses."""
    target = Path(path)
    if target.exists() and not force:
        raise GenerationError(
            "the output file exists already",
            where=str(target),
            help="choose another name, or overwrite it: --force (force=True)",
        )
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(
            dir=target.absolute().parent, prefix=f"{target.name}.", suffix=".part"
        )
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_usual_mode())  # temporary files are for their owner alone
        os.replace(temporary, target)
    except OSError as failure:
        raise GenerationError(f"the file can't be written: {failure.strerror}", where=str(target)) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return target


def _usual_mode() -> int:
    """The mode that this process gives to new files."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def read_with(reader: Callable[[Path], T], path: str | os.PathLike[str], kind: str) -> T:
    """What a library's reader makes of a file. Raises DataError for whatever it raises: a damaged file may
    fail anywhere."""
    where = Path(path)
    if not where.is_file():
        raise DataError("there is no such file", where=str(where))
    try:
        return reader(where)
    except DataError:
        raise
    except OSError as failure:
        raise DataError(f"the file can't be read: {failure.strerror or failure}", where=str(where)) from None
    except Exception as failure:
        told = (str(failure).splitlines() or [type(failure).__name__])[0]
        raise DataError(f"this is no {kind}: {told[:200]}", where=str(where)) from None
