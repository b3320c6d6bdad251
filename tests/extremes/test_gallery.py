"""Each net of the gallery far out: its own data, with parameters as they start, small, large and far off."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import numpy as np
import pytest
from extreme_errors import Judge

from symbp.gallery import GALLERY
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import evaluate_size, sample_point

KINDS = {"ordinary": 1.0, "small": 1e-3, "zero": 0.0, "large": 30.0}
EXCEPTIONS = {
    ("attention", "large"): "scores of 1e3: what they are rounded by moves the softmax",
    ("autoencoder", "large"): "1 − h² of saved, saturated values: gradients of 1e-11 beside others of 1e-3",
    ("batch_norm", "large"): "sums of 1e2, of which the gradient by W is what is left, 2e-2",
    ("gru_cell", "large"): "1 − n² of saved, saturated values: gradients of 1e-23 beside others of 1e-5",
    ("lstm_cell", "large"): "1 − g² of saved, saturated values: gradients of 1e-18 beside others of 1e-3",
    ("gpt", "large"): "scores of 1e4 and more: what they are rounded by moves the softmax of the attention",
    ("gpt", "small"): "gradients of 1e-18 and less by the queries, beside others of 1e-3",
    ("moe", "large"): "scores of 1e3: what they are rounded by moves the softmax of the gate, by 1.3e-3",
}
"""What is known to fail, with the reason."""
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
        if judged.failed and (name, kind) not in EXCEPTIONS:
            failed[kind] = judged
    assert not failed
