"""ctc: a network that trains in Numba.

Derived from the network ctc; float64. It reads x(N, T, D), y(N, S), length(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,t,j] = Σ_i x[n,t,i]·W[i,j]
    (2)   r_h1[n,t,j] = Σ_i h1[n,t - 1,i]·U[i,j]
    (3)   h1[n,t,j] = tanh(r_h1[n,t,j] + z1[n,t,j] + b[j])
    (4)   z2[n,t,k] = Σ_j h1[n,t,j]·R[j,k]
    (5)   z[n,t,k] = z2[n,t,k] + c[k]
    (6)   m_z[n,t] = max_k z[n,t,k]
    (7)   e_p[n,t,k] = exp(z[n,t,k] - m_z[n,t])
    (8)   s_p[n,t] = Σ_k e_p[n,t,k]
    (9)   p[n,t,k] = e_p[n,t,k]/s_p[n,t]
    (10)  s_lse[n,t] = Σ_k exp(z[n,t,k] - m_z[n,t])
    (11)  log_p[n,t,k] = z[n,t,k] - log(s_lse[n,t]) - m_z[n,t]
    (12)  e[n,t,l] = [l%2 = 1]·log_p[n,t,y[n,l//2]] + log_p[n,t,0]·(1 - [l%2 = 1])
    (13)  m_alpha[n,t,l] = max_m alpha[n,t - 1,l - m | -∞·[l ≠ m]] where [m ≤ 1 + [y[n,l//2 - 1 | -1] ≠ y[n,l//2 | -1]]·[l%2 = 1]]
    (14)  m_alpha_finite[n,t,l] = [m_alpha[n,t,l] > -∞]·m_alpha[n,t,l]
    (15)  s_alpha_sum[n,t,l] = Σ_m [m ≤ 1 + [y[n,l//2 - 1 | -1] ≠ y[n,l//2 | -1]]·[l%2 = 1]]·exp(alpha[n,t - 1,l - m | -∞·[l ≠ m]] - m_alpha_finite[n,t,l])
    (16)  s_alpha[n,t,l] = [s_alpha_sum[n,t,l] = 0] + s_alpha_sum[n,t,l]
    (17)  alpha[n,t,l] = e[n,t,l] + log(s_alpha[n,t,l]) + m_alpha[n,t,l]
    (18)  m_alpha2[n] = max_q alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]]
    (19)  m_alpha2_finite[n] = [m_alpha2[n] > -∞]·m_alpha2[n]
    (20)  s_nll_sum[n] = Σ_q exp(alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]] - m_alpha2_finite[n])
    (21)  s_nll[n] = [s_nll_sum[n] = 0] + s_nll_sum[n]
    (22)  nll[n] = -log(s_nll[n]) - m_alpha2[n]
    (23)  loss = Σ_n nll[n]/(N·([length[n] = 0] + length[n]))
    (24)  ds_nll[n] = -1/(N·([length[n] = 0] + length[n])·s_nll[n])
    (25)  dalpha_2_s1[n,l] = Σ_q [l + q = 2·length[n]]·exp(alpha[n,T - 1,2·length[n] - q | -∞·[q ≠ 2·length[n]]] - m_alpha2_finite[n])
    (26)  dalpha_1[n,t,l] = Σ_m [m ≤ 1 + [y[n,(l + m)//2 - 1 | -1] ≠ y[n,(l + m)//2 | -1]]·[(l + m)%2 = 1]]·[t < T - 1]·[l + m ≤ 2·S]·ds_alpha[n,t + 1,l + m]·exp(alpha[n,t,l] - m_alpha_finite[n,t + 1,l + m])
    (27)  dalpha[n,t,l] = [t = T - 1]·ds_nll[n]·dalpha_2_s1[n,l] + dalpha_1[n,t,l]
    (28)  ds_alpha[n,t,l] = dalpha[n,t,l]/s_alpha[n,t,l]
    (29)  dlog_p_1_s1[n,t] = Σ_l dalpha[n,t,l]·(1 - [l%2 = 1])
    (30)  dlog_p_2[n,t,k] = Σ_l [k = y[n,l//2]]·[l%2 = 1]·dalpha[n,t,l]
    (31)  dlog_p[n,t,k] = [k = 0]·dlog_p_1_s1[n,t] + dlog_p_2[n,t,k]
    (32)  ds_lse_s1[n,t] = Σ_k dlog_p[n,t,k]
    (33)  dz[n,t,k] = dlog_p[n,t,k] - ds_lse_s1[n,t]·p[n,t,k]
    (34)  dc[k] = Σ_n,t dz[n,t,k]
    (35)  dh1_2[n,t,j] = Σ_k dz[n,t,k]·R[j,k]
    (36)  dh1_1[n,t,j] = Σ_j2 [t < T - 1]·dr_h1[n,t + 1,j2]·U[j,j2]
    (37)  dr_h1[n,t,j] = (1 - h1[n,t,j]²)·(dh1_1[n,t,j] + dh1_2[n,t,j])
    (38)  dU[i,j] = Σ_n,t h1[n,t - 1,i]·dr_h1[n,t,j]
    (39)  dR[j,k] = Σ_n,t h1[n,t,j]·dz[n,t,k]
    (40)  db[j] = Σ_n,t dr_h1[n,t,j]
    (41)  dW[i,j] = Σ_n,t x[n,t,i]·dr_h1[n,t,j]
    (42)  best[n,t] = argmax_k p[n,t,k]
    (43)  heard[n,t] = [best[n,t] ≠ 0]·[best[n,t] ≠ best[n,t - 1]]
    (44)  place[n,t] = Σ_i [i ≤ t]·heard[n,i]
    (45)  errors[n] = Σ_t,s [best[n,t] ≠ y[n,s]]·[s = place[n,t] - 1]·heard[n,t]
    (46)  letters[n] = place[n,T - 1]
    (47)  exact = Σ_n [errors[n] = 0]·[letters[n] = length[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 32; N, T, D, S, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      3 + 4·D·H·N·T + 6·H·K·N·T + 11·H·N·T + 158·N·S·T + 25·K·N·T + 6·N·T·H² + 14·N·S + 79·N·T
               + 40·N + 6·S
             = 128·D·N·T + 158·N·S·T + 217·K·N·T + 14·N·S + 6,575·N·T + 40·N + 6·S + 3
    bytes      24 + 16·D·N·T + 184·H·N·T + 416·N·S·T + 80·K·N·T + 16·D·H + 16·H·N + 16·T·H² + 224·N·S
               + 224·N·T + 24·H·K + 16·H + 16·K + 200·N + 32·S + 8·H²
             = 16·D·N·T + 416·N·S·T + 80·K·N·T + 224·N·S + 6,112·N·T + 16,384·T + 32·S + 512·D + 712·N
               + 784·K + 8,728
    workspace  8·N·T + 8·max(18·S·T·rows + 8·K·T·rows + 169·T·rows + 64·rows + 18, 18·S·T·rows
               + 4·K·T·rows + 2·N·T + 9·T·rows + 2·N + 18) bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "T", "D", "S", "K")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
H = 32
NAME = "ctc"
SIZES = {"H": H}
PARAMETERS = {"W": ("D", "H"), "U": ("H", "H"), "b": ("H",), "R": ("H", "K"), "c": ("K",)}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T", "D"), "y": ("N", "S"), "length": ("N",)}
INTEGERS = {"y": ("K", None), "length": (lambda s: s["S"] + 1, None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("exact",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W": "dW", "U": "dU", "b": "db", "R": "dR", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "r_h1", 3: "h1", 4: "z2", 5: "z", 6: "m_z", 7: "e_p", 8: "s_p", 9: "p", 10: "s_lse",
    11: "log_p", 12: "e", 13: "m_alpha", 14: "m_alpha_finite", 15: "s_alpha_sum", 16: "s_alpha", 17: "alpha",
    18: "m_alpha2", 19: "m_alpha2_finite", 20: "s_nll_sum", 21: "s_nll", 22: "nll", 23: "loss", 24: "ds_nll",
    25: "dalpha_2_s1", 26: "dalpha_1", 27: "dalpha", 28: "ds_alpha", 29: "dlog_p_1_s1", 30: "dlog_p_2",
    31: "dlog_p", 32: "ds_lse_s1", 33: "dz", 34: "dc", 35: "dh1_2", 36: "dh1_1", 37: "dr_h1", 38: "dU",
    39: "dR", 40: "db", 41: "dW", 42: "best", 43: "heard", 44: "place", 45: "errors", 46: "letters",
    47: "exact",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, T, D, S, K):
    """The outputs: equations (1) to (9)."""
    W = theta[0 : 32 * D].reshape(D, H)
    U = theta[32 * D : 32 * D + 1024].reshape(H, H)
    b = theta[32 * D + 1024 : 32 * D + 1056]
    R = theta[32 * D + 1056 : 32 * D + 32 * K + 1056].reshape(H, K)
    c = theta[32 * D + 32 * K + 1056 : 32 * D + 33 * K + 1056]
    z1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, H)
    r_h1_left = work[at[1] : at[1] + 32 * rows].reshape(rows, H)
    r_h1_product = work[at[2] : at[2] + 32 * rows].reshape(rows, H)
    r_h1 = work[at[3] : at[3] + 32 * T * rows].reshape(rows, T, H)
    h1 = work[at[4] : at[4] + 32 * T * rows].reshape(rows, T, H)
    z2 = work[at[5] : at[5] + K * T * rows].reshape(rows, T, K)
    z = work[at[6] : at[6] + K * T * rows].reshape(rows, T, K)
    m_z = work[at[7] : at[7] + T * rows].reshape(rows, T)
    e_p = work[at[8] : at[8] + K * T * rows].reshape(rows, T, K)
    s_p = work[at[9] : at[9] + T * rows].reshape(rows, T)
    p = work[at[10] : at[10] + K * T * rows].reshape(rows, T, K)
    _product(x.reshape(T * rows, D), W, z1.reshape(T * rows, H))  # (1)
    for t in range(T):
        _compute_r_h1_left(r_h1_left, h1, rows, t)  # (2)
        _product(r_h1_left, U, r_h1_product)  # (2)
        _compute_h1(r_h1, r_h1_product, h1, z1, b, rows, t)  # (2), (3)
    _product(h1.reshape(T * rows, H), R, z2.reshape(T * rows, K))  # (4)
    _compute_p(z, z2, c, m_z, e_p, s_p, p, rows, T, K)  # (5) to (9)


@kernel
def _loss(theta, work, counts, at, y, length, rows, N, T, D, S, K):
    """The loss: equations (10) to (23)."""
    z = work[at[6] : at[6] + K * T * rows].reshape(rows, T, K)
    m_z = work[at[7] : at[7] + T * rows].reshape(rows, T)
    s_lse = work[at[11] : at[11] + T * rows].reshape(rows, T)
    log_p = work[at[12] : at[12] + K * T * rows].reshape(rows, T, K)
    e = work[at[13] : at[13] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    m_alpha = work[at[14] : at[14] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    m_alpha_finite = work[at[15] : at[15] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    s_alpha_sum = work[at[16] : at[16] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    s_alpha = work[at[17] : at[17] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    alpha = work[at[18] : at[18] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    m_alpha2 = work[at[19] : at[19] + rows]
    m_alpha2_finite = work[at[20] : at[20] + rows]
    s_nll_sum = work[at[21] : at[21] + rows]
    s_nll = work[at[22] : at[22] + rows]
    nll = work[at[23] : at[23] + rows]
    loss = work[at[24] : at[24] + 1]
    _compute_e(z, m_z, s_lse, log_p, e, y, rows, T, K, S)  # (10) to (12)
    for t in range(T):
        _compute_alpha(y, alpha, m_alpha, m_alpha_finite, s_alpha_sum, s_alpha, e, rows, S, t)  # (13) to (17)
    _compute_loss(
        alpha, length, m_alpha2, m_alpha2_finite, s_nll_sum, s_nll, nll, loss, rows, T, S, N
    )  # (18) to (23)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K):
    """The gradients: equations (24) to (41)."""
    U = theta[32 * D : 32 * D + 1024].reshape(H, H)
    R = theta[32 * D + 1056 : 32 * D + 32 * K + 1056].reshape(H, K)
    h1 = work[at[4] : at[4] + 32 * T * rows].reshape(rows, T, H)
    p = work[at[10] : at[10] + K * T * rows].reshape(rows, T, K)
    m_alpha_finite = work[at[15] : at[15] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    s_alpha = work[at[17] : at[17] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    alpha = work[at[18] : at[18] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    m_alpha2_finite = work[at[20] : at[20] + rows]
    s_nll = work[at[22] : at[22] + rows]
    ds_nll = work[at[25] : at[25] + rows]
    dalpha_2_s1 = work[at[26] : at[26] + 2 * S * rows + rows].reshape(rows, 2 * S + 1)
    dU_left = work[at[27] : at[27] + 32 * T * rows].reshape(rows, T, H)
    dalpha_1 = work[at[28] : at[28] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    dalpha = work[at[29] : at[29] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    ds_alpha = work[at[30] : at[30] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    dlog_p_1_s1_right = work[at[31] : at[31] + 2 * S + 1]
    dlog_p_1_s1 = work[at[32] : at[32] + T * rows].reshape(rows, T)
    dlog_p_2 = work[at[33] : at[33] + K * T * rows].reshape(rows, T, K)
    dlog_p = work[at[34] : at[34] + K * T * rows].reshape(rows, T, K)
    ds_lse_s1 = work[at[35] : at[35] + T * rows].reshape(rows, T)
    dz = work[at[36] : at[36] + K * T * rows].reshape(rows, T, K)
    dc = gradient[32 * D + 32 * K + 1056 : 32 * D + 33 * K + 1056]
    dh1_2 = work[at[37] : at[37] + 32 * T * rows].reshape(rows, T, H)
    dh1_1_left = work[at[38] : at[38] + 32 * rows].reshape(rows, H)
    dh1_1_product = work[at[39] : at[39] + 32 * rows].reshape(rows, H)
    dh1_1 = work[at[40] : at[40] + 32 * T * rows].reshape(rows, T, H)
    dr_h1 = work[at[41] : at[41] + 32 * T * rows].reshape(rows, T, H)
    dU = gradient[32 * D : 32 * D + 1024].reshape(H, H)
    dR = gradient[32 * D + 1056 : 32 * D + 32 * K + 1056].reshape(H, K)
    db = gradient[32 * D + 1024 : 32 * D + 1056]
    dW = gradient[0 : 32 * D].reshape(D, H)
    _compute_dU_left(
        ds_nll, length, s_nll, dalpha_2_s1, alpha, m_alpha2_finite, dU_left, h1, rows, N, S, T
    )  # (24), (25), (38)
    for t in range(T - 1, -1, -1):
        _compute_ds_alpha(
            y, ds_alpha, alpha, m_alpha_finite, dalpha_1, dalpha, dalpha_2_s1, ds_nll, s_alpha, rows, S, t, T
        )  # (26) to (28)
    _compute_dlog_p_1_s1_right(dlog_p_1_s1_right, S)  # (29)
    np.dot(dalpha.reshape(T * rows, 2 * S + 1), dlog_p_1_s1_right, dlog_p_1_s1.reshape(T * rows))  # (29)
    _compute_dc(dc, dlog_p_2, y, dalpha, dlog_p, dlog_p_1_s1, ds_lse_s1, dz, p, rows, T, S, K)  # (30) to (34)
    _product(dz.reshape(T * rows, K), R.T, dh1_2.reshape(T * rows, H))  # (35)
    for t in range(T - 1, -1, -1):
        _compute_dh1_1_left(dh1_1_left, dr_h1, rows, t, T)  # (36)
        _product(dh1_1_left, U.T, dh1_1_product)  # (36)
        _compute_dr_h1(dh1_1, dh1_1_product, dr_h1, h1, dh1_2, rows, t)  # (36), (37)
    _product(dU_left.reshape(T * rows, H).T, dr_h1.reshape(T * rows, H), dU)  # (38)
    _product(h1.reshape(T * rows, H).T, dz.reshape(T * rows, K), dR)  # (39)
    _compute_db(db, dr_h1, rows, T)  # (40)
    _product(x.reshape(T * rows, D).T, dr_h1.reshape(T * rows, H), dW)  # (41)


@kernel
def _forward_and_backward(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K):
    """The loss and its gradients: equations (1) to (41)."""
    W = theta[0 : 32 * D].reshape(D, H)
    U = theta[32 * D : 32 * D + 1024].reshape(H, H)
    b = theta[32 * D + 1024 : 32 * D + 1056]
    R = theta[32 * D + 1056 : 32 * D + 32 * K + 1056].reshape(H, K)
    c = theta[32 * D + 32 * K + 1056 : 32 * D + 33 * K + 1056]
    z1 = work[at[0] : at[0] + 32 * T * rows].reshape(rows, T, H)
    r_h1_left = work[at[1] : at[1] + 32 * rows].reshape(rows, H)
    r_h1_product = work[at[2] : at[2] + 32 * rows].reshape(rows, H)
    h1 = work[at[4] : at[4] + 32 * T * rows].reshape(rows, T, H)
    z2 = work[at[5] : at[5] + K * T * rows].reshape(rows, T, K)
    p = work[at[10] : at[10] + K * T * rows].reshape(rows, T, K)
    e = work[at[13] : at[13] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    m_alpha_finite = work[at[15] : at[15] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    s_alpha = work[at[17] : at[17] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    alpha = work[at[18] : at[18] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    loss = work[at[24] : at[24] + 1]
    ds_nll = work[at[25] : at[25] + rows]
    dalpha_2_s1 = work[at[26] : at[26] + 2 * S * rows + rows].reshape(rows, 2 * S + 1)
    dU_left = work[at[27] : at[27] + 32 * T * rows].reshape(rows, T, H)
    dalpha = work[at[29] : at[29] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    ds_alpha = work[at[30] : at[30] + 2 * S * T * rows + T * rows].reshape(rows, T, 2 * S + 1)
    dlog_p_1_s1_right = work[at[31] : at[31] + 2 * S + 1]
    dlog_p_1_s1 = work[at[32] : at[32] + T * rows].reshape(rows, T)
    dlog_p_2 = work[at[33] : at[33] + K * T * rows].reshape(rows, T, K)
    dz = work[at[36] : at[36] + K * T * rows].reshape(rows, T, K)
    dc = gradient[32 * D + 32 * K + 1056 : 32 * D + 33 * K + 1056]
    dh1_2 = work[at[37] : at[37] + 32 * T * rows].reshape(rows, T, H)
    dh1_1_left = work[at[38] : at[38] + 32 * rows].reshape(rows, H)
    dh1_1_product = work[at[39] : at[39] + 32 * rows].reshape(rows, H)
    dr_h1 = work[at[41] : at[41] + 32 * T * rows].reshape(rows, T, H)
    dU = gradient[32 * D : 32 * D + 1024].reshape(H, H)
    dR = gradient[32 * D + 1056 : 32 * D + 32 * K + 1056].reshape(H, K)
    db = gradient[32 * D + 1024 : 32 * D + 1056]
    dW = gradient[0 : 32 * D].reshape(D, H)
    z_row = work[at[42] : at[42] + K]
    e_p_row = work[at[43] : at[43] + K]
    log_p_row = work[at[44] : at[44] + K]
    dlog_p_row = work[at[45] : at[45] + K]
    _product(x.reshape(T * rows, D), W, z1.reshape(T * rows, H))  # (1)
    for t in range(T):
        _compute_r_h1_left(r_h1_left, h1, rows, t)  # (2)
        _product(r_h1_left, U, r_h1_product)  # (2)
        _compute_h1_2(r_h1_product, h1, z1, b, rows, t)  # (2), (3)
    _product(h1.reshape(T * rows, H), R, z2.reshape(T * rows, K))  # (4)
    _compute_dU_left_2(
        z_row, z2, c, e_p_row, p, log_p_row, e, y, dU_left, h1, rows, T, K, S
    )  # (5) to (12), (38)
    for t in range(T):
        _compute_alpha_2(y, alpha, m_alpha_finite, s_alpha, e, rows, S, t)  # (13) to (17)
    _compute_dalpha_2_s1(alpha, length, ds_nll, dalpha_2_s1, loss, rows, T, S, N)  # (18) to (25)
    for t in range(T - 1, -1, -1):
        _compute_ds_alpha_2(
            y, ds_alpha, alpha, m_alpha_finite, dalpha, dalpha_2_s1, ds_nll, s_alpha, rows, S, t, T
        )  # (26) to (28)
    _compute_dlog_p_1_s1_right(dlog_p_1_s1_right, S)  # (29)
    np.dot(dalpha.reshape(T * rows, 2 * S + 1), dlog_p_1_s1_right, dlog_p_1_s1.reshape(T * rows))  # (29)
    _compute_dc_2(dc, dlog_p_2, y, dalpha, dlog_p_row, dlog_p_1_s1, dz, p, rows, T, S, K)  # (30) to (34)
    _product(dz.reshape(T * rows, K), R.T, dh1_2.reshape(T * rows, H))  # (35)
    for t in range(T - 1, -1, -1):
        _compute_dh1_1_left(dh1_1_left, dr_h1, rows, t, T)  # (36)
        _product(dh1_1_left, U.T, dh1_1_product)  # (36)
        _compute_dr_h1_2(dh1_1_product, dr_h1, h1, dh1_2, rows, t)  # (36), (37)
    _product(dU_left.reshape(T * rows, H).T, dr_h1.reshape(T * rows, H), dU)  # (38)
    _product(h1.reshape(T * rows, H).T, dz.reshape(T * rows, K), dR)  # (39)
    _compute_db(db, dr_h1, rows, T)  # (40)
    _product(x.reshape(T * rows, D).T, dr_h1.reshape(T * rows, H), dW)  # (41)


@kernel
def _metrics(theta, work, counts, at, y, length, rows, N, T, D, S, K):
    """The metrics: equations (42) to (47)."""
    p = work[at[10] : at[10] + K * T * rows].reshape(rows, T, K)
    best = counts[at[46] : at[46] + N * T].reshape(N, T)
    heard = work[at[47] : at[47] + N * T].reshape(N, T)
    place = work[at[48] : at[48] + N * T].reshape(N, T)
    errors = work[at[49] : at[49] + N]
    letters = work[at[50] : at[50] + N]
    exact = work[at[51] : at[51] + 1]
    _compute_exact(p, best, place, heard, y, errors, letters, length, exact, N, T, K, S)  # (42) to (47)


@kernel
def _compute_r_h1_left(r_h1_left, h1, rows, t):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        for i in range(H):
            r_h1_left[n, i] = h1[n, t - 1, i] if t >= 1 else 0.0  # (2)


@kernel
def _compute_h1(r_h1, r_h1_product, h1, z1, b, rows, t):
    """Equations (2), (3)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            r_h1[n, t, j] = r_h1_product[n, j]  # (2)
            h1[n, t, j] = _tanh(r_h1[n, t, j] + z1[n, t, j] + b[j])  # (3)


