"""contrastive: a network that trains in Numba.

Derived from the network contrastive; float64. It reads a(N, D), b(N, D).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,k] = Σ_j a[n,j]·W1[j,k]
    (2)   h1[n,k] = tanh(z1[n,k] + b1[k])
    (3)   z2[n,i] = Σ_k h1[n,k]·W2[k,i]
    (4)   a2[n,i] = z2[n,i] + b2[i]
    (5)   s_norm[n] = Σ_i a2[n,i]²
    (6)   norm[n] = [s_norm[n] > 0]·sqrt(s_norm[n])
    (7)   p[n,i] = a2[n,i]/norm[n]
    (8)   z3[n,k] = Σ_j b[n,j]·W1[j,k]
    (9)   h3[n,k] = tanh(z3[n,k] + b1[k])
    (10)  z4[n,i] = Σ_k h3[n,k]·W2[k,i]
    (11)  a4[n,i] = z4[n,i] + b2[i]
    (12)  s_norm_2[n] = Σ_i a4[n,i]²
    (13)  norm_2[n] = [s_norm_2[n] > 0]·sqrt(s_norm_2[n])
    (14)  q[n,i] = a4[n,i]/norm_2[n]
    (15)  z[n,j] = Σ_i 5·p[n,i]·q[j,i]
    (16)  m_z[n] = max_i z[n,i]
    (17)  s_loss[n] = Σ_i exp(z[n,i] - m_z[n])
    (18)  m_z2[n] = max_i z[i,n]
    (19)  s_loss_2[n] = Σ_i exp(z[i,n] - m_z2[n])
    (20)  loss = Σ_n (log(s_loss[n])/2 + log(s_loss_2[n])/2 + m_z2[n]/2 + m_z[n]/2 - z[n,n])/N
    (21)  dz[n,j] = (exp(z[n,j] - m_z2[j])/(2·s_loss_2[j]) + exp(z[n,j] - m_z[n])/(2·s_loss[n]) - [j = n])/N
    (22)  dq_s1[n,i] = Σ_n2 dz[n2,n]·p[n2,i]
    (23)  dnorm_2_s1_s1[n] = Σ_i dq_s1[n,i]·q[n,i]
    (24)  da4[n,i] = 5·(dq_s1[n,i] - [s_norm_2[n] > 0]·dnorm_2_s1_s1[n]·q[n,i])/norm_2[n]
    (25)  dh3[n,k] = Σ_i da4[n,i]·W2[k,i]
    (26)  dz3[n,k] = (1 - h3[n,k]²)·dh3[n,k]
    (27)  dp_s1[n,i] = Σ_j dz[n,j]·q[j,i]
    (28)  dnorm_s1_s1[n] = Σ_i dp_s1[n,i]·p[n,i]
    (29)  da2[n,i] = 5·(dp_s1[n,i] - [s_norm[n] > 0]·dnorm_s1_s1[n]·p[n,i])/norm[n]
    (30)  db2_1[i] = Σ_n da2[n,i]
    (31)  db2_2[i] = Σ_n da4[n,i]
    (32)  db2[i] = db2_1[i] + db2_2[i]
    (33)  dh1[n,k] = Σ_i da2[n,i]·W2[k,i]
    (34)  dW2_1[k,i] = Σ_n h1[n,k]·da2[n,i]
    (35)  dW2_2[k,i] = Σ_n h3[n,k]·da4[n,i]
    (36)  dW2[k,i] = dW2_1[k,i] + dW2_2[k,i]
    (37)  dz1[n,k] = (1 - h1[n,k]²)·dh1[n,k]
    (38)  dW1_1[j,k] = Σ_n a[n,j]·dz1[n,k]
    (39)  dW1_2[j,k] = Σ_n b[n,j]·dz3[n,k]
    (40)  dW1[j,k] = dW1_1[j,k] + dW1_2[j,k]
    (41)  db1_1[k] = Σ_n (1 - h1[n,k]²)·dh1[n,k]
    (42)  db1_2[k] = Σ_n (1 - h3[n,k]²)·dh3[n,k]
    (43)  db1[k] = db1_1[k] + db1_2[k]
    (44)  cosine[n,m] = Σ_i p[n,i]·q[m,i]
    (45)  own[n] = argmax_i cosine[n,i]
    (46)  found = Σ_n [n = own[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D = 64, H = 128, C = 16; N read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      12·C·H·N + 8·D·H·N + 22·H·N + 32·C·N + 6·C·N² + 20·N + 28·N² + C·H + D·H + C + H
             = 10,384 + 124·N² + 93,460·N
    bytes      8 + 192·H·N + 272·C·N + 32·D·N + 56·D·H + 72·C·H + 248·N + 56·C + 56·H + 80·N²
             = 614,280 + 31,224·N + 80·N²
    workspace  164,872 + 24·N² + 9,352·N bytes
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import argparse
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
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("N",)
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
D, H, C = 64, 128, 16
NAME = "contrastive"
SIZES = {"D": D, "H": H, "C": C}
PARAMETERS = {"W1": ("D", "H"), "b1": ("H",), "W2": ("H", "C"), "b2": ("C",)}
INPUTS: dict[str, tuple[Any, ...]] = {"a": ("N", "D"), "b": ("N", "D")}
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("a", "b")
FORWARD_GIVEN = ("a", "b")
OUTPUTS = ("p", "q")
LOSS = "loss"
METRICS = ("found",)
BATCH = "N"
GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
EQUATIONS = {
    1: "z1", 2: "h1", 3: "z2", 4: "a2", 5: "s_norm", 6: "norm", 7: "p", 8: "z3", 9: "h3", 10: "z4", 11: "a4",
    12: "s_norm_2", 13: "norm_2", 14: "q", 15: "z", 16: "m_z", 17: "s_loss", 18: "m_z2", 19: "s_loss_2",
    20: "loss", 21: "dz", 22: "dq_s1", 23: "dnorm_2_s1_s1", 24: "da4", 25: "dh3", 26: "dz3", 27: "dp_s1",
    28: "dnorm_s1_s1", 29: "da2", 30: "db2_1", 31: "db2_2", 32: "db2", 33: "dh1", 34: "dW2_1", 35: "dW2_2",
    36: "dW2", 37: "dz1", 38: "dW1_1", 39: "dW1_2", 40: "dW1", 41: "db1_1", 42: "db1_2", 43: "db1",
    44: "cosine", 45: "own", 46: "found",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, a, b, N):
    """The outputs: equations (1) to (14)."""
    W1 = theta[0:8192].reshape(D, H)
    b1 = theta[8192:8320]
    W2 = theta[8320:10368].reshape(H, C)
    b2 = theta[10368:10384]
    z1 = work[at[0] : at[0] + 128 * N].reshape(N, H)
    h1 = work[at[1] : at[1] + 128 * N].reshape(N, H)
    z2 = work[at[2] : at[2] + 16 * N].reshape(N, C)
    a2 = work[at[3] : at[3] + 16 * N].reshape(N, C)
    s_norm = work[at[4] : at[4] + N]
    norm = work[at[5] : at[5] + N]
    p = work[at[6] : at[6] + 16 * N].reshape(N, C)
    z3 = work[at[7] : at[7] + 128 * N].reshape(N, H)
    h3 = work[at[8] : at[8] + 128 * N].reshape(N, H)
    z4 = work[at[9] : at[9] + 16 * N].reshape(N, C)
    a4 = work[at[10] : at[10] + 16 * N].reshape(N, C)
    s_norm_2 = work[at[11] : at[11] + N]
    norm_2 = work[at[12] : at[12] + N]
    q = work[at[13] : at[13] + 16 * N].reshape(N, C)
    _product(a, W1, z1)  # (1)
    _compute_h1(h1, z1, b1, N)  # (2)
    _product(h1, W2, z2)  # (3)
    _compute_p(a2, z2, b2, s_norm, norm, p, N)  # (4) to (7)
    _product(b, W1, z3)  # (8)
    _compute_h1(h3, z3, b1, N)  # (9)
    _product(h3, W2, z4)  # (10)
    _compute_p(a4, z4, b2, s_norm_2, norm_2, q, N)  # (11) to (14)


@kernel
def _loss(theta, work, counts, at, N):
    """The loss: equations (15) to (20)."""
    p = work[at[6] : at[6] + 16 * N].reshape(N, C)
    q = work[at[13] : at[13] + 16 * N].reshape(N, C)
    z = work[at[14] : at[14] + N**2].reshape(N, N)
    m_z = work[at[15] : at[15] + N]
    s_loss = work[at[16] : at[16] + N]
    m_z2 = work[at[17] : at[17] + N]
    s_loss_2 = work[at[18] : at[18] + N]
    loss = work[at[19] : at[19] + 1]
    _product(p, q.T, z)  # (15)
    _compute_m_z2(m_z2, z, m_z, s_loss, N)  # (15) to (18)
    _compute_s_loss_2(s_loss_2, z, m_z2, N)  # (19)
    _compute_loss(m_z2, z, m_z, s_loss, s_loss_2, loss, N)  # (20)


@kernel
def _backward(theta, gradient, work, counts, at, a, b, N):
    """The gradients: equations (21) to (43)."""
    W2 = theta[8320:10368].reshape(H, C)
    h1 = work[at[1] : at[1] + 128 * N].reshape(N, H)
    s_norm = work[at[4] : at[4] + N]
    norm = work[at[5] : at[5] + N]
    p = work[at[6] : at[6] + 16 * N].reshape(N, C)
    h3 = work[at[8] : at[8] + 128 * N].reshape(N, H)
    s_norm_2 = work[at[11] : at[11] + N]
    norm_2 = work[at[12] : at[12] + N]
    q = work[at[13] : at[13] + 16 * N].reshape(N, C)
    z = work[at[14] : at[14] + N**2].reshape(N, N)
    m_z = work[at[15] : at[15] + N]
    s_loss = work[at[16] : at[16] + N]
    m_z2 = work[at[17] : at[17] + N]
    s_loss_2 = work[at[18] : at[18] + N]
    dz = work[at[20] : at[20] + N**2].reshape(N, N)
    dq_s1 = work[at[21] : at[21] + 16 * N].reshape(N, C)
    dnorm_2_s1_s1 = work[at[22] : at[22] + N]
    da4 = work[at[23] : at[23] + 16 * N].reshape(N, C)
    db2_2 = work[at[24] : at[24] + 16]
    dh3 = work[at[25] : at[25] + 128 * N].reshape(N, H)
    dz3 = work[at[26] : at[26] + 128 * N].reshape(N, H)
    db1_2 = work[at[27] : at[27] + 128]
    dp_s1 = work[at[28] : at[28] + 16 * N].reshape(N, C)
    dnorm_s1_s1 = work[at[29] : at[29] + N]
    da2 = work[at[30] : at[30] + 16 * N].reshape(N, C)
    db2_1 = work[at[31] : at[31] + 16]
    db2 = gradient[10368:10384]
    dh1 = work[at[32] : at[32] + 128 * N].reshape(N, H)
    dW2_1 = work[at[33] : at[33] + 2048].reshape(H, C)
    dW2_2 = work[at[34] : at[34] + 2048].reshape(H, C)
    dW2 = gradient[8320:10368].reshape(H, C)
    dz1 = work[at[35] : at[35] + 128 * N].reshape(N, H)
    db1_1 = work[at[36] : at[36] + 128]
    dW1_1 = work[at[37] : at[37] + 8192].reshape(D, H)
    dW1_2 = work[at[38] : at[38] + 8192].reshape(D, H)
    dW1 = gradient[0:8192].reshape(D, H)
    db1 = gradient[8192:8320]
    _compute_dz(dz, z, m_z2, s_loss_2, m_z, s_loss, N)  # (21)
    _product(dz.T, p, dq_s1)  # (22)
    _compute_db2_2(db2_2, dq_s1, q, dnorm_2_s1_s1, da4, s_norm_2, norm_2, N)  # (23), (24), (31)
    _product(da4, W2.T, dh3)  # (25)
    _compute_db1_2(db1_2, dz3, h3, dh3, N)  # (26), (42)
    _product(dz, q, dp_s1)  # (27)
    _compute_db2_2(db2_1, dp_s1, p, dnorm_s1_s1, da2, s_norm, norm, N)  # (28) to (30)
    _compute_db2(db2, db2_1, db2_2)  # (32)
    _product(da2, W2.T, dh1)  # (33)
    _product(h1.T, da2, dW2_1)  # (34)
    _product(h3.T, da4, dW2_2)  # (35)
    _compute_dW2(dW2, dW2_1, dW2_2)  # (36)
    _compute_db1_2(db1_1, dz1, h1, dh1, N)  # (37), (41)
    _product(a.T, dz1, dW1_1)  # (38)
    _product(b.T, dz3, dW1_2)  # (39)
    _compute_dW1(dW1, dW1_1, dW1_2)  # (40)
    _compute_db1(db1, db1_1, db1_2)  # (43)


@kernel
def _metrics(theta, work, counts, at, N):
    """The metrics: equations (44) to (46)."""
    p = work[at[6] : at[6] + 16 * N].reshape(N, C)
    q = work[at[13] : at[13] + 16 * N].reshape(N, C)
    cosine = work[at[39] : at[39] + N**2].reshape(N, N)
    own = counts[at[40] : at[40] + N]
    found = work[at[41] : at[41] + 1]
    _product(p, q.T, cosine)  # (44)
    _compute_found(cosine, own, found, N)  # (45), (46)


@kernel
def _compute_h1(h1, z1, b1, N):
    """Equations (2), (9)."""
    _disjoint()
    for n in range(N):
        for k in range(H):
            h1[n, k] = _tanh(z1[n, k] + b1[k])  # (2), (9)


@kernel
def _compute_p(a2, z2, b2, s_norm, norm, p, N):
    """Equations (4) to (7), (11) to (14)."""
    _disjoint()
    for n in range(N):
        s_norm_sum = 0.0
        for i in range(C):
            a2[n, i] = z2[n, i] + b2[i]  # (4), (11)
            s_norm_sum += a2[n, i] * a2[n, i]  # (5), (12)
        s_norm[n] = s_norm_sum
        norm[n] = 0.0 if s_norm[n] <= 0 else math.sqrt(s_norm[n])  # (6), (13)
        for i in range(C):
            p[n, i] = a2[n, i] / norm[n]  # (7), (14)


@kernel
def _compute_m_z2(m_z2, z, m_z, s_loss, N):
    """Equations (15) to (18)."""
    _disjoint()
    m_z2[:] = -np.inf
    for n in range(N):
        m_z_max = -np.inf
        for j in range(N):
            z[n, j] *= 5.0  # (15)
            m_z_max = _larger(m_z_max, z[n, j])  # (16)
            m_z2[j] = _larger(m_z2[j], z[n, j])  # (18)
        m_z[n] = m_z_max
        s_loss_sum = 0.0
        for i in range(N):
            s_loss_sum += _exp(z[n, i] - m_z[n])  # (17)
        s_loss[n] = s_loss_sum


@kernel
def _compute_s_loss_2(s_loss_2, z, m_z2, N):
    """Equation (19)."""
    _disjoint()
    s_loss_2[:] = 0.0
    for i in range(N):
        for n in range(N):
            s_loss_2[n] += _exp(z[i, n] - m_z2[n])  # (19)


@kernel
def _compute_loss(m_z2, z, m_z, s_loss, s_loss_2, loss, N):
    """Equation (20)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(N):
        loss_sum += (m_z2[n] - 2 * z[n, n] + m_z[n] + _log(s_loss[n]) + _log(s_loss_2[n])) / (2 * N)  # (20)
    loss[0] = loss_sum


