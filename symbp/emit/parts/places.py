"""Where arrays lie, as the part that makes them sees it: declarations, never spliced.

Enters: nothing. Leaves: types. Must not know: any network.
"""

from __future__ import annotations

OPEN_SIZES: tuple[str, ...]
POSITIONS: tuple[str, ...]
ONES: tuple[str, ...]
BLOCKS: dict[str, int]  # how many rows a block has, by the size that counts them
FEWEST: int  # blocks that a step runs in, if not all rows at once
CUT: dict[str, int]  # how many leading axes of an array count rows


def _places(*sizes: int) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    raise NotImplementedError
