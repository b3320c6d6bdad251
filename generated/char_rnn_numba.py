"""char_rnn: a network that trains in Numba.

Derived from the network char_rnn; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,i,k] = table[x[n,i],k]
    (2)   z1[n,i,l] = Σ_k x1[n,i,k]·W[k,l]
    (3)   r_h[n,i,l] = Σ_j h[n,i - 1,j]·U[j,l]
    (4)   h[n,i,l] = tanh(r_h[n,i,l] + z1[n,i,l] + b[l])
    (5)   z2[n,i,j] = Σ_l h[n,i,l]·R[l,j]
    (6)   a2[n,i,j] = z2[n,i,j] + c[j]
    (7)   m_a2[n,i] = max_j a2[n,i,j]
    (8)   e_p[n,i,j] = exp(a2[n,i,j] - m_a2[n,i])
    (9)   s_p[n,i] = Σ_j e_p[n,i,j]
    (10)  p[n,i,j] = e_p[n,i,j]/s_p[n,i]
    (11)  loss = Σ_n,i (log(s_p[n,i]) + m_a2[n,i] - a2[n,i,y[n,i]])/(N·T)
    (12)  da2[n,i,j] = (p[n,i,j] - [j = y[n,i]])/(N·T)
    (13)  dc[j] = Σ_n,i da2[n,i,j]
    (14)  dh_2[n,i,l] = Σ_j da2[n,i,j]·R[l,j]
    (15)  dh_1[n,i,l] = Σ_l2 [i < T - 1]·dr_h[n,i + 1,l2]·U[l,l2]
    (16)  dr_h[n,i,l] = (1 - h[n,i,l]²)·(dh_1[n,i,l] + dh_2[n,i,l])
    (17)  dU[j,l] = Σ_n,i h[n,i - 1,j]·dr_h[n,i,l]
    (18)  dR[l,j] = Σ_n,i h[n,i,l]·da2[n,i,j]
    (19)  db[l] = Σ_n,i dr_h[n,i,l]
    (20)  dx1[n,i,k] = Σ_l dr_h[n,i,l]·W[k,l]
    (21)  dtable[i,j] = Σ_n,i2 [i = x[n,i2]]·dx1[n,i2,j]
    (22)  dW[k,l] = Σ_n,i x1[n,i,k]·dr_h[n,i,l]
    (23)  c_accuracy[n,i] = argmax_j p[n,i,j]
    (24)  accuracy = Σ_n,i [c_accuracy[n,i] = y[n,i]]/(N·T)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  g_squares = Σ_i gradient[i]²
    (U2)  g_norm = sqrt(g_squares)
    (U3)  g_scale = [clip_norm < g_norm]·clip_norm/g_norm + [g_norm ≤ clip_norm]
    (U4)  g_clipped[i] = g_scale·gradient[i]
    (U5)  m_next[i] = (1 - beta1)·g_clipped[i] + beta1·m[i]
    (U6)  v_next[i] = (1 - beta2)·g_clipped[i]² + beta2·v[i]
    (U7)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: E = 32, H = 64; N, T, V read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      6·E·H·N·T + 6·H·N·T·V + 11·H·N·T + 16·N·T·V + 6·N·T·H² + 9·N·T + E·N·T
             = 400·N·T·V + 37,609·N·T
    bytes      8 + 112·N·T·V + 224·H·N·T + 48·E·N·T + 16·H·N + 16·T·H² + 24·E·H + 24·H·V + 80·N·T
               + 8·E·V + 16·H + 16·V + 8·H²
             = 112·N·T·V + 15,952·N·T + 1,024·N + 1,808·V + 65,536·T + 82,952
    workspace  40·T·V·rows + 3,840·T·rows + 8·N·T + 8 bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "T", "V")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
E, H = 32, 64
NAME = "char_rnn"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", "H"), "U": ("H", "H"), "b": ("H",), "R": ("H", "V"), "c": ("V",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"table": "dtable", "W": "dW", "U": "dU", "b": "db", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "x1", 2: "z1", 3: "r_h", 4: "h", 5: "z2", 6: "a2", 7: "m_a2", 8: "e_p", 9: "s_p", 10: "p", 11: "loss",
    12: "da2", 13: "dc", 14: "dh_2", 15: "dh_1", 16: "dr_h", 17: "dU", 18: "dR", 19: "db", 20: "dx1",
    21: "dtable", 22: "dW", 23: "c_accuracy", 24: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "clip_norm": 1.0}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, T, V):
    """The outputs: equations (1) to (10)."""
    table = theta[0 : 32 * V].reshape(V, E)
    W = theta[32 * V : 32 * V + 2048].reshape(E, H)
    U = theta[32 * V + 2048 : 32 * V + 6144].reshape(H, H)
    b = theta[32 * V + 6144 : 32 * V + 6208]
    R = theta[32 * V + 6208 : 96 * V + 6208].reshape(H, V)
    c = theta[96 * V + 6208 : 97 * V + 6208]
    x1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, E)
    z1 = work[at[1] : at[1] + 64 * T * rows].reshape(rows, T, H)
    r_h_left = work[at[2] : at[2] + 64 * rows].reshape(rows, H)
    r_h_product = work[at[3] : at[3] + 64 * rows].reshape(rows, H)
    r_h = work[at[4] : at[4] + 64 * T * rows].reshape(rows, T, H)
    h = work[at[5] : at[5] + 64 * T * rows].reshape(rows, T, H)
    z2 = work[at[6] : at[6] + T * V * rows].reshape(rows, T, V)
    a2 = work[at[7] : at[7] + T * V * rows].reshape(rows, T, V)
    m_a2 = work[at[8] : at[8] + T * rows].reshape(rows, T)
    e_p = work[at[9] : at[9] + T * V * rows].reshape(rows, T, V)
    s_p = work[at[10] : at[10] + T * rows].reshape(rows, T)
    p = work[at[11] : at[11] + T * V * rows].reshape(rows, T, V)
    _compute_x1(x1, table, x, rows, T)  # (1)
    _product(x1.reshape(T * rows, E), W, z1.reshape(T * rows, H))  # (2)
    for i in range(T):
        _compute_r_h_left(r_h_left, h, rows, i)  # (3)
        _product(r_h_left, U, r_h_product)  # (3)
        _compute_h(r_h, r_h_product, h, z1, b, rows, i)  # (3), (4)
    _product(h.reshape(T * rows, H), R, z2.reshape(T * rows, V))  # (5)
    _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, T, V)  # (6) to (10)


@kernel
def _loss(theta, work, counts, at, y, rows, N, T, V):
    """The loss: equation (11)."""
    a2 = work[at[7] : at[7] + T * V * rows].reshape(rows, T, V)
    m_a2 = work[at[8] : at[8] + T * rows].reshape(rows, T)
    s_p = work[at[10] : at[10] + T * rows].reshape(rows, T)
    loss = work[at[12] : at[12] + 1]
    _compute_loss(m_a2, a2, y, s_p, loss, rows, T, N)  # (11)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V):
    """The gradients: equations (12) to (22)."""
    W = theta[32 * V : 32 * V + 2048].reshape(E, H)
    U = theta[32 * V + 2048 : 32 * V + 6144].reshape(H, H)
    R = theta[32 * V + 6208 : 96 * V + 6208].reshape(H, V)
    x1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, E)
    h = work[at[5] : at[5] + 64 * T * rows].reshape(rows, T, H)
    p = work[at[11] : at[11] + T * V * rows].reshape(rows, T, V)
    da2 = work[at[13] : at[13] + T * V * rows].reshape(rows, T, V)
    dc = gradient[96 * V + 6208 : 97 * V + 6208]
    dU_left = work[at[14] : at[14] + 64 * T * rows].reshape(rows, T, H)
    dh_2 = work[at[15] : at[15] + 64 * T * rows].reshape(rows, T, H)
    dh_1_left = work[at[16] : at[16] + 64 * rows].reshape(rows, H)
    dh_1_product = work[at[17] : at[17] + 64 * rows].reshape(rows, H)
    dh_1 = work[at[18] : at[18] + 64 * T * rows].reshape(rows, T, H)
    dr_h = work[at[19] : at[19] + 64 * T * rows].reshape(rows, T, H)
    dU = gradient[32 * V + 2048 : 32 * V + 6144].reshape(H, H)
    dR = gradient[32 * V + 6208 : 96 * V + 6208].reshape(H, V)
    db = gradient[32 * V + 6144 : 32 * V + 6208]
    dx1 = work[at[20] : at[20] + 32 * T * rows].reshape(rows, T, E)
    dtable = gradient[0 : 32 * V].reshape(V, E)
    dW = gradient[32 * V : 32 * V + 2048].reshape(E, H)
    _compute_dU_left(dc, da2, p, y, dU_left, h, rows, T, V, N)  # (12), (13), (17)
    _product(da2.reshape(T * rows, V), R.T, dh_2.reshape(T * rows, H))  # (14)
    for i in range(T - 1, -1, -1):
        _compute_dh_1_left(dh_1_left, dr_h, rows, i, T)  # (15)
        _product(dh_1_left, U.T, dh_1_product)  # (15)
        _compute_dr_h(dh_1, dh_1_product, dr_h, h, dh_2, rows, i)  # (15), (16)
    _product(dU_left.reshape(T * rows, H).T, dr_h.reshape(T * rows, H), dU)  # (17)
    _product(h.reshape(T * rows, H).T, da2.reshape(T * rows, V), dR)  # (18)
    _compute_db(db, dr_h, rows, T)  # (19)
    _product(dr_h.reshape(T * rows, H), W.T, dx1.reshape(T * rows, E))  # (20)
    _compute_dtable(dtable, x, dx1, rows, T, V)  # (21)
    _product(x1.reshape(T * rows, E).T, dr_h.reshape(T * rows, H), dW)  # (22)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, T, V):
    """The metrics: equations (23), (24)."""
    p = work[at[11] : at[11] + T * V * rows].reshape(rows, T, V)
    c_accuracy = counts[at[21] : at[21] + N * T].reshape(N, T)
    accuracy = work[at[22] : at[22] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, T, V)  # (23), (24)


@kernel
def _compute_x1(x1, table, x, rows, T):
    """Equation (1)."""
    _disjoint()
    for n in range(rows):
        for i in range(T):
            for k in range(E):
                x1[n, i, k] = table[x[n, i], k]  # (1)


@kernel
def _compute_r_h_left(r_h_left, h, rows, i):
    """Equation (3)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            r_h_left[n, j] = h[n, i - 1, j] if i >= 1 else 0.0  # (3)


