"""vae: a network that trains in Numba.

Derived from the network vae; float64. It reads x(N, D).
Random tensors, drawn in each step: eps(N, C): normal.
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·W1[i,j]
    (2)   h[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,k] = Σ_j h[n,j]·Wm[j,k]
    (4)   mu[n,k] = z2[n,k] + bm[k]
    (5)   z3[n,k] = Σ_j h[n,j]·Wv[j,k]
    (6)   log_var[n,k] = z3[n,k] + bv[k]
    (7)   u_z[n,k] = log_var[n,k]/2
    (8)   z[n,k] = eps[n,k]·exp(u_z[n,k]) + mu[n,k]
    (9)   z4[n,j] = Σ_k z[n,k]·W2[k,j]
    (10)  h4[n,j] = tanh(z4[n,j] + b2[j])
    (11)  z5[n,i] = Σ_j h4[n,j]·W3[j,i]
    (12)  a5[n,i] = z5[n,i] + b3[i]
    (13)  shown[n,i] = 1/(1 + exp(-a5[n,i]))
    (14)  binary_cross_entropy = Σ_n,i ((1 - x[n,i])·log(1 + exp(a5[n,i])) + log(1 + exp(-a5[n,i]))·x[n,i])
    (15)  bits = binary_cross_entropy/N
    (16)  kl = Σ_n,k (exp(log_var[n,k])/2 + mu[n,k]²/2 - 1/2 - log_var[n,k]/2)/N
    (17)  loss = bits + kl
    (18)  da5[n,i] = (shown[n,i] - x[n,i])/N
    (19)  db3[i] = Σ_n da5[n,i]
    (20)  dh4[n,j] = Σ_i da5[n,i]·W3[j,i]
    (21)  dW3[j,i] = Σ_n h4[n,j]·da5[n,i]
    (22)  dz4[n,j] = (1 - h4[n,j]²)·dh4[n,j]
    (23)  db2[j] = Σ_n dz4[n,j]
    (24)  dz[n,k] = Σ_j dz4[n,j]·W2[k,j]
    (25)  dW2[k,j] = Σ_n z[n,k]·dz4[n,j]
    (26)  dlog_var[n,k] = dz[n,k]·eps[n,k]·exp(u_z[n,k])/2 + (exp(log_var[n,k]) - 1)/(2·N)
    (27)  dbv[k] = Σ_n dlog_var[n,k]
    (28)  dmu[n,k] = mu[n,k]/N + dz[n,k]
    (29)  dbm[k] = Σ_n dmu[n,k]
    (30)  dh_1[n,j] = Σ_k dmu[n,k]·Wm[j,k]
    (31)  dh_2[n,j] = Σ_k dlog_var[n,k]·Wv[j,k]
    (32)  dWm[j,k] = Σ_n h[n,j]·dmu[n,k]
    (33)  dWv[j,k] = Σ_n h[n,j]·dlog_var[n,k]
    (34)  dz1[n,j] = (1 - h[n,j]²)·(dh_1[n,j] + dh_2[n,j])
    (35)  dW1[i,j] = Σ_n x[n,i]·dz1[n,j]
    (36)  db1[j] = Σ_n dz1[n,j]
    (37)  z4_infer[n,j] = Σ_k mu[n,k]·W2[k,j]
    (38)  h4_infer[n,j] = tanh(z4_infer[n,j] + b2[j])
    (39)  z5_infer[n,i] = Σ_j h4_infer[n,j]·W3[j,i]
    (40)  a5_infer[n,i] = z5_infer[n,i] + b3[i]
    (41)  shown_infer[n,i] = 1/(1 + exp(-a5_infer[n,i]))
    (42)  binary_cross_entropy_infer = Σ_n,i ((1 - x[n,i])·log(1 + exp(a5_infer[n,i])) + log(1 + exp(-a5_infer[n,i]))·x[n,i])
    (43)  bits_infer = binary_cross_entropy_infer/N
    (44)  loss_infer = bits_infer + kl

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 48, C = 4; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      10·D·H·N + 18·C·H·N + 15·H·N + 23·D·N + 32·C·N + 3
             = 36,496·N + 3
    bytes      120·D·N + 216·H·N + 248·C·N + 40·D·H + 72·C·H + 16·D + 32·C + 32·H + 56
             = 19,040·N + 139,448
    workspace  1,536·N + 2,432·rows + 8 bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
D, H, C = 64, 48, 4
NAME = "vae"
SIZES = {"D": D, "H": H, "C": C}
PARAMETERS = {
    "W1": ("D", "H"), "b1": ("H",), "Wm": ("H", "C"), "bm": ("C",), "Wv": ("H", "C"), "bv": ("C",),
    "W2": ("C", "H"), "b2": ("H",), "W3": ("H", "D"), "b3": ("D",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
RANDOM = {"eps": (("N", "C"), "normal", 0.5)}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()
INFERENCE = {"loss": "loss_infer", "shown": "shown_infer"}
FORWARD_GIVEN = ("x", "eps")
INFERENCE_GIVEN = ("x",)
OUTPUTS = ("mu", "shown")
LOSS = "loss"
METRICS: tuple[str, ...] = ()
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {
    "W1": "dW1", "b1": "db1", "Wm": "dWm", "bm": "dbm", "Wv": "dWv", "bv": "dbv", "W2": "dW2", "b2": "db2",
    "W3": "dW3", "b3": "db3",
}
EQUATIONS = {
    1: "z1", 2: "h", 3: "z2", 4: "mu", 5: "z3", 6: "log_var", 7: "u_z", 8: "z", 9: "z4", 10: "h4", 11: "z5",
    12: "a5", 13: "shown", 14: "binary_cross_entropy", 15: "bits", 16: "kl", 17: "loss", 18: "da5", 19: "db3",
    20: "dh4", 21: "dW3", 22: "dz4", 23: "db2", 24: "dz", 25: "dW2", 26: "dlog_var", 27: "dbv", 28: "dmu",
    29: "dbm", 30: "dh_1", 31: "dh_2", 32: "dWm", 33: "dWv", 34: "dz1", 35: "dW1", 36: "db1", 37: "z4_infer",
    38: "h4_infer", 39: "z5_infer", 40: "a5_infer", 41: "shown_infer", 42: "binary_cross_entropy_infer",
    43: "bits_infer", 44: "loss_infer",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, eps, rows, N):
    """The outputs: equations (1) to (13)."""
    W1 = theta[0:3072].reshape(D, H)
    b1 = theta[3072:3120]
    Wm = theta[3120:3312].reshape(H, C)
    bm = theta[3312:3316]
    Wv = theta[3316:3508].reshape(H, C)
    bv = theta[3508:3512]
    W2 = theta[3512:3704].reshape(C, H)
    b2 = theta[3704:3752]
    W3 = theta[3752:6824].reshape(H, D)
    b3 = theta[6824:6888]
    z1 = work[at[0] : at[0] + 48 * rows].reshape(rows, H)
    h = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 4 * rows].reshape(rows, C)
    mu = work[at[3] : at[3] + 4 * rows].reshape(rows, C)
    z3 = work[at[4] : at[4] + 4 * rows].reshape(rows, C)
    log_var = work[at[5] : at[5] + 4 * rows].reshape(rows, C)
    u_z = work[at[6] : at[6] + 4 * rows].reshape(rows, C)
    z = work[at[7] : at[7] + 4 * rows].reshape(rows, C)
    z4 = work[at[8] : at[8] + 48 * rows].reshape(rows, H)
    h4 = work[at[9] : at[9] + 48 * rows].reshape(rows, H)
    z5 = work[at[10] : at[10] + 64 * rows].reshape(rows, D)
    a5 = work[at[11] : at[11] + 64 * rows].reshape(rows, D)
    shown = work[at[12] : at[12] + 64 * rows].reshape(rows, D)
    _product(x, W1, z1)  # (1)
    _compute_h(h, z1, b1, rows)  # (2)
    _product(h, Wm, z2)  # (3)
    _compute_mu(mu, z2, bm, rows)  # (4)
    _product(h, Wv, z3)  # (5)
    _compute_z(log_var, z3, bv, u_z, z, eps, mu, rows)  # (6) to (8)
    _product(z, W2, z4)  # (9)
    _compute_h(h4, z4, b2, rows)  # (10)
    _product(h4, W3, z5)  # (11)
    _compute_shown(a5, z5, b3, shown, rows)  # (12), (13)


@kernel
def _loss(theta, work, counts, at, x, rows, N):
    """The loss: equations (14), (16)."""
    mu = work[at[3] : at[3] + 4 * rows].reshape(rows, C)
    log_var = work[at[5] : at[5] + 4 * rows].reshape(rows, C)
    a5 = work[at[11] : at[11] + 64 * rows].reshape(rows, D)
    binary_cross_entropy = work[at[13] : at[13] + 1]
    kl = work[at[14] : at[14] + 1]
    _compute_kl(x, a5, log_var, mu, binary_cross_entropy, kl, rows, N)  # (14), (16)


@kernel
def _backward(theta, gradient, work, counts, at, x, eps, rows, N):
    """The gradients: equations (18) to (36)."""
    Wm = theta[3120:3312].reshape(H, C)
    Wv = theta[3316:3508].reshape(H, C)
    W2 = theta[3512:3704].reshape(C, H)
    W3 = theta[3752:6824].reshape(H, D)
    h = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    mu = work[at[3] : at[3] + 4 * rows].reshape(rows, C)
    log_var = work[at[5] : at[5] + 4 * rows].reshape(rows, C)
    u_z = work[at[6] : at[6] + 4 * rows].reshape(rows, C)
    z = work[at[7] : at[7] + 4 * rows].reshape(rows, C)
    h4 = work[at[9] : at[9] + 48 * rows].reshape(rows, H)
    shown = work[at[12] : at[12] + 64 * rows].reshape(rows, D)
    da5 = work[at[15] : at[15] + 64 * rows].reshape(rows, D)
    db3 = gradient[6824:6888]
    dh4 = work[at[16] : at[16] + 48 * rows].reshape(rows, H)
    dW3 = gradient[3752:6824].reshape(H, D)
    dz4 = work[at[17] : at[17] + 48 * rows].reshape(rows, H)
    db2 = gradient[3704:3752]
    dz = work[at[18] : at[18] + 4 * rows].reshape(rows, C)
    dW2 = gradient[3512:3704].reshape(C, H)
    dlog_var = work[at[19] : at[19] + 4 * rows].reshape(rows, C)
    dbv = gradient[3508:3512]
    dmu = work[at[20] : at[20] + 4 * rows].reshape(rows, C)
    dbm = gradient[3312:3316]
    dh_1 = work[at[21] : at[21] + 48 * rows].reshape(rows, H)
    dh_2 = work[at[22] : at[22] + 48 * rows].reshape(rows, H)
    dWm = gradient[3120:3312].reshape(H, C)
    dWv = gradient[3316:3508].reshape(H, C)
    dz1 = work[at[23] : at[23] + 48 * rows].reshape(rows, H)
    db1 = gradient[3072:3120]
    dW1 = gradient[0:3072].reshape(D, H)
    _compute_db3(db3, da5, shown, x, rows, N)  # (18), (19)
    _product(da5, W3.T, dh4)  # (20)
    _product(h4.T, da5, dW3)  # (21)
    _compute_db2(db2, dz4, h4, dh4, rows)  # (22), (23)
    _product(dz4, W2.T, dz)  # (24)
    _product(z.T, dz4, dW2)  # (25)
    _compute_dbm(dbv, dbm, dlog_var, log_var, dz, eps, u_z, dmu, mu, rows, N)  # (26) to (29)
    _product(dmu, Wm.T, dh_1)  # (30)
    _product(dlog_var, Wv.T, dh_2)  # (31)
    _product(h.T, dmu, dWm)  # (32)
    _product(h.T, dlog_var, dWv)  # (33)
    _compute_db1(db1, dz1, h, dh_1, dh_2, rows)  # (34), (36)
    _product(x.T, dz1, dW1)  # (35)


@kernel
def _total(theta, work, counts, at, rows, N):
    """The loss of the whole batch: equations (15), (17)."""
    binary_cross_entropy = work[at[13] : at[13] + 1]
    kl = work[at[14] : at[14] + 1]
    bits = work[at[24] : at[24] + 1]
    loss = work[at[25] : at[25] + 1]
    bits[0] = binary_cross_entropy[0] / N  # (15)
    loss[0] = bits[0] + kl[0]  # (17)


@kernel
def _inference(theta, work, counts, at, x, rows, N):
    """The outputs at inference: equations (1) to (4), (37) to (41)."""
    W1 = theta[0:3072].reshape(D, H)
    b1 = theta[3072:3120]
    Wm = theta[3120:3312].reshape(H, C)
    bm = theta[3312:3316]
    W2 = theta[3512:3704].reshape(C, H)
    b2 = theta[3704:3752]
    W3 = theta[3752:6824].reshape(H, D)
    b3 = theta[6824:6888]
    z1 = work[at[0] : at[0] + 48 * rows].reshape(rows, H)
    h = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 4 * rows].reshape(rows, C)
    mu = work[at[3] : at[3] + 4 * rows].reshape(rows, C)
    z4_infer_left = work[at[26] : at[26] + 4 * N].reshape(N, C)
    z4_infer = work[at[27] : at[27] + 48 * N].reshape(N, H)
    h4_infer = work[at[28] : at[28] + 48 * N].reshape(N, H)
    z5_infer = work[at[29] : at[29] + 64 * N].reshape(N, D)
    a5_infer = work[at[30] : at[30] + 64 * N].reshape(N, D)
    shown_infer = work[at[31] : at[31] + 64 * N].reshape(N, D)
    _product(x, W1, z1)  # (1)
    _compute_h(h, z1, b1, rows)  # (2)
    _product(h, Wm, z2)  # (3)
    _compute_mu(mu, z2, bm, rows)  # (4)
    _compute_z4_infer_left(z4_infer_left, mu, N)  # (37)
    _product(z4_infer_left, W2, z4_infer)  # (37)
    _compute_h(h4_infer, z4_infer, b2, N)  # (38)
    _product(h4_infer, W3, z5_infer)  # (39)
    _compute_shown(a5_infer, z5_infer, b3, shown_infer, N)  # (40), (41)


@kernel
def _metrics(theta, work, counts, at, x, rows, N):
    """The loss and metrics at inference: equations (5), (6), (16), (42) to (44)."""
    Wv = theta[3316:3508].reshape(H, C)
    bv = theta[3508:3512]
    h = work[at[1] : at[1] + 48 * rows].reshape(rows, H)
    mu = work[at[3] : at[3] + 4 * rows].reshape(rows, C)
    z3 = work[at[4] : at[4] + 4 * rows].reshape(rows, C)
    log_var = work[at[5] : at[5] + 4 * rows].reshape(rows, C)
    kl = work[at[14] : at[14] + 1]
    a5_infer = work[at[30] : at[30] + 64 * N].reshape(N, D)
    binary_cross_entropy_infer = work[at[32] : at[32] + 1]
    bits_infer = work[at[33] : at[33] + 1]
    loss_infer = work[at[34] : at[34] + 1]
    _product(h, Wv, z3)  # (5)
    _compute_kl_2(log_var, z3, bv, mu, kl, rows, N)  # (6), (16)
    _compute_binary_cross_entropy_infer(x, a5_infer, binary_cross_entropy_infer, N)  # (42)
    bits_infer[0] = binary_cross_entropy_infer[0] / N  # (43)
    loss_infer[0] = bits_infer[0] + kl[0]  # (44)


@kernel
def _compute_h(h, z1, b1, rows):
    """Equations (2), (10), (38)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h[n, j] = _tanh(z1[n, j] + b1[j])  # (2), (10), (38)


