"""What a peer prepares: a row's training step, from the row's parameters and data.

Enters: a row and a dtype. Leaves: `Step`. Must not know: how steps are timed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.layouts import Arrays


class CannotError(Exception):
    """The peer has no form of this row, and why."""


@dataclass(frozen=True)
class Step:
    """`take` makes one step in place and returns the loss before it; `gradients`, where the peer keeps them,
    gives those of the last step under the row's names."""

    take: Callable[[], float]
    gradients: Callable[[], Arrays] | None = None
    notes: str = ""
