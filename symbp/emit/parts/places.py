"""Where arrays lie, as the part that makes them sees it: declarations, never spliced.

Enters: nothing. Leaves: types. Must not know: any network.
"""

from __future__ import annotations

OPEN_SIZES: tuple[str, ...]
POSITIONS: tuple[str, ...]
ONES: tuple[str, ...]


def _places(*sizes: int) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    raise NotImplementedError
