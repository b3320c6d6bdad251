"""Epochs that go on where a checkpoint was written, and write some.

Enters: a state and data. Leaves: a record of each epoch, the state trained, files. Must not know: the
target that computes, when training ends. It stands for `epochs`.
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
from symbp.runtime.common.training.checkpoints import _Course
from symbp.runtime.common.training.saving import _named
from symbp.runtime.common.training.state import State
from symbp.runtime.common.training.stopping import _batches, _Stop
from symbp.runtime.network import BATCH, Array


def _epoch(
    state: State, data: Mapping[str, Array], size: int, count: int, stop: _Stop, course: _Course
) -> float:
    """One pass over `count` examples, what is left of it, or up to a stop; the mean of the loss."""
    if course.batch == 0:
        course.start = state.step
    order = np.random.default_rng([state.seed, course.start]).permutation(count)
    for batch in _batches(data, size, order[course.batch * size :]):
        if stop.asked:
            break
        examples = min(size, count - course.batch * size)
        course.total += _step(state, *_step_data(state, batch)) * examples
        course.batch += 1
        if course.every_steps and state.step % course.every_steps == 0:
            course.write(state)
    return course.total / max(min(course.batch * size, count), 1)


def _epochs(
    state: State,
    data: Mapping[str, Any],
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None,
    stop: _Stop,
) -> Iterator[dict[str, Any]]:
    """Trains in place and gives a record after each epoch, those before a checkpoint, too; a stop that is
    asked for ends it."""
    course, state.course = state.course or _Course(), None
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _all_checked(data, sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    if not count:
        raise DataError(f"the data have no elements along the axis {BATCH}")
    course.begin(whole, batch_size, epochs, state)
    course.write(state)  # what can't be written is known now
    yield from _before(state, course)
    for number in range(len(course.records) + 1, epochs + 1):
        started = time.perf_counter()
        loss = _epoch(state, whole, batch_size, count, stop, course)
        record: dict[str, Any] = {"epoch": number, "loss": loss}
        cut = stop.asked
        if validation is not None and not cut:
            found = evaluate(state.params, state.buffers, **validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        record["seconds"] = time.perf_counter() - started
        if not cut:
            course.ended(record, state)
        if cut or number % course.every == 0 or number == epochs:
            course.write(state)
        if stop.asked:
            record["interrupted"] = True
        yield record
        if stop.asked:  # perhaps while the caller looked at the record
            record["interrupted"] = True
            return


def _before(state: State, course: _Course) -> Iterator[dict[str, Any]]:
    """The records before a checkpoint; meanwhile the state is the best one, for those who keep that."""
    arrays = _named(state)
    now = {name.removeprefix("best."): arrays[name.removeprefix("best.")].copy() for name in course.best}
    for name in now:
        arrays[name][...] = course.best[f"best.{name}"]
    try:
        yield from map(dict, course.records)
    finally:
        for name, array in now.items():
            arrays[name][...] = array
