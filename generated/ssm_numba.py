"""ssm: a network that trains in Numba.

Derived from the network ssm; float64. It reads x(N, T, D), y(N,).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   u_rate[j] = -exp(decay[j])
    (2)   rate[j] = exp(u_rate[j])
    (3)   real[j] = cos(turn[j])·rate[j]
    (4)   imag[j] = rate[j]·sin(turn[j])
    (5)   u[n,t,j] = Σ_i x[n,t,i]·B[i,j]
    (6)   re[n,t,j] = re[n,t - 1,j]·real[j] + u[n,t,j] - im[n,t - 1,j]·imag[j]
    (7)   im[n,t,j] = im[n,t - 1,j]·real[j] + re[n,t - 1,j]·imag[j]
    (8)   size[n,j] = im[n,T - 1,j]² + re[n,T - 1,j]²
    (9)   z1[n,k] = Σ_j size[n,j]·W[j,k]
    (10)  a1[n,k] = z1[n,k] + b[k]
    (11)  h1[n,k] = [a1[n,k] > 0]·a1[n,k]
    (12)  z2[n,l] = Σ_k h1[n,k]·V[k,l]
    (13)  a2[n,l] = z2[n,l] + c[l]
    (14)  m_a2[n] = max_l a2[n,l]
    (15)  e_p[n,l] = exp(a2[n,l] - m_a2[n])
    (16)  s_p[n] = Σ_l e_p[n,l]
    (17)  p[n,l] = e_p[n,l]/s_p[n]
    (18)  loss = Σ_n (log(s_p[n]) + m_a2[n] - a2[n,y[n]])/N
    (19)  da2[n,l] = (p[n,l] - [l = y[n]])/N
    (20)  dc[l] = Σ_n da2[n,l]
    (21)  dh1[n,k] = Σ_l da2[n,l]·V[k,l]
    (22)  dV[k,l] = Σ_n h1[n,k]·da2[n,l]
    (23)  da1[n,k] = [a1[n,k] > 0]·dh1[n,k]
    (24)  db[k] = Σ_n da1[n,k]
    (25)  dsize[n,j] = Σ_k da1[n,k]·W[j,k]
    (26)  dW[j,k] = Σ_n size[n,j]·da1[n,k]
    (27)  dim[n,t,j] = 2·[t = T - 1]·dsize[n,j]·im[n,T - 1,j] + [t < T - 1]·dim[n,t + 1,j]·real[j] - [t < T - 1]·dre[n,t + 1,j]·imag[j]
    (28)  dre[n,t,j] = 2·[t = T - 1]·dsize[n,j]·re[n,T - 1,j] + [t < T - 1]·dim[n,t + 1,j]·imag[j] + [t < T - 1]·dre[n,t + 1,j]·real[j]
    (29)  dB[i,j] = Σ_n,t x[n,t,i]·dre[n,t,j]
    (30)  dimag_1[j] = Σ_n,t (-dre[n,t,j]·im[n,t - 1,j])
    (31)  dimag_2[j] = Σ_n,t dim[n,t,j]·re[n,t - 1,j]
    (32)  dreal_1[j] = Σ_n,t dre[n,t,j]·re[n,t - 1,j]
    (33)  dreal_2[j] = Σ_n,t dim[n,t,j]·im[n,t - 1,j]
    (34)  dreal[j] = dreal_1[j] + dreal_2[j]
    (35)  dturn[j] = (dimag_1[j] + dimag_2[j])·real[j] - dreal[j]·imag[j]
    (36)  ddecay[j] = ((dimag_1[j] + dimag_2[j])·imag[j] + dreal[j]·real[j])·u_rate[j]
    (37)  c_accuracy[n] = argmax_l p[n,l]
    (38)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: S = 16, H = 32; N, T, D, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      4·D·N·S·T + 42·N·S·T + 6·H·K·N + 6·H·N·S + 14·K·N + 3·N·S + 6·H·N + 18·S + 7·N
             = 64·D·N·T + 206·K·N + 672·N·T + 3,319·N + 288
    bytes      16·D·N·T + 184·N·S·T + 112·H·N + 112·K·N + 16·D·S + 24·H·K + 24·H·S + 80·N·S + 16·H
               + 16·K + 304·S + 72·N + 8
             = 16·D·N·T + 112·K·N + 2,944·N·T + 256·D + 4,936·N + 784·K + 17,672
    workspace  40·K·rows + 640·T·rows + 1,536·rows + 8·N bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "T", "D", "K")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
S, H = 16, 32
NAME = "ssm"
SIZES = {"S": S, "H": H}
PARAMETERS = {
    "decay": ("S",), "turn": ("S",), "B": ("D", "S"), "W": ("S", "H"), "b": ("H",), "V": ("H", "K"),
    "c": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T", "D"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"decay": "ddecay", "turn": "dturn", "B": "dB", "W": "dW", "b": "db", "V": "dV", "c": "dc"}
EQUATIONS = {
    1: "u_rate", 2: "rate", 3: "real", 4: "imag", 5: "u", 6: "re", 7: "im", 8: "size", 9: "z1", 10: "a1",
    11: "h1", 12: "z2", 13: "a2", 14: "m_a2", 15: "e_p", 16: "s_p", 17: "p", 18: "loss", 19: "da2", 20: "dc",
    21: "dh1", 22: "dV", 23: "da1", 24: "db", 25: "dsize", 26: "dW", 27: "dim", 28: "dre", 29: "dB",
    30: "dimag_1", 31: "dimag_2", 32: "dreal_1", 33: "dreal_2", 34: "dreal", 35: "dturn", 36: "ddecay",
    37: "c_accuracy", 38: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, rows, N, T, D, K):
    """The outputs: equations (1) to (17)."""
    decay = theta[0:16]
    turn = theta[16:32]
    B = theta[32 : 16 * D + 32].reshape(D, S)
    W = theta[16 * D + 32 : 16 * D + 544].reshape(S, H)
    b = theta[16 * D + 544 : 16 * D + 576]
    V = theta[16 * D + 576 : 16 * D + 32 * K + 576].reshape(H, K)
    c = theta[16 * D + 32 * K + 576 : 16 * D + 33 * K + 576]
    u_rate = work[at[0] : at[0] + 16]
    rate = work[at[1] : at[1] + 16]
    real = work[at[2] : at[2] + 16]
    imag = work[at[3] : at[3] + 16]
    u = work[at[4] : at[4] + 16 * T * rows].reshape(rows, T, S)
    re = work[at[5] : at[5] + 16 * T * rows].reshape(rows, T, S)
    im = work[at[6] : at[6] + 16 * T * rows].reshape(rows, T, S)
    size = work[at[7] : at[7] + 16 * rows].reshape(rows, S)
    z1 = work[at[8] : at[8] + 32 * rows].reshape(rows, H)
    a1 = work[at[9] : at[9] + 32 * rows].reshape(rows, H)
    h1 = work[at[10] : at[10] + 32 * rows].reshape(rows, H)
    z2 = work[at[11] : at[11] + K * rows].reshape(rows, K)
    a2 = work[at[12] : at[12] + K * rows].reshape(rows, K)
    m_a2 = work[at[13] : at[13] + rows]
    e_p = work[at[14] : at[14] + K * rows].reshape(rows, K)
    s_p = work[at[15] : at[15] + rows]
    p = work[at[16] : at[16] + K * rows].reshape(rows, K)
    _compute_imag(u_rate, decay, rate, real, turn, imag)  # (1) to (4)
    _product(x.reshape(T * rows, D), B, u.reshape(T * rows, S))  # (5)
    for t in range(T):
        _compute_im(re, real, u, im, imag, rows, t)  # (6), (7)
    _compute_size(size, im, re, rows, T)  # (8)
    _product(size, W, z1)  # (9)
    _compute_h1(a1, z1, b, h1, rows)  # (10), (11)
    _product(h1, V, z2)  # (12)
    _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, K)  # (13) to (17)


@kernel
def _loss(theta, work, counts, at, y, rows, N, T, D, K):
    """The loss: equation (18)."""
    a2 = work[at[12] : at[12] + K * rows].reshape(rows, K)
    m_a2 = work[at[13] : at[13] + rows]
    s_p = work[at[15] : at[15] + rows]
    loss = work[at[17] : at[17] + 1]
    _compute_loss(m_a2, a2, y, s_p, loss, rows, N)  # (18)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, rows, N, T, D, K):
    """The gradients: equations (19) to (33)."""
    W = theta[16 * D + 32 : 16 * D + 544].reshape(S, H)
    V = theta[16 * D + 576 : 16 * D + 32 * K + 576].reshape(H, K)
    real = work[at[2] : at[2] + 16]
    imag = work[at[3] : at[3] + 16]
    re = work[at[5] : at[5] + 16 * T * rows].reshape(rows, T, S)
    im = work[at[6] : at[6] + 16 * T * rows].reshape(rows, T, S)
    size = work[at[7] : at[7] + 16 * rows].reshape(rows, S)
    h1 = work[at[10] : at[10] + 32 * rows].reshape(rows, H)
    p = work[at[16] : at[16] + K * rows].reshape(rows, K)
    da2 = work[at[18] : at[18] + K * rows].reshape(rows, K)
    dc = gradient[16 * D + 32 * K + 576 : 16 * D + 33 * K + 576]
    dh1 = work[at[19] : at[19] + 32 * rows].reshape(rows, H)
    dV = gradient[16 * D + 576 : 16 * D + 32 * K + 576].reshape(H, K)
    da1 = work[at[20] : at[20] + 32 * rows].reshape(rows, H)
    db = gradient[16 * D + 544 : 16 * D + 576]
    dsize = work[at[21] : at[21] + 16 * rows].reshape(rows, S)
    dW = gradient[16 * D + 32 : 16 * D + 544].reshape(S, H)
    dim = work[at[22] : at[22] + 16 * T * rows].reshape(rows, T, S)
    dre = work[at[23] : at[23] + 16 * T * rows].reshape(rows, T, S)
    dB = gradient[32 : 16 * D + 32].reshape(D, S)
    dimag_1 = work[at[24] : at[24] + 16]
    dimag_2 = work[at[25] : at[25] + 16]
    dreal_1 = work[at[26] : at[26] + 16]
    dreal_2 = work[at[27] : at[27] + 16]
    _compute_dc(dc, da2, p, y, rows, K, N)  # (19), (20)
    _product(da2, V.T, dh1)  # (21)
    _product(h1.T, da2, dV)  # (22)
    _compute_db(db, da1, h1, dh1, rows)  # (23), (24)
    _product(da1, W.T, dsize)  # (25)
    _product(size.T, da1, dW)  # (26)
    for t in range(T - 1, -1, -1):
        _compute_dre(dim, dsize, im, real, dre, imag, re, rows, t, T)  # (27), (28)
    _product(x.reshape(T * rows, D).T, dre.reshape(T * rows, S), dB)  # (29)
    _compute_dreal_2(dimag_1, dimag_2, dreal_1, dreal_2, dre, im, dim, re, rows, T)  # (30) to (33)


@kernel
def _finish(theta, gradient, work, counts, at, rows, N, T, D, K):
    """The gradients of the whole batch: equations (34) to (36)."""
    u_rate = work[at[0] : at[0] + 16]
    real = work[at[2] : at[2] + 16]
    imag = work[at[3] : at[3] + 16]
    dimag_1 = work[at[24] : at[24] + 16]
    dimag_2 = work[at[25] : at[25] + 16]
    dreal_1 = work[at[26] : at[26] + 16]
    dreal_2 = work[at[27] : at[27] + 16]
    dreal = work[at[28] : at[28] + 16]
    dturn = gradient[16:32]
    ddecay = gradient[0:16]
    _compute_ddecay(
        dreal, dreal_1, dreal_2, dturn, dimag_1, dimag_2, real, imag, ddecay, u_rate
    )  # (34) to (36)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, T, D, K):
    """The metrics: equations (37), (38)."""
    p = work[at[16] : at[16] + K * rows].reshape(rows, K)
    c_accuracy = counts[at[29] : at[29] + N]
    accuracy = work[at[30] : at[30] + 1]
    _compute_accuracy(p, c_accuracy, y, accuracy, N, K)  # (37), (38)


@kernel
def _compute_imag(u_rate, decay, rate, real, turn, imag):
    """Equations (1) to (4)."""
    _disjoint()
    for j in range(S):
        u_rate[j] = -_exp(decay[j])  # (1)
        rate[j] = _exp(u_rate[j])  # (2)
        real[j] = math.cos(turn[j]) * rate[j]  # (3)
        imag[j] = rate[j] * math.sin(turn[j])  # (4)


@kernel
def _compute_im(re, real, u, im, imag, rows, t):
    """Equations (6), (7)."""
    _disjoint()
    for n in range(rows):
        for j in range(S):
            re[n, t, j] = (
                (re[n, t - 1, j] if t >= 1 else 0.0) * real[j] + u[n, t, j]
                - (im[n, t - 1, j] if t >= 1 else 0.0) * imag[j]
            )  # (6)
            im[n, t, j] = (
                (re[n, t - 1, j] if t >= 1 else 0.0) * imag[j]
                + (im[n, t - 1, j] if t >= 1 else 0.0) * real[j]
            )  # (7)


@kernel
def _compute_size(size, im, re, rows, T):
    """Equation (8)."""
    _disjoint()
    for n in range(rows):
        for j in range(S):
            size[n, j] = im[n, T - 1, j] * im[n, T - 1, j] + re[n, T - 1, j] * re[n, T - 1, j]  # (8)


@kernel
def _compute_h1(a1, z1, b, h1, rows):
    """Equations (10), (11)."""
    _disjoint()
    for n in range(rows):
        for k in range(H):
            a1[n, k] = z1[n, k] + b[k]  # (10)
            h1[n, k] = 0.0 if a1[n, k] <= 0 else a1[n, k]  # (11)


@kernel
def _compute_p(a2, z2, c, m_a2, e_p, s_p, p, rows, K):
    """Equations (13) to (17)."""
    _disjoint()
    for n in range(rows):
        m_a2_max = -np.inf
        for l_ in range(K):
            a2[n, l_] = z2[n, l_] + c[l_]  # (13)
            m_a2_max = _larger(m_a2_max, a2[n, l_])  # (14)
        m_a2[n] = m_a2_max
        s_p_sum = 0.0
        for l_ in range(K):
            e_p[n, l_] = _exp(a2[n, l_] - m_a2[n])  # (15)
            s_p_sum += e_p[n, l_]  # (16)
        s_p[n] = s_p_sum
        for l_ in range(K):
            p[n, l_] = e_p[n, l_] / s_p[n]  # (17)


@kernel
def _compute_loss(m_a2, a2, y, s_p, loss, rows, N):
    """Equation (18)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (m_a2[n] - a2[n, y[n]] + _log(s_p[n])) / N  # (18)
    loss[0] = loss_sum


