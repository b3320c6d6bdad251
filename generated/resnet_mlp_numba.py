"""resnet_mlp: a network that trains in Numba.

Derived from the network resnet_mlp; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W0[i,j]
    (2)   first[n,j] = tanh(z1[n,j] + b0[j])
    (3)   z[l,n,j] = Σ_i h[l - 1,n,i | first[n,i]]·W[l,i,j]
    (4)   h[l,n,j] = h[l - 1,n,j | first[n,j]] + tanh(z[l,n,j] + b[l,j])
    (5)   top[n,j] = h[L - 1,n,j]
    (6)   z2[n,k] = Σ_j top[n,j]·V[j,k]
    (7)   a2[n,k] = z2[n,k] + c[k]
    (8)   m_a2[n] = max_k a2[n,k]
    (9)   e_p[n,k] = exp(a2[n,k] - m_a2[n])
    (10)  s_p[n] = Σ_k e_p[n,k]
    (11)  p[n,k] = e_p[n,k]/s_p[n]
    (12)  loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (13)  da2[n,k] = (p[n,k] - [k = y[n]])/N
    (14)  dc[k] = Σ_n da2[n,k]
    (15)  dtop[n,j] = Σ_k da2[n,k]·V[j,k]
    (16)  dV[j,k] = Σ_n top[n,j]·da2[n,k]
    (17)  dh_1[l,n,j] = Σ_j2 [l < L - 1]·dz[l + 1,n,j2]·W[l + 1,j,j2]
    (18)  dh[l,n,j] = [l < L - 1]·dh[l + 1,n,j] + [l = L - 1]·dtop[n,j] + dh_1[l,n,j]
    (19)  dz[l,n,j] = (1 - tanh(z[l,n,j] + b[l,j])²)·dh[l,n,j]
    (20)  dW[l,i,j] = Σ_n h[l - 1,n,i | first[n,i]]·dz[l,n,j]
    (21)  db[l,j] = Σ_n dz[l,n,j]
    (22)  dfirst_1[n,j] = Σ_j2 dz[0,n,j2]·W[0,j,j2]
    (23)  dz1[n,j] = (1 - first[n,j]²)·(dfirst_1[n,j] + dh[0,n,j])
    (24)  dW0[i,j] = Σ_n x[n,i]·dz1[n,j]
    (25)  db0[j] = Σ_n dz1[n,j]
    (26)  c_accuracy[n] = argmax_k p[n,k]
    (27)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 32, L = 6; N, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      18·H·L·N + 4·D·H·N + 6·H·K·N + 6·L·N·H² + 14·K·N + 2·L·H² + 2·N·H² + 8·H·N + 7·N
             = 128·D·N + 206·K·N + 42,631·N + 12,288
    bytes      8 + 200·H·L·N + 112·K·N + 168·H·N + 16·D·H + 16·D·N + 24·H·K + 24·H·L + 40·L·H² + 16·H
               + 16·K + 72·N + 8·H²
             = 112·K·N + 16·D·N + 43,848·N + 512·D + 784·K + 259,080
    workspace  40·K·rows + 8·N + 9,984·rows + 8,200 bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "D", "K")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
H, L = 32, 6
NAME = "resnet_mlp"
SIZES = {"H": H, "L": L}
PARAMETERS = {
    "W0": ("D", "H"), "b0": ("H",), "W": ("L", "H", "H"), "b": ("L", "H"), "V": ("H", "K"), "c": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W0": "dW0", "b0": "db0", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "first", 3: "z", 4: "h", 5: "top", 6: "z2", 7: "a2", 8: "m_a2", 9: "e_p", 10: "s_p", 11: "p",
    12: "loss", 13: "da2", 14: "dc", 15: "dtop", 16: "dV", 17: "dh_1", 18: "dh", 19: "dz", 20: "dW", 21: "db",
    22: "dfirst_1", 23: "dz1", 24: "dW0", 25: "db0", 26: "c_accuracy", 27: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, D, K):
    """The outputs: equations (1) to (11)."""
    W0 = theta[0 : 32 * D].reshape(D, H)
    b0 = theta[32 * D : 32 * D + 32]
    W = theta[32 * D + 32 : 32 * D + 6176].reshape(L, H, H)
    b = theta[32 * D + 6176 : 32 * D + 6368].reshape(L, H)
    V = theta[32 * D + 6368 : 32 * D + 32 * K + 6368].reshape(H, K)
    c = theta[32 * D + 32 * K + 6368 : 32 * D + 33 * K + 6368]
    z1 = work[at[0] : at[0] + 32 * rows].reshape(rows, H)
    first = work[at[1] : at[1] + 32 * rows].reshape(rows, H)
    z_left = work[at[2] : at[2] + 32 * rows].reshape(rows, H)
    z_product = work[at[3] : at[3] + 32 * rows].reshape(rows, H)
    z = work[at[4] : at[4] + 192 * rows].reshape(L, rows, H)
    h = work[at[5] : at[5] + 192 * rows].reshape(L, rows, H)
    top = work[at[6] : at[6] + 32 * rows].reshape(rows, H)
    z2 = work[at[7] : at[7] + K * rows].reshape(rows, K)
    a2 = work[at[8] : at[8] + K * rows].reshape(rows, K)
    m_a2 = work[at[9] : at[9] + rows]
    e_p = work[at[10] : at[10] + K * rows].reshape(rows, K)
    s_p = work[at[11] : at[11] + rows]
    p = work[at[12] : at[12] + K * rows].reshape(rows, K)
    _product(x, W0, z1)  # (1)
    _compute_first(first, z1, b0, rows)  # (2)
    for l_ in range(L):
        _compute_z_left(z_left, h, first, rows, l_)  # (3)
        _product(z_left, W[l_], z_product)  # (3)
        _compute_h(z, z_product, h, first, b, rows, l_)  # (3), (4)
    _compute_top(top, h, rows)  # (5)
    _product(top, V, z2)  # (6)
    _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, K)  # (7) to (11)


@kernel
def _loss(theta, work, counts, at, y, rows, N, D, K):
    """The loss: equation (12)."""
    a2 = work[at[8] : at[8] + K * rows].reshape(rows, K)
    m_a2 = work[at[9] : at[9] + rows]
    s_p = work[at[11] : at[11] + rows]
    loss = work[at[13] : at[13] + 1]
    _compute_loss(m_a2, a2, y, s_p, loss, rows, N)  # (12)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The gradients: equations (13) to (25)."""
    W = theta[32 * D + 32 : 32 * D + 6176].reshape(L, H, H)
    b = theta[32 * D + 6176 : 32 * D + 6368].reshape(L, H)
    V = theta[32 * D + 6368 : 32 * D + 32 * K + 6368].reshape(H, K)
    first = work[at[1] : at[1] + 32 * rows].reshape(rows, H)
    z = work[at[4] : at[4] + 192 * rows].reshape(L, rows, H)
    h = work[at[5] : at[5] + 192 * rows].reshape(L, rows, H)
    top = work[at[6] : at[6] + 32 * rows].reshape(rows, H)
    p = work[at[12] : at[12] + K * rows].reshape(rows, K)
    da2 = work[at[14] : at[14] + K * rows].reshape(rows, K)
    dc = gradient[32 * D + 32 * K + 6368 : 32 * D + 33 * K + 6368]
    dtop = work[at[15] : at[15] + 32 * rows].reshape(rows, H)
    dV = gradient[32 * D + 6368 : 32 * D + 32 * K + 6368].reshape(H, K)
    dh_1_left = work[at[16] : at[16] + 32 * rows].reshape(rows, H)
    dh_1_right = work[at[17] : at[17] + 1024].reshape(H, H)
    dh_1_product = work[at[18] : at[18] + 32 * rows].reshape(rows, H)
    dh_1 = work[at[19] : at[19] + 192 * rows].reshape(L, rows, H)
    dh = work[at[20] : at[20] + 192 * rows].reshape(L, rows, H)
    dz = work[at[21] : at[21] + 192 * rows].reshape(L, rows, H)
    dW_left = work[at[22] : at[22] + 192 * rows].reshape(L, rows, H)
    db = gradient[32 * D + 6176 : 32 * D + 6368].reshape(L, H)
    dW = gradient[32 * D + 32 : 32 * D + 6176].reshape(L, H, H)
    dfirst_1 = work[at[23] : at[23] + 32 * rows].reshape(rows, H)
    dz1 = work[at[24] : at[24] + 32 * rows].reshape(rows, H)
    db0 = gradient[32 * D : 32 * D + 32]
    dW0 = gradient[0 : 32 * D].reshape(D, H)
    _compute_dc(dc, da2, p, y, rows, K, N)  # (13), (14)
    _product(da2, V.T, dtop)  # (15)
    _product(top.T, da2, dV)  # (16)
    for l_ in range(L - 1, -1, -1):
        _compute_dh_1_left(dh_1_left, dz, rows, l_)  # (17)
        _compute_dh_1_right(dh_1_right, W, l_)  # (17)
        _product(dh_1_left, dh_1_right.T, dh_1_product)  # (17)
        _compute_dz(dh_1, dh_1_product, dh, dtop, dz, z, b, rows, l_)  # (17) to (19)
    _compute_db(db, dW_left, h, first, dz, rows)  # (20), (21)
    for l_ in range(L):
        _product(dW_left[l_].T, dz[l_], dW[l_])  # (20)
    _product(dz[0], W[0].T, dfirst_1)  # (22)
    _compute_db0(db0, dz1, first, dfirst_1, dh, rows)  # (23), (25)
    _product(x.T, dz1, dW0)  # (24)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, D, K):
    """The metrics: equations (26), (27)."""
    p = work[at[12] : at[12] + K * rows].reshape(rows, K)
    c_accuracy = counts[at[25] : at[25] + N]
    accuracy = work[at[26] : at[26] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, K)  # (26), (27)


