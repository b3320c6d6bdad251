"""Lines over whole arrays, and what they rest on.

Enters: nothing (types only). Leaves: `ArrayLines`. Must not know: passes.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.targets.compiled.levels import Lines
from symbp.targets.numpy.arena_update import ArenaUpdate
from symbp.targets.numpy.stages import Stages


@dataclass(frozen=True, kw_only=True)
class ArrayLines(Lines):
    """The lines of a NumPy module: its `stages`, and its `update` where that goes over arenas in blocks."""

    stages: Stages
    update: ArenaUpdate | None = None
