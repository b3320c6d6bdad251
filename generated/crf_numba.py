"""crf: a network that trains in Numba.

Derived from the network crf; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   scores[n,t,k] = W[x[n,t],k]
    (2)   m_s_alpha[n,t,k] = max_j (alpha[n,t - 1,j] + A[j,k])
    (3)   s_alpha[n,t,k] = Σ_j exp(alpha[n,t - 1,j] + A[j,k] - m_s_alpha[n,t,k])
    (4)   alpha[n,t,k] = [t ≥ 1]·(log(s_alpha[n,t,k]) + m_s_alpha[n,t,k]) + scores[n,t,k]
    (5)   m_alpha[n] = max_k alpha[n,T - 1,k]
    (6)   s_total[n] = Σ_k exp(alpha[n,T - 1,k] - m_alpha[n])
    (7)   dtotal_dalpha_1[n,t,k] = Σ_k2 [t < T - 1]·exp(alpha[n,t,k] + A[k,k2] - m_s_alpha[n,t + 1,k2])·marginal[n,t + 1,k2]/s_alpha[n,t + 1,k2]
    (8)   marginal[n,t,k] = [t = T - 1]·exp(alpha[n,T - 1,k] - m_alpha[n])/s_total[n] + dtotal_dalpha_1[n,t,k]
    (9)   steps[n] = Σ_t [t ≥ 1]·A[y[n,t - 1],y[n,t]]
    (10)  words[n] = Σ_t scores[n,t,y[n,t]]
    (11)  loss = Σ_n (log(s_total[n]) + m_alpha[n] - steps[n] - words[n])/N
    (12)  ds_alpha[n,t,k] = [t ≥ 1]·marginal[n,t,k]/(N·s_alpha[n,t,k])
    (13)  dA_1[j,k] = Σ_n,t exp(alpha[n,t - 1,j] + A[j,k] - m_s_alpha[n,t,k])·ds_alpha[n,t,k]
    (14)  dA_2[j,k] = Σ_n,t (-[j = y[n,t - 1]]·[k = y[n,t]]·[t ≥ 1]/N)
    (15)  dA[j,k] = dA_1[j,k] + dA_2[j,k]
    (16)  dscores[n,t,k] = (marginal[n,t,k] - [k = y[n,t]])/N
    (17)  dW[i,j] = Σ_n,t [i = x[n,t]]·dscores[n,t,j]
    (18)  c_accuracy[n,t] = argmax_k marginal[n,t,k]
    (19)  accuracy = Σ_n,t [c_accuracy[n,t] = y[n,t]]/(N·T)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: N, T, V, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      23·N·T·K² + 25·K·N·T + 5·K·N + 9·N·T + 9·N + K²
    bytes      8 + 216·K·N·T + 24·K·N + 56·N·T + 8·K·V + 72·K² + 88·N
    workspace  8·N·T + 8·max(6·K·T·rows + 3·rows + 16, 16 + 6·K·T·rows + 2·K²) bytes for each chunk of rows examples
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
import ctypes
import glob
import io
import json
import math
import os
import platform
import secrets
import signal
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("rows", "N", "T", "V", "K")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
NAME = "crf"
SIZES: dict[str, Any] = {}
PARAMETERS = {"W": ("V", "K"), "A": ("K", "K")}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("marginal",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W": "dW", "A": "dA"}
EQUATIONS = {
    1: "scores", 2: "m_s_alpha", 3: "s_alpha", 4: "alpha", 5: "m_alpha", 6: "s_total", 7: "dtotal_dalpha_1",
    8: "marginal", 9: "steps", 10: "words", 11: "loss", 12: "ds_alpha", 13: "dA_1", 14: "dA_2", 15: "dA",
    16: "dscores", 17: "dW", 18: "c_accuracy", 19: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.02, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, T, V, K):
    """The outputs: equations (1) to (8)."""
    W = theta[0 : K * V].reshape(V, K)
    A = theta[K * V : K**2 + K * V].reshape(K, K)
    scores = work[at[0] : at[0] + K * T * rows].reshape(rows, T, K)
    m_s_alpha = work[at[1] : at[1] + K * T * rows].reshape(rows, T, K)
    s_alpha = work[at[2] : at[2] + K * T * rows].reshape(rows, T, K)
    alpha = work[at[3] : at[3] + K * T * rows].reshape(rows, T, K)
    m_alpha = work[at[4] : at[4] + rows]
    s_total = work[at[5] : at[5] + rows]
    dtotal_dalpha_1 = work[at[6] : at[6] + K * T * rows].reshape(rows, T, K)
    marginal = work[at[7] : at[7] + K * T * rows].reshape(rows, T, K)
    _compute_scores(scores, W, x, rows, T, K)  # (1)
    for t in range(T):
        _compute_alpha(alpha, A, m_s_alpha, s_alpha, scores, rows, K, t)  # (2) to (4)
    _compute_s_total(alpha, m_alpha, s_total, rows, K, T)  # (5), (6)
    for t in range(T - 1, -1, -1):
        _compute_marginal(
            alpha, A, m_s_alpha, marginal, s_alpha, dtotal_dalpha_1, m_alpha, s_total, rows, K, t, T
        )  # (7), (8)


@kernel
def _loss(theta, work, counts, at, y, rows, N, T, V, K):
    """The loss: equations (9) to (11)."""
    A = theta[K * V : K**2 + K * V].reshape(K, K)
    scores = work[at[0] : at[0] + K * T * rows].reshape(rows, T, K)
    m_alpha = work[at[4] : at[4] + rows]
    s_total = work[at[5] : at[5] + rows]
    steps = work[at[8] : at[8] + rows]
    words = work[at[9] : at[9] + rows]
    loss = work[at[10] : at[10] + 1]
    _compute_loss(A, y, scores, steps, words, m_alpha, s_total, loss, rows, T, N)  # (9) to (11)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V, K):
    """The gradients: equations (12) to (14), (16), (17)."""
    A = theta[K * V : K**2 + K * V].reshape(K, K)
    m_s_alpha = work[at[1] : at[1] + K * T * rows].reshape(rows, T, K)
    s_alpha = work[at[2] : at[2] + K * T * rows].reshape(rows, T, K)
    alpha = work[at[3] : at[3] + K * T * rows].reshape(rows, T, K)
    marginal = work[at[7] : at[7] + K * T * rows].reshape(rows, T, K)
    ds_alpha = work[at[11] : at[11] + K * T * rows].reshape(rows, T, K)
    dA_1 = work[at[12] : at[12] + K**2].reshape(K, K)
    dA_2 = work[at[13] : at[13] + K**2].reshape(K, K)
    dscores = work[at[14] : at[14] + K * T * rows].reshape(rows, T, K)
    dW = gradient[0 : K * V].reshape(V, K)
    _compute_dW(
        dA_1, dA_2, dW, ds_alpha, marginal, s_alpha, alpha, A, m_s_alpha, dscores, y, x, rows, T, K, N, V
    )  # (12) to (14), (16), (17)


@kernel
def _finish(theta, gradient, work, counts, at, rows, N, T, V, K):
    """The gradients of the whole batch: equation (15)."""
    dA_1 = work[at[12] : at[12] + K**2].reshape(K, K)
    dA_2 = work[at[13] : at[13] + K**2].reshape(K, K)
    dA = gradient[K * V : K**2 + K * V].reshape(K, K)
    _compute_dA(dA, dA_1, dA_2, K)  # (15)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, T, V, K):
    """The metrics: equations (18), (19)."""
    marginal = work[at[7] : at[7] + K * T * rows].reshape(rows, T, K)
    c_accuracy = counts[at[15] : at[15] + N * T].reshape(N, T)
    accuracy = work[at[16] : at[16] + 1]
    _compute_accuracy(marginal, c_accuracy, y, accuracy, N, T, K)  # (18), (19)


@kernel
def _compute_scores(scores, W, x, rows, T, K):
    """Equation (1)."""
    _disjoint()
    for n in range(rows):
        for t in range(T):
            for k in range(K):
                scores[n, t, k] = W[x[n, t], k]  # (1)


@kernel
def _compute_alpha(alpha, A, m_s_alpha, s_alpha, scores, rows, K, t):
    """Equations (2) to (4)."""
    _disjoint()
    for n in range(rows):
        for k in range(K):
            m_s_alpha_max = -np.inf
            for j in range(K):
                m_s_alpha_max = _larger(
                    m_s_alpha_max, (alpha[n, t - 1, j] if t >= 1 else 0.0) + A[j, k]
                )  # (2)
            m_s_alpha[n, t, k] = m_s_alpha_max
            s_alpha_sum = 0.0
            for j in range(K):
                s_alpha_sum += _exp(
                    (alpha[n, t - 1, j] if t >= 1 else 0.0) + A[j, k] - m_s_alpha[n, t, k]
                )  # (3)
            s_alpha[n, t, k] = s_alpha_sum
            alpha[n, t, k] = (
                (_log(s_alpha[n, t, k]) + m_s_alpha[n, t, k] if t >= 1 else 0.0) + scores[n, t, k]
            )  # (4)


@kernel
def _compute_s_total(alpha, m_alpha, s_total, rows, K, T):
    """Equations (5), (6)."""
    _disjoint()
    for n in range(rows):
        m_alpha_max = -np.inf
        for k in range(K):
            m_alpha_max = _larger(m_alpha_max, alpha[n, T - 1, k])  # (5)
        m_alpha[n] = m_alpha_max
        s_total_sum = 0.0
        for k in range(K):
            s_total_sum += _exp(alpha[n, T - 1, k] - m_alpha[n])  # (6)
        s_total[n] = s_total_sum


@kernel
def _compute_marginal(
    alpha, A, m_s_alpha, marginal, s_alpha, dtotal_dalpha_1, m_alpha, s_total, rows, K, t, T,
):
    """Equations (7), (8)."""
    _disjoint()
    for n in range(rows):
        for k in range(K):
            dtotal_dalpha_1_sum = 0.0
            for k2 in range(K):
                if t + 2 <= T:
                    dtotal_dalpha_1_sum += (
                        _exp(alpha[n, t, k] + A[k, k2] - m_s_alpha[n, t + 1, k2]) * marginal[n, t + 1, k2]
                        / s_alpha[n, t + 1, k2]
                    )  # (7)
            dtotal_dalpha_1[n, t, k] = dtotal_dalpha_1_sum
            marginal[n, t, k] = (
                (_exp(alpha[n, T - 1, k] - m_alpha[n]) / s_total[n] if t + 1 == T else 0.0)
                + dtotal_dalpha_1[n, t, k]
            )  # (8)


@kernel
def _compute_loss(A, y, scores, steps, words, m_alpha, s_total, loss, rows, T, N):
    """Equations (9) to (11)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        steps_sum = 0.0
        words_sum = 0.0
        for t in range(T):
            if t >= 1:
                steps_sum += A[y[n, t - 1] if t >= 1 else 0, y[n, t]]  # (9)
            words_sum += scores[n, t, y[n, t]]  # (10)
        steps[n] = steps_sum
        words[n] = words_sum
        loss_sum += (m_alpha[n] - steps[n] - words[n] + _log(s_total[n])) / N  # (11)
    loss[0] = loss_sum