@kernel
def _compute_first(first, z1, b0, rows):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            first[n, j] = _tanh(z1[n, j] + b0[j])  # (2)


@kernel
def _compute_z_left(z_left, h, first, rows, l_):
    """Equation (3)."""
    _disjoint()
    for n in range(rows):
        for i in range(H):
            z_left[n, i] = h[l_ - 1, n, i] if l_ >= 1 else first[n, i]  # (3)


@kernel
def _compute_h(z, z_product, h, first, b, rows, l_):
    """Equations (3), (4)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            z[l_, n, j] = z_product[n, j]  # (3)
            h[l_, n, j] = (h[l_ - 1, n, j] if l_ >= 1 else first[n, j]) + _tanh(z[l_, n, j] + b[l_, j])  # (4)


@kernel
def _compute_top(top, h, rows):
    """Equation (5)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            top[n, j] = h[L - 1, n, j]  # (5)


@kernel
def _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, K):
    """Equations (7) to (11)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for k in range(K):
            a2[n, k] = z2[n, k] + c[k]  # (7)
            m_a2_max = _larger(m_a2_max, a2[n, k])  # (8)
        m_a2[n] = m_a2_max
        s_p_sum = 0.0
        for k in range(K):
            e_p[n, k] = _exp(a2[n, k] - m_a2[n])  # (9)
            s_p_sum += e_p[n, k]  # (10)
        s_p[n] = s_p_sum
        for k in range(K):
            p[n, k] = e_p[n, k] / s_p[n]  # (11)


@kernel
def _compute_loss(m_a2, a2, y, s_p, loss, rows, N):
    """Equation (12)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (m_a2[n] - a2[n, y[n]] + _log(s_p[n])) / N  # (12)
    loss[0] = loss_sum


