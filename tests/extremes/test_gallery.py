"""Each net of the gallery far out: its own data, with parameters as they start, small, large and far off."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import numpy as np
import pytest
from extreme_errors import Judge

from symbp.gallery import GALLERY
from symbp.ir.fitting import sample_sizes
from symbp.ir.sampling import evaluate_size, sample_point

KINDS = {"ordinary": 1.0, "small": 1e-3, "zero": 0.0, "large": 30.0}
FAST = ("mlp", "logistic_regression", "linear_regression")


@cache
def sizes_of(name: str) -> dict[str, int]:
    """Its own sizes, and small ones where it has none."""
    system = GALLERY[name].load().net.system
    return {**sample_sizes(system), **system.bound}


@cache
def judge(name: str) -> Judge:
    return Judge(GALLERY[name].load().net, sizes_of(name))


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in GALLERY]
)
def test_a_net_keeps_its_digits(name: str) -> None:
    known = judge(name)
    declared = known.derivation.declared
    sizes, point = sample_point(declared, seed=3, sizes=sizes_of(name))
    failed = {}
    for kind, scale in KINDS.items():
        rng = np.random.default_rng(zlib.crc32(kind.encode()))
        values: dict[str, Any] = {}
        for tensor in declared.leaves:
            value = np.asarray(point[tensor.name])
            if tensor.name in known.parameters:
                shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
                value = scale * rng.normal(size=shape)
            values[tensor.name] = value if value.dtype.kind in "iu" else value.astype("f4").astype(float)
        judged = known.at(values, sizes)
        if judged.failed:
            failed[kind] = judged
    assert not failed