@kernel
def _compute_dW(
    dA_1, dA_2, dW, ds_alpha, marginal, s_alpha, alpha, A, m_s_alpha, dscores, y, x, rows, T, K, N, V,
):
    """Equations (12) to (14), (16), (17)."""
    _disjoint()
    dA_1[:, :] = 0.0
    dA_2[:, :] = 0.0
    dW[:, :] = 0.0
    for n in range(rows):
        for t in range(T):
            for k in range(K):
                ds_alpha[n, t, k] = marginal[n, t, k] / (N * s_alpha[n, t, k]) if t >= 1 else 0.0  # (12)
                for j in range(K):
                    dA_1[j, k] += (
                        _exp((alpha[n, t - 1, j] if t >= 1 else 0.0) + A[j, k] - m_s_alpha[n, t, k])
                        * ds_alpha[n, t, k]
                    )  # (13)
                dscores[n, t, k] = (marginal[n, t, k] - (1.0 if k == y[n, t] else 0.0)) / N  # (16)
                if x[n, t] + 1 <= V and x[n, t] >= 0:
                    dW[x[n, t], k] += dscores[n, t, k]  # (17)
            if t >= 1 and (y[n, t - 1] if t >= 1 else 0) + 1 <= K and (y[n, t - 1] if t >= 1 else 0) >= 0 and y[n, t] + 1 <= K and y[n, t] >= 0:
                dA_2[y[n, t - 1] if t >= 1 else 0, y[n, t]] += float(-1 / N)  # (14)


