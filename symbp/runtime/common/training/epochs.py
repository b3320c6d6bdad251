"""Epochs: shuffled batches, validation, a clean stop.

Enters: a state and data. Leaves: a record of each epoch, and the state trained. Must not know: the
target that computes, when training ends. `epochs_kept` stands for it where checkpoints are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.at_once import _all_checked
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.steps.stepping import _step
from symbp.runtime.common.steps.steps import _step_data
from symbp.runtime.common.training.calls import evaluate
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.stopping import _batches, _Stop
from symbp.runtime.network import BATCH, Array


def _epoch(state: State, data: Mapping[str, Array], size: int, count: int, stop: _Stop) -> float:
    """One pass over `count` examples in an order drawn anew, or up to a stop; the mean of the loss."""
    total, seen = 0.0, 0
    order = np.random.default_rng([state.seed, state.step]).permutation(count)
    for batch in _batches(data, size, order):
        if stop.asked:
            break
        examples = min(size, count - seen)
        total += _step(state, *_step_data(state, batch)) * examples
        seen += examples
    return total / max(seen, 1)


def _epochs(
    state: State,
    data: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None,
    stop: _Stop,
) -> Iterator[dict[str, Any]]:
    """Trains in place and gives a record after each epoch; a stop that is asked for ends it."""
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _all_checked(data, sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    if not count:
        raise DataError(f"the data have no elements along the axis {BATCH}")
    for number in range(1, epochs + 1):
        started = time.perf_counter()
        record: dict[str, Any] = {"epoch": number, "loss": _epoch(state, whole, batch_size, count, stop)}
        if validation is not None and not stop.asked:
            found = evaluate(state.params, state.buffers, **validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        record["seconds"] = time.perf_counter() - started
        if stop.asked:
            record["interrupted"] = True
        yield record
        if stop.asked:  # perhaps while the caller looked at the record
            record["interrupted"] = True
            return
