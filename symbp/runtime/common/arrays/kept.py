"""The workspaces that calls without a state use again.

Enters: nothing. Leaves: a place for them. Must not know: what they hold.
"""

from __future__ import annotations

import threading
from typing import Any


class _Kept(threading.local):
    """The workspaces of the sizes met last; each thread has its own."""

    def __init__(self) -> None:
        self.workspaces: dict[Any, Any] = {}


_KEPT = _Kept()
