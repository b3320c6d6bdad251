"""Data that are made by a formula and a seed, for networks that show something on little of it.

Enters: how many examples. Leaves: mappings from names to arrays, one row an example; always the same.
Must not know: networks, derivation, targets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.data.reading import Data


def line(count: int = 500) -> Data:
    """`y` (count,) is a linear function of `x` (count, 3), 2·x₀ − 3·x₁ + ½·x₂ + 1 and noise of 0.1."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(count, 3))
    return {"x": x, "y": x @ [2.0, -3.0, 0.5] + 1.0 + 0.1 * draw.normal(size=count)}


def clouds(count: int = 500) -> Data:
    """Two clouds of points `x` (count, 2), told apart by `y` (count,), 0 or 1; they overlap a little."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, count).astype(float)
    return {"x": draw.normal(size=(count, 2)) + np.outer(2 * y - 1, [1.5, 1.0]), "y": y}


def spirals(count: int = 1500, arms: int = 3) -> Data:
    """Points `x` (count, 2) on arms that wind around each other; `y` (count,) is the arm."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, arms, count)
    radius = np.sqrt(draw.uniform(0.01, 1, count))
    angle = 2 * np.pi * (y / arms + 1.0 * radius) + 0.15 * draw.normal(size=count)
    return {"x": np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), "y": y}


def times(count: int = 500, end: float = 2 * np.pi) -> Data:
    """Moments `t` (count, 1) from 0 to `end`, at which a differential equation is to hold."""
    return {"t": np.random.default_rng(0).uniform(0, end, (count, 1))}


def waves(count: int = 2000, steps: int = 64, classes: int = 4) -> Data:
    """Noisy oscillations `x` (count, steps, 1), of a random phase; `y` (count,) is which frequency."""
    draw = np.random.default_rng(0)
    y, phase = draw.integers(0, classes, count), draw.uniform(0, 2 * np.pi, count)
    angle = np.outer((y + 2) / 16, np.arange(steps)) * np.pi / 2 + phase[:, None]
    return {"x": (np.sin(angle) + 0.5 * draw.normal(size=(count, steps)))[:, :, None], "y": y}


def strokes(count: int = 2000, frames: int = 16, most: int = 4, letters: int = 5, width: int = 8) -> Data:
    """Noisy recordings of words without a mark where a letter starts: `x` (count, frames, width), in which
    each letter lasts two or three frames; the word is `y` (count, most), letters from 1, of `letters` letters
    of which only the first `length` (count,) count. 0 is for silence."""
    draw = np.random.default_rng(0)
    shapes = draw.normal(size=(letters + 1, width))
    length = draw.integers(1, most + 1, count)
    y = draw.integers(1, letters + 1, (count, most))
    sound = np.zeros((count, frames), int)
    for row in range(count):
        at = int(draw.integers(0, 2))
        for letter in range(length[row]):
            lasts = int(draw.integers(2, 4))
            sound[row, at : at + lasts] = y[row, letter]
            again = letter + 1 < length[row] and y[row, letter] == y[row, letter + 1]
            at += lasts + again  # a letter that comes twice is heard twice
    y[np.arange(most) >= length[:, None]] = 0
    return {"x": shapes[sound] + 0.7 * draw.normal(size=(count, frames, width)), "y": y, "length": length}


def tags(count: int = 2000, length: int = 12, kinds: int = 4, words: int = 20) -> Data:
    """Sentences of a hidden Markov chain: `y` (count, length) are the words' kinds, each drawn by the one
    before, `x` (count, length) the words. Two kinds share their words, so that only the order tells them
    apart."""
    draw = np.random.default_rng(0)
    follows = draw.dirichlet(np.full(kinds, 0.3), kinds).cumsum(1)
    y = np.empty((count, length), int)
    y[:, 0] = draw.integers(0, kinds, count)
    for at in range(1, length):
        y[:, at] = (draw.uniform(size=(count, 1)) > follows[y[:, at - 1]]).sum(1).clip(max=kinds - 1)
    shared = 2 * words // kinds
    return {"x": y // 2 * shared + draw.integers(0, shared, (count, length)), "y": y}


def _shifted(images: Any, draw: np.random.Generator) -> Any:
    """Each image moved by up to a pixel either way, and a little noise on it."""
    moved = np.zeros_like(images)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    for row, (down, right) in enumerate(draw.integers(0, 3, (len(images), 2))):
        moved[row] = padded[row, down : down + 8, right : right + 8]
    return (moved + 0.05 * draw.normal(size=images.shape)).reshape(len(images), -1)


def two_views(images: Any) -> Data:
    """Two disturbed views `a` and `b` (count, 64) of each image of 8×8 pixels."""
    draw = np.random.default_rng(0)
    return {"a": _shifted(images, draw), "b": _shifted(images, draw)}
