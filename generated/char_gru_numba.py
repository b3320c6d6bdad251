"""char_gru: a network that trains in Numba.

Derived from the network char_gru; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,i,k] = table[x[n,i],k]
    (2)   z1[n,i,l,m] = Σ_k x1[n,i,k]·W[k,l,m]
    (3)   a1[n,i,l,m] = z1[n,i,l,m] + b[l,m]
    (4)   r_a1_2[n,i,l,m] = Σ_j h[n,i - 1,j]·U[j,l,m]
    (5)   a1_2[n,i,l,m] = r_a1_2[n,i,l,m] + d[l,m]
    (6)   r_h[n,i,m] = 1/(1 + exp(-a1[n,i,0,m] - a1_2[n,i,0,m]))
    (7)   u_h[n,i,m] = 1/(1 + exp(-a1[n,i,1,m] - a1_2[n,i,1,m]))
    (8)   n_h[n,i,m] = tanh(a1_2[n,i,2,m]·r_h[n,i,m] + a1[n,i,2,m])
    (9)   h[n,i,m] = (1 - u_h[n,i,m])·n_h[n,i,m] + h[n,i - 1,m]·u_h[n,i,m]
    (10)  z2[n,i,j] = Σ_m h[n,i,m]·R[m,j]
    (11)  a2[n,i,j] = z2[n,i,j] + c[j]
    (12)  m_a2[n,i] = max_j a2[n,i,j]
    (13)  e_p[n,i,j] = exp(a2[n,i,j] - m_a2[n,i])
    (14)  s_p[n,i] = Σ_j e_p[n,i,j]
    (15)  p[n,i,j] = e_p[n,i,j]/s_p[n,i]
    (16)  loss = Σ_n,i (log(s_p[n,i]) + m_a2[n,i] - a2[n,i,y[n,i]])/(N·T)
    (17)  da2[n,i,j] = (p[n,i,j] - [j = y[n,i]])/(N·T)
    (18)  dc[j] = Σ_n,i da2[n,i,j]
    (19)  dh_3[n,i,m] = Σ_j da2[n,i,j]·R[m,j]
    (20)  dh_1[n,i,m] = Σ_l,m2 [i < T - 1]·da1_2[n,i + 1,l,m2]·U[m,l,m2]
    (21)  dh[n,i,m] = [i < T - 1]·dh[n,i + 1,m]·u_h[n,i + 1,m] + dh_1[n,i,m] + dh_3[n,i,m]
    (22)  dn_h[n,i,m] = (1 - u_h[n,i,m])·dh[n,i,m]
    (23)  dr_h[n,i,m] = (1 - n_h[n,i,m]²)·a1_2[n,i,2,m]·dn_h[n,i,m]
    (24)  da1_2[n,i,l,m] = [l = 0]·(1 - r_h[n,i,m])·dr_h[n,i,m]·r_h[n,i,m] + [l = 1]·dn_h[n,i,m]·(h[n,i - 1,m] - n_h[n,i,m])·u_h[n,i,m] + [l = 2]·(1 - n_h[n,i,m]²)·dn_h[n,i,m]·r_h[n,i,m]
    (25)  dU[j,l,m] = Σ_n,i h[n,i - 1,j]·da1_2[n,i,l,m]
    (26)  dR[m,j] = Σ_n,i h[n,i,m]·da2[n,i,j]
    (27)  dd[l,m] = Σ_n,i da1_2[n,i,l,m]
    (28)  da1[n,i,l,m] = [l = 0]·(1 - r_h[n,i,m])·dr_h[n,i,m]·r_h[n,i,m] + [l = 1]·dn_h[n,i,m]·(h[n,i - 1,m] - n_h[n,i,m])·u_h[n,i,m] + [l = 2]·(1 - n_h[n,i,m]²)·dn_h[n,i,m]
    (29)  db[l,m] = Σ_n,i da1[n,i,l,m]
    (30)  dx1[n,i,k] = Σ_l,m da1[n,i,l,m]·W[k,l,m]
    (31)  dtable[i,j] = Σ_n,i2 [i = x[n,i2]]·dx1[n,i2,j]
    (32)  dW[k,l,m] = Σ_n,i x1[n,i,k]·da1[n,i,l,m]
    (33)  c_accuracy[n,i] = argmax_j p[n,i,j]
    (34)  accuracy = Σ_n,i [c_accuracy[n,i] = y[n,i]]/(N·T)

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

    flops      18·E·H·N·T + 6·H·N·T·V + 16·N·T·V + 174·H·N·T + 18·N·T·H² + 9·N·T + E·N·T
             = 400·N·T·V + 121,769·N·T
    bytes      8 + 112·N·T·V + 48·E·N·T + 800·H·N·T + 24·H·V + 32·H·N + 48·T·H² + 72·E·H + 80·N·T
               + 8·E·V + 16·V + 24·H² + 96·H
             = 112·N·T·V + 52,816·N·T + 1,808·V + 196,608·T + 2,048·N + 251,912
    workspace  40·T·V·rows + 14,592·T·rows + 8·N·T + 8 bytes for each chunk of rows examples
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
NAME = "char_gru"
SIZES = {"E": E, "H": H}
PARAMETERS = {
    "table": ("V", "E"), "W": ("E", 3, "H"), "U": ("H", 3, "H"), "b": (3, "H"), "d": (3, "H"),
    "R": ("H", "V"), "c": ("V",),
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
GRADIENTS = {"table": "dtable", "W": "dW", "U": "dU", "b": "db", "d": "dd", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "x1", 2: "z1", 3: "a1", 4: "r_a1_2", 5: "a1_2", 6: "r_h", 7: "u_h", 8: "n_h", 9: "h", 10: "z2",
    11: "a2", 12: "m_a2", 13: "e_p", 14: "s_p", 15: "p", 16: "loss", 17: "da2", 18: "dc", 19: "dh_3",
    20: "dh_1", 21: "dh", 22: "dn_h", 23: "dr_h", 24: "da1_2", 25: "dU", 26: "dR", 27: "dd", 28: "da1",
    29: "db", 30: "dx1", 31: "dtable", 32: "dW", 33: "c_accuracy", 34: "accuracy",
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
    """The outputs: equations (1) to (15)."""
    table = theta[0 : 32 * V].reshape(V, E)
    W = theta[32 * V : 32 * V + 6144].reshape(E, 3, H)
    U = theta[32 * V + 6144 : 32 * V + 18432].reshape(H, 3, H)
    b = theta[32 * V + 18432 : 32 * V + 18624].reshape(3, H)
    d = theta[32 * V + 18624 : 32 * V + 18816].reshape(3, H)
    R = theta[32 * V + 18816 : 96 * V + 18816].reshape(H, V)
    c = theta[96 * V + 18816 : 97 * V + 18816]
    x1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, E)
    z1 = work[at[1] : at[1] + 192 * T * rows].reshape(rows, T, 3, H)
    a1 = work[at[2] : at[2] + 192 * T * rows].reshape(rows, T, 3, H)
    r_a1_2_left = work[at[3] : at[3] + 64 * rows].reshape(rows, H)
    r_a1_2_product = work[at[4] : at[4] + 192 * rows].reshape(rows, 3, H)
    r_a1_2 = work[at[5] : at[5] + 192 * T * rows].reshape(rows, T, 3, H)
    a1_2 = work[at[6] : at[6] + 192 * T * rows].reshape(rows, T, 3, H)
    r_h = work[at[7] : at[7] + 64 * T * rows].reshape(rows, T, H)
    u_h = work[at[8] : at[8] + 64 * T * rows].reshape(rows, T, H)
    n_h = work[at[9] : at[9] + 64 * T * rows].reshape(rows, T, H)
    h = work[at[10] : at[10] + 64 * T * rows].reshape(rows, T, H)
    z2 = work[at[11] : at[11] + T * V * rows].reshape(rows, T, V)
    a2 = work[at[12] : at[12] + T * V * rows].reshape(rows, T, V)
    m_a2 = work[at[13] : at[13] + T * rows].reshape(rows, T)
    e_p = work[at[14] : at[14] + T * V * rows].reshape(rows, T, V)
    s_p = work[at[15] : at[15] + T * rows].reshape(rows, T)
    p = work[at[16] : at[16] + T * V * rows].reshape(rows, T, V)
    _compute_x1(x1, table, x, rows, T)  # (1)
    _product(x1.reshape(T * rows, E), W.reshape(E, 3 * H), z1.reshape(T * rows, 3 * H))  # (2)
    _compute_a1(a1, z1, b, rows, T)  # (3)
    for i in range(T):
        _compute_r_a1_2_left(r_a1_2_left, h, rows, i)  # (4)
        _product(r_a1_2_left, U.reshape(H, 3 * H), r_a1_2_product.reshape(rows, 3 * H))  # (4)
        _compute_h(r_a1_2, r_a1_2_product, a1_2, d, r_h, a1, u_h, n_h, h, rows, i)  # (4) to (9)
    _product(h.reshape(T * rows, H), R, z2.reshape(T * rows, V))  # (10)
    _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, T, V)  # (11) to (15)


@kernel
def _loss(theta, work, counts, at, y, rows, N, T, V):
    """The loss: equation (16)."""
    a2 = work[at[12] : at[12] + T * V * rows].reshape(rows, T, V)
    m_a2 = work[at[13] : at[13] + T * rows].reshape(rows, T)
    s_p = work[at[15] : at[15] + T * rows].reshape(rows, T)
    loss = work[at[17] : at[17] + 1]
    _compute_loss(m_a2, a2, y, s_p, loss, rows, T, N)  # (16)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, T, V):
    """The gradients: equations (17) to (32)."""
    W = theta[32 * V : 32 * V + 6144].reshape(E, 3, H)
    U = theta[32 * V + 6144 : 32 * V + 18432].reshape(H, 3, H)
    R = theta[32 * V + 18816 : 96 * V + 18816].reshape(H, V)
    x1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, E)
    a1_2 = work[at[6] : at[6] + 192 * T * rows].reshape(rows, T, 3, H)
    r_h = work[at[7] : at[7] + 64 * T * rows].reshape(rows, T, H)
    u_h = work[at[8] : at[8] + 64 * T * rows].reshape(rows, T, H)
    n_h = work[at[9] : at[9] + 64 * T * rows].reshape(rows, T, H)
    h = work[at[10] : at[10] + 64 * T * rows].reshape(rows, T, H)
    p = work[at[16] : at[16] + T * V * rows].reshape(rows, T, V)
    da2 = work[at[18] : at[18] + T * V * rows].reshape(rows, T, V)
    dc = gradient[96 * V + 18816 : 97 * V + 18816]
    dU_left = work[at[19] : at[19] + 64 * T * rows].reshape(rows, T, H)
    dh_3 = work[at[20] : at[20] + 64 * T * rows].reshape(rows, T, H)
    dh_1_left = work[at[21] : at[21] + 192 * rows].reshape(rows, 3, H)
    dh_1_product = work[at[22] : at[22] + 64 * rows].reshape(rows, H)
    dh_1 = work[at[23] : at[23] + 64 * T * rows].reshape(rows, T, H)
    dh = work[at[24] : at[24] + 64 * T * rows].reshape(rows, T, H)
    dn_h = work[at[25] : at[25] + 64 * T * rows].reshape(rows, T, H)
    dr_h = work[at[26] : at[26] + 64 * T * rows].reshape(rows, T, H)
    da1_2 = work[at[27] : at[27] + 192 * T * rows].reshape(rows, T, 3, H)
    dU = gradient[32 * V + 6144 : 32 * V + 18432].reshape(H, 3, H)
    dR = gradient[32 * V + 18816 : 96 * V + 18816].reshape(H, V)
    dd = gradient[32 * V + 18624 : 32 * V + 18816].reshape(3, H)
    da1 = work[at[28] : at[28] + 192 * T * rows].reshape(rows, T, 3, H)
    db = gradient[32 * V + 18432 : 32 * V + 18624].reshape(3, H)
    dx1 = work[at[29] : at[29] + 32 * T * rows].reshape(rows, T, E)
    dtable = gradient[0 : 32 * V].reshape(V, E)
    dW = gradient[32 * V : 32 * V + 6144].reshape(E, 3, H)
    _compute_dU_left(dc, da2, p, y, dU_left, h, rows, T, V, N)  # (17), (18), (25)
    _product(da2.reshape(T * rows, V), R.T, dh_3.reshape(T * rows, H))  # (19)
    for i in range(T - 1, -1, -1):
        _compute_dh_1_left(dh_1_left, da1_2, rows, i, T)  # (20)
        _product(dh_1_left.reshape(rows, 3 * H), U.reshape(H, 3 * H).T, dh_1_product)  # (20)
        _compute_da1_2(
            dh_1, dh_1_product, dh, u_h, dh_3, dn_h, dr_h, n_h, a1_2, da1_2, r_h, h, rows, i, T
        )  # (20) to (24)
    _product(dU_left.reshape(T * rows, H).T, da1_2.reshape(T * rows, 3 * H), dU.reshape(H, 3 * H))  # (25)
    _product(h.reshape(T * rows, H).T, da2.reshape(T * rows, V), dR)  # (26)
    _compute_db(dd, db, da1_2, da1, r_h, dr_h, dn_h, h, n_h, u_h, rows, T)  # (27) to (29)
    _product(da1.reshape(T * rows, 3 * H), W.reshape(E, 3 * H).T, dx1.reshape(T * rows, E))  # (30)
    _compute_dtable(dtable, x, dx1, rows, T, V)  # (31)
    _product(x1.reshape(T * rows, E).T, da1.reshape(T * rows, 3 * H), dW.reshape(E, 3 * H))  # (32)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, T, V):
    """The metrics: equations (33), (34)."""
    p = work[at[16] : at[16] + T * V * rows].reshape(rows, T, V)
    c_accuracy = counts[at[30] : at[30] + N * T].reshape(N, T)
    accuracy = work[at[31] : at[31] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, T, V)  # (33), (34)


@kernel
def _compute_x1(x1, table, x, rows, T):
    """Equation (1)."""
    _disjoint()
    for n in range(rows):
        for i in range(T):
            for k in range(E):
                x1[n, i, k] = table[x[n, i], k]  # (1)


@kernel
def _compute_a1(a1, z1, b, rows, T):
    """Equation (3)."""
    _disjoint()
    for n in range(rows):
        for i in range(T):
            for l_ in range(3):
                for m in range(H):
                    a1[n, i, l_, m] = z1[n, i, l_, m] + b[l_, m]  # (3)


@kernel
def _compute_r_a1_2_left(r_a1_2_left, h, rows, i):
    """Equation (4)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            r_a1_2_left[n, j] = h[n, i - 1, j] if i >= 1 else 0.0  # (4)


