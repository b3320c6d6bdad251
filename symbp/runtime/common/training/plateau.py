"""Training at a rate that follows the loss, until the last epoch or until the loss improves no more.

Enters: a state and data. Leaves: a history, and the state trained. Must not know: the target that computes,
how the rate follows. It stands for `fit` and `patience`.

What is kept from epoch to epoch rests on the losses alone: where a checkpoint's epochs come first, it is
found again from these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from symbp.runtime.common.training.best import _until_no_better
from symbp.runtime.common.training.epochs import _epochs
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.stopping import _Stop
from symbp.runtime.network import FOLLOWED, _follow


def _following(state: State, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Has hyperparameters follow the loss of each whole epoch, on validation data where there are some."""
    known = dict(FOLLOWED)
    state.hyper.update({n: float(v) for n, v in known.items() if n in state.hyper})
    for record in records:
        if not record.get("interrupted"):
            known = _follow(record.get("validation_loss", record["loss"]), **known)
            state.hyper.update({n: float(v) for n, v in known.items() if n in state.hyper})
        yield record


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

    The learning rate follows the loss of each epoch. With `patience` training ends when the loss of
    `validation` has not improved for so many epochs, and the state goes back to the best of them, whose
    record then says `best`.
    """

    def records(stop: _Stop) -> Iterator[dict[str, Any]]:
        return _following(state, _epochs(state, data, epochs, batch_size, validation, stop))

    return _until_no_better(state, records, validation, patience, callback)