@kernel
def _compute_mu(mu, z2, bm, rows):
    """Equation (4)."""
    _disjoint()
    for n in range(rows):
        for k in range(C):
            mu[n, k] = z2[n, k] + bm[k]  # (4)


@kernel
def _compute_z(log_var, z3, bv, u_z, z, eps, mu, rows):
    """Equations (6) to (8)."""
    _disjoint()
    for n in range(rows):
        for k in range(C):
            log_var[n, k] = z3[n, k] + bv[k]  # (6)
            u_z[n, k] = log_var[n, k] / 2  # (7)
            z[n, k] = eps[n, k] * _exp(u_z[n, k]) + mu[n, k]  # (8)


@kernel
def _compute_shown(a5, z5, b3, shown, rows):
    """Equations (12), (13), (40), (41)."""
    _disjoint()
    for n in range(rows):
        for i in range(D):
            a5[n, i] = z5[n, i] + b3[i]  # (12), (40)
            shown[n, i] = _sigmoid(a5[n, i])  # (13), (41)


@kernel
def _compute_kl(x, a5, log_var, mu, binary_cross_entropy, kl, rows, N):
    """Equations (14), (16)."""
    _disjoint()
    binary_cross_entropy_sum = 0.0
    kl_sum = 0.0
    for n in range(rows):
        for i in range(D):
            binary_cross_entropy_sum += (
                (1 - x[n, i]) * _softplus(a5[n, i]) + _softplus(-a5[n, i]) * x[n, i]
            )  # (14)
        for k in range(C):
            kl_sum += (_exp(log_var[n, k]) - log_var[n, k] + mu[n, k] * mu[n, k] - 1) / (2 * N)  # (16)
    binary_cross_entropy[0] = binary_cross_entropy_sum
    kl[0] = kl_sum