@kernel
def _compute_h(r_a1_2, r_a1_2_product, a1_2, d, r_h, a1, u_h, n_h, h, rows, i):
    """Equations (4) to (9)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(3):
            for m in range(H):
                r_a1_2[n, i, l_, m] = r_a1_2_product[n, l_, m]  # (4)
                a1_2[n, i, l_, m] = r_a1_2[n, i, l_, m] + d[l_, m]  # (5)
        for m in range(H):
            r_h[n, i, m] = _sigmoid(a1[n, i, 0, m] + a1_2[n, i, 0, m])  # (6)
            u_h[n, i, m] = _sigmoid(a1[n, i, 1, m] + a1_2[n, i, 1, m])  # (7)
            n_h[n, i, m] = _tanh(a1[n, i, 2, m] + a1_2[n, i, 2, m] * r_h[n, i, m])  # (8)
            h[n, i, m] = (
                (1 - u_h[n, i, m]) * n_h[n, i, m] + (h[n, i - 1, m] if i >= 1 else 0.0) * u_h[n, i, m]
            )  # (9)


@kernel
def _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, T, V):
    """Equations (11) to (15)."""
    _disjoint()
    for n in range(rows):
        for i in range(T):
            m_a2_max = -np.inf
            for j in range(V):
                a2[n, i, j] = z2[n, i, j] + c[j]  # (11)
                m_a2_max = _larger(m_a2_max, a2[n, i, j])  # (12)
            m_a2[n, i] = m_a2_max
            s_p_sum = 0.0
            for j in range(V):
                e_p[n, i, j] = _exp(a2[n, i, j] - m_a2[n, i])  # (13)
                s_p_sum += e_p[n, i, j]  # (14)
            s_p[n, i] = s_p_sum
            for j in range(V):
                p[n, i, j] = e_p[n, i, j] / s_p[n, i]  # (15)


@kernel
def _compute_loss(m_a2, a2, y, s_p, loss, rows, T, N):
    """Equation (16)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        for i in range(T):
            loss_sum += (m_a2[n, i] - a2[n, i, y[n, i]] + _log(s_p[n, i])) / (N * T)  # (16)
    loss[0] = loss_sum


