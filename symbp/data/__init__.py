"""The embedded data sets, data made by a formula, and reading a user's own.

Enters: nothing, or the path of a file. Leaves: mappings from names to arrays, one row an example.
Must not know: networks, derivation, targets; which array means what is the network's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from symbp.data.made import clouds, line, spirals, strokes, tags, times, two_views, waves
from symbp.data.reading import TABLE, Data, load
from symbp.data.text import alphabet, characters, play, skip_grams, sums
from symbp.errors import DataError

__all__ = [
    "TABLE", "Data", "alphabet", "characters", "clouds", "digit_images", "digit_views", "digits", "line",
    "load", "play", "skip_grams", "spirals", "split", "strokes", "sums", "tags", "times", "waves",
]  # fmt: skip


def digits() -> Data:
    """1,797 handwritten digits: `x` is float64 (1797, 64) from 0 to 1, `y` is int64 (1797,) from 0 to 9.

    The test part of Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998, UCI, CC BY 4.0).
    """
    with (
        resources.files(__package__).joinpath("files/digits.npz").open("rb") as file,
        np.load(file) as stored,
    ):
        return {"x": stored["x"] / 16.0, "y": stored["y"].astype(np.int64)}


def digit_images() -> Data:
    """The digits with `x` as images of one channel, (1797, 1, 8, 8)."""
    found = digits()
    return {"x": found["x"].reshape(-1, 1, 8, 8), "y": found["y"]}


def digit_views() -> Data:
    """Two views `a` and `b` (1797, 64) of each digit, moved by up to a pixel and with noise on them."""
    return two_views(digits()["x"].reshape(-1, 8, 8))


def split(data: Mapping[str, Any], held_out: int | None = None, seed: int = 0) -> tuple[Data, Data]:
    """(what to train on, what is held out): the first `held_out` examples of a seeded permutation are held
    out, a fifth by default (359 of the 1,797 digits).

    Raises DataError when the arrays differ in their numbers of examples, or too few would be left.
    """
    lengths = {len(array) if np.ndim(array) else -1 for array in data.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError(
            "the arrays have different numbers of examples",
            details=tuple(f"{name}: {np.shape(array)}" for name, array in data.items()),
            help="the first axis of each array counts the examples",
        )
    count = lengths.pop()
    held_out = count // 5 if held_out is None else held_out
    if not 0 < held_out < count:
        raise DataError(
            f"cannot hold out {held_out} of {count} examples",
            help="give at least five examples, or another number",
        )
    order = np.random.default_rng(seed).permutation(count)
    held, kept = order[:held_out], order[held_out:]
    return {n: a[kept] for n, a in data.items()}, {n: a[held] for n, a in data.items()}
