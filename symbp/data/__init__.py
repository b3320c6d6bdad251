"""The embedded data sets, data made by a formula, and reading a user's own.

Enters: nothing, or the path of a file. Leaves: mappings from names to arrays, one row an example.
Must not know: networks, derivation, targets; which array means what is the network's business.
"""

from __future__ import annotations

from importlib import resources

import numpy as np

from symbp.data.made import clouds, line, spirals, strokes, tags, times, two_views, waves
from symbp.data.reading import TABLE, Data, load
from symbp.data.splitting import split, split_by
from symbp.data.text import alphabet, characters, play, skip_grams, sums

__all__ = [
    "TABLE", "Data", "alphabet", "characters", "clouds", "digit_images", "digit_views", "digits", "line",
    "load", "play", "skip_grams", "spirals", "split", "split_by", "strokes", "sums", "tags", "times", "waves",
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