@kernel
def _compute_dc(dc, da2, p, y, rows, K, N):
    """Equations (19), (20)."""
    _disjoint()
    dc[:] = 0.0
    for n in range(rows):
        for l_ in range(K):
            da2[n, l_] = (p[n, l_] - (1.0 if l_ == y[n] else 0.0)) / N  # (19)
            dc[l_] += da2[n, l_]  # (20)


@kernel
def _compute_db(db, da1, h1, dh1, rows):
    """Equations (23), (24)."""
    _disjoint()
    db[:] = 0.0
    for n in range(rows):
        for k in range(H):
            da1[n, k] = _either(h1[n, k] > 0, dh1[n, k], 0.0)  # (23)
            db[k] += da1[n, k]  # (24)


@kernel
def _compute_dre(dim, dsize, im, real, dre, imag, re, rows, t, T):
    """Equations (27), (28)."""
    _disjoint()
    for n in range(rows):
        for j in range(S):
            dim[n, t, j] = (
                _either(t + 1 == T, 2 * dsize[n, j] * im[n, T - 1, j], 0.0)
                + (dim[n, t + 1, j] * real[j] if t + 2 <= T else 0.0)
                - (dre[n, t + 1, j] * imag[j] if t + 2 <= T else 0.0)
            )  # (27)
            dre[n, t, j] = (
                _either(t + 1 == T, 2 * dsize[n, j] * re[n, T - 1, j], 0.0)
                + (dim[n, t + 1, j] * imag[j] if t + 2 <= T else 0.0)
                + (dre[n, t + 1, j] * real[j] if t + 2 <= T else 0.0)
            )  # (28)