@kernel
def _compute_h(r_h, r_h_product, h, z1, b, rows, i):
    """Equations (3), (4)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(H):
            r_h[n, i, l_] = r_h_product[n, l_]  # (3)
            h[n, i, l_] = _tanh(r_h[n, i, l_] + z1[n, i, l_] + b[l_])  # (4)


@kernel
def _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, T, V):
    """Equations (6) to (10)."""
    _disjoint()
    for n in range(rows):
        for i in range(T):
            m_a2_max = -np.inf
            for j in range(V):
                a2[n, i, j] = z2[n, i, j] + c[j]  # (6)
                m_a2_max = _larger(m_a2_max, a2[n, i, j])  # (7)
            m_a2[n, i] = m_a2_max
            s_p_sum = 0.0
            for j in range(V):
                e_p[n, i, j] = _exp(a2[n, i, j] - m_a2[n, i])  # (8)
                s_p_sum += e_p[n, i, j]  # (9)
            s_p[n, i] = s_p_sum
            for j in range(V):
                p[n, i, j] = e_p[n, i, j] / s_p[n, i]  # (10)


@kernel
def _compute_loss(m_a2, a2, y, s_p, loss, rows, T, N):
    """Equation (11)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        for i in range(T):
            loss_sum += (m_a2[n, i] - a2[n, i, y[n, i]] + _log(s_p[n, i])) / (N * T)  # (11)
    loss[0] = loss_sum