@kernel
def _compute_dz(dz, z, m_z2, s_loss_2, m_z, s_loss, N):
    """Equation (21)."""
    _disjoint()
    for n in range(N):
        for j in range(N):
            dz[n, j] = (
                _exp(z[n, j] - m_z2[j]) / s_loss_2[j] + _exp(z[n, j] - m_z[n]) / s_loss[n]
                - (2.0 if j == n else 0.0)
            ) / (2 * N)  # (21)


@kernel
def _compute_db2_2(db2_2, dq_s1, q, dnorm_2_s1_s1, da4, s_norm_2, norm_2, N):
    """Equations (23), (24), (28) to (31)."""
    _disjoint()
    db2_2[:] = 0.0
    for n in range(N):
        dnorm_2_s1_s1_sum = 0.0
        for i in range(C):
            dnorm_2_s1_s1_sum += dq_s1[n, i] * q[n, i]  # (23), (28)
        dnorm_2_s1_s1[n] = dnorm_2_s1_s1_sum
        for i in range(C):
            da4[n, i] = (
                5 * (dq_s1[n, i] - _either(s_norm_2[n] > 0, q[n, i] * dnorm_2_s1_s1[n], 0.0)) / norm_2[n]
            )  # (24), (29)
            db2_2[i] += da4[n, i]  # (30), (31)


