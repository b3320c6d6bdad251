"""moe: a network that trains in Numba.

Derived from the network moe; float64. It reads x(N, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,j] = Σ_i x[n,i]·G[i,j]
    (2)   h1[n,j] = tanh(z1[n,j] + g1[j])
    (3)   z2[n,e] = Σ_j h1[n,j]·G2[j,e]
    (4)   a2[n,e] = z2[n,e] + g2[e]
    (5)   m_a2[n] = max_e a2[n,e]
    (6)   e_gate[n,e] = exp(a2[n,e] - m_a2[n])
    (7)   s_gate[n] = Σ_e e_gate[n,e]
    (8)   gate[n,e] = e_gate[n,e]/s_gate[n]
    (9)   z[n,e,j] = Σ_i x[n,i]·W[e,i,j]
    (10)  h[n,e,j] = tanh(z[n,e,j] + b[e,j])
    (11)  o[n,e,k] = Σ_j h[n,e,j]·V[e,j,k]
    (12)  u_expert[n,e,k] = o[n,e,k] + c[e,k]
    (13)  m_u_expert[n,e] = max_k u_expert[n,e,k]
    (14)  e_expert[n,e,k] = exp(u_expert[n,e,k] - m_u_expert[n,e])
    (15)  s_expert[n,e] = Σ_k e_expert[n,e,k]
    (16)  expert[n,e,k] = e_expert[n,e,k]/s_expert[n,e]
    (17)  p[n,k] = Σ_e expert[n,e,k]·gate[n,e]
    (18)  l_loss[n,e] = a2[n,e] + u_expert[n,e,y[n]] - log(s_expert[n,e]) - m_u_expert[n,e] - log(s_gate[n]) - m_a2[n]
    (19)  m_l_loss[n] = max_e l_loss[n,e]
    (20)  e_loss[n,e] = exp(l_loss[n,e] - m_l_loss[n])
    (21)  s_loss[n] = Σ_e e_loss[n,e]
    (22)  loss = Σ_n (-(log(s_loss[n]) + m_l_loss[n])/N)
    (23)  dl_loss[n,e] = -e_loss[n,e]/(N·s_loss[n])
    (24)  du_expert[n,e,k] = dl_loss[n,e]·([k = y[n]] - expert[n,e,k])
    (25)  dc[e,k] = Σ_n du_expert[n,e,k]
    (26)  dh[n,e,j] = Σ_k du_expert[n,e,k]·V[e,j,k]
    (27)  dV[e,j,k] = Σ_n h[n,e,j]·du_expert[n,e,k]
    (28)  dz[n,e,j] = (1 - h[n,e,j]²)·dh[n,e,j]
    (29)  dW[e,i,j] = Σ_n dz[n,e,j]·x[n,i]
    (30)  db[e,j] = Σ_n dz[n,e,j]
    (31)  da2[n,e] = gate[n,e]/N + dl_loss[n,e]
    (32)  dg2[e] = Σ_n da2[n,e]
    (33)  dh1[n,j] = Σ_e da2[n,e]·G2[j,e]
    (34)  dG2[j,e] = Σ_n h1[n,j]·da2[n,e]
    (35)  dz1[n,j] = (1 - h1[n,j]²)·dh1[n,j]
    (36)  dG[i,j] = Σ_n x[n,i]·dz1[n,j]
    (37)  dg1[j] = Σ_n dz1[n,j]
    (38)  c_accuracy[n] = argmax_k p[n,k]
    (39)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: H = 12, E = 6; N, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·E·H·N + 6·E·H·K·N + 13·E·H·N + 13·E·K·N + 4·D·H·N + 33·E·N + 7·H·N + 6·N
             = 336·D·N + 510·K·N + 1,224·N
    bytes      120·E·H·N + 24·E·H·K + 48·D·E·H + 48·E·K·N + 16·D·H + 16·E·K + 32·D·N + 40·E·H + 88·H·N
               + 96·E·N + 16·E + 16·H + 64·N + 8
             = 288·K·N + 32·D·N + 10,336·N + 1,824·K + 3,648·D + 3,176
    workspace  240·K·rows + 3,024·rows + 576·D + 64·K + 8·N + 8 bytes for each chunk of rows examples
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
H, E = 12, 6
NAME = "moe"
SIZES = {"H": H, "E": E}
PARAMETERS = {
    "G": ("D", "H"), "G2": ("H", "E"), "g1": ("H",), "g2": ("E",), "W": ("E", "D", "H"), "b": ("E", "H"),
    "V": ("E", "H", "K"), "c": ("E", "K"),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p", "gate")
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"G": "dG", "G2": "dG2", "g1": "dg1", "g2": "dg2", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "a2", 5: "m_a2", 6: "e_gate", 7: "s_gate", 8: "gate", 9: "z", 10: "h",
    11: "o", 12: "u_expert", 13: "m_u_expert", 14: "e_expert", 15: "s_expert", 16: "expert", 17: "p",
    18: "l_loss", 19: "m_l_loss", 20: "e_loss", 21: "s_loss", 22: "loss", 23: "dl_loss", 24: "du_expert",
    25: "dc", 26: "dh", 27: "dV", 28: "dz", 29: "dW", 30: "db", 31: "da2", 32: "dg2", 33: "dh1", 34: "dG2",
    35: "dz1", 36: "dG", 37: "dg1", 38: "c_accuracy", 39: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, D, K):
    """The outputs: equations (1) to (17)."""
    G = theta[0 : 12 * D].reshape(D, H)
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    g1 = theta[12 * D + 72 : 12 * D + 84]
    g2 = theta[12 * D + 84 : 12 * D + 90]
    W = theta[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    b = theta[84 * D + 90 : 84 * D + 162].reshape(E, H)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    c = theta[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    z1 = work[at[0] : at[0] + 12 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 6 * rows].reshape(rows, E)
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    e_gate = work[at[5] : at[5] + 6 * rows].reshape(rows, E)
    s_gate = work[at[6] : at[6] + rows]
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    z_right = work[at[8] : at[8] + 72 * D].reshape(D, E, H)
    z = work[at[9] : at[9] + 72 * rows].reshape(rows, E, H)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    o_right = work[at[11] : at[11] + 72 * rows].reshape(E, rows, H)
    o_product = work[at[12] : at[12] + 6 * K * rows].reshape(E, K, rows)
    o = work[at[13] : at[13] + 6 * K * rows].reshape(rows, E, K)
    u_expert = work[at[14] : at[14] + 6 * K * rows].reshape(rows, E, K)
    m_u_expert = work[at[15] : at[15] + 6 * rows].reshape(rows, E)
    e_expert = work[at[16] : at[16] + 6 * K * rows].reshape(rows, E, K)
    s_expert = work[at[17] : at[17] + 6 * rows].reshape(rows, E)
    expert = work[at[18] : at[18] + 6 * K * rows].reshape(rows, E, K)
    p = work[at[19] : at[19] + K * rows].reshape(rows, K)
    _product(x, G, z1)  # (1)
    _compute_h1(h1, z1, g1, rows)  # (2)
    _product(h1, G2, z2)  # (3)
    _compute_gate(a2, z2, g2, m_a2, e_gate, s_gate, gate, rows)  # (4) to (8)
    _compute_z_right(z_right, W, D)  # (9)
    _product(x, z_right.reshape(D, E * H), z.reshape(rows, E * H))  # (9)
    _compute_o_right(h, z, b, o_right, rows)  # (10), (11)
    for e in range(E):
        _product(V[e].T, o_right[e].T, o_product[e])  # (11)
    _compute_expert(
        o, o_product, u_expert, c, m_u_expert, e_expert, s_expert, expert, rows, K
    )  # (11) to (16)
    for n in range(rows):
        np.dot(expert[n].T, gate[n], p[n])  # (17)


@kernel
def _loss(theta, work, counts, at, y, rows, N, D, K):
    """The loss: equations (18) to (22)."""
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    s_gate = work[at[6] : at[6] + rows]
    u_expert = work[at[14] : at[14] + 6 * K * rows].reshape(rows, E, K)
    m_u_expert = work[at[15] : at[15] + 6 * rows].reshape(rows, E)
    s_expert = work[at[17] : at[17] + 6 * rows].reshape(rows, E)
    l_loss = work[at[20] : at[20] + 6 * rows].reshape(rows, E)
    m_l_loss = work[at[21] : at[21] + rows]
    e_loss = work[at[22] : at[22] + 6 * rows].reshape(rows, E)
    s_loss = work[at[23] : at[23] + rows]
    loss = work[at[24] : at[24] + 1]
    _compute_loss(
        l_loss, a2, m_u_expert, u_expert, y, m_a2, s_expert, s_gate, m_l_loss, e_loss, s_loss, loss, rows, N
    )  # (18) to (22)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The gradients: equations (23) to (37)."""
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    expert = work[at[18] : at[18] + 6 * K * rows].reshape(rows, E, K)
    e_loss = work[at[22] : at[22] + 6 * rows].reshape(rows, E)
    s_loss = work[at[23] : at[23] + rows]
    dl_loss = work[at[25] : at[25] + 6 * rows].reshape(rows, E)
    du_expert = work[at[26] : at[26] + 6 * K * rows].reshape(rows, E, K)
    dc = gradient[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    dh_right = work[at[27] : at[27] + 6 * K * rows].reshape(E, rows, K)
    dV_right = work[at[28] : at[28] + 6 * K * rows].reshape(E, rows, K)
    da2 = work[at[29] : at[29] + 6 * rows].reshape(rows, E)
    dg2 = gradient[12 * D + 84 : 12 * D + 90]
    dh_product = work[at[30] : at[30] + 72 * rows].reshape(E, H, rows)
    dh = work[at[31] : at[31] + 72 * rows].reshape(rows, E, H)
    dz = work[at[32] : at[32] + 72 * rows].reshape(rows, E, H)
    db = gradient[84 * D + 90 : 84 * D + 162].reshape(E, H)
    dV_left = work[at[33] : at[33] + 72 * rows].reshape(E, rows, H)
    dV = gradient[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    dW_product = work[at[34] : at[34] + 72 * D].reshape(E, H, D)
    dW = gradient[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    dh1 = work[at[35] : at[35] + 12 * rows].reshape(rows, H)
    dG2 = gradient[12 * D : 12 * D + 72].reshape(H, E)
    dz1 = work[at[36] : at[36] + 12 * rows].reshape(rows, H)
    dg1 = gradient[12 * D + 72 : 12 * D + 84]
    dG = gradient[0 : 12 * D].reshape(D, H)
    _compute_dg2(
        dc, dg2, dl_loss, e_loss, s_loss, du_expert, y, expert, dh_right, dV_right, da2, gate, rows, N, K
    )  # (23) to (27), (31), (32)
    for e in range(E):
        _product(V[e], dh_right[e].T, dh_product[e])  # (26)
    _compute_db(db, dh, dh_product, dz, h, rows)  # (26), (28), (30)
    _compute_dV_left(dV_left, h, rows)  # (27)
    for e in range(E):
        _product(dV_left[e].T, dV_right[e], dV[e])  # (27)
    _product(dz.reshape(rows, E * H).T, x, dW_product.reshape(E * H, D))  # (29)
    _compute_dW(dW, dW_product, D)  # (29)
    _product(da2, G2.T, dh1)  # (33)
    _product(h1.T, da2, dG2)  # (34)
    _compute_dg1(dg1, dz1, h1, dh1, rows)  # (35), (37)
    _product(x.T, dz1, dG)  # (36)


@kernel
def _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss and its gradients: equations (1) to (16), (18) to (37)."""
    G = theta[0 : 12 * D].reshape(D, H)
    G2 = theta[12 * D : 12 * D + 72].reshape(H, E)
    g1 = theta[12 * D + 72 : 12 * D + 84]
    g2 = theta[12 * D + 84 : 12 * D + 90]
    W = theta[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    b = theta[84 * D + 90 : 84 * D + 162].reshape(E, H)
    V = theta[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    c = theta[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    z1 = work[at[0] : at[0] + 12 * rows].reshape(rows, H)
    h1 = work[at[1] : at[1] + 12 * rows].reshape(rows, H)
    z2 = work[at[2] : at[2] + 6 * rows].reshape(rows, E)
    a2 = work[at[3] : at[3] + 6 * rows].reshape(rows, E)
    m_a2 = work[at[4] : at[4] + rows]
    s_gate = work[at[6] : at[6] + rows]
    gate = work[at[7] : at[7] + 6 * rows].reshape(rows, E)
    z_right = work[at[8] : at[8] + 72 * D].reshape(D, E, H)
    z = work[at[9] : at[9] + 72 * rows].reshape(rows, E, H)
    h = work[at[10] : at[10] + 72 * rows].reshape(rows, E, H)
    o_right = work[at[11] : at[11] + 72 * rows].reshape(E, rows, H)
    o_product = work[at[12] : at[12] + 6 * K * rows].reshape(E, K, rows)
    loss = work[at[24] : at[24] + 1]
    dc = gradient[72 * K + 84 * D + 162 : 78 * K + 84 * D + 162].reshape(E, K)
    dh_right = work[at[27] : at[27] + 6 * K * rows].reshape(E, rows, K)
    dV_right = work[at[28] : at[28] + 6 * K * rows].reshape(E, rows, K)
    da2 = work[at[29] : at[29] + 6 * rows].reshape(rows, E)
    dg2 = gradient[12 * D + 84 : 12 * D + 90]
    dh_product = work[at[30] : at[30] + 72 * rows].reshape(E, H, rows)
    dz = work[at[32] : at[32] + 72 * rows].reshape(rows, E, H)
    db = gradient[84 * D + 90 : 84 * D + 162].reshape(E, H)
    dV_left = work[at[33] : at[33] + 72 * rows].reshape(E, rows, H)
    dV = gradient[84 * D + 162 : 72 * K + 84 * D + 162].reshape(E, H, K)
    dW_product = work[at[34] : at[34] + 72 * D].reshape(E, H, D)
    dW = gradient[12 * D + 90 : 84 * D + 90].reshape(E, D, H)
    dh1 = work[at[35] : at[35] + 12 * rows].reshape(rows, H)
    dG2 = gradient[12 * D : 12 * D + 72].reshape(H, E)
    dz1 = work[at[36] : at[36] + 12 * rows].reshape(rows, H)
    dg1 = gradient[12 * D + 72 : 12 * D + 84]
    dG = gradient[0 : 12 * D].reshape(D, H)
    e_gate_row = work[at[37] : at[37] + 6]
    u_expert_row = work[at[38] : at[38] + K]
    e_expert_row = work[at[39] : at[39] + K]
    expert_row = work[at[40] : at[40] + 6 * K].reshape(E, K)
    l_loss_row = work[at[41] : at[41] + 6]
    e_loss_row = work[at[42] : at[42] + 6]
    _product(x, G, z1)  # (1)
    _compute_h1(h1, z1, g1, rows)  # (2)
    _product(h1, G2, z2)  # (3)
    _compute_gate_2(a2, z2, g2, m_a2, e_gate_row, s_gate, gate, rows)  # (4) to (8)
    _compute_z_right(z_right, W, D)  # (9)
    _product(x, z_right.reshape(D, E * H), z.reshape(rows, E * H))  # (9)
    _compute_dV_left_2(h, z, b, o_right, dV_left, rows)  # (10), (11), (27)
    for e in range(E):
        _product(V[e].T, o_right[e].T, o_product[e])  # (11)
    _compute_dg2_2(
        dc, dg2, o_product, u_expert_row, c, e_expert_row, expert_row, l_loss_row, a2, y, m_a2, s_gate,
        e_loss_row, dh_right, dV_right, da2, gate, loss, rows, K, N,
    )  # (11) to (16), (18) to (27), (31), (32)
    for e in range(E):
        _product(V[e], dh_right[e].T, dh_product[e])  # (26)
    _compute_db_2(db, dh_product, dz, h, rows)  # (26), (28), (30)
    for e in range(E):
        _product(dV_left[e].T, dV_right[e], dV[e])  # (27)
    _product(dz.reshape(rows, E * H).T, x, dW_product.reshape(E * H, D))  # (29)
    _compute_dW(dW, dW_product, D)  # (29)
    _product(da2, G2.T, dh1)  # (33)
    _product(h1.T, da2, dG2)  # (34)
    _compute_dg1(dg1, dz1, h1, dh1, rows)  # (35), (37)
    _product(x.T, dz1, dG)  # (36)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, D, K):
    """The metrics: equations (38), (39)."""
    p = work[at[19] : at[19] + K * rows].reshape(rows, K)
    c_accuracy = counts[at[43] : at[43] + N]
    accuracy = work[at[44] : at[44] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, K)  # (38), (39)


@kernel
def _compute_h1(h1, z1, g1, rows):
    """Equation (2)."""
    _disjoint()
    for n in range(rows):
        for j in range(H):
            h1[n, j] = _tanh(z1[n, j] + g1[j])  # (2)


@kernel
def _compute_gate(a2, z2, g2, m_a2, e_gate, s_gate, gate, rows):
    """Equations (4) to (8)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for e in range(E):
            a2[n, e] = z2[n, e] + g2[e]  # (4)
            m_a2_max = _larger(m_a2_max, a2[n, e])  # (5)
        m_a2[n] = m_a2_max
        s_gate_sum = 0.0
        for e in range(E):
            e_gate[n, e] = _exp(a2[n, e] - m_a2[n])  # (6)
            s_gate_sum += e_gate[n, e]  # (7)
        s_gate[n] = s_gate_sum
        for e in range(E):
            gate[n, e] = e_gate[n, e] / s_gate[n]  # (8)


@kernel
def _compute_z_right(z_right, W, D):
    """Equation (9)."""
    _disjoint()
    for i in range(D):
        for e in range(E):
            for j in range(H):
                z_right[i, e, j] = W[e, i, j]  # (9)


@kernel
def _compute_o_right(h, z, b, o_right, rows):
    """Equations (10), (11)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                h[n, e, j] = _tanh(z[n, e, j] + b[e, j])  # (10)
                o_right[e, n, j] = h[n, e, j]  # (11)


@kernel
def _compute_expert(o, o_product, u_expert, c, m_u_expert, e_expert, s_expert, expert, rows, K):
    """Equations (11) to (16)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            m_u_expert_max = -np.inf
            for k in range(K):
                o[n, e, k] = o_product[e, k, n]  # (11)
                u_expert[n, e, k] = o[n, e, k] + c[e, k]  # (12)
                m_u_expert_max = _larger(m_u_expert_max, u_expert[n, e, k])  # (13)
            m_u_expert[n, e] = m_u_expert_max
            s_expert_sum = 0.0
            for k in range(K):
                e_expert[n, e, k] = _exp(u_expert[n, e, k] - m_u_expert[n, e])  # (14)
                s_expert_sum += e_expert[n, e, k]  # (15)
            s_expert[n, e] = s_expert_sum
            for k in range(K):
                expert[n, e, k] = e_expert[n, e, k] / s_expert[n, e]  # (16)


@kernel
def _compute_loss(
    l_loss, a2, m_u_expert, u_expert, y, m_a2, s_expert, s_gate, m_l_loss, e_loss, s_loss, loss, rows, N,
):
    """Equations (18) to (22)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        m_l_loss_max = -np.inf
        for e in range(E):
            l_loss[n, e] = (
                a2[n, e] - m_u_expert[n, e] + u_expert[n, e, y[n]] - m_a2[n] - _log(s_expert[n, e])
                - _log(s_gate[n])
            )  # (18)
            m_l_loss_max = _larger(m_l_loss_max, l_loss[n, e])  # (19)
        m_l_loss[n] = m_l_loss_max
        s_loss_sum = 0.0
        for e in range(E):
            e_loss[n, e] = _exp(l_loss[n, e] - m_l_loss[n])  # (20)
            s_loss_sum += e_loss[n, e]  # (21)
        s_loss[n] = s_loss_sum
        loss_sum += -(_log(s_loss[n]) + m_l_loss[n]) / N  # (22)
    loss[0] = loss_sum


@kernel
def _compute_dg2(
    dc, dg2, dl_loss, e_loss, s_loss, du_expert, y, expert, dh_right, dV_right, da2, gate, rows, N, K,
):
    """Equations (23) to (27), (31), (32)."""
    _disjoint()
    dc[:, :] = 0.0
    dg2[:] = 0.0
    for n in range(rows):
        for e in range(E):
            dl_loss[n, e] = -e_loss[n, e] / (N * s_loss[n])  # (23)
            for k in range(K):
                du_expert[n, e, k] = ((1.0 if k == y[n] else 0.0) - expert[n, e, k]) * dl_loss[n, e]  # (24)
                dc[e, k] += du_expert[n, e, k]  # (25)
                dh_right[e, n, k] = du_expert[n, e, k]  # (26)
                dV_right[e, n, k] = du_expert[n, e, k]  # (27)
            da2[n, e] = dl_loss[n, e] + gate[n, e] / N  # (31)
            dg2[e] += da2[n, e]  # (32)


@kernel
def _compute_db(db, dh, dh_product, dz, h, rows):
    """Equations (26), (28), (30)."""
    _disjoint()
    db[:, :] = 0.0
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                dh[n, e, j] = dh_product[e, j, n]  # (26)
                dz[n, e, j] = (1 - h[n, e, j] * h[n, e, j]) * dh[n, e, j]  # (28)
                db[e, j] += dz[n, e, j]  # (30)


@kernel
def _compute_dV_left(dV_left, h, rows):
    """Equation (27)."""
    _disjoint()
    for e in range(E):
        for n in range(rows):
            for j in range(H):
                dV_left[e, n, j] = h[n, e, j]  # (27)


@kernel
def _compute_dW(dW, dW_product, D):
    """Equation (29)."""
    _disjoint()
    for e in range(E):
        for i in range(D):
            for j in range(H):
                dW[e, i, j] = dW_product[e, j, i]  # (29)


@kernel
def _compute_dg1(dg1, dz1, h1, dh1, rows):
    """Equations (35), (37)."""
    _disjoint()
    dg1[:] = 0.0
    for n in range(rows):
        for j in range(H):
            dz1[n, j] = (1 - h1[n, j] * h1[n, j]) * dh1[n, j]  # (35)
            dg1[j] += dz1[n, j]  # (37)


@kernel
def _compute_gate_2(a2, z2, g2, m_a2, e_gate_row, s_gate, gate, rows):
    """Equations (4) to (8)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for e in range(E):
            a2[n, e] = z2[n, e] + g2[e]  # (4)
            m_a2_max = _larger(m_a2_max, a2[n, e])  # (5)
        m_a2[n] = m_a2_max
        s_gate_sum = 0.0
        for e in range(E):
            e_gate_row[e] = _exp(a2[n, e] - m_a2[n])  # (6)
            s_gate_sum += e_gate_row[e]  # (7)
        s_gate[n] = s_gate_sum
        for e in range(E):
            gate[n, e] = e_gate_row[e] / s_gate[n]  # (8)


@kernel
def _compute_dV_left_2(h, z, b, o_right, dV_left, rows):
    """Equations (10), (11), (27)."""
    _disjoint()
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                h[n, e, j] = _tanh(z[n, e, j] + b[e, j])  # (10)
                o_right[e, n, j] = h[n, e, j]  # (11)
                dV_left[e, n, j] = h[n, e, j]  # (27)


@kernel
def _compute_dg2_2(
    dc, dg2, o_product, u_expert_row, c, e_expert_row, expert_row, l_loss_row, a2, y, m_a2, s_gate,
    e_loss_row, dh_right, dV_right, da2, gate, loss, rows, K, N,
):
    """Equations (11) to (16), (18) to (27), (31), (32)."""
    _disjoint()
    loss_sum = 0.0
    dc[:, :] = 0.0
    dg2[:] = 0.0
    for n in range(rows):
        m_l_loss = -np.inf
        for e in range(E):
            m_u_expert = -np.inf
            for k in range(K):
                o = o_product[e, k, n]  # (11)
                u_expert_row[k] = o + c[e, k]  # (12)
                m_u_expert = _larger(m_u_expert, u_expert_row[k])  # (13)
            s_expert = 0.0
            for k in range(K):
                e_expert_row[k] = _exp(u_expert_row[k] - m_u_expert)  # (14)
                s_expert += e_expert_row[k]  # (15)
            for k in range(K):
                expert_row[e, k] = e_expert_row[k] / s_expert  # (16)
            l_loss_row[e] = (
                a2[n, e] - m_u_expert + u_expert_row[y[n]] - m_a2[n] - _log(s_expert) - _log(s_gate[n])
            )  # (18)
            m_l_loss = _larger(m_l_loss, l_loss_row[e])  # (19)
        s_loss = 0.0
        for e in range(E):
            e_loss_row[e] = _exp(l_loss_row[e] - m_l_loss)  # (20)
            s_loss += e_loss_row[e]  # (21)
        loss_sum += -(_log(s_loss) + m_l_loss) / N  # (22)
        for e in range(E):
            dl_loss = -e_loss_row[e] / (N * s_loss)  # (23)
            for k in range(K):
                du_expert = ((1.0 if k == y[n] else 0.0) - expert_row[e, k]) * dl_loss  # (24)
                dc[e, k] += du_expert  # (25)
                dh_right[e, n, k] = du_expert  # (26)
                dV_right[e, n, k] = du_expert  # (27)
            da2[n, e] = dl_loss + gate[n, e] / N  # (31)
            dg2[e] += da2[n, e]  # (32)
    loss[0] = loss_sum


@kernel
def _compute_db_2(db, dh_product, dz, h, rows):
    """Equations (26), (28), (30)."""
    _disjoint()
    db[:, :] = 0.0
    for n in range(rows):
        for e in range(E):
            for j in range(H):
                dh = dh_product[e, j, n]  # (26)
                dz[n, e, j] = (1 - h[n, e, j] * h[n, e, j]) * dh  # (28)
                db[e, j] += dz[n, e, j]  # (30)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, K):
    """Equations (38), (39)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for k in range(K):
            if c_accuracy_at < 0 or p[n, k] > c_accuracy_argmax:  # (38)
                c_accuracy_argmax, c_accuracy_at = p[n, k], k
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (39)
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
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    return work[at[24]]


@kernel
def _replay(theta, gradient, work, counts, at, x, y, rows, N, D, K):
    """The loss and the gradients, with every tensor on the way."""
    _forward(theta, work, counts, at, x, rows, N, D, K)
    _loss(theta, work, counts, at, y, rows, N, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N, D, K):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward_and_backward(theta, gradient, work, counts, at, x, y, rows, N, D, K)
    loss = work[at[24]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, D, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first, last = bounds[c_, 0], bounds[c_, 1]
        _forward_and_backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first:last], y[first:last], last - first, N, D,
            K,
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
        work[0, at[24]] += work[k, at[24]]
    loss = work[0, at[24]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, D, K):
    """Floating-point operations of one step."""
    return 1224 * N + 336 * D * N + 510 * K * N


def _places(rows, N, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (rows, H)),
        "h1": (0, 30 * K * rows + 360 * rows + 72 * D, (rows, H)),
        "z2": (0, 0, (rows, E)),
        "a2": (0, 216 * rows + 30 * K * rows + 72 * D, (rows, E)),
        "m_a2": (0, 228 * rows + 30 * K * rows + 72 * D, (rows,)),
        "e_gate": (0, 6 * rows, (rows, E)),
        "s_gate": (0, 229 * rows + 30 * K * rows + 72 * D, (rows,)),
        "gate": (0, 222 * rows + 30 * K * rows + 72 * D, (rows, E)),
        "z_right": (0, 0, (D, E, H)),
        "z": (0, 72 * D, (rows, E, H)),
        "h": (0, 30 * K * rows + 72 * D + 72 * rows, (rows, E, H)),
        "o_right": (0, 144 * rows + 30 * K * rows + 72 * D, (E, rows, H)),
        "o_product": (0, 0, (E, K, rows)),
        "o": (0, 6 * K * rows, (rows, E, K)),
        "u_expert": (0, 12 * K * rows, (rows, E, K)),
        "m_u_expert": (0, 30 * K * rows, (rows, E)),
        "e_expert": (0, 18 * K * rows, (rows, E, K)),
        "s_expert": (0, 30 * K * rows + 6 * rows, (rows, E)),
        "expert": (0, 24 * K * rows, (rows, E, K)),
        "p": (0, 0, (rows, K)),
        "l_loss": (0, K * rows, (rows, E)),
        "m_l_loss": (0, 18 * rows + 30 * K * rows, (rows,)),
        "e_loss": (0, 18 * K * rows, (rows, E)),
        "s_loss": (0, 19 * rows + 30 * K * rows, (rows,)),
        "loss": (0, 30 * K * rows + 378 * rows + 72 * D + 8 * K, ()),
        "dl_loss": (0, 12 * rows + 30 * K * rows, (rows, E)),
        "du_expert": (0, 12 * K * rows, (rows, E, K)),
        "dh_right": (0, 18 * K * rows, (E, rows, K)),
        "dV_right": (0, 24 * K * rows, (E, rows, K)),
        "da2": (0, 30 * K * rows + 372 * rows + 72 * D, (rows, E)),
        "dh_product": (0, 30 * K * rows, (E, H, rows)),
        "dh": (0, 144 * rows + 30 * K * rows + 72 * D, (rows, E, H)),
        "dz": (0, 216 * rows + 30 * K * rows + 72 * D, (rows, E, H)),
        "dV_left": (0, 288 * rows + 30 * K * rows + 72 * D, (E, rows, H)),
        "dW_product": (0, 0, (E, H, D)),
        "dh1": (0, 0, (rows, H)),
        "dz1": (0, 12 * rows, (rows, H)),
        "e_gate_row": (0, 6 * rows, (E,)),
        "u_expert_row": (0, 30 * K * rows + 378 * rows + 6 * K + 72 * D, (K,)),
        "e_expert_row": (0, 30 * K * rows + 378 * rows + 72 * D + 7 * K, (K,)),
        "expert_row": (0, 30 * K * rows + 378 * rows + 72 * D, (E, K)),
        "l_loss_row": (0, 20 * rows + 30 * K * rows, (E,)),
        "e_loss_row": (0, 20 * rows + 30 * K * rows + 6, (E,)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, K * rows, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "G": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        "G2": math.sqrt(6 / (E + H)) * rng.uniform(-1, 1, (H, E)),
        # an offset needs no asymmetry to learn
        "g1": np.zeros(H),
        "g2": np.zeros(E),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": math.sqrt(6 / (D + E * H)) * rng.uniform(-1, 1, (E, D, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros((E, H)),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (E, H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros((E, K)),
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