@kernel
def _compute_p(z, z2, c, m_z, e_p, s_p, p, rows, T, K):
    """Equations (5) to (9)."""
    _disjoint()
    for n in range(rows):
        for t in range(T):
            m_z_max = -np.inf
            for k in range(K):
                z[n, t, k] = z2[n, t, k] + c[k]  # (5)
                m_z_max = _larger(m_z_max, z[n, t, k])  # (6)
            m_z[n, t] = m_z_max
            s_p_sum = 0.0
            for k in range(K):
                e_p[n, t, k] = _exp(z[n, t, k] - m_z[n, t])  # (7)
                s_p_sum += e_p[n, t, k]  # (8)
            s_p[n, t] = s_p_sum
            for k in range(K):
                p[n, t, k] = e_p[n, t, k] / s_p[n, t]  # (9)


@kernel
def _compute_e(z, m_z, s_lse, log_p, e, y, rows, T, K, S):
    """Equations (10) to (12)."""
    _disjoint()
    for n in range(rows):
        for t in range(T):
            s_lse_sum = 0.0
            for k in range(K):
                s_lse_sum += _exp(z[n, t, k] - m_z[n, t])  # (10)
            s_lse[n, t] = s_lse_sum
            for k in range(K):
                log_p[n, t, k] = z[n, t, k] - m_z[n, t] - _log(s_lse[n, t])  # (11)
            for l_ in range(2 * S + 1):
                e[n, t, l_] = (
                    log_p[n, t, 0] * (1 - (1.0 if l_ % 2 == 1 else 0.0))
                    + (log_p[n, t, y[n, l_ // 2]] if l_ % 2 == 1 else 0.0)
                )  # (12)


@kernel
def _compute_alpha(y, alpha, m_alpha, m_alpha_finite, s_alpha_sum, s_alpha, e, rows, S, t):
    """Equations (13) to (17)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(2 * S + 1):
            m_alpha_max = -np.inf
            for m in range(3):
                if m <= (1.0 if l_ % 2 == 1 else 0.0) * (1.0 if (y[n, l_ // 2 - 1] if l_ // 2 >= 1 else -1) != (y[n, l_ // 2] if l_ // 2 + 1 <= S else -1) else 0.0) + 1:
                    m_alpha_max = _larger(
                        m_alpha_max,
                        alpha[n, t - 1, l_ - m] if t >= 1 and m <= l_ else -np.inf if l_ != m else 0.0,
                    )  # (13)
            m_alpha[n, t, l_] = m_alpha_max
            m_alpha_finite[n, t, l_] = 0.0 if m_alpha[n, t, l_] <= -np.inf else m_alpha[n, t, l_]  # (14)
            s_alpha_sum_sum = 0.0
            for m in range(3):
                if m <= (1.0 if l_ % 2 == 1 else 0.0) * (1.0 if (y[n, l_ // 2 - 1] if l_ // 2 >= 1 else -1) != (y[n, l_ // 2] if l_ // 2 + 1 <= S else -1) else 0.0) + 1:
                    s_alpha_sum_sum += _exp(
                        (alpha[n, t - 1, l_ - m] if t >= 1 and m <= l_ else -np.inf if l_ != m else 0.0)
                        - m_alpha_finite[n, t, l_],
                    )  # (15)
            s_alpha_sum[n, t, l_] = s_alpha_sum_sum
            s_alpha[n, t, l_] = (1.0 if s_alpha_sum[n, t, l_] == 0 else 0.0) + s_alpha_sum[n, t, l_]  # (16)
            alpha[n, t, l_] = e[n, t, l_] + _log(s_alpha[n, t, l_]) + m_alpha[n, t, l_]  # (17)


@kernel
def _compute_loss(alpha, length, m_alpha2, m_alpha2_finite, s_nll_sum, s_nll, nll, loss, rows, T, S, N):
    """Equations (18) to (23)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        m_alpha2_max = -np.inf
        for q in range(2):
            m_alpha2_max = _larger(
                m_alpha2_max,
                alpha[n, T - 1, 2 * length[n] - q] if 0 <= 2 * length[n] - q < 2 * S + 1
                else -np.inf if q != 2 * length[n] else 0.0,
            )  # (18)
        m_alpha2[n] = m_alpha2_max
        m_alpha2_finite[n] = 0.0 if m_alpha2[n] <= -np.inf else m_alpha2[n]  # (19)
        s_nll_sum_sum = 0.0
        for q in range(2):
            s_nll_sum_sum += _exp(
                (
                    alpha[n, T - 1, 2 * length[n] - q] if 0 <= 2 * length[n] - q < 2 * S + 1
                    else -np.inf if q != 2 * length[n] else 0.0
                ) - m_alpha2_finite[n],
            )  # (20)
        s_nll_sum[n] = s_nll_sum_sum
        s_nll[n] = (1.0 if s_nll_sum[n] == 0 else 0.0) + s_nll_sum[n]  # (21)
        nll[n] = -_log(s_nll[n]) - m_alpha2[n]  # (22)
        loss_sum += nll[n] / (N * ((1.0 if length[n] == 0 else 0.0) + length[n]))  # (23)
    loss[0] = loss_sum


@kernel
def _compute_dU_left(ds_nll, length, s_nll, dalpha_2_s1, alpha, m_alpha2_finite, dU_left, h1, rows, N, S, T):
    """Equations (24), (25), (38)."""
    _disjoint()
    for n in range(rows):
        ds_nll[n] = -1 / (N * ((1.0 if length[n] == 0 else 0.0) + length[n]) * s_nll[n])  # (24)
        for l_ in range(2 * S + 1):
            dalpha_2_s1[n, l_] = (
                _exp(alpha[n, T - 1, l_] - m_alpha2_finite[n])
                if l_ + 1 >= 2 * length[n] and l_ <= 2 * length[n] else 0.0
            )  # (25)
        for t in range(T):
            for i in range(H):
                dU_left[n, t, i] = h1[n, t - 1, i] if t >= 1 else 0.0  # (38)


@kernel
def _compute_ds_alpha(
    y, ds_alpha, alpha, m_alpha_finite, dalpha_1, dalpha, dalpha_2_s1, ds_nll, s_alpha, rows, S, t, T,
):
    """Equations (26) to (28)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(2 * S + 1):
            dalpha_1_sum = 0.0
            for m in range(3):
                if t + 2 <= T and l_ + m <= 2 * S and m <= (1.0 if (l_ + m) % 2 == 1 else 0.0) * (1.0 if (y[n, (l_ + m) // 2 - 1] if 0 <= (l_ + m) // 2 - 1 < S else -1) != (y[n, (l_ + m) // 2] if (l_ + m) // 2 + 1 <= S else -1) else 0.0) + 1:
                    dalpha_1_sum += (
                        ds_alpha[n, t + 1, l_ + m] * _exp(alpha[n, t, l_] - m_alpha_finite[n, t + 1, l_ + m])
                    )  # (26)
            dalpha_1[n, t, l_] = dalpha_1_sum
            dalpha[n, t, l_] = (
                _either(t + 1 == T, dalpha_2_s1[n, l_] * ds_nll[n], 0.0) + dalpha_1[n, t, l_]
            )  # (27)
            ds_alpha[n, t, l_] = dalpha[n, t, l_] / s_alpha[n, t, l_]  # (28)


@kernel
def _compute_dlog_p_1_s1_right(dlog_p_1_s1_right, S):
    """Equation (29)."""
    _disjoint()
    for l_ in range(2 * S + 1):
        dlog_p_1_s1_right[l_] = 1 - (1.0 if l_ % 2 == 1 else 0.0)  # (29)


@kernel
def _compute_dc(dc, dlog_p_2, y, dalpha, dlog_p, dlog_p_1_s1, ds_lse_s1, dz, p, rows, T, S, K):
    """Equations (30) to (34)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for t in range(T):
            dlog_p_2[n, t, :] = 0.0
            for l_ in range(2 * S + 1):
                if l_ % 2 == 1 and y[n, l_ // 2] + 1 <= K and y[n, l_ // 2] >= 0:
                    dlog_p_2[n, t, y[n, l_ // 2]] += dalpha[n, t, l_]  # (30)
            ds_lse_s1_sum = 0.0
            for k in range(K):
                dlog_p[n, t, k] = _either(k == 0, dlog_p_1_s1[n, t], 0.0) + dlog_p_2[n, t, k]  # (31)
                ds_lse_s1_sum += dlog_p[n, t, k]  # (32)
            ds_lse_s1[n, t] = ds_lse_s1_sum
            for k in range(K):
                dz[n, t, k] = dlog_p[n, t, k] - p[n, t, k] * ds_lse_s1[n, t]  # (33)
                dc[k] += dz[n, t, k]  # (34)


@kernel
def _compute_dh1_1_left(dh1_1_left, dr_h1, rows, t, T):
    """Equation (36)."""
    _disjoint()
    for n in range(rows):
        for j2 in range(H):
            dh1_1_left[n, j2] = dr_h1[n, t + 1, j2] if t + 2 <= T else 0.0  # (36)


@kernel
def _compute_dr_h1(dh1_1, dh1_1_product, dr_h1, h1, dh1_2, rows, t):
    """Equations (36), (37)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dh1_1[n, t, j] = dh1_1_product[n, j]  # (36)
            dr_h1[n, t, j] = (1 - h1[n, t, j] * h1[n, t, j]) * (dh1_1[n, t, j] + dh1_2[n, t, j])  # (37)


@kernel
def _compute_db(db, dr_h1, rows, T):
    """Equation (40)."""
    _disjoint()
    db[:] = 0.0
    for n in range(rows):
        for t in range(T):
            for j in range(H):
                db[j] += dr_h1[n, t, j]  # (40)


@kernel
def _compute_h1_2(r_h1_product, h1, z1, b, rows, t):
    """Equations (2), (3)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            r_h1 = r_h1_product[n, j]  # (2)
            h1[n, t, j] = _tanh(r_h1 + z1[n, t, j] + b[j])  # (3)


@kernel
def _compute_dU_left_2(z_row, z2, c, e_p_row, p, log_p_row, e, y, dU_left, h1, rows, T, K, S):
    """Equations (5) to (12), (38)."""
    _disjoint()
    for n in range(rows):
        for t in range(T):
            m_z = -np.inf
            for k in range(K):
                z_row[k] = z2[n, t, k] + c[k]  # (5)
                m_z = _larger(m_z, z_row[k])  # (6)
            s_p = 0.0
            s_lse = 0.0
            for k in range(K):
                e_p_row[k] = _exp(z_row[k] - m_z)  # (7)
                s_p += e_p_row[k]  # (8)
                s_lse += _exp(z_row[k] - m_z)  # (10)
            for k in range(K):
                p[n, t, k] = e_p_row[k] / s_p  # (9)
                log_p_row[k] = z_row[k] - m_z - _log(s_lse)  # (11)
            for l_ in range(2 * S + 1):
                e[n, t, l_] = (
                    log_p_row[0] * (1 - (1.0 if l_ % 2 == 1 else 0.0))
                    + (log_p_row[y[n, l_ // 2]] if l_ % 2 == 1 else 0.0)
                )  # (12)
            for i in range(H):
                dU_left[n, t, i] = h1[n, t - 1, i] if t >= 1 else 0.0  # (38)


@kernel
def _compute_alpha_2(y, alpha, m_alpha_finite, s_alpha, e, rows, S, t):
    """Equations (13) to (17)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(2 * S + 1):
            m_alpha = -np.inf
            for m in range(3):
                if m <= (1.0 if l_ % 2 == 1 else 0.0) * (1.0 if (y[n, l_ // 2 - 1] if l_ // 2 >= 1 else -1) != (y[n, l_ // 2] if l_ // 2 + 1 <= S else -1) else 0.0) + 1:
                    m_alpha = _larger(
                        m_alpha,
                        alpha[n, t - 1, l_ - m] if t >= 1 and m <= l_ else -np.inf if l_ != m else 0.0,
                    )  # (13)
            m_alpha_finite[n, t, l_] = 0.0 if m_alpha <= -np.inf else m_alpha  # (14)
            s_alpha_sum = 0.0
            for m in range(3):
                if m <= (1.0 if l_ % 2 == 1 else 0.0) * (1.0 if (y[n, l_ // 2 - 1] if l_ // 2 >= 1 else -1) != (y[n, l_ // 2] if l_ // 2 + 1 <= S else -1) else 0.0) + 1:
                    s_alpha_sum += _exp(
                        (alpha[n, t - 1, l_ - m] if t >= 1 and m <= l_ else -np.inf if l_ != m else 0.0)
                        - m_alpha_finite[n, t, l_],
                    )  # (15)
            s_alpha[n, t, l_] = (1.0 if s_alpha_sum == 0 else 0.0) + s_alpha_sum  # (16)
            alpha[n, t, l_] = e[n, t, l_] + _log(s_alpha[n, t, l_]) + m_alpha  # (17)


@kernel
def _compute_dalpha_2_s1(alpha, length, ds_nll, dalpha_2_s1, loss, rows, T, S, N):
    """Equations (18) to (25)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        m_alpha2 = -np.inf
        for q in range(2):
            m_alpha2 = _larger(
                m_alpha2,
                alpha[n, T - 1, 2 * length[n] - q] if 0 <= 2 * length[n] - q < 2 * S + 1
                else -np.inf if q != 2 * length[n] else 0.0,
            )  # (18)
        m_alpha2_finite = 0.0 if m_alpha2 <= -np.inf else m_alpha2  # (19)
        s_nll_sum = 0.0
        for q in range(2):
            s_nll_sum += _exp(
                (
                    alpha[n, T - 1, 2 * length[n] - q] if 0 <= 2 * length[n] - q < 2 * S + 1
                    else -np.inf if q != 2 * length[n] else 0.0
                ) - m_alpha2_finite,
            )  # (20)
        s_nll = (1.0 if s_nll_sum == 0 else 0.0) + s_nll_sum  # (21)
        nll = -_log(s_nll) - m_alpha2  # (22)
        loss_sum += nll / (N * ((1.0 if length[n] == 0 else 0.0) + length[n]))  # (23)
        ds_nll[n] = -1 / (N * ((1.0 if length[n] == 0 else 0.0) + length[n]) * s_nll)  # (24)
        for l_ in range(2 * S + 1):
            dalpha_2_s1[n, l_] = (
                _exp(alpha[n, T - 1, l_] - m_alpha2_finite) if l_ + 1 >= 2 * length[n] and l_ <= 2 * length[n]
                else 0.0
            )  # (25)
    loss[0] = loss_sum


@kernel
def _compute_ds_alpha_2(
    y, ds_alpha, alpha, m_alpha_finite, dalpha, dalpha_2_s1, ds_nll, s_alpha, rows, S, t, T,
):
    """Equations (26) to (28)."""
    _disjoint()
    for n in range(rows):
        for l_ in range(2 * S + 1):
            dalpha_1 = 0.0
            for m in range(3):
                if t + 2 <= T and l_ + m <= 2 * S and m <= (1.0 if (l_ + m) % 2 == 1 else 0.0) * (1.0 if (y[n, (l_ + m) // 2 - 1] if 0 <= (l_ + m) // 2 - 1 < S else -1) != (y[n, (l_ + m) // 2] if (l_ + m) // 2 + 1 <= S else -1) else 0.0) + 1:
                    dalpha_1 += (
                        ds_alpha[n, t + 1, l_ + m] * _exp(alpha[n, t, l_] - m_alpha_finite[n, t + 1, l_ + m])
                    )  # (26)
            dalpha[n, t, l_] = _either(t + 1 == T, dalpha_2_s1[n, l_] * ds_nll[n], 0.0) + dalpha_1  # (27)
            ds_alpha[n, t, l_] = dalpha[n, t, l_] / s_alpha[n, t, l_]  # (28)


@kernel
def _compute_dc_2(dc, dlog_p_2, y, dalpha, dlog_p_row, dlog_p_1_s1, dz, p, rows, T, S, K):
    """Equations (30) to (34)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for t in range(T):
            dlog_p_2[n, t, :] = 0.0
            for l_ in range(2 * S + 1):
                if l_ % 2 == 1 and y[n, l_ // 2] + 1 <= K and y[n, l_ // 2] >= 0:
                    dlog_p_2[n, t, y[n, l_ // 2]] += dalpha[n, t, l_]  # (30)
            ds_lse_s1 = 0.0
            for k in range(K):
                dlog_p_row[k] = _either(k == 0, dlog_p_1_s1[n, t], 0.0) + dlog_p_2[n, t, k]  # (31)
                ds_lse_s1 += dlog_p_row[k]  # (32)
            for k in range(K):
                dz[n, t, k] = dlog_p_row[k] - p[n, t, k] * ds_lse_s1  # (33)
                dc[k] += dz[n, t, k]  # (34)


@kernel
def _compute_dr_h1_2(dh1_1_product, dr_h1, h1, dh1_2, rows, t):
    """Equations (36), (37)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dh1_1 = dh1_1_product[n, j]  # (36)
            dr_h1[n, t, j] = (1 - h1[n, t, j] * h1[n, t, j]) * (dh1_1 + dh1_2[n, t, j])  # (37)


@kernel
def _compute_exact(p, best, place, heard, y, errors, letters, length, exact, N, T, K, S):
    """Equations (42) to (47)."""
    _disjoint()
    exact_sum = 0.0
    for n in range(N):
        for t in range(T):
            best_argmax = -np.inf
            best_at = -1
            for k in range(K):
                if best_at < 0 or p[n, t, k] > best_argmax:  # (42)
                    best_argmax, best_at = p[n, t, k], k
            best[n, t] = best_at
        place[n, :] = 0.0
        for t in range(T):
            heard[n, t] = (
                1.0 if best[n, t] != 0 and best[n, t] != (best[n, t - 1] if t >= 1 else 0) else 0.0
            )  # (43)
            for t1 in range(T):
                if t <= t1:
                    place[n, t1] += heard[n, t]  # (44)
        errors_sum = 0.0
        for t in range(T):
            for s in range(S):
                if best[n, t] != y[n, s] and float(s) + 1 == place[n, t]:
                    errors_sum += heard[n, t]  # (45)
        errors[n] = errors_sum
        letters[n] = place[n, T - 1]  # (46)
        if errors[n] == 0 and letters[n] == length[n]:
            exact_sum += float(1 / N)  # (47)
    exact[0] = exact_sum


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
def _evaluate(theta, work, counts, at, x, y, length, rows, N, T, D, S, K):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, T, D, S, K)
    _loss(theta, work, counts, at, y, length, rows, N, T, D, S, K)
    _metrics(theta, work, counts, at, y, length, rows, N, T, D, S, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K):
    """The loss, and its gradient by all parameters."""
    _forward_and_backward(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K)
    return work[at[24]]


@kernel
def _replay(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K):
    """The loss and the gradients, with every tensor on the way."""
    _forward(theta, work, counts, at, x, rows, N, T, D, S, K)
    _loss(theta, work, counts, at, y, length, rows, N, T, D, S, K)
    _backward(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K)


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, length, rows, N, T, D, S, K,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    if _any_outside(length, S + 1, 0):
        return math.nan, False, False
    _forward_and_backward(theta, gradient, work, counts, at, x, y, length, rows, N, T, D, S, K)
    loss = work[at[24]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, length, N, T, D, S, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first, last = bounds[c_, 0], bounds[c_, 1]
        _forward_and_backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first:last], y[first:last], length[first:last],
            last - first, N, T, D, S, K,
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
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, length, N,
    T, D, S, K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    if _any_outside(length, S + 1, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, length, N, T, D, S, K)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[24]] += work[k, at[24]]
    loss = work[0, at[24]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, T, D, S, K):
    """Floating-point operations of one step."""
    return (
        128 * D * N * T + 14 * N * S + 158 * N * S * T + 217 * K * N * T + 40 * N + 6575 * N * T + 6 * S + 3
    )


def _places(rows, N, T, D, S, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 16, (rows, T, H)),
        "r_h1_left": (0, 64 * T * rows + 16, (rows, H)),
        "r_h1_product": (0, 105 * T * rows + 18 * S * T * rows + 8 * K * T * rows + 18, (rows, H)),
        "r_h1": (0, 32 * T * rows + 16, (rows, T, H)),
        "h1": (0, 18 * S * T * rows + 73 * T * rows + 8 * K * T * rows + 18, (rows, T, H)),
        "z2": (0, 2 * S * T * rows + T * rows + 16, (rows, T, K)),
        "z": (0, 2 * S * T * rows + K * T * rows + T * rows + 16, (rows, T, K)),
        "m_z": (0, 2 * S * T * rows + 3 * K * T * rows + T * rows + 16, (rows, T)),
        "e_p": (0, 2 * K * T * rows + 2 * S * T * rows + T * rows + 16, (rows, T, K)),
        "s_p": (0, 2 * S * T * rows + 2 * T * rows + 3 * K * T * rows + 16, (rows, T)),
        "p": (0, 18 * S * T * rows + 3 * K * T * rows + 9 * T * rows + 18, (rows, T, K)),
        "s_lse": (0, 2 * K * T * rows + 2 * S * T * rows + T * rows + 16, (rows, T)),
        "log_p": (0, 2 * S * T * rows + T * rows + 16, (rows, T, K)),
        "e": (0, 16, (rows, T, 2 * S + 1)),
        "m_alpha": (0, 2 * S * T * rows + T * rows + 16, (rows, T, 2 * S + 1)),
        "m_alpha_finite": (0, 2 * T * rows + 4 * S * T * rows + 16, (rows, T, 2 * S + 1)),
        "s_alpha_sum": (0, 3 * T * rows + 6 * S * T * rows + 16, (rows, T, 2 * S + 1)),
        "s_alpha": (0, 4 * T * rows + 8 * S * T * rows + 16, (rows, T, 2 * S + 1)),
        "alpha": (0, 10 * S * T * rows + 5 * T * rows + 16, (rows, T, 2 * S + 1)),
        "m_alpha2": (0, 16, (rows,)),
        "m_alpha2_finite": (0, rows + 16, (rows,)),
        "s_nll_sum": (0, 2 * rows + 16, (rows,)),
        "s_nll": (0, 3 * rows + 16, (rows,)),
        "nll": (0, 4 * rows + 16, (rows,)),
        "loss": (0, 0, ()),
        "ds_nll": (0, 12 * S * T * rows + 2 * S * rows + 6 * T * rows + rows + 16, (rows,)),
        "dalpha_2_s1": (0, 12 * S * T * rows + 6 * T * rows + 16, (rows, 2 * S + 1)),
        "dU_left": (0, 18 * S * T * rows + 4 * K * T * rows + 9 * T * rows + 18, (rows, T, H)),
        "dalpha_1": (0, 16, (rows, T, 2 * S + 1)),
        "dalpha": (0, 2 * S * T * rows + T * rows + 16, (rows, T, 2 * S + 1)),
        "ds_alpha": (0, 3 * T * rows + 6 * S * T * rows + 16, (rows, T, 2 * S + 1)),
        "dlog_p_1_s1_right": (0, 2 * T * rows + 4 * S * T * rows + 16, (2 * S + 1,)),
        "dlog_p_1_s1": (0, 16, (rows, T)),
        "dlog_p_2": (0, 2 * T * rows + 4 * S * T * rows + 16, (rows, T, K)),
        "dlog_p": (0, 16, (rows, T, K)),
        "ds_lse_s1": (0, T * rows + 16, (rows, T)),
        "dz": (0, 2 * T * rows + 4 * S * T * rows + K * T * rows + 16, (rows, T, K)),
        "dh1_2": (0, 18 * S * T * rows + 41 * T * rows + 4 * K * T * rows + 18, (rows, T, H)),
        "dh1_1_left": (0, 169 * T * rows + 18 * S * T * rows + 8 * K * T * rows + 18, (rows, H)),
        "dh1_1_product": (0, 169 * T * rows + 18 * S * T * rows + 32 * rows + 8 * K * T * rows + 18, (rows, H)),
        "dh1_1": (0, 105 * T * rows + 18 * S * T * rows + 8 * K * T * rows + 18, (rows, T, H)),
        "dr_h1": (0, 137 * T * rows + 18 * S * T * rows + 8 * K * T * rows + 18, (rows, T, H)),
        "z_row": (0, 2 * S * T * rows + K * T * rows + T * rows + 16, (K,)),
        "e_p_row": (0, 18 * S * T * rows + 41 * T * rows + 4 * K * T * rows + 18, (K,)),
        "log_p_row": (0, 18 * S * T * rows + 41 * T * rows + 4 * K * T * rows + K + 18, (K,)),
        "dlog_p_row": (0, 2 * K * T * rows + 2 * T * rows + 4 * S * T * rows + 16, (K,)),
        "best": (1, 0, (N, T)),
        "heard": (0, 18 * S * T * rows + 4 * K * T * rows + 9 * T * rows + 18, (N, T)),
        "place": (0, 18 * S * T * rows + 4 * K * T * rows + 9 * T * rows + N * T + 18, (N, T)),
        "errors": (0, 18 * S * T * rows + 2 * N * T + 4 * K * T * rows + 9 * T * rows + 18, (N,)),
        "letters": (0, 18 * S * T * rows + 2 * N * T + 4 * K * T * rows + 9 * T * rows + N + 18, (N,)),
        "exact": (0, 1, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "U": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "R": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
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


# symbp/runtime/numba/differentiate_apart.py: _differentiate
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
