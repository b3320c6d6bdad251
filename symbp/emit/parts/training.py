"""Training over epochs: shuffled batches, validation, a clean stop on Ctrl-C.

Enters: a state and data. Leaves: a history, and the state trained. Must not know: the target that computes.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symbp.emit.parts.arrays import DataError, _checked
from symbp.emit.parts.program import BATCH, INPUTS, Array
from symbp.emit.parts.state import NotFinite, State, evaluate, train_step


# <patience>
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


# </patience>
class _Stop:
    """Turns the first Ctrl-C into a flag, so that no update is cut in two; the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> _Stop:
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: Any) -> None:  # noqa: ARG002
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    # <patience>
    patience: int | None = None,
    # </patience>
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.
    # <patience>

    With `patience` it ends when the loss of `validation` has not improved for so many epochs, and the state
    goes back to the best of them, whose record then says `best`.
    # </patience>
    """
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    # <patience>
    if patience is not None and (patience < 1 or validation is None):
        raise DataError(f"patience ({patience}) must be at least 1, and needs validation data")
    best = _Best()
    # </patience>
    sizes = dict(state.sizes)
    whole = _checked(data, tuple(INPUTS), sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        for epoch in range(1, epochs + 1):
            started, total, seen = time.perf_counter(), 0.0, 0
            order = np.random.default_rng([state.seed, state.step]).permutation(count)
            for batch in _batches(whole, batch_size, order):
                if stop.asked:
                    break
                examples = min(batch_size, count - seen)
                try:
                    total += train_step(state, **batch) * examples
                except NotFinite as failure:
                    failure.history = history
                    raise
                seen += examples
            record: dict[str, Any] = {"epoch": epoch, "loss": total / max(seen, 1)}
            if validation is not None and not stop.asked:
                found = evaluate(state.params, state.buffers, **validation)
                record.update({f"validation_{k}": v for k, v in found.items()})
            record["seconds"] = time.perf_counter() - started
            if stop.asked:
                record["interrupted"] = True
            history.append(record)
            # <patience>
            if patience is not None and "validation_loss" in record:
                stop.asked = best.meets(record, state) >= patience or stop.asked
            # </patience>
            if (callback is not None and callback(record) is True) or stop.asked:
                break
    # <patience>
    if patience is not None and best.kept is not None:
        best.restore(state)
        history[best.epoch - 1]["best"] = True
    # </patience>
    return history