@kernel
def _compute_db1_2(db1_2, dz3, h3, dh3, N):
    """Equations (26), (37), (41), (42)."""
    _disjoint()
    db1_2[:] = 0.0
    for n in range(N):
        for k in range(H):
            dz3[n, k] = (1 - h3[n, k] * h3[n, k]) * dh3[n, k]  # (26), (37)
            db1_2[k] += (1 - h3[n, k] * h3[n, k]) * dh3[n, k]  # (41), (42)


@kernel
def _compute_db2(db2, db2_1, db2_2):
    """Equation (32)."""
    _disjoint()
    for i in range(C):
        db2[i] = db2_1[i] + db2_2[i]  # (32)


@kernel
def _compute_dW2(dW2, dW2_1, dW2_2):
    """Equation (36)."""
    _disjoint()
    for k in range(H):
        for i in range(C):
            dW2[k, i] = dW2_1[k, i] + dW2_2[k, i]  # (36)


@kernel
def _compute_dW1(dW1, dW1_1, dW1_2):
    """Equation (40)."""
    _disjoint()
    for j in range(D):
        for k in range(H):
            dW1[j, k] = dW1_1[j, k] + dW1_2[j, k]  # (40)


@kernel
def _compute_db1(db1, db1_1, db1_2):
    """Equation (43)."""
    _disjoint()
    for k in range(H):
        db1[k] = db1_1[k] + db1_2[k]  # (43)


