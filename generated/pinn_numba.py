"""pinn: a network that trains in Numba.

Derived from the network pinn; float64. It reads t(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i t[n,i]·W1[i,j]
    (2)   h1[n,j] = tanh(z1[n,j] + b1[j])
    (3)   z2[n,j] = Σ_i h1[n,i]·W2[i,j]
    (4)   h2[n,j] = tanh(z2[n,j] + b2[j])
    (5)   z3[n,i] = Σ_j h2[n,j]·W3[j,i]
    (6)   v[n,i] = z3[n,i] + b3[i]
    (7)   u[n,i] = 1 + t[n,i]²·v[n,i]
    (8)   du_dv[n,i] = t[n,i]²
    (9)   du_dh2[n,j] = Σ_i du_dv[n,i]·W3[j,i]
    (10)  du_dz2[n,j] = (1 - h2[n,j]²)·du_dh2[n,j]
    (11)  du_dh1[n,j] = Σ_j2 du_dz2[n,j2]·W2[j,j2]
    (12)  d2u_ddz1[n,j] = Σ_i W1[i,j]
    (13)  d2u_ddh1[n,j] = (1 - h1[n,j]²)·d2u_ddz1[n,j]
    (14)  d2u_ddz2[n,j] = Σ_j3 d2u_ddh1[n,j3]·W2[j3,j]
    (15)  d2u_ddh2[n,j] = (1 - h2[n,j]²)·d2u_ddz2[n,j]
    (16)  d2u_ddv[n,i] = Σ_j d2u_ddh2[n,j]·W3[j,i]
    (17)  d2u_dh2_1[n,j] = Σ_i 2·t[n,i]·W3[j,i]
    (18)  d2u_dz2[n,j] = (1 - h2[n,j]²)·(d2u_dh2_1[n,j] - 2·d2u_ddz2[n,j]·du_dh2[n,j]·h2[n,j])
    (19)  d2u_dh1_1[n,j] = Σ_j2 d2u_dz2[n,j2]·W2[j,j2]
    (20)  d2u_dz1[n,j] = (1 - h1[n,j]²)·(d2u_dh1_1[n,j] - 2·d2u_ddz1[n,j]·du_dh1[n,j]·h1[n,j])
    (21)  d2u_dt_1[n,i] = Σ_j d2u_dz1[n,j]·W1[i,j]
    (22)  u_tt[n,i] = 2·d2u_ddv[n,i]·t[n,i] + 2·v[n,i] + d2u_dt_1[n,i]
    (23)  loss = Σ_n,i (u[n,i] + u_tt[n,i])²/(D·N)
    (24)  du_tt[n,i] = 2·(u[n,i] + u_tt[n,i])/(D·N)
    (25)  dd2u_dz1[n,j] = Σ_i du_tt[n,i]·W1[i,j]
    (26)  dd2u_dh1_1_t1[n,j] = h1[n,j]²
    (27)  dd2u_dh1_1[n,j] = (1 - dd2u_dh1_1_t1[n,j])·dd2u_dz1[n,j]
    (28)  dd2u_dz2[n,j] = Σ_j3 dd2u_dh1_1[n,j3]·W2[j3,j]
    (29)  dd2u_dh2_1_t1[n,j] = h2[n,j]²
    (30)  dd2u_dh2_1[n,j] = (1 - dd2u_dh2_1_t1[n,j])·dd2u_dz2[n,j]
    (31)  dd2u_ddv[n,i] = 2·du_tt[n,i]·t[n,i]
    (32)  dd2u_ddh2[n,j] = Σ_i dd2u_ddv[n,i]·W3[j,i]
    (33)  dd2u_ddz2_t1[n,j] = dd2u_dz2[n,j]·h2[n,j]
    (34)  dd2u_ddz2[n,j] = (1 - dd2u_dh2_1_t1[n,j])·(dd2u_ddh2[n,j] - 2·dd2u_ddz2_t1[n,j]·du_dh2[n,j])
    (35)  dd2u_ddh1[n,j] = Σ_j2 dd2u_ddz2[n,j2]·W2[j,j2]
    (36)  ddu_dh1_t1[n,j] = dd2u_dz1[n,j]·h1[n,j]
    (37)  ddu_dh1[n,j] = -2·d2u_ddh1[n,j]·ddu_dh1_t1[n,j]
    (38)  ddu_dz2[n,j] = Σ_j3 ddu_dh1[n,j3]·W2[j3,j]
    (39)  ddu_dh2[n,j] = (2·d2u_ddz2[n,j]·dd2u_ddz2_t1[n,j] - ddu_dz2[n,j])·(dd2u_dh2_1_t1[n,j] - 1)
    (40)  dv[n,i] = (2 + du_dv[n,i])·du_tt[n,i]
    (41)  db3[i] = Σ_n dv[n,i]
    (42)  dh2_1[n,j] = Σ_i dv[n,i]·W3[j,i]
    (43)  dW3_1[j,i] = Σ_n h2[n,j]·dv[n,i]
    (44)  dW3_2[j,i] = Σ_n ddu_dh2[n,j]·du_dv[n,i]
    (45)  dW3_3[j,i] = Σ_n d2u_ddh2[n,j]·dd2u_ddv[n,i]
    (46)  dW3_4[j,i] = Σ_n 2·dd2u_dh2_1[n,j]·t[n,i]
    (47)  dW3[j,i] = dW3_1[j,i] + dW3_2[j,i] + dW3_3[j,i] + dW3_4[j,i]
    (48)  dz2[n,j] = (1 - dd2u_dh2_1_t1[n,j])·(2·(3·d2u_ddz2[n,j]·dd2u_ddz2_t1[n,j]·du_dh2[n,j] - d2u_ddz2[n,j]·dd2u_ddh2[n,j] - d2u_dh2_1[n,j]·dd2u_dz2[n,j] - ddu_dz2[n,j]·du_dh2[n,j])·h2[n,j] + dh2_1[n,j] - 2·d2u_ddz2[n,j]·dd2u_dz2[n,j]·du_dh2[n,j])
    (49)  db2[j] = Σ_n dz2[n,j]
    (50)  dh1_1[n,j] = Σ_j2 dz2[n,j2]·W2[j,j2]
    (51)  dW2_1[i,j] = Σ_n h1[n,i]·dz2[n,j]
    (52)  dW2_2[i,j] = Σ_n ddu_dh1[n,i]·du_dz2[n,j]
    (53)  dW2_3[i,j] = Σ_n d2u_ddh1[n,i]·dd2u_ddz2[n,j]
    (54)  dW2_4[i,j] = Σ_n dd2u_dh1_1[n,i]·d2u_dz2[n,j]
    (55)  dW2[i,j] = dW2_1[i,j] + dW2_2[i,j] + dW2_3[i,j] + dW2_4[i,j]
    (56)  dz1[n,j] = (1 - dd2u_dh1_1_t1[n,j])·(2·(3·dd2u_dh1_1_t1[n,j]·dd2u_dz1[n,j]·du_dh1[n,j] - dd2u_ddh1[n,j]·h1[n,j] - dd2u_dz1[n,j]·du_dh1[n,j])·d2u_ddz1[n,j] + dh1_1[n,j] - 2·d2u_dh1_1[n,j]·ddu_dh1_t1[n,j])
    (57)  dW1_1[i,j] = Σ_n t[n,i]·dz1[n,j]
    (58)  dW1_2[i,j] = Σ_n (1 - dd2u_dh1_1_t1[n,j])·(dd2u_ddh1[n,j] - 2·ddu_dh1_t1[n,j]·du_dh1[n,j])
    (59)  dW1_3[i,j] = Σ_n du_tt[n,i]·d2u_dz1[n,j]
    (60)  dW1[i,j] = dW1_1[i,j] + dW1_2[i,j] + dW1_3[i,j]
    (61)  db1[j] = Σ_n dz1[n,j]
    (62)  error = Σ_n,i (u[n,i] - cos(t[n,i]))²/(D·N)

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  rate = [step ≤ 2399]·(1/2 + cos(π·step/2400)/2)·lr
    (U2)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U3)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U4)  theta_next[i] = theta[i] - rate·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 1, H = 24; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      38·D·H·N + 24·N·H² + 28·D·N + 5·D·H + 98·H·N + 3·H²
             = 17,116·N + 1,848
    bytes      8 + 216·D·H + 312·D·N + 960·H·N + 136·H² + 16·D + 32·H
             = 23,352·N + 84,312
    workspace  6,400·rows + 19,208 bytes for each chunk of rows examples
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
D, H = 1, 24
NAME = "pinn"
SIZES = {"D": D, "H": H}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "H"), "b2": ("H",), "W3": ("H", "D"), "b3": ("D",)}
INPUTS: dict[str, tuple[Any, ...]] = {"t": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("t",)
FORWARD_GIVEN = ("t",)
OUTPUTS = ("u",)
LOSS = "loss"
METRICS = ("error",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2", "W3": "dW3", "b3": "db3"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "h2", 5: "z3", 6: "v", 7: "u", 8: "du_dv", 9: "du_dh2", 10: "du_dz2",
    11: "du_dh1", 12: "d2u_ddz1", 13: "d2u_ddh1", 14: "d2u_ddz2", 15: "d2u_ddh2", 16: "d2u_ddv",
    17: "d2u_dh2_1", 18: "d2u_dz2", 19: "d2u_dh1_1", 20: "d2u_dz1", 21: "d2u_dt_1", 22: "u_tt", 23: "loss",
    24: "du_tt", 25: "dd2u_dz1", 26: "dd2u_dh1_1_t1", 27: "dd2u_dh1_1", 28: "dd2u_dz2", 29: "dd2u_dh2_1_t1",
    30: "dd2u_dh2_1", 31: "dd2u_ddv", 32: "dd2u_ddh2", 33: "dd2u_ddz2_t1", 34: "dd2u_ddz2", 35: "dd2u_ddh1",
    36: "ddu_dh1_t1", 37: "ddu_dh1", 38: "ddu_dz2", 39: "ddu_dh2", 40: "dv", 41: "db3", 42: "dh2_1",
    43: "dW3_1", 44: "dW3_2", 45: "dW3_3", 46: "dW3_4", 47: "dW3", 48: "dz2", 49: "db2", 50: "dh1_1",
    51: "dW2_1", 52: "dW2_2", 53: "dW2_3", 54: "dW2_4", 55: "dW2", 56: "dz1", 57: "dW1_1", 58: "dW1_2",
    59: "dW1_3", 60: "dW1", 61: "db1", 62: "error",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, t, rows, N):
    """The outputs: equations (1) to (7)."""
    W1 = theta[0:24].reshape(D, H)
    b1 = theta[24:48]
    W2 = theta[48:624].reshape(H, H)
    b2 = theta[624:648]
    W3 = theta[648:672].reshape(H, D)
    b3 = theta[672:673]
    z1 = work[at[0] : at[0] + 24 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 24 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 24 * rows].reshape(rows, H)
    h2 = work[at[3] : at[3] + 24 * rows].reshape(rows, H)
    z3 = work[at[4] : at[4] + rows].reshape(rows, D)
    v = work[at[5] : at[5] + rows].reshape(rows, D)
    u = work[at[6] : at[6] + rows].reshape(rows, D)
    _product(t, W1, z1)  # (1)
    _compute_h1(h1, z1, b1, rows)  # (2)
    _product(h1, W2, z2)  # (3)
    _compute_h1(h2, z2, b2, rows)  # (4)
    _product(h2, W3, z3)  # (5)
    _compute_u(v, z3, b3, u, t, rows)  # (6), (7)


@kernel
def _loss(theta, work, counts, at, t, rows, N):
    """The loss: equations (8) to (23)."""
    W1 = theta[0:24].reshape(D, H)
    W2 = theta[48:624].reshape(H, H)
    W3 = theta[648:672].reshape(H, D)
    h1 = work[at[1] : at[1] + 24 * rows].reshape(rows, H)
    h2 = work[at[3] : at[3] + 24 * rows].reshape(rows, H)
    v = work[at[5] : at[5] + rows].reshape(rows, D)
    u = work[at[6] : at[6] + rows].reshape(rows, D)
    du_dv = work[at[7] : at[7] + rows].reshape(rows, D)
    d2u_ddz1 = work[at[8] : at[8] + 24 * rows].reshape(rows, H)
    d2u_ddh1 = work[at[9] : at[9] + 24 * rows].reshape(rows, H)
    du_dh2 = work[at[10] : at[10] + 24 * rows].reshape(rows, H)
    du_dz2 = work[at[11] : at[11] + 24 * rows].reshape(rows, H)
    du_dh1 = work[at[12] : at[12] + 24 * rows].reshape(rows, H)
    d2u_ddz2 = work[at[13] : at[13] + 24 * rows].reshape(rows, H)
    d2u_ddh2 = work[at[14] : at[14] + 24 * rows].reshape(rows, H)
    d2u_ddv = work[at[15] : at[15] + rows].reshape(rows, D)
    d2u_dh2_1 = work[at[16] : at[16] + 24 * rows].reshape(rows, H)
    d2u_dz2 = work[at[17] : at[17] + 24 * rows].reshape(rows, H)
    d2u_dh1_1 = work[at[18] : at[18] + 24 * rows].reshape(rows, H)
    d2u_dz1 = work[at[19] : at[19] + 24 * rows].reshape(rows, H)
    d2u_dt_1 = work[at[20] : at[20] + rows].reshape(rows, D)
    u_tt = work[at[21] : at[21] + rows].reshape(rows, D)
    loss = work[at[22] : at[22] + 1]
    _compute_d2u_ddh1(du_dv, t, W1, d2u_ddz1, d2u_ddh1, h1, rows)  # (8), (12), (13)
    _product(du_dv, W3.T, du_dh2)  # (9)
    _compute_du_dz2(du_dz2, h2, du_dh2, rows)  # (10)
    _product(du_dz2, W2.T, du_dh1)  # (11)
    _product(d2u_ddh1, W2, d2u_ddz2)  # (14)
    _compute_du_dz2(d2u_ddh2, h2, d2u_ddz2, rows)  # (15)
    _product(d2u_ddh2, W3, d2u_ddv)  # (16)
    _product(t, W3.T, d2u_dh2_1)  # (17)
    _compute_d2u_dz2(d2u_dh2_1, d2u_dz2, h2, d2u_ddz2, du_dh2, rows)  # (17), (18)
    _product(d2u_dz2, W2.T, d2u_dh1_1)  # (19)
    _compute_d2u_dz1(d2u_dz1, h1, d2u_dh1_1, d2u_ddz1, du_dh1, rows)  # (20)
    _product(d2u_dz1, W1.T, d2u_dt_1)  # (21)
    _compute_loss(u_tt, d2u_ddv, t, v, d2u_dt_1, u, loss, rows, N)  # (22), (23)


@kernel
def _backward(theta, gradient, work, counts, at, t, rows, N):
    """The gradients: equations (24) to (46), (48) to (54), (56) to (59), (61)."""
    W1 = theta[0:24].reshape(D, H)
    W2 = theta[48:624].reshape(H, H)
    W3 = theta[648:672].reshape(H, D)
    h1 = work[at[1] : at[1] + 24 * rows].reshape(rows, H)
    h2 = work[at[3] : at[3] + 24 * rows].reshape(rows, H)
    u = work[at[6] : at[6] + rows].reshape(rows, D)
    du_dv = work[at[7] : at[7] + rows].reshape(rows, D)
    d2u_ddz1 = work[at[8] : at[8] + 24 * rows].reshape(rows, H)
    d2u_ddh1 = work[at[9] : at[9] + 24 * rows].reshape(rows, H)
    du_dh2 = work[at[10] : at[10] + 24 * rows].reshape(rows, H)
    du_dz2 = work[at[11] : at[11] + 24 * rows].reshape(rows, H)
    du_dh1 = work[at[12] : at[12] + 24 * rows].reshape(rows, H)
    d2u_ddz2 = work[at[13] : at[13] + 24 * rows].reshape(rows, H)
    d2u_ddh2 = work[at[14] : at[14] + 24 * rows].reshape(rows, H)
    d2u_dh2_1 = work[at[16] : at[16] + 24 * rows].reshape(rows, H)
    d2u_dz2 = work[at[17] : at[17] + 24 * rows].reshape(rows, H)
    d2u_dh1_1 = work[at[18] : at[18] + 24 * rows].reshape(rows, H)
    d2u_dz1 = work[at[19] : at[19] + 24 * rows].reshape(rows, H)
    u_tt = work[at[21] : at[21] + rows].reshape(rows, D)
    du_tt = work[at[23] : at[23] + rows].reshape(rows, D)
    dd2u_dh1_1_t1 = work[at[24] : at[24] + 24 * rows].reshape(rows, H)
    dd2u_dh2_1_t1 = work[at[25] : at[25] + 24 * rows].reshape(rows, H)
    dd2u_ddv = work[at[26] : at[26] + rows].reshape(rows, D)
    dv = work[at[27] : at[27] + rows].reshape(rows, D)
    db3 = gradient[672:673]
    dd2u_dz1 = work[at[28] : at[28] + 24 * rows].reshape(rows, H)
    dd2u_dh1_1 = work[at[29] : at[29] + 24 * rows].reshape(rows, H)
    ddu_dh1_t1 = work[at[30] : at[30] + 24 * rows].reshape(rows, H)
    ddu_dh1 = work[at[31] : at[31] + 24 * rows].reshape(rows, H)
    dd2u_dz2 = work[at[32] : at[32] + 24 * rows].reshape(rows, H)
    dd2u_dh2_1 = work[at[33] : at[33] + 24 * rows].reshape(rows, H)
    dd2u_ddz2_t1 = work[at[34] : at[34] + 24 * rows].reshape(rows, H)
    dd2u_ddh2 = work[at[35] : at[35] + 24 * rows].reshape(rows, H)
    dd2u_ddz2 = work[at[36] : at[36] + 24 * rows].reshape(rows, H)
    dd2u_ddh1 = work[at[37] : at[37] + 24 * rows].reshape(rows, H)
    ddu_dz2 = work[at[38] : at[38] + 24 * rows].reshape(rows, H)
    ddu_dh2 = work[at[39] : at[39] + 24 * rows].reshape(rows, H)
    dh2_1 = work[at[40] : at[40] + 24 * rows].reshape(rows, H)
    dW3_1 = work[at[41] : at[41] + 24].reshape(H, D)
    dW3_2 = work[at[42] : at[42] + 24].reshape(H, D)
    dW3_3 = work[at[43] : at[43] + 24].reshape(H, D)
    dW3_4 = work[at[44] : at[44] + 24].reshape(H, D)
    dz2 = work[at[45] : at[45] + 24 * rows].reshape(rows, H)
    db2 = gradient[624:648]
    dh1_1 = work[at[46] : at[46] + 24 * rows].reshape(rows, H)
    dW2_1 = work[at[47] : at[47] + 576].reshape(H, H)
    dW2_2 = work[at[48] : at[48] + 576].reshape(H, H)
    dW2_3 = work[at[49] : at[49] + 576].reshape(H, H)
    dW2_4 = work[at[50] : at[50] + 576].reshape(H, H)
    dz1 = work[at[51] : at[51] + 24 * rows].reshape(rows, H)
    db1 = gradient[24:48]
    dW1_1 = work[at[52] : at[52] + 24].reshape(D, H)
    dW1_2 = work[at[53] : at[53] + 24].reshape(D, H)
    dW1_3 = work[at[54] : at[54] + 24].reshape(D, H)
    _compute_db3(
        db3, du_tt, u, u_tt, dd2u_ddv, t, dv, du_dv, dd2u_dh1_1_t1, h1, dd2u_dh2_1_t1, h2, rows, N
    )  # (24), (26), (29), (31), (40), (41)
    _product(du_tt, W1, dd2u_dz1)  # (25)
    _compute_ddu_dh1(
        dd2u_dh1_1, dd2u_dh1_1_t1, dd2u_dz1, ddu_dh1_t1, h1, ddu_dh1, d2u_ddh1, rows
    )  # (27), (36), (37)
    _product(dd2u_dh1_1, W2, dd2u_dz2)  # (28)
    _compute_dd2u_ddz2_t1(dd2u_dh2_1, dd2u_dh2_1_t1, dd2u_dz2, dd2u_ddz2_t1, h2, rows)  # (30), (33)
    _product(dd2u_ddv, W3.T, dd2u_ddh2)  # (32)
    _compute_dd2u_ddz2(dd2u_ddz2, dd2u_dh2_1_t1, dd2u_ddh2, dd2u_ddz2_t1, du_dh2, rows)  # (34)
    _product(dd2u_ddz2, W2.T, dd2u_ddh1)  # (35)
    _product(ddu_dh1, W2, ddu_dz2)  # (38)
    _compute_ddu_dh2(ddu_dh2, d2u_ddz2, dd2u_ddz2_t1, ddu_dz2, dd2u_dh2_1_t1, rows)  # (39)
    _product(dv, W3.T, dh2_1)  # (42)
    _product(h2.T, dv, dW3_1)  # (43)
    _product(ddu_dh2.T, du_dv, dW3_2)  # (44)
    _product(d2u_ddh2.T, dd2u_ddv, dW3_3)  # (45)
    _product(dd2u_dh2_1.T, t, dW3_4)  # (46)
    _compute_dW3_4(dW3_4)  # (46)
    _compute_db2(
        db2, dz2, dd2u_dh2_1_t1, d2u_ddz2, dd2u_ddz2_t1, du_dh2, dd2u_ddh2, d2u_dh2_1, dd2u_dz2, ddu_dz2, h2,
        dh2_1, rows,
    )  # (48), (49)
    _product(dz2, W2.T, dh1_1)  # (50)
    _product(h1.T, dz2, dW2_1)  # (51)
    _product(ddu_dh1.T, du_dz2, dW2_2)  # (52)
    _product(d2u_ddh1.T, dd2u_ddz2, dW2_3)  # (53)
    _product(dd2u_dh1_1.T, d2u_dz2, dW2_4)  # (54)
    _compute_db1(
        db1, dz1, dd2u_dh1_1_t1, dd2u_dz1, du_dh1, dd2u_ddh1, h1, d2u_ddz1, dh1_1, d2u_dh1_1, ddu_dh1_t1, rows
    )  # (56), (61)
    _product(t.T, dz1, dW1_1)  # (57)
    _compute_dW1_2(dd2u_dh1_1_t1, dd2u_ddh1, ddu_dh1_t1, du_dh1, dW1_2, rows)  # (58)
    _product(du_tt.T, d2u_dz1, dW1_3)  # (59)


@kernel
def _finish(theta, gradient, work, counts, at, rows, N):
    """The gradients of the whole batch: equations (47), (55), (60)."""
    dW3_1 = work[at[41] : at[41] + 24].reshape(H, D)
    dW3_2 = work[at[42] : at[42] + 24].reshape(H, D)
    dW3_3 = work[at[43] : at[43] + 24].reshape(H, D)
    dW3_4 = work[at[44] : at[44] + 24].reshape(H, D)
    dW2_1 = work[at[47] : at[47] + 576].reshape(H, H)
    dW2_2 = work[at[48] : at[48] + 576].reshape(H, H)
    dW2_3 = work[at[49] : at[49] + 576].reshape(H, H)
    dW2_4 = work[at[50] : at[50] + 576].reshape(H, H)
    dW1_1 = work[at[52] : at[52] + 24].reshape(D, H)
    dW1_2 = work[at[53] : at[53] + 24].reshape(D, H)
    dW1_3 = work[at[54] : at[54] + 24].reshape(D, H)
    dW3 = gradient[648:672].reshape(H, D)
    dW2 = gradient[48:624].reshape(H, H)
    dW1 = gradient[0:24].reshape(D, H)
    _compute_dW2(dW3, dW3_1, dW3_2, dW3_3, dW3_4, dW2, dW2_1, dW2_2, dW2_3, dW2_4)  # (47), (55)
    _compute_dW1(dW1, dW1_1, dW1_2, dW1_3)  # (60)


@kernel
def _metrics(theta, work, counts, at, t, rows, N):
    """The metrics: equation (62)."""
    u = work[at[6] : at[6] + rows].reshape(rows, D)
    error = work[at[55] : at[55] + 1]
    _compute_error(u, t, error, N)  # (62)


@kernel
def _compute_h1(h1, z1, b1, rows):
    """Equations (2), (4)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h1[n, j] = _tanh(z1[n, j] + b1[j])  # (2), (4)


