"""Random operands for the ops of the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.ops import Sample

SIZES = {"N": 3, "H": 4, "D": 2, "K": 5, "B": 2, "T": 6}


def extent(text: str) -> int:
    """`H`, `2*H` or `3` as a number."""
    product = 1
    for factor in text.split("*"):
        product *= int(factor) if factor.isdigit() else SIZES[factor]
    return product


def draw(sample: Sample, rng: np.random.Generator) -> Any:
    """Values that make sense for an operand."""
    shape = tuple(map(extent, sample.shape.split()))
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
        "labels": lambda: rng.integers(0, SIZES["K"], shape),
        "letters": lambda: rng.integers(1, SIZES["K"], shape),
        "lengths": lambda: rng.integers(SIZES["T"] // 2, SIZES["T"] + 1, shape),
    }[sample.values]()