@kernel
def _compute_dreal_2(dimag_1, dimag_2, dreal_1, dreal_2, dre, im, dim, re, rows, T):
    """Equations (30) to (33)."""
    _disjoint()
    dimag_1[:] = 0.0
    dimag_2[:] = 0.0
    dreal_1[:] = 0.0
    dreal_2[:] = 0.0
    for n in range(rows):
        for t in range(T):
            for j in range(S):
                dimag_1[j] += -dre[n, t, j] * (im[n, t - 1, j] if t >= 1 else 0.0)  # (30)
                dimag_2[j] += dim[n, t, j] * (re[n, t - 1, j] if t >= 1 else 0.0)  # (31)
                dreal_1[j] += dre[n, t, j] * (re[n, t - 1, j] if t >= 1 else 0.0)  # (32)
                dreal_2[j] += dim[n, t, j] * (im[n, t - 1, j] if t >= 1 else 0.0)  # (33)


@kernel
def _compute_ddecay(dreal, dreal_1, dreal_2, dturn, dimag_1, dimag_2, real, imag, ddecay, u_rate):
    """Equations (34) to (36)."""
    _disjoint()
    for j in range(S):
        dreal[j] = dreal_1[j] + dreal_2[j]  # (34)
        dturn[j] = (dimag_1[j] + dimag_2[j]) * real[j] - dreal[j] * imag[j]  # (35)
        ddecay[j] = ((dimag_1[j] + dimag_2[j]) * imag[j] + dreal[j] * real[j]) * u_rate[j]  # (36)