@kernel
def _compute_u(v, z3, b3, u, t, rows):
    """Equations (6), (7)."""
    _disjoint()
    for n in range(rows):
        for i in range(D):
            v[n, i] = z3[n, i] + b3[i]  # (6)
            u[n, i] = t[n, i] * t[n, i] * v[n, i] + 1  # (7)


@kernel
def _compute_d2u_ddh1(du_dv, t, W1, d2u_ddz1, d2u_ddh1, h1, rows):
    """Equations (8), (12), (13)."""
    _disjoint()
    for n in range(rows):
        for i in range(D):
            du_dv[n, i] = t[n, i] * t[n, i]  # (8)
        for j in range(H):
            d2u_ddz1_sum = 0.0
            for i in range(D):
                d2u_ddz1_sum += W1[i, j]  # (12)
            d2u_ddz1[n, j] = d2u_ddz1_sum
            d2u_ddh1[n, j] = (1 - h1[n, j] * h1[n, j]) * d2u_ddz1[n, j]  # (13)


@kernel
def _compute_du_dz2(du_dz2, h2, du_dh2, rows):
    """Equations (10), (15)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            du_dz2[n, j] = (1 - h2[n, j] * h2[n, j]) * du_dh2[n, j]  # (10), (15)


@kernel
def _compute_d2u_dz2(d2u_dh2_1, d2u_dz2, h2, d2u_ddz2, du_dh2, rows):
    """Equations (17), (18)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            d2u_dh2_1[n, j] *= 2.0  # (17)
            d2u_dz2[n, j] = (
                1 - h2[n, j] * h2[n, j]
            ) * (d2u_dh2_1[n, j] - 2 * d2u_ddz2[n, j] * du_dh2[n, j] * h2[n, j])  # (18)