@kernel
def _compute_dU_left(dc, da2, p, y, dU_left, h, rows, T, V, N):
    """Equations (12), (13), (17)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for i in range(T):
            for j in range(V):
                da2[n, i, j] = (p[n, i, j] - (1.0 if j == y[n, i] else 0.0)) / (N * T)  # (12)
                dc[j] += da2[n, i, j]  # (13)
            for j in range(H):
                dU_left[n, i, j] = h[n, i - 1, j] if i >= 1 else 0.0  # (17)


@kernel
def _compute_dh_1_left(dh_1_left, dr_h, rows, i, T):
    """Equation (15)."""
    _disjoint()
    for n in range(rows):
        for l2 in range(H):
            dh_1_left[n, l2] = dr_h[n, i + 1, l2] if i + 2 <= T else 0.0  # (15)


@kernel
def _compute_dr_h(dh_1, dh_1_product, dr_h, h, dh_2, rows, i):
    """Equations (15), (16)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(H):
            dh_1[n, i, l_] = dh_1_product[n, l_]  # (15)
            dr_h[n, i, l_] = (1 - h[n, i, l_] * h[n, i, l_]) * (dh_1[n, i, l_] + dh_2[n, i, l_])  # (16)


@kernel
def _compute_db(db, dr_h, rows, T):
    """Equation (19)."""
    _disjoint()
    db[:] = 0.0
    for n in range(rows):
        for i in range(T):
            for l_ in range(H):
                db[l_] += dr_h[n, i, l_]  # (19)