@kernel
def _compute_accuracy(p, c_accuracy, y, accuracy, N, K):
    """Equations (37), (38)."""
    _disjoint()
    accuracy_sum = 0.0
    for n in range(N):
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for l_ in range(K):
            if c_accuracy_at < 0 or p[n, l_] > c_accuracy_argmax:  # (37)
                c_accuracy_argmax, c_accuracy_at = p[n, l_], l_
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (38)
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
def _evaluate(theta, work, counts, at, x, y, rows, N, T, D, K):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, rows, N, T, D, K)
    _loss(theta, work, counts, at, y, rows, N, T, D, K)
    _metrics(theta, work, counts, at, y, rows, N, T, D, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, rows, N, T, D, K):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, rows, N, T, D, K)
    _loss(theta, work, counts, at, y, rows, N, T, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, D, K)
    _finish(theta, gradient, work, counts, at, rows, N, T, D, K)
    return work[at[17]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, rows, N, T, D, K,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, rows, N, T, D, K)
    _loss(theta, work, counts, at, y, rows, N, T, D, K)
    _backward(theta, gradient, work, counts, at, x, y, rows, N, T, D, K)
    _finish(theta, gradient, work, counts, at, rows, N, T, D, K)
    loss = work[at[17]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, D, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c_ in prange(len(bounds)):
        first, last = bounds[c_, 0], bounds[c_, 1]
        _forward(theta, work[c_], counts[c_], at, x[first:last], last - first, N, T, D, K)
        _loss(theta, work[c_], counts[c_], at, y[first:last], last - first, N, T, D, K)
        _backward(
            theta, gradients[c_], work[c_], counts[c_], at, x[first:last], y[first:last], last - first, N, T,
            D, K,
        )


@parallel_kernel
def _add_gradients(gradient, gradients, D, K):
    """The gradient by all parameters, from the parts of the chunks."""
    for i in prange(len(gradient)):
        total = gradients[0, i]
        if 32 <= i < 32 + 16 * D or 16 * D + 32 <= i < 16 * D + 32 + 512 or 16 * D + 544 <= i < 16 * D + 544 + 32 or 16 * D + 576 <= i < 16 * D + 576 + 32 * K or 16 * D + 32 * K + 576 <= i < 16 * D + 32 * K + 576 + K:
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
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, N, T, D,
    K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, N, T, D, K)
    _add_gradients(gradient, gradients, D, K)
    for k in range(1, len(work)):
        work[0, at[17]] += work[k, at[17]]
    for k in range(1, len(work)):
        for i in range(at[24], at[24] + 16):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[25], at[25] + 16):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[26], at[26] + 16):
            work[0, i] += work[k, i]
    for k in range(1, len(work)):
        for i in range(at[27], at[27] + 16):
            work[0, i] += work[k, i]
    _finish(theta, gradient, work[0], counts[0], at, 0, N, T, D, K)
    loss = work[0, at[17]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, T, D, K):
    """Floating-point operations of one step."""
    return 206 * K * N + 3319 * N + 64 * D * N * T + 672 * N * T + 112


