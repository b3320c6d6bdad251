"""How random tensors are drawn, as the part that gives them sees it: the targets write it, never spliced.

Enters: nothing. Leaves: declarations. Must not know: any target.
"""

from __future__ import annotations

from typing import Any

from symbp.emit.parts.program import Array


def _draw(out: Array, kind: str, p: float, key: int, kept: dict[Any, Array]) -> None:
    raise NotImplementedError
