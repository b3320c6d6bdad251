"""What `vectors` makes when kernels are compiled, as `products` sees it: declarations, no module takes them.

Enters: nothing. Leaves: types. Must not know: anything.
"""

from __future__ import annotations


def _tile(*numbers: int) -> None:
    raise NotImplementedError


def _narrow_tile(*numbers: int) -> None:
    raise NotImplementedError


def _turn(to: int, start: int, size: int) -> None:
    raise NotImplementedError


def _copy_row(to: int, start: int, wide: int) -> None:
    raise NotImplementedError


def _copy(to: int, start: int) -> None:
    raise NotImplementedError


def _room() -> int:
    raise NotImplementedError