@kernel
def _compute_dU_left(dc, da2, p, y, dU_left, h, rows, T, V, N):
    """Equations (17), (18), (25)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for i in range(T):
            for j in range(V):
                da2[n, i, j] = (p[n, i, j] - (1.0 if j == y[n, i] else 0.0)) / (N * T)  # (17)
                dc[j] += da2[n, i, j]  # (18)
            for j in range(H):
                dU_left[n, i, j] = h[n, i - 1, j] if i >= 1 else 0.0  # (25)


@kernel
def _compute_dh_1_left(dh_1_left, da1_2, rows, i, T):
    """Equation (20)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(3):
            for m2 in range(H):
                dh_1_left[n, l_, m2] = da1_2[n, i + 1, l_, m2] if i + 2 <= T else 0.0  # (20)


@kernel
def _compute_da1_2(dh_1, dh_1_product, dh, u_h, dh_3, dn_h, dr_h, n_h, a1_2, da1_2, r_h, h, rows, i, T):
    """Equations (20) to (24)."""
    _disjoint()
    for n in range(rows):
        for m in range(H):
            dh_1[n, i, m] = dh_1_product[n, m]  # (20)
            dh[n, i, m] = (
                (dh[n, i + 1, m] * u_h[n, i + 1, m] if i + 2 <= T else 0.0) + dh_1[n, i, m] + dh_3[n, i, m]
            )  # (21)
            dn_h[n, i, m] = (1 - u_h[n, i, m]) * dh[n, i, m]  # (22)
            dr_h[n, i, m] = (1 - n_h[n, i, m] * n_h[n, i, m]) * a1_2[n, i, 2, m] * dn_h[n, i, m]  # (23)
            for l_ in range(3):
                da1_2[n, i, l_, m] = (
                    _either(l_ == 0, (1 - r_h[n, i, m]) * dr_h[n, i, m] * r_h[n, i, m], 0.0)
                    + (
                        dn_h[n, i, m] * ((h[n, i - 1, m] if i >= 1 else 0.0) - n_h[n, i, m]) * u_h[n, i, m]
                        if l_ == 1 else 0.0
                    )
                    + _either(l_ == 2, (1 - n_h[n, i, m] * n_h[n, i, m]) * dn_h[n, i, m] * r_h[n, i, m], 0.0)
                )  # (24)


