"""Runs somebody's code on copies, and says where it fails.

Enters: a function, arguments. Leaves: what it returned, and which arguments it changed.
Must not know: what the arguments mean.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symbp.errors import Origin, SymbpError, UsageError

Array = np.ndarray[Any, Any]
PACKAGE = str(Path(__file__).parents[2])  # its frames are no lines of the user's


@dataclass(frozen=True)
class Ran:
    """What a function returned; `changed` are the names of arguments that it wrote to."""

    value: Any
    changed: tuple[str, ...] = ()


def ran(
    name: str,
    function: Callable[..., Any],
    positional: Sequence[Any] = (),
    named: Mapping[str, Any] | None = None,
    watched: Mapping[str, Array] | None = None,
) -> Ran:
    """Calls a function. Raises UsageError where it raises, with the line of its file. `watched` are the
    arrays among its arguments, by name."""
    before = {key: array.copy() for key, array in (watched or {}).items()}
    value = guarded(name, lambda: function(*positional, **(named or {})), watched or {})
    changed = [key for key, array in (watched or {}).items() if not _same(array, before[key])]
    return Ran(value, tuple(changed))


def guarded(name: str, run: Callable[[], Any], arguments: Mapping[str, Array] | None = None) -> Any:
    """What a call returns; warnings of its arithmetic stay quiet. Raises UsageError where it raises."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    except SymbpError:
        raise
    except Exception as error:
        shapes = [f"{key}: {_shown(value)}" for key, value in (arguments or {}).items()]
        raise UsageError(
            f"{name} fails with {type(error).__name__}: {error}",
            where=line_of(error),
            details=("it was given", *shapes) if shapes else (),
        ) from error


def line_of(error: BaseException) -> Origin | None:
    """The last line of somebody's own file that an exception went through: no library's, none of symbp's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    if not frames:
        return None
    return Origin(frames[-1].filename, frames[-1].lineno or 0, frames[-1].line or "")


def _is_own(file: str) -> bool:
    return not file.startswith((PACKAGE, "<")) and "site-packages" not in file


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


def _shown(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else repr(value)


def short(function: Any) -> str:
    """What a report calls a function."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", type(function).__name__)
    return str(name).rpartition("<locals>.")[2]