@kernel
def _compute_d2u_dz1(d2u_dz1, h1, d2u_dh1_1, d2u_ddz1, du_dh1, rows):
    """Equation (20)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            d2u_dz1[n, j] = (
                1 - h1[n, j] * h1[n, j]
            ) * (d2u_dh1_1[n, j] - 2 * d2u_ddz1[n, j] * du_dh1[n, j] * h1[n, j])  # (20)


@kernel
def _compute_loss(u_tt, d2u_ddv, t, v, d2u_dt_1, u, loss, rows, N):
    """Equations (22), (23)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        for i in range(D):
            u_tt[n, i] = 2 * d2u_ddv[n, i] * t[n, i] + 2 * v[n, i] + d2u_dt_1[n, i]  # (22)
            loss_sum += (u[n, i] + u_tt[n, i]) ** 2 / (D * N)  # (23)
    loss[0] = loss_sum


@kernel
def _compute_db3(db3, du_tt, u, u_tt, dd2u_ddv, t, dv, du_dv, dd2u_dh1_1_t1, h1, dd2u_dh2_1_t1, h2, rows, N):
    """Equations (24), (26), (29), (31), (40), (41)."""
    _disjoint()
    db3[:] = 0.0
    for n in range(rows):
        for i in range(D):
            du_tt[n, i] = 2 / (D * N) * (u[n, i] + u_tt[n, i])  # (24)
            dd2u_ddv[n, i] = 2 * du_tt[n, i] * t[n, i]  # (31)
            dv[n, i] = (du_dv[n, i] + 2) * du_tt[n, i]  # (40)
            db3[i] += dv[n, i]  # (41)
        for j in range(H):
            dd2u_dh1_1_t1[n, j] = h1[n, j] * h1[n, j]  # (26)
            dd2u_dh2_1_t1[n, j] = h2[n, j] * h2[n, j]  # (29)