@kernel
def _compute_db(dd, db, da1_2, da1, r_h, dr_h, dn_h, h, n_h, u_h, rows, T):
    """Equations (27) to (29)."""
    _disjoint()
    dd[:, :] = 0.0
    db[:, :] = 0.0
    for n in range(rows):
        for i in range(T):
            for l_ in range(3):
                for m in range(H):
                    dd[l_, m] += da1_2[n, i, l_, m]  # (27)
                    da1[n, i, l_, m] = (
                        _either(l_ == 0, (1 - r_h[n, i, m]) * dr_h[n, i, m] * r_h[n, i, m], 0.0)
                        + (
                            dn_h[n, i, m] * ((h[n, i - 1, m] if i >= 1 else 0.0) - n_h[n, i, m])
                            * u_h[n, i, m] if l_ == 1 else 0.0
                        ) + _either(l_ == 2, (1 - n_h[n, i, m] * n_h[n, i, m]) * dn_h[n, i, m], 0.0)
                    )  # (28)
                    db[l_, m] += da1[n, i, l_, m]  # (29)


@kernel
def _compute_dtable(dtable, x, dx1, rows, T, V):
    """Equation (31)."""
    _disjoint()
    dtable[:, :] = 0.0
    for n in range(rows):
        for i2 in range(T):
            for j in range(E):
                if x[n, i2] + 1 <= V and x[n, i2] >= 0:
                    dtable[x[n, i2], j] += dx1[n, i2, j]  # (31)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, T, V):
    """Equations (33), (34)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        for i in range(T):
            c_accuracy_argmax = -np.inf
            c_accuracy_at = -1
            for j in range(V):
                if c_accuracy_at < 0 or p[n, i, j] > c_accuracy_argmax:  # (33)
                    c_accuracy_argmax, c_accuracy_at = p[n, i, j], j
            c_accuracy[n, i] = c_accuracy_at
            if c_accuracy[n, i] == y[n, i]:
                accuracy_sum += float(1 / (N * T))  # (34)
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
    return work[at[17]]


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
    loss = work[at[17]]
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
        work[0, at[17]] += work[k, at[17]]
    loss = work[0, at[17]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps, clip_norm)
    return loss, finite, moderate


def _flops(N, T, V):
    """Floating-point operations of one step."""
    return 121769 * N * T + 400 * N * T * V


def _places(rows, N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 1792 * T * rows + 5 * T * V * rows, (rows, T, E)),
        "z1": (0, 0, (rows, T, 3, H)),
        "a1": (0, 192 * T * rows, (rows, T, 3, H)),
        "r_a1_2_left": (0, 192 * rows + 832 * T * rows, (rows, H)),
        "r_a1_2_product": (0, 832 * T * rows, (rows, 3, H)),
        "r_a1_2": (0, 0, (rows, T, 3, H)),
        "a1_2": (0, 384 * T * rows, (rows, T, 3, H)),
        "r_h": (0, 576 * T * rows, (rows, T, H)),
        "u_h": (0, 640 * T * rows, (rows, T, H)),
        "n_h": (0, 704 * T * rows, (rows, T, H)),
        "h": (0, 768 * T * rows, (rows, T, H)),
        "z2": (0, 832 * T * rows, (rows, T, V)),
        "a2": (0, 832 * T * rows + T * V * rows, (rows, T, V)),
        "m_a2": (0, 0, (rows, T)),
        "e_p": (0, 2 * T * V * rows + 832 * T * rows, (rows, T, V)),
        "s_p": (0, T * rows, (rows, T)),
        "p": (0, 3 * T * V * rows + 832 * T * rows, (rows, T, V)),
        "loss": (0, 1824 * T * rows + 5 * T * V * rows, ()),
        "da2": (0, 832 * T * rows, (rows, T, V)),
        "dU_left": (0, 192 * T * rows, (rows, T, H)),
        "dh_3": (0, 256 * T * rows, (rows, T, H)),
        "dh_1_left": (0, 1024 * T * rows + T * V * rows, (rows, 3, H)),
        "dh_1_product": (0, 1024 * T * rows + 192 * rows + T * V * rows, (rows, H)),
        "dh_1": (0, 320 * T * rows, (rows, T, H)),
        "dh": (0, 832 * T * rows + T * V * rows, (rows, T, H)),
        "dn_h": (0, 896 * T * rows + T * V * rows, (rows, T, H)),
        "dr_h": (0, 960 * T * rows + T * V * rows, (rows, T, H)),
        "da1_2": (0, 0, (rows, T, 3, H)),
        "da1": (0, 192 * T * rows, (rows, T, 3, H)),
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
        "W": math.sqrt(6 / (3 * H + E)) * rng.uniform(-1, 1, (E, 3, H)),
        "U": math.sqrt(3 / (2 * H)) * rng.uniform(-1, 1, (H, 3, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((3, H)),
        "d": np.zeros((3, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + V)) * rng.uniform(-1, 1, (H, V)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(V),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside, _either
# symbp/runtime/numba/float64.py: _exp, _expm1, _log, _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid, _tanh


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