@kernel
def _compute_dtable(dtable, x, dx1, rows, T, V):
    """Equation (21)."""
    _disjoint()
    dtable[:, :] = 0.0
    for n in range(rows):
        for i2 in range(T):
            for j in range(E):
                if x[n, i2] + 1 <= V and x[n, i2] >= 0:
                    dtable[x[n, i2], j] += dx1[n, i2, j]  # (21)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, T, V):
    """Equations (23), (24)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        for i in range(T):
            c_accuracy_argmax = -np.inf
            c_accuracy_at = -1
            for j in range(V):
                if c_accuracy_at < 0 or p[n, i, j] > c_accuracy_argmax:  # (23)
                    c_accuracy_argmax, c_accuracy_at = p[n, i, j], j
            c_accuracy[n, i] = c_accuracy_at
            if c_accuracy[n, i] == y[n, i]:
                accuracy_sum += float(1 / (N * T))  # (24)
    accuracy[0] = accuracy_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps, clip_norm):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    g_squares = 0.0
    for i in range(len(theta)):
        g_squares += gradient[i] * gradient[i]  # (U1)
    g_norm = math.sqrt(g_squares)  # (U2)
    g_scale = 1.0 if g_norm <= clip_norm else clip_norm / g_norm  # (U3)
    c1 = 1 - beta1  # (U5)
    c2 = 1 - beta2  # (U6)
    c3 = 1 - beta1**step  # (U7)
    c4 = 1 - beta2**step  # (U7)
    for i in range(len(theta)):
        g_clipped = g_scale * gradient[i]  # (U4)
        m_next = c1 * g_clipped + beta1 * m[i]  # (U5)
        v_next = c2 * (g_clipped * g_clipped) + beta2 * v[i]  # (U6)
        theta_next = theta[i] - lr * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U7)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, rows, N, T, V):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, T, V)
    _loss(theta, work, counts, at, y, rows, N, T, V)
    _metrics(theta, work, counts, at, y, rows, N, T, V)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, T, V):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N, T, V)
    _loss(theta, work, counts, at, y, rows, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V)
    return work[at[12]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, clip_norm, work, counts, at, x, y, rows, N, T, V,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(x, V, 0):
        return math.nan, False, False
    if _any_outside(y, V, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, rows, N, T, V)
    _loss(theta, work, counts, at, y, rows, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V)
    loss = work[at[12]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps, clip_norm)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, V):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first, last = bounds[c_, 0], bounds[c_, 1]
        _forward(theta, work[c_], counts[c_], at, x[first:last], last - first, N, T, V)
        _loss(theta, work[c_], counts[c_], at, y[first:last], last - first, N, T, V)
        _backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first:last], y[first:last], last - first, N, T,
            V,
        )


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        for k in range(1, len(gradients)):
            total += gradients[k, i]
        gradient[i] = total


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, clip_norm, gradients, work, counts, at, bounds, x, y,
    N, T, V,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(x, V, 0):
        return math.nan, False, False
    if _any_outside(y, V, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, V)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[12]] += work[k, at[12]]
    loss = work[0, at[12]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps, clip_norm)
    return loss, finite, moderate


def _flops(N, T, V):
    """Floating-point operations of one step."""
    return 37609 * N * T + 400 * N * T * V


def _places(rows, N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 448 * T * rows + 5 * T * V * rows, (rows, T, E)),
        "z1": (0, 0, (rows, T, H)),
        "r_h_left": (0, 192 * T * rows, (rows, H)),
        "r_h_product": (0, 192 * T * rows + 64 * rows, (rows, H)),
        "r_h": (0, 64 * T * rows, (rows, T, H)),
        "h": (0, 128 * T * rows, (rows, T, H)),
        "z2": (0, 192 * T * rows, (rows, T, V)),
        "a2": (0, 192 * T * rows + T * V * rows, (rows, T, V)),
        "m_a2": (0, 0, (rows, T)),
        "e_p": (0, 192 * T * rows + 2 * T * V * rows, (rows, T, V)),
        "s_p": (0, T * rows, (rows, T)),
        "p": (0, 192 * T * rows + 3 * T * V * rows, (rows, T, V)),
        "loss": (0, 480 * T * rows + 5 * T * V * rows, ()),
        "da2": (0, 192 * T * rows, (rows, T, V)),
        "dU_left": (0, 0, (rows, T, H)),
        "dh_2": (0, 64 * T * rows, (rows, T, H)),
        "dh_1_left": (0, 320 * T * rows + T * V * rows, (rows, H)),
        "dh_1_product": (0, 320 * T * rows + 64 * rows + T * V * rows, (rows, H)),
        "dh_1": (0, 192 * T * rows + T * V * rows, (rows, T, H)),
        "dr_h": (0, 256 * T * rows + T * V * rows, (rows, T, H)),
        "dx1": (0, 0, (rows, T, E)),
        "c_accuracy": (1, 0, (N, T)),
        "accuracy": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    V = sizes["V"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "table": math.sqrt(6 / (E + V)) * rng.uniform(-1, 1, (V, E)),
        "W": math.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (E, H)),
        "U": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(V),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside
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
