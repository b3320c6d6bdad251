"""Training until the last epoch.

Enters: a state and data. Leaves: a history, and the state trained. Must not know: the target that computes.
`patience` stands for it where training may end early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symbp.runtime.common.steps.refusing import NotFinite
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
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.
    """
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        try:
            for record in _epochs(state, data, epochs, batch_size, validation, stop):
                history.append(record)
                if callback is not None and callback(record) is True:
                    break
        except NotFinite as failure:
            failure.history = history
            raise
    return history
