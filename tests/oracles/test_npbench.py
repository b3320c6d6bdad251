"""Kernels of NPBench, the sum of what they compute as the objective, as DaCe's tests take it.

The stored gradients are those of the complex step in double precision, so values and gradients agree to a
few units in the last place of what is added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle_modules import TARGETS, arrays, loss_and_gradients, names, published, trained

import symbp as bp

FILE = "npbench.json"
ALPHA, BETA = 1.5, 1.2  # the scalars of NPBench's data for its BLAS kernels
RENAMED = {"data": "X", "input": "x"}  # names that belong to Python or to generated code
KERNELS: dict[str, Callable[..., Any]] = {}


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declares a case: the function's arguments are called as the case's inputs; it gives what is summed."""
    KERNELS[function.__name__] = function
    return function


@kernel
def atax(A: bp.Tensor, x: bp.Tensor) -> bp.Tensor:
    return (A @ x) @ A


@kernel
def gemm(A: bp.Tensor, B: bp.Tensor, C: bp.Tensor) -> bp.Tensor:
    return ALPHA * (A @ B) + BETA * C


@kernel
def k2mm(A: bp.Tensor, B: bp.Tensor, C: bp.Tensor, D: bp.Tensor) -> bp.Tensor:
    return ALPHA * (A @ B) @ C + BETA * D


@kernel
def mvt(A: bp.Tensor, y1: bp.Tensor, y2: bp.Tensor, x1: bp.Tensor, x2: bp.Tensor) -> bp.Tensor:
    return x1 + A @ y1 + x2 + y2 @ A


@kernel
def doitgen(A: bp.Tensor, C4: bp.Tensor) -> bp.Tensor:
    r, q, p, s = bp.indices("r q p s")
    return bp.define("out", [r, q, p], bp.Sum(A[r, q, s] * C4[s, p], s))


@kernel
def covariance(X: bp.Tensor) -> bp.Tensor:
    n, i, j = bp.indices("n i j")
    N = X.shape[0]
    mean = bp.define("mean", [i], bp.Sum(X[n, i] / N, n))
    centred = bp.define("centred", [n, i], X[n, i] - mean[i])
    return bp.define("cov", [i, j], bp.Sum(centred[n, i] * centred[n, j] / (N - 1), n))


@kernel
def softmax_weighted(x: bp.Tensor, G: bp.Tensor) -> bp.Tensor:
    return G * bp.softmax(x)


@kernel
def conv2d_bias(x: bp.Tensor, weights: bp.Tensor, bias: bp.Tensor, G: bp.Tensor) -> bp.Tensor:
    """Images and filters with their channels last."""
    n, h, w, o, c, p, q = bp.indices("n h w o c p q")
    product = bp.Sum(x[n, h + p, w + q, c] * weights[p, q, c, o], p, q, c)
    ranges = {h: G.shape[1], w: G.shape[2]}
    return G * bp.define("out", [n, h, w, o], product + bias[o], ranges=ranges)


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", KERNELS)
def test_kernel(name: str, target: str) -> None:
    case = published(FILE, name)
    values = arrays({RENAMED.get(n, n): v for n, v in case["inputs"].items()})
    wrt = RENAMED.get(case["wrt"], case["wrt"])
    leaves = {n: (bp.param if n == wrt else bp.input)(n, v.shape) for n, v in values.items()}
    net = bp.Network(name, loss=KERNELS[name](**leaves).sum())
    objective, gradients = loss_and_gradients(trained(net, target), values)
    assert objective == pytest.approx(case["objective"], rel=1e-14)
    scale = np.abs(case["gradient"]).max()
    np.testing.assert_allclose(gradients[wrt], case["gradient"], rtol=1e-14, atol=1e-15 * scale)


def test_every_case_is_compared() -> None:
    assert names(FILE) == set(KERNELS)