@kernel
def _compute_dA(dA, dA_1, dA_2, K):
    """Equation (15)."""
    _disjoint()
    for j in range(K):
        for k in range(K):
            dA[j, k] = dA_1[j, k] + dA_2[j, k]  # (15)


@kernel
def _compute_accuracy(marginal, c_accuracy, y, accuracy, N, T, K):
    """Equations (18), (19)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        for t in range(T):
            c_accuracy_argmax = -np.inf
            c_accuracy_at = -1
            for k in range(K):
                if c_accuracy_at < 0 or marginal[n, t, k] > c_accuracy_argmax:  # (18)
                    c_accuracy_argmax, c_accuracy_at = marginal[n, t, k], k
            c_accuracy[n, t] = c_accuracy_at
            if c_accuracy[n, t] == y[n, t]:
                accuracy_sum += float(1 / (N * T))  # (19)
    accuracy[0] = accuracy_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    c1 = 1 - beta1  # (U1)
    c2 = 1 - beta2  # (U2)
    c3 = 1 - beta1**step  # (U3)
    c4 = 1 - beta2**step  # (U3)
    for i in range(len(theta)):
        m_next = c1 * gradient[i] + beta1 * m[i]  # (U1)
        v_next = c2 * (gradient[i] * gradient[i]) + beta2 * v[i]  # (U2)
        theta_next = theta[i] - lr * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U3)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, rows, N, T, V, K):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, T, V, K)
    _loss(theta, work, counts, at, y, rows, N, T, V, K)
    _metrics(theta, work, counts, at, y, rows, N, T, V, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, T, V, K):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N, T, V, K)
    _loss(theta, work, counts, at, y, rows, N, T, V, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V, K)
    _finish(theta, gradient, work, counts, at, rows, N, T, V, K)
    return work[at[10]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N, T, V, K,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(x, V, 0):
        return math.nan, False, False
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, rows, N, T, V, K)
    _loss(theta, work, counts, at, y, rows, N, T, V, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V, K)
    _finish(theta, gradient, work, counts, at, rows, N, T, V, K)
    loss = work[at[10]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, V, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], last - first, N, T, V, K)
        _loss(theta, work[c], counts[c], at, y[first:last], last - first, N, T, V, K)
        _backward(
            theta, gradients[c], work[c], counts[c], at, x[first:last], y[first:last], last - first, N, T, V,
            K,
        )


@parallel_kernel
def _add_gradients(gradient, gradients, V, K):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        if 0 <= i < 0 + K * V:
            for k in range(1, len(gradients)):
                total += gradients[k, i]
        gradient[i] = total


@parallel_kernel
def _moderate_in_chunks(gradient, gradients):
    """Whether no gradient is large, a piece a thread; each notes it in gradients of its own."""
    chunks = len(gradients)
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        gradients[c, 0] = _all_moderate(gradient[first:last])
    moderate = True
    for c in range(chunks):
        moderate &= gradients[c, 0] != 0
    return moderate


@parallel_kernel
def _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v[first:last], step_, lr, beta1, beta2,
            eps,
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, N, T, V,
    K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(x, V, 0):
        return math.nan, False, False
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, V, K)
    _add_gradients(gradient, gradients, V, K)
    for k in range(1, len(work)):
        work[0, at[10]] += work[k, at[10]]
    for k in range(1, len(work)):
        for i in range(at[12], at[12] + K**2):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[13], at[13] + K**2):
            work[0, i] += work[k, i]
    _finish(theta, gradient, work[0], counts[0], at, 0, N, T, V, K)
    loss = work[0, at[10]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, T, V, K):
    """Floating-point operations of one step."""
    return 23 * K**2 * N * T + 25 * K * N * T + 5 * K * N + 9 * N + 9 * N * T


def _places(rows, N, T, V, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "scores": (0, 16, (rows, T, K)),
        "m_s_alpha": (0, K * T * rows + 16, (rows, T, K)),
        "s_alpha": (0, 2 * K * T * rows + 16, (rows, T, K)),
        "alpha": (0, 3 * K * T * rows + 16, (rows, T, K)),
        "m_alpha": (0, 6 * K * T * rows + 16, (rows,)),
        "s_total": (0, 6 * K * T * rows + rows + 16, (rows,)),
        "dtotal_dalpha_1": (0, 4 * K * T * rows + 16, (rows, T, K)),
        "marginal": (0, 5 * K * T * rows + 16, (rows, T, K)),
        "steps": (0, 4 * K * T * rows + 16, (rows,)),
        "words": (0, 2 * rows + 6 * K * T * rows + 16, (rows,)),
        "loss": (0, 0, ()),
        "ds_alpha": (0, 16, (rows, T, K)),
        "dA_1": (0, 6 * K * T * rows + 16, (K, K)),
        "dA_2": (0, 6 * K * T * rows + K**2 + 16, (K, K)),
        "dscores": (0, 4 * K * T * rows + 16, (rows, T, K)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 1, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (K + V)) * rng.uniform(-1, 1, (V, K)),
        "A": math.sqrt(3 / K) * rng.uniform(-1, 1, (K, K)),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside
# symbp/runtime/numba/float64.py: _exp, _log, _power_of_two, _reduced


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/chunks.py: WORTH_A_CHUNK, _Chunks, _key, _advance, _chunk_count, _in_chunks, _blas_threads


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/common/given/data.py: _given


# ---- Parameters and the state of training ----


# symbp/runtime/common/training/parameters.py: init_params
# symbp/runtime/common/training/moments.py: _moments
# symbp/runtime/common/training/state.py: State, init_state
# symbp/runtime/common/training/calls.py: forward, predict, evaluate, loss_and_gradients
# symbp/runtime/common/steps/refusing.py: NotFinite, _refused, _largest, _culprit, _equation_text
# symbp/runtime/common/steps/stepping.py: _step
# symbp/runtime/common/steps/steps.py: train_step, _step_data
# symbp/runtime/common/training/whole.py: _MOST, _TIMES, _write_whole, _replace_whole, _stem, _clear, _here, _move, _runs, _read_whole, _member, _array, _head, _refuse_promises
# symbp/runtime/common/training/saving.py: _named, save, load, _fill


# ---- Training over epochs ----


# symbp/runtime/common/training/stopping.py: _Stop, _batches
# symbp/runtime/common/training/epochs.py: _epoch, _epochs
# symbp/runtime/common/training/fit.py: fit
# symbp/runtime/common/training/starting.py: _fresh_state


# ---- Gradients beside central differences of the loss ----


# symbp/runtime/common/training/checking.py: _ENTRIES, _SCALES, _TRIES, _STEPS, Point, _sample_data, check_gradients, _points, _check_one, _check_along, _tolerance, _moving, _difference


# ---- The command line ----


# symbp/runtime/common/reading/axes.py: _with_axes
# symbp/runtime/common/reading/loading.py: _archive
# symbp/runtime/common/reading/stored.py: _stored
# symbp/runtime/common/reading/archives.py: _DATA, _column_option, _words_in, _read, _put
# symbp/runtime/common/reading/parts.py: _parts_options, _parts
# symbp/runtime/common/command/showing.py: _show
# symbp/runtime/common/command/predicting.py: _predicted
# symbp/runtime/common/command/train.py: _COUNTS, _declare_train, _train, _saved, _refuse_place, _open_sizes
# symbp/runtime/common/command/printed.py: _printed
# symbp/runtime/common/command/main.py: _arguments, _check, main


# What `train` has beside the essential: its options, those that `fit` takes, who prepares the
# state, who is told of each epoch.
TRAIN_OPTIONS: tuple[Any, ...] = ()
FIT_OPTIONS: tuple[Any, ...] = ()
PREPARE: tuple[Any, ...] = ()
REPORTS: tuple[Any, ...] = (_printed,)


if __name__ == "__main__":
    sys.exit(main())