@kernel
def _compute_db3(db3, da5, shown, x, rows, N):
    """Equations (18), (19)."""
    _disjoint()
    db3[:] = 0.0
    for n in range(rows):
        for i in range(D):
            da5[n, i] = (shown[n, i] - x[n, i]) / N  # (18)
            db3[i] += da5[n, i]  # (19)


@kernel
def _compute_db2(db2, dz4, h4, dh4, rows):
    """Equations (22), (23)."""
    _disjoint()
    db2[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz4[n, j] = (1 - h4[n, j] * h4[n, j]) * dh4[n, j]  # (22)
            db2[j] += dz4[n, j]  # (23)


@kernel
def _compute_dbm(dbv, dbm, dlog_var, log_var, dz, eps, u_z, dmu, mu, rows, N):
    """Equations (26) to (29)."""
    _disjoint()
    dbv[:] = 0.0
    dbm[:] = 0.0
    for n in range(rows):
        for k in range(C):
            dlog_var[n, k] = (_expm1(log_var[n, k]) / N + dz[n, k] * eps[n, k] * _exp(u_z[n, k])) / 2  # (26)
            dbv[k] += dlog_var[n, k]  # (27)
            dmu[n, k] = dz[n, k] + mu[n, k] / N  # (28)
            dbm[k] += dmu[n, k]  # (29)


@kernel
def _compute_db1(db1, dz1, h, dh_1, dh_2, rows):
    """Equations (34), (36)."""
    _disjoint()
    db1[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (1 - h[n, j] * h[n, j]) * (dh_1[n, j] + dh_2[n, j])  # (34)
            db1[j] += dz1[n, j]  # (36)


@kernel
def _compute_z4_infer_left(z4_infer_left, mu, N):
    """Equation (37)."""
    _disjoint()
    for n in range(N):
        for k in range(C):
            z4_infer_left[n, k] = mu[n, k]  # (37)


@kernel
def _compute_kl_2(log_var, z3, bv, mu, kl, rows, N):
    """Equations (6), (16)."""
    _disjoint()
    kl_sum = 0.0
    for n in range(rows):
        for k in range(C):
            log_var[n, k] = z3[n, k] + bv[k]  # (6)
            kl_sum += (_exp(log_var[n, k]) - log_var[n, k] + mu[n, k] * mu[n, k] - 1) / (2 * N)  # (16)
    kl[0] = kl_sum


@kernel
def _compute_binary_cross_entropy_infer(x, a5_infer, binary_cross_entropy_infer, N):
    """Equation (42)."""
    _disjoint()
    binary_cross_entropy_infer_sum = 0.0
    for n in range(N):
        for i in range(D):
            binary_cross_entropy_infer_sum += (
                (1 - x[n, i]) * _softplus(a5_infer[n, i]) + _softplus(-a5_infer[n, i]) * x[n, i]
            )  # (42)
    binary_cross_entropy_infer[0] = binary_cross_entropy_infer_sum


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
def _evaluate(theta, work, counts, at, x, rows, N):
    """Outputs, loss and metrics."""
    _inference(theta, work, counts, at, x, rows, N)
    _metrics(theta, work, counts, at, x, rows, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, eps, rows, N):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, eps, rows, N)
    _loss(theta, work, counts, at, x, rows, N)
    _backward(theta, gradient, work, counts, at, x, eps, rows, N)
    _total(theta, work, counts, at, rows, N)
    return work[at[25]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps_, work, counts, at, x, eps, rows, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, x, eps, rows, N)
    _loss(theta, work, counts, at, x, rows, N)
    _backward(theta, gradient, work, counts, at, x, eps, rows, N)
    _total(theta, work, counts, at, rows, N)
    loss = work[at[25]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps_)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, eps, N):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], eps[first:last], last - first, N)
        _loss(theta, work[c], counts[c], at, x[first:last], last - first, N)
        _backward(
            theta, gradients[c], work[c], counts[c], at, x[first:last], eps[first:last], last - first, N
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
def _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps_, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v[first:last], step_, lr, beta1, beta2,
            eps_,
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps_, gradients, work, counts, at, bounds, x, eps, N,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    _chunks(theta, gradients, work, counts, at, bounds, x, eps, N)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[13]] += work[k, at[13]]
    for k in range(1, len(work)):
        work[0, at[14]] += work[k, at[14]]
    _total(theta, work[0], counts[0], at, 0, N)
    loss = work[0, at[25]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps_, len(bounds))
    return loss, finite, moderate