@kernel
def _compute_ddu_dh1(dd2u_dh1_1, dd2u_dh1_1_t1, dd2u_dz1, ddu_dh1_t1, h1, ddu_dh1, d2u_ddh1, rows):
    """Equations (27), (36), (37)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dd2u_dh1_1[n, j] = (1 - dd2u_dh1_1_t1[n, j]) * dd2u_dz1[n, j]  # (27)
            ddu_dh1_t1[n, j] = dd2u_dz1[n, j] * h1[n, j]  # (36)
            ddu_dh1[n, j] = -2 * d2u_ddh1[n, j] * ddu_dh1_t1[n, j]  # (37)


@kernel
def _compute_dd2u_ddz2_t1(dd2u_dh2_1, dd2u_dh2_1_t1, dd2u_dz2, dd2u_ddz2_t1, h2, rows):
    """Equations (30), (33)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dd2u_dh2_1[n, j] = (1 - dd2u_dh2_1_t1[n, j]) * dd2u_dz2[n, j]  # (30)
            dd2u_ddz2_t1[n, j] = dd2u_dz2[n, j] * h2[n, j]  # (33)


@kernel
def _compute_dd2u_ddz2(dd2u_ddz2, dd2u_dh2_1_t1, dd2u_ddh2, dd2u_ddz2_t1, du_dh2, rows):
    """Equation (34)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            dd2u_ddz2[n, j] = (
                1 - dd2u_dh2_1_t1[n, j]
            ) * (dd2u_ddh2[n, j] - 2 * dd2u_ddz2_t1[n, j] * du_dh2[n, j])  # (34)


@kernel
def _compute_ddu_dh2(ddu_dh2, d2u_ddz2, dd2u_ddz2_t1, ddu_dz2, dd2u_dh2_1_t1, rows):
    """Equation (39)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            ddu_dh2[n, j] = (
                2 * d2u_ddz2[n, j] * dd2u_ddz2_t1[n, j] - ddu_dz2[n, j]
            ) * (dd2u_dh2_1_t1[n, j] - 1)  # (39)


