"""Training until the loss of the validation data improves no more.

Enters: a state and data. Leaves: a history, and the state with the best parameters. Must not know: the target
that computes. It stands for `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.steps.refusing import NotFinite
from symbp.runtime.common.training.best import _Best
from symbp.runtime.common.training.epochs import _epochs
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.stopping import _Stop


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    patience: int | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.

    With `patience` it ends when the loss of `validation` has not improved for so many epochs, and the state
    goes back to the best of them, whose record then says `best`.
    """
    if patience is not None and (patience < 1 or validation is None):
        raise DataError(f"patience ({patience}) must be at least 1, and needs validation data")
    best = _Best()
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        try:
            for record in _epochs(state, data, epochs, batch_size, validation, stop):
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
