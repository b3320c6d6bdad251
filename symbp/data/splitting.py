"""What to train on and what to hold out: at random, with as much of each class in both, or as a column says.

Enters: arrays by name, one row an example. Leaves: the same in parts. Must not know: networks, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.data.reading import Data
from symbp.errors import DataError

PARTS: Mapping[str, int] = {
    **dict.fromkeys(("train", "training", "0"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev"), 1),
    **dict.fromkeys(("test", "testing", "held out", "held-out", "held_out", "holdout", "1"), 2),
}


def split(
    data: Mapping[str, Any], held_out: int | None = None, seed: int = 0, stratify: str | None = None
) -> tuple[Data, Data]:
    """(what to train on, what is held out): the first `held_out` examples of a seeded permutation are held
    out, a fifth by default (359 of the 1,797 digits). With `stratify`, the name of an array of classes (N,),
    of each class the same share, up to rounding.

    Raises DataError when the arrays differ in their numbers of examples, or too few would be left.
    """
    count = _examples(data)
    held_out = count // 5 if held_out is None else held_out
    if not 0 < held_out < count:
        raise DataError(
            f"cannot hold out {held_out} of {count} examples",
            help="give at least five examples, or another number",
        )
    order = np.random.default_rng(seed).permutation(count)
    if stratify is not None:
        order = _by_class(order, data, stratify, held_out)
    held, kept = order[:held_out], order[held_out:]
    return _rows(data, kept), _rows(data, held)


def split_by(data: Mapping[str, Any], says: Sequence[str]) -> tuple[Data, Data, Data]:
    """(train, validation, test) as each example's word says: `train` or 0, `validation`, `test` or 1. Raises
    DataError: another word, nothing to train on or to test on."""
    words = [word.strip().lower() for word in says]
    unknown = next((k for k, word in enumerate(words) if word not in PARTS), None)
    if unknown is not None:
        raise DataError(
            f"{says[unknown]!r}, of example {unknown + 1}, says no part of the data",
            help="write train, validation or test; or 0 for train and 1 for test",
        )
    if len(words) != _examples(data):
        raise DataError(f"{len(words)} words say which part {_examples(data)} examples belong to")
    part = np.array([PARTS[word] for word in words])
    for wanted, name in ((0, "to train on"), (2, "to test on")):
        if not (part == wanted).any():
            raise DataError(f"no example is there {name}", help="mark some train, and some test")
    train, validation, test = (_rows(data, np.flatnonzero(part == k)) for k in range(3))
    return train, validation, test


def _examples(data: Mapping[str, Any]) -> int:
    """How many there are. Raises DataError: the arrays differ."""
    lengths = {len(array) if np.ndim(array) else -1 for array in data.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError(
            "the arrays have different numbers of examples",
            details=tuple(f"{name}: {np.shape(array)}" for name, array in data.items()),
            help="the first axis of each array counts the examples",
        )
    return lengths.pop()


def _rows(data: Mapping[str, Any], chosen: Any) -> Data:
    return {name: array[chosen] for name, array in data.items()}


def _by_class(order: Any, data: Mapping[str, Any], name: str, held_out: int) -> Any:
    """The order with, first, so many of each class as its share is: rounded down, and what is left to the
    largest remainders, the first class first."""
    labels = np.asarray(data[name]) if name in data else None
    if labels is None or labels.ndim != 1:
        raise DataError(f"{name!r} is no array of one class for each example, by which to stratify")
    classes, own, counts = np.unique(labels[order], return_inverse=True, return_counts=True)
    shares = counts * held_out
    held = shares // len(order)
    largest = np.argsort(-(shares % len(order)), kind="stable")[: held_out - held.sum()]
    held[largest] += 1
    place = np.empty(len(order), int)  # of an example among those of its class
    for k in range(len(classes)):
        place[own == k] = np.arange(counts[k])
    first = place < held[own]
    return np.concatenate([order[first], order[~first]])