@kernel
def _compute_dW3_4(dW3_4):
    """Equation (46)."""
    _disjoint()
    for j in range(H):
        for i in range(D):
            dW3_4[j, i] *= 2.0  # (46)


@kernel
def _compute_db2(
    db2, dz2, dd2u_dh2_1_t1, d2u_ddz2, dd2u_ddz2_t1, du_dh2, dd2u_ddh2, d2u_dh2_1, dd2u_dz2, ddu_dz2, h2,
    dh2_1, rows,
):
    """Equations (48), (49)."""
    _disjoint()
    db2[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz2[n, j] = (
                (1 - dd2u_dh2_1_t1[n, j])
                * (
                    2
                    * (
                        3 * d2u_ddz2[n, j] * dd2u_ddz2_t1[n, j] * du_dh2[n, j]
                        - d2u_ddz2[n, j] * dd2u_ddh2[n, j] - d2u_dh2_1[n, j] * dd2u_dz2[n, j]
                        - ddu_dz2[n, j] * du_dh2[n, j]
                    ) * h2[n, j] + dh2_1[n, j] - 2 * d2u_ddz2[n, j] * dd2u_dz2[n, j] * du_dh2[n, j]
                )
            )  # (48)
            db2[j] += dz2[n, j]  # (49)


@kernel
def _compute_db1(
    db1, dz1, dd2u_dh1_1_t1, dd2u_dz1, du_dh1, dd2u_ddh1, h1, d2u_ddz1, dh1_1, d2u_dh1_1, ddu_dh1_t1, rows,
):
    """Equations (56), (61)."""
    _disjoint()
    db1[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (
                (1 - dd2u_dh1_1_t1[n, j])
                * (
                    2
                    * (
                        3 * dd2u_dh1_1_t1[n, j] * dd2u_dz1[n, j] * du_dh1[n, j] - dd2u_ddh1[n, j] * h1[n, j]
                        - dd2u_dz1[n, j] * du_dh1[n, j]
                    ) * d2u_ddz1[n, j] + dh1_1[n, j] - 2 * d2u_dh1_1[n, j] * ddu_dh1_t1[n, j]
                )
            )  # (56)
            db1[j] += dz1[n, j]  # (61)


@kernel
def _compute_dW1_2(dd2u_dh1_1_t1, dd2u_ddh1, ddu_dh1_t1, du_dh1, dW1_2, rows):
    """Equation (58)."""
    _disjoint()
    for i in range(D):
        for j in range(H):
            dW1_2_sum = 0.0
            for n in range(rows):
                dW1_2_sum += (
                    1 - dd2u_dh1_1_t1[n, j]
                ) * (dd2u_ddh1[n, j] - 2 * ddu_dh1_t1[n, j] * du_dh1[n, j])  # (58)
            dW1_2[i, j] = dW1_2_sum


@kernel
def _compute_dW2(dW3, dW3_1, dW3_2, dW3_3, dW3_4, dW2, dW2_1, dW2_2, dW2_3, dW2_4):
    """Equations (47), (55)."""
    _disjoint()
    for j in range(H):
        for i in range(D):
            dW3[j, i] = dW3_1[j, i] + dW3_2[j, i] + dW3_3[j, i] + dW3_4[j, i]  # (47)
        for j1 in range(H):
            dW2[j, j1] = dW2_1[j, j1] + dW2_2[j, j1] + dW2_3[j, j1] + dW2_4[j, j1]  # (55)


@kernel
def _compute_dW1(dW1, dW1_1, dW1_2, dW1_3):
    """Equation (60)."""
    _disjoint()
    for i in range(D):
        for j in range(H):
            dW1[i, j] = dW1_1[i, j] + dW1_2[i, j] + dW1_3[i, j]  # (60)


@kernel
def _compute_error(u, t, error, N):
    """Equation (62)."""
    _disjoint()
    error_sum = 0.0
    for n in range(N):
        for i in range(D):
            error_sum += (u[n, i] - math.cos(t[n, i])) ** 2 / (D * N)  # (62)
    error[0] = error_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps):
    """Adam: one step over all parameters, in place."""
    _disjoint()
    rate = (math.cos(0.0013089969389957472 * step) + 1) * lr / 2 if step <= 2399 else 0.0  # (U1)
    c1 = 1 - beta1  # (U2)
    c2 = 1 - beta2  # (U3)
    c3 = 1 - beta1**step  # (U4)
    c4 = 1 - beta2**step  # (U4)
    for i in range(len(theta)):
        m_next = c1 * gradient[i] + beta1 * m[i]  # (U2)
        v_next = c2 * (gradient[i] * gradient[i]) + beta2 * v[i]  # (U3)
        theta_next = theta[i] - rate * m_next / (c3 * (math.sqrt(v_next / c4) + eps))  # (U4)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, t, rows, N):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, t, rows, N)
    _loss(theta, work, counts, at, t, rows, N)
    _metrics(theta, work, counts, at, t, rows, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, t, rows, N):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, t, rows, N)
    _loss(theta, work, counts, at, t, rows, N)
    _backward(theta, gradient, work, counts, at, t, rows, N)
    _finish(theta, gradient, work, counts, at, rows, N)
    return work[at[22]]


