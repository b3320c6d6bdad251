"""What to train on and what to hold out: at random, with as much of each class in both, or as a column says.

Enters: arrays by name, one row an example. Leaves: rows of the parts, words about classes. Must not know:
networks, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.by_rows import _taken
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import Array

_PARTS = {
    **dict.fromkeys(("train", "training", "0"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev"), 1),
    **dict.fromkeys(("test", "testing", "held out", "held-out", "held_out", "holdout", "1"), 2),
}


def _examples(data: Mapping[str, Any]) -> int:
    """How many there are. Refuses arrays that differ."""
    lengths = {array.shape[0] if array.ndim else -1 for array in data.values()}
    if len(lengths) != 1 or -1 in lengths:
        shown = ", ".join(f"{name} {array.shape}" for name, array in data.items())
        raise DataError(
            f"the arrays have different numbers of examples, which their first axes count: {shown}"
        )
    return int(lengths.pop())


def _split(
    data: Mapping[str, Any], held_out: int, seed: int, stratify: str | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is left, what is held out): the first examples of a seeded permutation; by the classes in
    `stratify` of each the same share, up to rounding."""
    count = _examples(data)
    if not 0 < held_out < count:
        raise DataError(
            f"cannot hold out {held_out} of {count} examples: give at least five, or another number"
        )
    order = np.random.default_rng(seed).permutation(count)
    if stratify is not None:
        order = _by_class(order, data.get(stratify), stratify, held_out)
    return _some_of(data, order[held_out:]), _some_of(data, order[:held_out])


def _split_by(data: Mapping[str, Any], says: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """(train, validation, test) as each example's word says."""
    words = [word.strip().lower() for word in says]
    unknown = next((k for k, word in enumerate(words) if word not in _PARTS), None)
    if unknown is not None:
        raise DataError(
            f"{says[unknown]!r}, of example {unknown + 1}, says no part of the data: write train, validation "
            "or test; or 0 for train and 1 for test"
        )
    if len(words) != _examples(data):
        raise DataError(f"{len(words)} words say which part {_examples(data)} examples belong to")
    part = np.array([_PARTS[word] for word in words])
    for wanted, name in ((0, "to train on"), (2, "to test on")):
        if not (part == wanted).any():
            raise DataError(f"no example is there {name}: mark some train, and some test")
    return tuple(_some_of(data, np.flatnonzero(part == k)) for k in range(3))


def _some_of(data: Mapping[str, Any], chosen: Array) -> dict[str, Any]:
    return {name: _taken(array, chosen) for name, array in data.items()}


def _by_class(order: Array, found: Any, name: str, held_out: int) -> Array:
    """The order with, first, so many of each class as its share is: rounded down, and what is left to the
    largest remainders, the first class first."""
    labels = None if found is None else np.asarray(found)
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


def _balance(name: str, labels: Any, names: Sequence[str] = (), most: int = 10) -> str:
    """How often each class is there, in a line."""
    values, counts = np.unique(np.asarray(labels), return_counts=True)
    pairs = sorted(
        zip(counts.tolist(), values.astype(int).tolist(), strict=True), key=lambda p: (-p[0], p[1])
    )
    words = [f"{names[k] if 0 <= k < len(names) else k} {count}" for count, k in pairs]
    if len(words) > most:
        words = [*words[: most // 2], "…", *words[-most // 2 :]]
    return f"classes of {name} to train on: {', '.join(words)}"
