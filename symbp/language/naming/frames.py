"""Where the user is: the line that declares something, and the variables that hold it.

Enters: the call stack. Leaves: an `Origin`, or the user's variables in a stable order.
Must not know: tensors, or anything of a network.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator
from types import FrameType

from symbp.errors import Origin

_PACKAGE = __name__.partition(".")[0]
_USERS = f"{_PACKAGE}.gallery."  # gallery files are written as a user would write them


def caller() -> FrameType | None:
    """The innermost frame that isn't symbp's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] != _PACKAGE or module.startswith(_USERS):
            return frame
        frame = frame.f_back
    return None


def here() -> Origin | None:
    """The user's line that is being executed."""
    frame = caller()
    if frame is None:
        return None
    file, line = frame.f_code.co_filename, frame.f_lineno
    return Origin(file, line, linecache.getline(file, line).strip())


def variables(frame: FrameType | None) -> Iterator[tuple[str, object]]:
    """The variables that the frame sees and that don't start with an underscore: its own, in the order
    in which they were defined, then those of its file."""
    if frame is None:
        return
    scopes = [frame.f_locals] if frame.f_locals is frame.f_globals else [frame.f_locals, frame.f_globals]
    for scope in scopes:
        for name, value in list(scope.items()):
            if not name.startswith("_"):
                yield name, value