@kernel
def _train_step(theta, gradient, m, v_, step_, lr, beta1, beta2, eps, work, counts, at, t, rows, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, t, rows, N)
    _loss(theta, work, counts, at, t, rows, N)
    _backward(theta, gradient, work, counts, at, t, rows, N)
    _finish(theta, gradient, work, counts, at, rows, N)
    loss = work[at[22]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v_, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, t, N):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, t[first:last], last - first, N)
        _loss(theta, work[c], counts[c], at, t[first:last], last - first, N)
        _backward(theta, gradients[c], work[c], counts[c], at, t[first:last], last - first, N)


@parallel_kernel
def _add_gradients(gradient, gradients):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        if 24 <= i < 24 + 24 or 624 <= i < 624 + 24 or 672 <= i < 672 + 1:
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
def _update_in_chunks(theta, gradient, m, v_, step_, lr, beta1, beta2, eps, chunks):
    """The update of a piece of the parameters on each thread."""
    for c in prange(chunks):
        first, last = (c * len(gradient)) // chunks, ((c + 1) * len(gradient)) // chunks
        _update(
            theta[first:last], gradient[first:last], m[first:last], v_[first:last], step_, lr, beta1, beta2,
            eps,
        )


@kernel
def _train_step_in_chunks(
    theta, gradient, m, v_, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, t, N,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    _chunks(theta, gradients, work, counts, at, bounds, t, N)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[22]] += work[k, at[22]]
    for k in range(1, len(work)):
        for i in range(at[41], at[41] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[42], at[42] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[43], at[43] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[44], at[44] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[47], at[47] + 576):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[48], at[48] + 576):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[49], at[49] + 576):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[50], at[50] + 576):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[52], at[52] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[53], at[53] + 24):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[54], at[54] + 24):
            work[0, i] += work[k, i]
    _finish(theta, gradient, work[0], counts[0], at, 0, N)
    loss = work[0, at[22]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v_, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N):
    """Floating-point operations of one step."""
    return 17116 * N