def _flops(N):
    """Floating-point operations of one step."""
    return 36496 * N


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h": (0, 192 * N + 192 * rows, (rows, H)),
        "z2": (0, 0, (rows, C)),
        "mu": (0, 192 * N + 288 * rows, (rows, C)),
        "z3": (0, 128 * N, (rows, C)),
        "log_var": (0, 192 * N + 292 * rows, (rows, C)),
        "u_z": (0, 192 * N + 296 * rows, (rows, C)),
        "z": (0, 192 * N + 300 * rows, (rows, C)),
        "z4": (0, 0, (rows, H)),
        "h4": (0, 192 * N + 240 * rows, (rows, H)),
        "z5": (0, 0, (rows, D)),
        "a5": (0, 64 * rows, (rows, D)),
        "shown": (0, 128 * rows, (rows, D)),
        "binary_cross_entropy": (0, 192 * rows, ()),
        "kl": (0, 192 * N + 304 * rows, ()),
        "da5": (0, 0, (rows, D)),
        "dh4": (0, 64 * rows, (rows, H)),
        "dz4": (0, 0, (rows, H)),
        "dz": (0, 48 * rows, (rows, C)),
        "dlog_var": (0, 96 * rows, (rows, C)),
        "dmu": (0, 100 * rows, (rows, C)),
        "dh_1": (0, 0, (rows, H)),
        "dh_2": (0, 48 * rows, (rows, H)),
        "dz1": (0, 96 * rows, (rows, H)),
        "bits": (0, 0, ()),
        "loss": (0, 1, ()),
        "z4_infer_left": (0, 48 * N, (N, C)),
        "z4_infer": (0, 0, (N, H)),
        "h4_infer": (0, 64 * N, (N, H)),
        "z5_infer": (0, 0, (N, D)),
        "a5_infer": (0, 64 * N, (N, D)),
        "shown_infer": (0, 128 * N, (N, D)),
        "binary_cross_entropy_infer": (0, 0, ()),
        "bits_infer": (0, 1, ()),
        "loss_infer": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wm": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "bm": np.zeros(C),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "Wv": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "bv": np.zeros(C),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (C, H)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W3": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        # an offset needs no asymmetry to learn
        "b3": np.zeros(D),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _exp, _expm1, _log
# symbp/runtime/numba/functions.py: _log1p
# symbp/runtime/numba/float64.py: _power_of_two, _reduced
# symbp/runtime/numba/functions.py: _sigmoid, _softplus, _tanh


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


# symbp/runtime/numba/outputs_by_mode.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/chunks.py: WORTH_A_CHUNK, _Chunks, _key, _advance, _chunk_count, _in_chunks, _blas_threads


# ---- What a step is given beside parameters ----


# symbp/runtime/common/given/known_shapes.py: _known_shape, _fitting
# symbp/runtime/common/given/no_buffers.py: init_buffers, _as_buffers
# symbp/runtime/numba/random.py: _GOLDEN, _FIRST, _SECOND, _BELOW_ONE, _word, _uniform, _draw_bernoulli, _draw_uniform, _draw_normal, _draw
# symbp/runtime/common/given/random_tensors.py: _MASK, _given, _drawn, _draw_key


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
