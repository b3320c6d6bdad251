"""The kernels of the network that stands in, as the Numba target has them; no module takes them.

Enters: flat arenas, data, sizes. Leaves: the arenas filled. Must not know: how they are run.
"""

from __future__ import annotations

import math
from typing import Any

from symbp.runtime.network import SIZES

_D = SIZES["D"]


def _forward(theta: Any, work: Any, counts: Any, at: Any, x: Any, mean: Any, N: Any) -> None:
    for n in range(N):
        total = theta[_D]
        for d in range(_D):
            total += (x[n, d] - mean[d]) * theta[d]
        work[at[0] + n] = total


_inference = _forward


def _evaluate(theta: Any, work: Any, counts: Any, at: Any, x: Any, y: Any, mean: Any, N: Any) -> None:
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, mean, N)
    work[at[3]] = work[at[4]] = 0
    for n in range(N):
        work[at[3]] += (work[at[0] + n] - y[n]) ** 2 / N
        work[at[4]] += abs(work[at[0] + n] - y[n]) / N


def _loss_and_gradients(
    theta: Any,
    gradient: Any,
    work: Any,
    counts: Any,
    at: Any,
    x: Any,
    y: Any,
    mean: Any,
    keep: Any,
    N: Any,
) -> float:
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, mean, N)
    loss = 0.0
    gradient[:] = 0
    for n in range(N):
        off = work[at[0] + n] - y[n]
        loss += keep[n] * off**2 / N
        work[at[1] + n] = 2 * keep[n] * off / N
        gradient[_D] += work[at[1] + n]
        for d in range(_D):
            gradient[d] += (x[n, d] - mean[d]) * work[at[1] + n]
    work[at[3]] = loss
    return loss


_replay = _loss_and_gradients


def _train_step(
    theta: Any, gradient: Any, m: Any, step: Any, lr: Any, momentum: Any, *rest: Any
) -> tuple[float, bool, bool]:
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    loss = _loss_and_gradients(theta, gradient, *rest)
    finite = math.isfinite(loss) and all(map(math.isfinite, gradient))
    moderate = max(map(abs, gradient)) < 1e100
    if finite and moderate:
        _update(theta, gradient, m, step, lr, momentum)
    return loss, finite, moderate


def _update(theta: Any, gradient: Any, m: Any, step: Any, lr: Any, momentum: Any) -> None:
    m[:] = momentum * m + gradient
    theta[:] -= lr * m


def _flops(*sizes: int) -> int:
    return 8 * _D


def _train_step_in_chunks(*arrays: Any) -> tuple[float, bool, bool]:
    raise NotImplementedError("the network that stands in is computed in one piece")
