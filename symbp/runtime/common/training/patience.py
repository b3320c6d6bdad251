"""Training until the loss of the validation data improves no more.

Enters: a state and data. Leaves: a history, and the state with the best parameters. Must not know: the target
that computes. It stands for `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbp.runtime.common.training.best import _until_no_better
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

    def records(stop: _Stop) -> Iterator[dict[str, Any]]:
        return _epochs(state, data, epochs, batch_size, validation, stop)

    return _until_no_better(state, records, validation, patience, callback)
