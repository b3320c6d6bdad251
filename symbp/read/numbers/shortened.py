"""Which elements of a long axis are shown, and so which need a value of their own.

Enters: the length of an axis. Leaves: places. Must not know: arrays, formats.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

LONGEST = 6  # an axis up to this length is shown whole
FIRST = 3  # of a longer one so many from its start, and the last


def places(length: int) -> list[int]:
    """The places that are shown, in order."""
    return list(range(length)) if length <= LONGEST else [*range(FIRST), length - 1]


def shown_elements(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """The elements of an array that are shown where its long axes are shortened."""
    return list(itertools.product(*map(places, shape)))