def _places(rows, N, T, D, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "u_rate": (0, 5 * K * rows + 80 * T * rows + 96 * rows, (S,)),
        "rate": (0, 0, (S,)),
        "real": (0, 5 * K * rows + 80 * T * rows + 96 * rows + 16, (S,)),
        "imag": (0, 5 * K * rows + 80 * T * rows + 96 * rows + 32, (S,)),
        "u": (0, 0, (rows, T, S)),
        "re": (0, 16 * T * rows, (rows, T, S)),
        "im": (0, 32 * T * rows, (rows, T, S)),
        "size": (0, 0, (rows, S)),
        "z1": (0, 48 * T * rows, (rows, H)),
        "a1": (0, 32 * rows + 48 * T * rows, (rows, H)),
        "h1": (0, 5 * K * rows + 64 * rows + 80 * T * rows, (rows, H)),
        "z2": (0, 48 * T * rows, (rows, K)),
        "a2": (0, 48 * T * rows + K * rows, (rows, K)),
        "m_a2": (0, 48 * T * rows + 4 * K * rows, (rows,)),
        "e_p": (0, 2 * K * rows + 48 * T * rows, (rows, K)),
        "s_p": (0, 48 * T * rows + 4 * K * rows + rows, (rows,)),
        "p": (0, 3 * K * rows + 48 * T * rows, (rows, K)),
        "loss": (0, 5 * K * rows + 80 * T * rows + 96 * rows + 48, ()),
        "da2": (0, 48 * T * rows, (rows, K)),
        "dh1": (0, 48 * T * rows + K * rows, (rows, H)),
        "da1": (0, 32 * rows + 48 * T * rows + K * rows, (rows, H)),
        "dsize": (0, 176 * rows + 5 * K * rows + 80 * T * rows, (rows, S)),
        "dim": (0, 0, (rows, T, S)),
        "dre": (0, 48 * T * rows, (rows, T, S)),
        "dimag_1": (0, 64 * T * rows, (S,)),
        "dimag_2": (0, 64 * T * rows + 16, (S,)),
        "dreal_1": (0, 64 * T * rows + 32, (S,)),
        "dreal_2": (0, 64 * T * rows + 48, (S,)),
        "dreal": (0, 0, (S,)),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    D = sizes["D"]
    K = sizes["K"]
    return {
        # the author's choice
        "decay": np.full(S, -2),
        "turn": rng.standard_normal(S),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "B": math.sqrt(6 / (D + S)) * rng.uniform(-1, 1, (D, S)),
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "W": math.sqrt(2 / S) * rng.standard_normal((S, H)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "V": math.sqrt(6 / (H + K)) * rng.uniform(-1, 1, (H, K)),
        # an offset needs no asymmetry to learn
        "c": np.zeros(K),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside, _either
# symbp/runtime/numba/float64.py: _exp, _log, _power_of_two, _reduced


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
