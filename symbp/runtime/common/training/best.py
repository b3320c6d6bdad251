"""The best parameters of a training so far, and a training that ends when they get no better.

Enters: records of epochs, a state. Leaves: a history, the state as it was at its best. Must not know: the
target that computes, where records come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.steps.refusing import NotFinite
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.stopping import _Stop
from symbp.runtime.network import Array


class _Best:
    """The parameters and buffers with the smallest loss on the validation data."""

    def __init__(self) -> None:
        self.loss, self.epoch = math.inf, 0
        self.kept: tuple[Array, dict[str, Array]] | None = None

    def meets(self, record: Mapping[str, Any], state: State) -> int:
        """Notes an epoch; how many epochs ago the best one was."""
        if record["validation_loss"] < self.loss:
            self.loss, self.epoch = record["validation_loss"], record["epoch"]
            self.kept = state.params.flat.copy(), {n: a.copy() for n, a in state.buffers.items()}
        return int(record["epoch"] - self.epoch)

    def restore(self, state: State) -> None:
        """Puts the best parameters and buffers back."""
        if self.kept is not None:
            state.params.flat[:] = self.kept[0]
            for name, array in self.kept[1].items():
                state.buffers[name][...] = array


def _until_no_better(
    state: State,
    records: Callable[[_Stop], Iterator[dict[str, Any]]],
    validation: Mapping[str, Any] | None,
    patience: int | None,
    callback: Callable[[dict[str, Any]], object] | None,
) -> list[dict[str, Any]]:
    """The history of epochs until the last one, until a callback returns True, or until the validation loss
    has not improved for so many; the state then goes back to the best one."""
    if patience is not None and (patience < 1 or validation is None):
        raise DataError(f"patience ({patience}) must be at least 1, and needs validation data")
    best = _Best()
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        try:
            for record in records(stop):
                history.append(record)
                over = False
                if patience is not None and "validation_loss" in record:
                    over = best.meets(record, state) >= patience
                if (callback is not None and callback(record) is True) or over:
                    break
        except NotFinite as failure:
            failure.history = history
            raise
    if patience is not None and best.kept is not None:
        best.restore(state)
        history[best.epoch - 1]["best"] = True
    return history