@kernel
def _compute_dc(dc, da2, p, y, rows, K, N):
    """Equations (13), (14)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for k in range(K):
            da2[n, k] = (p[n, k] - (1.0 if k == y[n] else 0.0)) / N  # (13)
            dc[k] += da2[n, k]  # (14)


@kernel
def _compute_dh_1_left(dh_1_left, dz, rows, l_):
    """Equation (17)."""
    _disjoint()
    for n in range(rows):
        for j2 in range(H):
            dh_1_left[n, j2] = dz[l_ + 1, n, j2] if l_ + 2 <= L else 0.0  # (17)


@kernel
def _compute_dh_1_right(dh_1_right, W, l_):
    """Equation (17)."""
    _disjoint()
    for j in range(H):
        for j2 in range(H):
            dh_1_right[j, j2] = W[l_ + 1, j, j2] if l_ + 2 <= L else 0.0  # (17)


@kernel
def _compute_dz(dh_1, dh_1_product, dh, dtop, dz, z, b, rows, l_):
    """Equations (17) to (19)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dh_1[l_, n, j] = dh_1_product[n, j]  # (17)
            dh[l_, n, j] = (
                (dh[l_ + 1, n, j] if l_ + 2 <= L else 0.0) + _either(l_ + 1 == L, dtop[n, j], 0.0)
                + dh_1[l_, n, j]
            )  # (18)
            dz[l_, n, j] = (1 - _tanh(z[l_, n, j] + b[l_, j]) ** 2) * dh[l_, n, j]  # (19)


