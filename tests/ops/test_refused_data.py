"""Data that doesn't fit: what a generated module says where sizes are known only at run time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp

N, T, S = bp.dims("N T S")
RNG = np.random.default_rng(0)


def attention() -> bp.Network:
    q, k = bp.input("q", (N, T, 2)), bp.input("k", (N, S, 2))
    v, mask = bp.param("v", (5, 2)), bp.input("mask", (T, S))
    seen = bp.scaled_dot_product_attention(q, k, k, mask)
    return bp.Network("net", loss=(seen @ bp.transpose(v)).sum())


def recurrence() -> bp.Network:
    x, w, u = bp.input("x", (N, T, 2)), bp.param("w", (2, 3)), bp.param("u", (3, 3))
    lengths = bp.labels("lengths", (N,), classes=T + 1)
    return bp.Network("net", loss=bp.rnn(x, w, u, lengths=lengths).sum())


QK = {"q": RNG.normal(size=(2, 3, 2)), "k": RNG.normal(size=(2, 4, 2))}
CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "a mask of another shape": (attention, {**QK, "mask": np.ones((4, 3))}, "mask"),
    "a mask with another number of axes": (attention, {**QK, "mask": np.ones((1, 3, 4))}, "mask"),
    "a length beyond the sequence": (
        recurrence, {"x": np.ones((2, 4, 2)), "lengths": np.array([4, 5])}, "lengths"
    ),
    "a negative length": (recurrence, {"x": np.ones((2, 4, 2)), "lengths": np.array([4, -1])}, "lengths"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES)
def test_refused(case: str, target: str) -> None:
    declare, data, named = CASES[case]
    module = bp.compile(declare(), target=target, optimizer=bp.optim.SGD(0.1))
    with pytest.raises(module.DataError, match=named):
        module.loss_and_gradients(module.init_params(0), **data)
