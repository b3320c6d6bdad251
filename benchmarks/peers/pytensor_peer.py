"""PyTensor as a peer, in its Numba mode: one function whose updates are the training step."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from benchmarks.layouts import PLAIN
from benchmarks.peers.pytensor_models import LAYOUTS, MODELS
from benchmarks.peers.step import CannotError, Step
from benchmarks.references.update import SGD, Rule
from benchmarks.rows import Row

Updates = list[tuple[Any, Any]]


def updates(rule: Rule, p: list[Any], g: list[Any], dtype: str) -> Updates:
    """The next values of parameters, moments and count."""

    def real(value: float) -> Any:
        return np.asarray(value, dtype)[()]

    if isinstance(rule, SGD):
        return [(a, a - real(rule.lr) * d) for a, d in zip(p, g, strict=True)]
    count = pytensor.shared(np.asarray(0, dtype))
    found: Updates = [(count, count + real(1))]
    first, second = (1 - real(beta) ** (count + real(1)) for beta in (rule.beta1, rule.beta2))
    for a, d in zip(p, g, strict=True):
        m, v = (pytensor.shared(np.zeros_like(a.get_value())) for _ in range(2))
        mean = real(rule.beta1) * m + real(1 - rule.beta1) * d
        square = real(rule.beta2) * v + real(1 - rule.beta2) * d * d
        kept = a * real(1 - rule.lr * rule.decay)
        moved = kept - real(rule.lr) * (mean / first) / (pt.sqrt(square / second) + real(rule.eps))
        found += [(m, mean), (v, square), (a, moved)]
    return found


def prepare(row: Row, dtype: str, threads: int) -> Step:  # noqa: ARG001
    """The row's step, where PyTensor's Numba mode has what it needs."""
    if row.model not in MODELS:
        raise CannotError("PyTensor's Numba mode isn't tried on it")
    pytensor.config.floatX = dtype
    layout = LAYOUTS.get(row.model, PLAIN)
    params, data = row.arrays(dtype)
    p = {name: pytensor.shared(a, name=name) for name, a in layout.to(params).items()}
    inputs = {name: pytensor.shared(a, name=name) for name, a in data.items()}
    loss = partial(MODELS[row.model], **row.options)(p, inputs)
    gradients = pytensor.grad(loss, list(p.values()))
    step = pytensor.function(
        [], loss, updates=updates(row.rule, list(p.values()), gradients, dtype), mode="NUMBA"
    )
    return Step(lambda: float(step()))