@kernel
def _compute_found(cosine, own, found, N):
    """Equations (45), (46)."""
    _disjoint()
    found_sum = 0.0
    for n in range(N):
        own_argmax = -np.inf
        own_at = -1
        for i in range(N):
            if own_at < 0 or cosine[n, i] > own_argmax:  # (45)
                own_argmax, own_at = cosine[n, i], i
        own[n] = own_at
        if n == own[n]:
            found_sum += float(1 / N)  # (46)
    found[0] = found_sum


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
def _evaluate(theta, work, counts, at, a, b, N):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, a, b, N)
    _loss(theta, work, counts, at, N)
    _metrics(theta, work, counts, at, N)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, a, b, N):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, a, b, N)
    _loss(theta, work, counts, at, N)
    _backward(theta, gradient, work, counts, at, a, b, N)
    return work[at[19]]


@kernel
def _train_step(theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, a, b, N):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    _forward(theta, work, counts, at, a, b, N)
    _loss(theta, work, counts, at, N)
    _backward(theta, gradient, work, counts, at, a, b, N)
    loss = work[at[19]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


def _places(N):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "z1": (0, 0, (N, H)),
        "h1": (0, 128 * N, (N, H)),
        "z2": (0, 0, (N, C)),
        "a2": (0, 16 * N, (N, C)),
        "s_norm": (0, 2 * N**2 + 928 * N, (N,)),
        "norm": (0, 2 * N**2 + 929 * N, (N,)),
        "p": (0, 2 * N**2 + 896 * N, (N, C)),
        "z3": (0, 0, (N, H)),
        "h3": (0, 256 * N, (N, H)),
        "z4": (0, 0, (N, C)),
        "a4": (0, 16 * N, (N, C)),
        "s_norm_2": (0, 32 * N, (N,)),
        "norm_2": (0, 33 * N, (N,)),
        "q": (0, 2 * N**2 + 912 * N, (N, C)),
        "z": (0, 384 * N, (N, N)),
        "m_z": (0, 0, (N,)),
        "s_loss": (0, N, (N,)),
        "m_z2": (0, 2 * N, (N,)),
        "s_loss_2": (0, 3 * N, (N,)),
        "loss": (0, 1168 * N + 3 * N**2 + 20608, ()),
        "dz": (0, 896 * N + N**2, (N, N)),
        "dq_s1": (0, 0, (N, C)),
        "dnorm_2_s1_s1": (0, 16 * N, (N,)),
        "da4": (0, 1136 * N + 3 * N**2 + 20480, (N, C)),
        "db2_2": (0, 512 * N, (C,)),
        "dh3": (0, 0, (N, H)),
        "dz3": (0, 384 * N, (N, H)),
        "db1_2": (0, 1168 * N + 3 * N**2 + 20480, (H,)),
        "dp_s1": (0, 0, (N, C)),
        "dnorm_s1_s1": (0, 16 * N, (N,)),
        "da2": (0, 1152 * N + 3 * N**2 + 20480, (N, C)),
        "db2_1": (0, 17 * N, (C,)),
        "dh1": (0, 0, (N, H)),
        "dW2_1": (0, 512 * N, (H, C)),
        "dW2_2": (0, 512 * N + 2048, (H, C)),
        "dz1": (0, 256 * N, (N, H)),
        "db1_1": (0, 512 * N + 16384, (H,)),
        "dW1_1": (0, 512 * N, (D, H)),
        "dW1_2": (0, 512 * N + 8192, (D, H)),
        "cosine": (0, 0, (N, N)),
        "own": (1, 0, (N,)),
        "found": (0, N**2, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    return {
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W1": math.sqrt(6 / (D + H)) * rng.uniform(-1, 1, (D, H)),
        # an offset needs no asymmetry to learn
        "b1": np.zeros(H),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W2": math.sqrt(6 / (C + H)) * rng.uniform(-1, 1, (H, C)),
        # an offset needs no asymmetry to learn
        "b2": np.zeros(C),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _either
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
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numba/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numba/differentiate.py: _differentiate
# symbp/runtime/numba/large.py: _updated
# symbp/runtime/numba/advance.py: _advance


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
