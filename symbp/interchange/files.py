"""What reading a file of another tool may fail with.

Enters: paths, readers. Leaves: values, or an error that says what is wrong with a file.
Must not know: formats.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from symbp.errors import DataError, UsageError, meant_file

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


def read_with(reader: Callable[[Path], T], path: str | os.PathLike[str], kind: str) -> T:
    """What a library's reader makes of a file. Raises DataError for whatever it raises: a damaged file may
    fail anywhere."""
    where = Path(path)
    if not where.is_file():
        raise DataError("there is no such file", where=str(where), help=meant_file(where))
    try:
        return reader(where)
    except DataError:
        raise
    except OSError as failure:
        raise DataError(f"the file can't be read: {failure.strerror or failure}", where=str(where)) from None
    except Exception as failure:
        told = (str(failure).splitlines() or [type(failure).__name__])[0]
        raise DataError(f"this is no {kind}: {told[:200]}", where=str(where)) from None