def _places(rows, N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h1": (0, 24 * rows, (rows, H)),
        "z2": (0, 0, (rows, H)),
        "h2": (0, 48 * rows, (rows, H)),
        "z3": (0, 0, (rows, D)),
        "v": (0, 312 * rows, (rows, D)),
        "u": (0, 360 * rows, (rows, D)),
        "du_dv": (0, 672 * rows, (rows, D)),
        "d2u_ddz1": (0, 0, (rows, H)),
        "d2u_ddh1": (0, 72 * rows, (rows, H)),
        "du_dh2": (0, 96 * rows, (rows, H)),
        "du_dz2": (0, 120 * rows, (rows, H)),
        "du_dh1": (0, 144 * rows, (rows, H)),
        "d2u_ddz2": (0, 168 * rows, (rows, H)),
        "d2u_ddh2": (0, 192 * rows, (rows, H)),
        "d2u_ddv": (0, 313 * rows, (rows, D)),
        "d2u_dh2_1": (0, 216 * rows, (rows, H)),
        "d2u_dz2": (0, 240 * rows, (rows, H)),
        "d2u_dh1_1": (0, 264 * rows, (rows, H)),
        "d2u_dz1": (0, 288 * rows, (rows, H)),
        "d2u_dt_1": (0, 314 * rows, (rows, D)),
        "u_tt": (0, 361 * rows, (rows, D)),
        "loss": (0, 800 * rows + 2400, ()),
        "du_tt": (0, 799 * rows + 2304, (rows, D)),
        "dd2u_dh1_1_t1": (0, 312 * rows, (rows, H)),
        "dd2u_dh2_1_t1": (0, 336 * rows, (rows, H)),
        "dd2u_ddv": (0, 673 * rows, (rows, D)),
        "dv": (0, 674 * rows, (rows, D)),
        "dd2u_dz1": (0, 360 * rows, (rows, H)),
        "dd2u_dh1_1": (0, 384 * rows, (rows, H)),
        "ddu_dh1_t1": (0, 408 * rows, (rows, H)),
        "ddu_dh1": (0, 432 * rows, (rows, H)),
        "dd2u_dz2": (0, 456 * rows, (rows, H)),
        "dd2u_dh2_1": (0, 480 * rows, (rows, H)),
        "dd2u_ddz2_t1": (0, 504 * rows, (rows, H)),
        "dd2u_ddh2": (0, 528 * rows, (rows, H)),
        "dd2u_ddz2": (0, 552 * rows, (rows, H)),
        "dd2u_ddh1": (0, 576 * rows, (rows, H)),
        "ddu_dz2": (0, 600 * rows, (rows, H)),
        "ddu_dh2": (0, 624 * rows, (rows, H)),
        "dh2_1": (0, 648 * rows, (rows, H)),
        "dW3_1": (0, 800 * rows + 2304, (H, D)),
        "dW3_2": (0, 800 * rows + 2328, (H, D)),
        "dW3_3": (0, 800 * rows + 2352, (H, D)),
        "dW3_4": (0, 800 * rows + 2376, (H, D)),
        "dz2": (0, 192 * rows, (rows, H)),
        "dh1_1": (0, 48 * rows, (rows, H)),
        "dW2_1": (0, 600 * rows, (H, H)),
        "dW2_2": (0, 600 * rows + 576, (H, H)),
        "dW2_3": (0, 600 * rows + 1152, (H, H)),
        "dW2_4": (0, 600 * rows + 1728, (H, H)),
        "dz1": (0, 72 * rows, (rows, H)),
        "dW1_1": (0, 0, (D, H)),
        "dW1_2": (0, 24, (D, H)),
        "dW1_3": (0, 48, (D, H)),
        "error": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(3 / H) * rng.uniform(-1, 1, (H, H)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W3": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (H, D)),
        # an offset needs no asymmetry to learn
        "b3": np.zeros(D),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate
# symbp/runtime/numba/float64.py: _expm1, _power_of_two, _reduced
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
