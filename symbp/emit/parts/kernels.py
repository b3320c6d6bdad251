"""The kernels as the parts of the Numba target call them: declarations, never spliced.

Enters: nothing. Leaves: types. Must not know: any network.
"""

from __future__ import annotations

from typing import Any


def _forward(*arrays: Any) -> None:
    raise NotImplementedError


def _inference(*arrays: Any) -> None:
    raise NotImplementedError


def _evaluate(*arrays: Any) -> None:
    raise NotImplementedError


def _loss_and_gradients(*arrays: Any) -> float:
    raise NotImplementedError


def _replay(*arrays: Any) -> None:
    raise NotImplementedError


def _flops(*sizes: int) -> int:
    raise NotImplementedError


def _train_step_in_chunks(*arrays: Any) -> tuple[float, bool]:
    raise NotImplementedError


def _train_step(*arrays: Any) -> tuple[float, bool]:
    raise NotImplementedError


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
