"""Random operands for the ops of the registry."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.ops import Sample

SIZES = {"N": 3, "H": 4, "D": 2, "K": 5, "B": 2, "T": 6}
RANGES = {"N": (2, 4), "H": (3, 6), "D": (1, 4), "K": (3, 5), "B": (1, 3), "T": (5, 6)}


def sizes_of(case: str) -> dict[str, int]:
    """Sizes drawn at random, the same for a case at any time."""
    rng = np.random.default_rng(zlib.crc32(case.encode()))
    return {name: int(rng.integers(low, high + 1)) for name, (low, high) in RANGES.items()}


def extent(text: str, sizes: Mapping[str, int] = SIZES) -> int:
    """`H`, `2*H` or `3` as a number."""
    product = 1
    for factor in text.split("*"):
        product *= int(factor) if factor.isdigit() else sizes[factor]
    return product


def draw(sample: Sample, rng: np.random.Generator, sizes: Mapping[str, int] = SIZES) -> Any:
    """Values that make sense for an operand."""
    shape = tuple(extent(text, sizes) for text in sample.shape.split())
    normal = rng.normal(size=shape)
    e = np.exp(normal)
    return {
        "real": lambda: normal,
        "positive": lambda: e,
        "unit": lambda: np.tanh(normal),
        "above one": lambda: 1 + e,
        "probability": lambda: e / (1 + e),
        "simplex": lambda: e / e.sum(axis=-1, keepdims=True),
        "positive definite": lambda: normal @ normal.swapaxes(-1, -2) + np.eye(shape[-1]),
        "distribution": lambda: e / e.sum(axis=-1, keepdims=True),
        "binary": lambda: rng.integers(0, 2, shape).astype(float),
        "sign": lambda: rng.choice([-1.0, 1.0], shape),
        "labels": lambda: rng.integers(0, sizes["K"], shape),
        "letters": lambda: rng.integers(1, sizes["K"], shape),
        "lengths": lambda: rng.integers(sizes["T"] // 2, sizes["T"] + 1, shape),
    }[sample.values]()
