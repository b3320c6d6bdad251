"""Training of a short module over epochs.

Enters: a state and data. Leaves: a history, and the state trained. Must not know: the network.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from symbp.runtime.network import BATCH, INPUTS
from symbp.runtime.numpy.short.core import DataError, State, _checked, train_step
from symbp.runtime.numpy.short.measuring import evaluate


@contextmanager
def _stop() -> Iterator[list[int]]:
    """Notes Ctrl-C and SIGTERM, so that no update is cut in two; the second one interrupts."""
    asked, own = list[int](), threading.current_thread() is threading.main_thread()
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if own}
    usual = {number: handler for number, handler in usual.items() if handler not in (signal.SIG_IGN, None)}
    for number in usual:
        signal.signal(number, lambda *got: signal.default_int_handler(*got) if asked else asked.append(1))
    try:
        yield asked
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; a record of each epoch. Ctrl-C ends it after a step, a callback by returning True."""
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    arrays, sizes = _checked(data, INPUTS, {})
    count, history = sizes[BATCH] if BATCH else 1, list[dict[str, Any]]()
    with _stop() as asked:
        for epoch in range(1, epochs + 1):
            order, total = np.random.default_rng([state.seed, state.step]).permutation(count), 0.0
            for start in range(0, count, batch_size):
                chosen = order[start : start + batch_size]
                batch = {n: a[chosen] if INPUTS[n][:1] == (BATCH,) else a for n, a in arrays.items()}
                total += train_step(state, **batch) * len(chosen)
                if asked:
                    return [*history, {"epoch": epoch, "interrupted": True}]
            record: dict[str, Any] = {"epoch": epoch, "loss": total / count}
            if validation is not None:
                record |= {f"validation_{n}": v for n, v in evaluate(state.params, **validation).items()}
            history.append(record)
            if callback is not None and callback(record) is True:
                break
    return history
