"""Training of a short module over epochs.

Enters: a state and data. Leaves: a history, and the state trained. Must not know: the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import BATCH, INPUTS
from symbp.runtime.numpy.short.core import DataError, State, _checked, train_step
from symbp.runtime.numpy.short.measuring import evaluate


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`. A callback that
    returns True ends it."""
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    arrays, sizes = _checked(data, INPUTS, {})
    count, history = sizes[BATCH] if BATCH else 1, list[dict[str, Any]]()
    for epoch in range(1, epochs + 1):
        order, total = np.random.default_rng([state.seed, state.step]).permutation(count), 0.0
        for start in range(0, count, batch_size):
            chosen = order[start : start + batch_size]
            batch = {n: a[chosen] if INPUTS[n][:1] == (BATCH,) else a for n, a in arrays.items()}
            total += train_step(state, **batch) * len(chosen)
        record: dict[str, Any] = {"epoch": epoch, "loss": total / count}
        if validation is not None:
            found = evaluate(state.params, **validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        history.append(record)
        if callback is not None and callback(record) is True:
            break
    return history