@kernel
def _compute_db(db, dW_left, h, first, dz, rows):
    """Equations (20), (21)."""
    _disjoint()
    for l_ in range(L):
        db[l_, :] = 0.0
        for n in range(rows):
            for i in range(H):
                dW_left[l_, n, i] = h[l_ - 1, n, i] if l_ >= 1 else first[n, i]  # (20)
                db[l_, i] += dz[l_, n, i]  # (21)


@kernel
def _compute_db0(db0, dz1, first, dfirst_1, dh, rows):
    """Equations (23), (25)."""
    _disjoint()
    db0[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (1 - first[n, j] * first[n, j]) * (dfirst_1[n, j] + dh[0, n, j])  # (23)
            db0[j] += dz1[n, j]  # (25)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, K):
    """Equations (26), (27)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for k in range(K):
            if c_accuracy_at < 0 or p[n, k] > c_accuracy_argmax:  # (26)
                c_accuracy_argmax, c_accuracy_at = p[n, k], k
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (27)
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
def _evaluate(theta, work, counts, at, x, y, rows, N, D, K):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _metrics(theta, work, counts, at, y, rows, N, D, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    return work[at[13]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N, D, K):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    loss = work[at[13]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first_, last = bounds[c_, 0], bounds[c_, 1]
        _forward(theta, work[c_], counts[c_], at, x[first_ : last], last - first_, N, D, K)
        _loss(theta, work[c_], counts[c_], at, y[first_ : last], last - first_, N, D, K)
        _backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first_ : last], y[first_ : last], last - first_,
            N, D, K,
        )


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
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
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, N, D, K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D, K)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[13]] += work[k, at[13]]
    loss = work[0, at[13]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, D, K):
    """Floating-point operations of one step."""
    return 128 * D * N + 206 * K * N + 42631 * N + 12288


def _places(rows, N, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "first": (0, 1184 * rows + 5 * K * rows, (rows, H)),
        "z_left": (0, 384 * rows, (rows, H)),
        "z_product": (0, 416 * rows, (rows, H)),
        "z": (0, 0, (L, rows, H)),
        "h": (0, 192 * rows, (L, rows, H)),
        "top": (0, 384 * rows + 4 * K * rows, (rows, H)),
        "z2": (0, 384 * rows, (rows, K)),
        "a2": (0, 384 * rows + K * rows, (rows, K)),
        "m_a2": (0, 416 * rows + 4 * K * rows, (rows,)),
        "e_p": (0, 2 * K * rows + 384 * rows, (rows, K)),
        "s_p": (0, 417 * rows + 4 * K * rows, (rows,)),
        "p": (0, 384 * rows + 3 * K * rows, (rows, K)),
        "loss": (0, 1248 * rows + 5 * K * rows + 1024, ()),
        "da2": (0, 384 * rows, (rows, K)),
        "dtop": (0, 1216 * rows + 5 * K * rows, (rows, H)),
        "dh_1_left": (0, 960 * rows, (rows, H)),
        "dh_1_right": (0, 1248 * rows + 5 * K * rows, (H, H)),
        "dh_1_product": (0, 992 * rows, (rows, H)),
        "dh_1": (0, 384 * rows, (L, rows, H)),
        "dh": (0, 576 * rows, (L, rows, H)),
        "dz": (0, 768 * rows, (L, rows, H)),
        "dW_left": (0, 0, (L, rows, H)),
        "dfirst_1": (0, 0, (rows, H)),
        "dz1": (0, 32 * rows, (rows, H)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W0": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b0": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(3 / H) * rng.uniform(-1, 1, (L, H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((L, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside, _either
# symbp/runtime/numba/float64.py: _exp, _expm1, _log, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _tanh


# ---- Matrix products in tiles ----


# symbp/runtime/numba/vectors.py: _ITEM, _LANES, _TALL, _WIDE, _DEEP, _Vectors, _write_tile, _write_turn, _write_row, _write_copy, _write_room, _vector_intrinsics
# symbp/runtime/numba/products.py: _in_registers, _room, _tile, _narrow_tile, _turn, _copy_row, _copy, _product, _product_in_tiles, _multiply, _pack, _tiles


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
