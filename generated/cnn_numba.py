"""cnn: a network that trains in Numba.

Derived from the network cnn; float64. It reads x(N, D1, S, S), y(N,).
Random tensors, drawn in each step: mask2(N, F2*(-D4 + ((-D2 + S + 1)//2) + 4)*(-D5 + ((-D3 + S + 1)//2) + 4)): bernoulli(0.7).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   z1[n,k,i1,i2] = Σ_i,l,m x[n,i,i1 + l - 1,i2 + m - 1]·C1[k,i,l,m]
    (2)   a1[n,k,i1,i2] = z1[n,k,i1,i2] + c1[k]
    (3)   h1_2[n,k,i1,i2] = [a1[n,k,i1,i2] > 0]·a1[n,k,i1,i2]
    (4)   h1[n,k,i3,i4] = max_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (5)   z2[n,q,i6,i7] = Σ_k,r,s h1[n,k,i6 + r - 1,i7 + s - 1]·C2[q,k,r,s]
    (6)   a2[n,q,i6,i7] = z2[n,q,i6,i7] + c2[q]
    (7)   h2[n,q,i6,i7] = [a2[n,q,i6,i7] > 0]·a2[n,q,i6,i7]
    (8)   u_flat[n,u] = h2[n,u//(((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4)),(u//((S - D3 + 1)//2 - D5 + 4))%((S - D2 + 1)//2 - D4 + 4),u%((S - D3 + 1)//2 - D5 + 4)]
    (9)   flat[n,u] = 10·mask2[n,u]·u_flat[n,u]/7
    (10)  z3[n,v] = Σ_u flat[n,u]·W[u,v]
    (11)  a3[n,v] = z3[n,v] + b[v]
    (12)  m_a3[n] = max_v a3[n,v]
    (13)  e_p[n,v] = exp(a3[n,v] - m_a3[n])
    (14)  s_p[n] = Σ_v e_p[n,v]
    (15)  p[n,v] = e_p[n,v]/s_p[n]
    (16)  loss = Σ_n (log(s_p[n]) + m_a3[n] - a3[n,y[n]])/N
    (17)  h1_argmax_i5[n,k,i3,i4] = argmax_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (18)  h1_argmax_i[n,k,i3,i4] = argmax_i5,i h1_2[n,k,2·i3 + i5,2·i4 + i]
    (19)  da3[n,v] = (p[n,v] - [v = y[n]])/N
    (20)  db[v] = Σ_n da3[n,v]
    (21)  dflat[n,u] = Σ_v da3[n,v]·W[u,v]
    (22)  dW[u,v] = Σ_n flat[n,u]·da3[n,v]
    (23)  da2[n,q,i6,i7] = 10·[a2[n,q,i6,i7] > 0]·dflat[n,q·((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4) + i6·((S - D3 + 1)//2 - D5 + 4) + i7]·mask2[n,q·((S - D2 + 1)//2 - D4 + 4)·((S - D3 + 1)//2 - D5 + 4) + i6·((S - D3 + 1)//2 - D5 + 4) + i7]/7
    (24)  dc2[q] = Σ_n,i6,i7 da2[n,q,i6,i7]
    (25)  dh1[n,k,i3,i4] = Σ_q,r,s [i3 + D4 ≤ r + (S - D2 + 1)//2 + 2]·[r ≤ i3 + 1]·[i4 + D5 ≤ s + (S - D3 + 1)//2 + 2]·[s ≤ i4 + 1]·da2[n,q,i3 - r + 1,i4 - s + 1]·C2[q,k,r,s]
    (26)  dC2[q,k,r,s] = Σ_n,i6,i7 da2[n,q,i6,i7]·h1[n,k,i6 + r - 1,i7 + s - 1]
    (27)  da1[n,k,i1,i2] = [a1[n,k,i1,i2] > 0]·[h1_argmax_i5[n,k,i1//2,i2//2] = i1%2]·[h1_argmax_i[n,k,i1//2,i2//2] = i2%2]·[i1//2 ≤ (S - D2 + 1)//2]·[i2//2 ≤ (S - D3 + 1)//2]·dh1[n,k,i1//2,i2//2]
    (28)  dC1[k,i,l,m] = Σ_n,i1,i2 da1[n,k,i1,i2]·x[n,i,i1 + l - 1,i2 + m - 1]
    (29)  dc1[k] = Σ_n,i1,i2 da1[n,k,i1,i2]
    (30)  z3_infer[n,v] = Σ_u u_flat[n,u]·W[u,v]
    (31)  a3_infer[n,v] = z3_infer[n,v] + b[v]
    (32)  m_a3_infer[n] = max_v a3_infer[n,v]
    (33)  e_p_infer[n,v] = exp(a3_infer[n,v] - m_a3_infer[n])
    (34)  s_p_infer[n] = Σ_v e_p_infer[n,v]
    (35)  p_infer[n,v] = e_p_infer[n,v]/s_p_infer[n]
    (36)  loss_infer = Σ_n (log(s_p_infer[n]) + m_a3_infer[n] - a3_infer[n,y[n]])/N
    (37)  c_accuracy[n] = argmax_v p_infer[n,v]
    (38)  accuracy = Σ_n [c_accuracy[n] = y[n]]/N

Update of each entry i of the parameters:
Adam, Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1

    (U1)  m_next[i] = (1 - beta1)·gradient[i] + beta1·m[i]
    (U2)  v_next[i] = (1 - beta2)·gradient[i]² + beta2·v[i]
    (U3)  theta_next[i] = theta[i] - lr·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D1 = 1, F1 = 16, D2 = 3, D3 = 3, F2 = 32, D4 = 3, D5 = 3; N, S, K read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      36·D1·F1·N·S² + 10·F1·N·S² + 1,738·F1·N·((S - 2)//2)² + 192·K·N·((S - 2)//2)²
               + 3,476·F1·N·((S - 2)//2) + 384·K·N·((S - 2)//2) + 9·D1·F1·N + 2,026·F1·N + 206·K·N
               + 320·N·((S - 2)//2)² + 640·N·((S - 2)//2) + 327·N
             = 192·K·N·((S - 2)//2)² + 384·K·N·((S - 2)//2) + 206·K·N + 28,128·N·((S - 2)//2)²
               + 56,256·N·((S - 2)//2) + 736·N·S² + 32,887·N
    bytes      520 + 144·D1·F1·N + 288·D1·N·S² + 400·F1·N·((S - 2)//2)² + 800·F1·N·((S - 2)//2)
               + 80·F1·N·S² + 112·K·N + 11,776·N·((S - 2)//2)² + 144·D1·F1 + 1,536·K·((S - 2)//2)
               + 23,552·N·((S - 2)//2) + 5,008·F1·N + 768·K·((S - 2)//2)² + 11,536·F1 + 11,848·N
               + 784·K
             = 187,400 + 112·K·N + 1,536·K·((S - 2)//2) + 1,568·N·S² + 18,176·N·((S - 2)//2)²
               + 36,352·N·((S - 2)//2) + 768·K·((S - 2)//2)² + 784·K + 94,280·N
    workspace  8·max(16·rows·S², 288·rows·((S - 2)//2)² + 576·rows·((S - 2)//2)
               + 288·rows, 432·rows·((S - 2)//2)² + 73·rows·S² + 864·rows·((S - 2)//2)
               + 432·rows, 464·rows·((S - 2)//2)² + 73·rows·S² + 928·rows·((S - 2)//2)
               + 464·rows, 496·rows·((S - 2)//2)² + 73·rows·S² + 992·rows·((S - 2)//2)
               + 496·rows, 1,056·rows·((S - 2)//2) + 528·rows·((S - 2)//2)² + 73·rows·S²
               + 528·rows, 1,120·rows·((S - 2)//2) + 560·rows·((S - 2)//2)² + 73·rows·S²
               + 560·rows, 1,184·rows·((S - 2)//2) + 592·rows·((S - 2)//2)² + 73·rows·S²
               + 592·rows, 1,248·rows·((S - 2)//2) + 624·rows·((S - 2)//2)² + 73·rows·S²
               + 624·rows, 1,312·rows·((S - 2)//2) + 656·rows·((S - 2)//2)² + 73·rows·S²
               + 656·rows, 1,344·rows·((S - 2)//2) + 32·N·((S - 2)//2)² + 64·N·((S - 2)//2)
               + 672·rows·((S - 2)//2)² + 73·rows·S² + 32·N + 672·rows, 1,376·rows·((S - 2)//2)
               + 32·N·((S - 2)//2)² + 64·N·((S - 2)//2) + 688·rows·((S - 2)//2)² + 73·rows·S² + 32·N
               + 688·rows, 1 + 1,120·rows·((S - 2)//2) + 32·N·((S - 2)//2)² + 4·K·N
               + 560·rows·((S - 2)//2)² + 64·N·((S - 2)//2) + 73·rows·S² + 34·N + 560·rows, 4,609
               + 1,408·rows·((S - 2)//2) + 32·N·((S - 2)//2)² + 4·K·N + 5·K·rows + 64·N·((S - 2)//2)
               + 704·rows·((S - 2)//2)² + 73·rows·S² + 34·N + 5,458·rows)
               + 8·max(N, 16·rows·((S - 2)//2)² + 32·rows·((S - 2)//2) + 16·rows) bytes for each chunk of rows examples
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
OPEN_SIZES = ("rows", "N", "S", "K")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED = {
    "(S - D2 + 1)//2 + 1": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D3 + 1)//2 + 1": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D2 + 1)//2 - D4 + 4": lambda s: (s["S"] - 2) // 2 + 1,
    "(S - D3 + 1)//2 - D5 + 4": lambda s: (s["S"] - 2) // 2 + 1,
}
D1, F1, D2, D3, F2, D4, D5 = 1, 16, 3, 3, 32, 3, 3
NAME = "cnn"
SIZES = {"D1": D1, "F1": F1, "D2": D2, "D3": D3, "F2": F2, "D4": D4, "D5": D5}
PARAMETERS = {
    "C1": ("F1", "D1", "D2", "D3"), "c1": ("F1",), "C2": ("F2", "F1", "D4", "D5"), "c2": ("F2",),
    "W": (lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"], "K"),
    "b": ("K",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D1", "S", "S"), "y": ("N",)}
INTEGERS = {"y": ("K", None)}
FACTS = {"mask2": (("binary", -1),)}
FORWARD_INPUTS = ("x",)
SOLVED: dict[str, Any] = {}
CONDITIONS: dict[str, Any] = {}
SAMPLE = {"N": 5, "S": 5, "K": 5}
RANDOM = {
    "mask2": (("N", lambda s: ((s["S"] + 1 - s["D2"]) // 2 + 4 - s["D4"]) * ((s["S"] + 1 - s["D3"]) // 2 + 4 - s["D5"]) * s["F2"]), "bernoulli", 0.7),
}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()
INFERENCE = {"loss": "loss_infer", "p": "p_infer"}
FORWARD_GIVEN = ("x", "mask2")
INFERENCE_GIVEN = ("x",)
OUTPUTS = ("p",)
LOSS = "loss"
METRICS = ("accuracy",)
BATCH = "N"
CHUNKED = "N"
GRADIENTS = {"C1": "dC1", "c1": "dc1", "C2": "dC2", "c2": "dc2", "W": "dW", "b": "db"}
EQUATIONS = {
    1: "z1", 2: "a1", 3: "h1_2", 4: "h1", 5: "z2", 6: "a2", 7: "h2", 8: "u_flat", 9: "flat", 10: "z3",
    11: "a3", 12: "m_a3", 13: "e_p", 14: "s_p", 15: "p", 16: "loss", 17: "h1_argmax_i5", 18: "h1_argmax_i",
    19: "da3", 20: "db", 21: "dflat", 22: "dW", 23: "da2", 24: "dc2", 25: "dh1", 26: "dC2", 27: "da1",
    28: "dC1", 29: "dc1", 30: "z3_infer", 31: "a3_infer", 32: "m_a3_infer", 33: "e_p_infer", 34: "s_p_infer",
    35: "p_infer", 36: "loss_infer", 37: "c_accuracy", 38: "accuracy",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.003, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, mask2, rows, N, S, K):
    """The outputs: equations (1) to (15)."""
    C1 = theta[0:144].reshape(F1, D1, 3, 3)
    c1 = theta[144:160]
    C2 = theta[160:4768].reshape(32, F1, 3, 3)
    c2 = theta[4768:4800]
    W = theta[4800 : 32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800].reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, K)
    b = theta[32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800 : 32 * ((S - 2) // 2) ** 2 * K + 33 * K + 64 * ((S - 2) // 2) * K + 4800]
    x_windows = work[at[0] : at[0] + 9 * S**2 * rows].reshape(rows, D1, 3, 3, S, S)
    z1 = work[at[1] : at[1] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    a1 = work[at[2] : at[2] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    h1_2 = work[at[3] : at[3] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    h1 = work[at[4] : at[4] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h1_windows = work[at[5] : at[5] + 144 * rows + 144 * ((S - 2) // 2) ** 2 * rows + 288 * ((S - 2) // 2) * rows].reshape(rows, F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    z2 = work[at[6] : at[6] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    a2 = work[at[7] : at[7] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h2 = work[at[8] : at[8] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    u_flat = work[at[9] : at[9] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    flat = work[at[10] : at[10] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    z3 = work[at[11] : at[11] + K * rows].reshape(rows, K)
    a3 = work[at[12] : at[12] + K * rows].reshape(rows, K)
    m_a3 = work[at[13] : at[13] + rows]
    e_p = work[at[14] : at[14] + K * rows].reshape(rows, K)
    s_p = work[at[15] : at[15] + rows]
    p = work[at[16] : at[16] + K * rows].reshape(rows, K)
    _compute_x_windows(x_windows, x, rows, S)  # (1)
    for n in range(rows):
        _product(C1.reshape(F1, 9 * D1), x_windows[n].reshape(9 * D1, S**2), z1[n].reshape(F1, S**2))  # (1)
    _compute_h1_windows(a1, z1, c1, h1_2, h1, h1_windows, rows, S)  # (2) to (5)
    for n in range(rows):
        _product(
            C2.reshape(32, 9 * F1), h1_windows[n].reshape(9 * F1, ((S - 2) // 2 + 1) ** 2),
            z2[n].reshape(32, ((S - 2) // 2 + 1) ** 2),
        )  # (5)
    _compute_flat(a2, z2, c2, h2, u_flat, flat, mask2, rows, S)  # (6) to (9)
    _product(flat, W, z3)  # (10)
    _compute_p(a3, z3, b, m_a3, e_p, s_p, p, rows, K)  # (11) to (15)


@kernel
def _loss(theta, work, counts, at, y, rows, N, S, K):
    """The loss: equation (16)."""
    a3 = work[at[12] : at[12] + K * rows].reshape(rows, K)
    m_a3 = work[at[13] : at[13] + rows]
    s_p = work[at[15] : at[15] + rows]
    loss = work[at[17] : at[17] + 1]
    _compute_loss(m_a3, a3, y, s_p, loss, rows, N)  # (16)


@kernel
def _backward(theta, gradient, work, counts, at, y, mask2, rows, N, S, K):
    """The gradients: equations (17) to (29)."""
    C2 = theta[160:4768].reshape(32, F1, 3, 3)
    W = theta[4800 : 32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800].reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, K)
    x_windows = work[at[0] : at[0] + 9 * S**2 * rows].reshape(rows, D1, 3, 3, S, S)
    h1_2 = work[at[3] : at[3] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    h1 = work[at[4] : at[4] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h1_windows = work[at[5] : at[5] + 144 * rows + 144 * ((S - 2) // 2) ** 2 * rows + 288 * ((S - 2) // 2) * rows].reshape(rows, F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h2 = work[at[8] : at[8] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    flat = work[at[10] : at[10] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    p = work[at[16] : at[16] + K * rows].reshape(rows, K)
    h1_place = counts[at[18] : at[18] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    da3 = work[at[19] : at[19] + K * rows].reshape(rows, K)
    db = gradient[32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800 : 32 * ((S - 2) // 2) ** 2 * K + 33 * K + 64 * ((S - 2) // 2) * K + 4800]
    dflat = work[at[20] : at[20] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    dW = gradient[4800 : 32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800].reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, K)
    da2 = work[at[21] : at[21] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    dc2 = gradient[4768:4800]
    dh1_windows = work[at[22] : at[22] + 288 * rows + 288 * ((S - 2) // 2) ** 2 * rows + 576 * ((S - 2) // 2) * rows].reshape(rows, 32, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    dh1_left = work[at[23] : at[23] + 4608].reshape(F1, 32, 3, 3)
    dh1 = work[at[24] : at[24] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    dC2_each = work[at[25] : at[25] + 4608 * rows].reshape(rows, 32, F1, 3, 3)
    dC2 = gradient[160:4768].reshape(32, F1, 3, 3)
    da1_window = work[at[26] : at[26] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    da1 = work[at[27] : at[27] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    dc1 = gradient[144:160]
    dC1_each = work[at[28] : at[28] + 144 * rows].reshape(rows, F1, D1, 3, 3)
    dC1 = gradient[0:144].reshape(F1, D1, 3, 3)
    _compute_db(db, h1_2, h1_place, da3, p, y, rows, S, K, N)  # (17) to (20)
    _product(da3, W.T, dflat)  # (21)
    _product(flat.T, da3, dW)  # (22)
    _compute_dh1_windows(dc2, da2, dflat, mask2, h2, dh1_windows, rows, S)  # (23) to (25)
    _compute_dh1_left(dh1_left, C2)  # (25)
    for n in range(rows):
        _product(
            dh1_left.reshape(F1, 288), dh1_windows[n].reshape(288, ((S - 2) // 2 + 1) ** 2),
            dh1[n].reshape(F1, ((S - 2) // 2 + 1) ** 2),
        )  # (25)
    for n in range(rows):
        _product(
            da2[n].reshape(32, ((S - 2) // 2 + 1) ** 2),
            h1_windows[n].reshape(9 * F1, ((S - 2) // 2 + 1) ** 2).T, dC2_each[n].reshape(32, 9 * F1),
        )  # (26)
    _compute_dc1(dC2, dc1, dC2_each, da1_window, h1, dh1, da1, h1_place, rows, S)  # (26), (27), (29)
    for n in range(rows):
        _product(
            da1[n].reshape(F1, S**2), x_windows[n].reshape(9 * D1, S**2).T, dC1_each[n].reshape(F1, 9 * D1)
        )  # (28)
    _compute_dC1(dC1, dC1_each, rows)  # (28)


@kernel
def _inference(theta, work, counts, at, x, rows, N, S, K):
    """The outputs at inference: equations (1) to (8), (30) to (35)."""
    C1 = theta[0:144].reshape(F1, D1, 3, 3)
    c1 = theta[144:160]
    C2 = theta[160:4768].reshape(32, F1, 3, 3)
    c2 = theta[4768:4800]
    W = theta[4800 : 32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800].reshape(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32, K)
    b = theta[32 * K + 32 * ((S - 2) // 2) ** 2 * K + 64 * ((S - 2) // 2) * K + 4800 : 32 * ((S - 2) // 2) ** 2 * K + 33 * K + 64 * ((S - 2) // 2) * K + 4800]
    x_windows = work[at[0] : at[0] + 9 * S**2 * rows].reshape(rows, D1, 3, 3, S, S)
    z1 = work[at[1] : at[1] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    a1 = work[at[2] : at[2] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    h1_2 = work[at[3] : at[3] + 16 * S**2 * rows].reshape(rows, F1, S, S)
    h1 = work[at[4] : at[4] + 16 * rows + 16 * ((S - 2) // 2) ** 2 * rows + 32 * ((S - 2) // 2) * rows].reshape(rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h1_windows = work[at[5] : at[5] + 144 * rows + 144 * ((S - 2) // 2) ** 2 * rows + 288 * ((S - 2) // 2) * rows].reshape(rows, F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    z2 = work[at[6] : at[6] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    a2 = work[at[7] : at[7] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    h2 = work[at[8] : at[8] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)
    u_flat = work[at[9] : at[9] + 32 * rows + 32 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * rows].reshape(rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    z3_infer_left = work[at[29] : at[29] + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 64 * ((S - 2) // 2) * N].reshape(N, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)
    z3_infer = work[at[30] : at[30] + K * N].reshape(N, K)
    a3_infer = work[at[31] : at[31] + K * N].reshape(N, K)
    m_a3_infer = work[at[32] : at[32] + N]
    e_p_infer = work[at[33] : at[33] + K * N].reshape(N, K)
    s_p_infer = work[at[34] : at[34] + N]
    p_infer = work[at[35] : at[35] + K * N].reshape(N, K)
    _compute_x_windows(x_windows, x, rows, S)  # (1)
    for n in range(rows):
        _product(C1.reshape(F1, 9 * D1), x_windows[n].reshape(9 * D1, S**2), z1[n].reshape(F1, S**2))  # (1)
    _compute_h1_windows(a1, z1, c1, h1_2, h1, h1_windows, rows, S)  # (2) to (5)
    for n in range(rows):
        _product(
            C2.reshape(32, 9 * F1), h1_windows[n].reshape(9 * F1, ((S - 2) // 2 + 1) ** 2),
            z2[n].reshape(32, ((S - 2) // 2 + 1) ** 2),
        )  # (5)
    _compute_u_flat(a2, z2, c2, h2, u_flat, rows, S)  # (6) to (8)
    _compute_z3_infer_left(z3_infer_left, u_flat, N, S)  # (30)
    _product(z3_infer_left, W, z3_infer)  # (30)
    _compute_p(a3_infer, z3_infer, b, m_a3_infer, e_p_infer, s_p_infer, p_infer, N, K)  # (31) to (35)


@kernel
def _metrics(theta, work, counts, at, y, rows, N, S, K):
    """The loss and metrics at inference: equations (36) to (38)."""
    a3_infer = work[at[31] : at[31] + K * N].reshape(N, K)
    m_a3_infer = work[at[32] : at[32] + N]
    s_p_infer = work[at[34] : at[34] + N]
    p_infer = work[at[35] : at[35] + K * N].reshape(N, K)
    loss_infer = work[at[36] : at[36] + 1]
    c_accuracy = counts[at[37] : at[37] + N]
    accuracy = work[at[38] : at[38] + 1]
    _compute_accuracy(
        m_a3_infer, a3_infer, y, s_p_infer, p_infer, c_accuracy, loss_infer, accuracy, N, K
    )  # (36) to (38)


@kernel
def _compute_x_windows(x_windows, x, rows, S):
    """Equation (1)."""
    _disjoint()
    for n in range(rows):
        for i in range(D1):
            for l_ in range(3):
                for m in range(3):
                    for i1 in range(S):
                        for i2 in range(S):
                            x_windows[n, i, l_, m, i1, i2] = (
                                x[n, i, i1 + l_ - 1, i2 + m - 1]
                                if 0 <= i1 + l_ - 1 < S and 0 <= i2 + m - 1 < S else 0.0
                            )  # (1)


@kernel
def _compute_h1_windows(a1, z1, c1, h1_2, h1, h1_windows, rows, S):
    """Equations (2) to (5)."""
    _disjoint()
    for n in range(rows):
        for k in range(F1):
            for i1 in range(S):
                for i2 in range(S):
                    a1[n, k, i1, i2] = z1[n, k, i1, i2] + c1[k]  # (2)
                    h1_2[n, k, i1, i2] = 0.0 if a1[n, k, i1, i2] <= 0 else a1[n, k, i1, i2]  # (3)
            for i3 in range((S - 2) // 2 + 1):
                for i4 in range((S - 2) // 2 + 1):
                    h1_max = -np.inf
                    for i5 in range(2):
                        for i in range(2):
                            h1_max = _larger(h1_max, h1_2[n, k, 2 * i3 + i5, 2 * i4 + i])  # (4)
                    h1[n, k, i3, i4] = h1_max
            for r in range(3):
                for s in range(3):
                    for i6 in range((S - 2) // 2 + 1):
                        for i7 in range((S - 2) // 2 + 1):
                            h1_windows[n, k, r, s, i6, i7] = (
                                h1[n, k, i6 + r - 1, i7 + s - 1]
                                if 0 <= i6 + r - 1 < (S - 2) // 2 + 1 and 0 <= i7 + s - 1 < (S - 2) // 2 + 1
                                else 0.0
                            )  # (5)


@kernel
def _compute_flat(a2, z2, c2, h2, u_flat, flat, mask2, rows, S):
    """Equations (6) to (9)."""
    _disjoint()
    for n in range(rows):
        for q in range(32):
            for i6 in range((S - 2) // 2 + 1):
                for i7 in range((S - 2) // 2 + 1):
                    a2[n, q, i6, i7] = z2[n, q, i6, i7] + c2[q]  # (6)
                    h2[n, q, i6, i7] = 0.0 if a2[n, q, i6, i7] <= 0 else a2[n, q, i6, i7]  # (7)
        for u in range(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32):
            u_flat[n, u] = h2[n, u // (((S - 2) // 2) ** 2 + 2 * ((S - 2) // 2) + 1), (u // ((S - 2) // 2 + 1)) % ((S - 2) // 2 + 1), u % ((S - 2) // 2 + 1)]  # (8)
            flat[n, u] = 10 / 7 * mask2[n, u] * u_flat[n, u]  # (9)


@kernel
def _compute_p(a3, z3, b, m_a3, e_p, s_p, p, rows, K):
    """Equations (11) to (15), (31) to (35)."""
    _disjoint()
    for n in range(rows):
        m_a3_max = -np.inf
        for v in range(K):
            a3[n, v] = z3[n, v] + b[v]  # (11), (31)
            m_a3_max = _larger(m_a3_max, a3[n, v])  # (12), (32)
        m_a3[n] = m_a3_max
        s_p_sum = 0.0
        for v in range(K):
            e_p[n, v] = _exp(a3[n, v] - m_a3[n])  # (13), (33)
            s_p_sum += e_p[n, v]  # (14), (34)
        s_p[n] = s_p_sum
        for v in range(K):
            p[n, v] = e_p[n, v] / s_p[n]  # (15), (35)


@kernel
def _compute_loss(m_a3, a3, y, s_p, loss, rows, N):
    """Equation (16)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(rows):
        loss_sum += (m_a3[n] - a3[n, y[n]] + _log(s_p[n])) / N  # (16)
    loss[0] = loss_sum


@kernel
def _compute_db(db, h1_2, h1_place, da3, p, y, rows, S, K, N):
    """Equations (17) to (20)."""
    _disjoint()
    db[:] = 0.0
    for n in range(rows):
        for k in range(F1):
            for i3 in range((S - 2) // 2 + 1):
                for i4 in range((S - 2) // 2 + 1):
                    h1_place_argmax = -np.inf
                    h1_place_at = -1
                    for i5 in range(2):
                        for i in range(2):
                            if h1_place_at < 0 or h1_2[n, k, 2 * i3 + i5, 2 * i4 + i] > h1_place_argmax:  # (17), (18)
                                h1_place_argmax, h1_place_at = h1_2[n, k, 2 * i3 + i5, 2 * i4 + i], 2 * i5 + i
                    h1_place[n, k, i3, i4] = h1_place_at
        for v in range(K):
            da3[n, v] = (p[n, v] - (1.0 if v == y[n] else 0.0)) / N  # (19)
            db[v] += da3[n, v]  # (20)


@kernel
def _compute_dh1_windows(dc2, da2, dflat, mask2, h2, dh1_windows, rows, S):
    """Equations (23) to (25)."""
    _disjoint()
    dc2[:] = 0.0
    for n in range(rows):
        for q in range(32):
            for i6 in range((S - 2) // 2 + 1):
                for i7 in range((S - 2) // 2 + 1):
                    da2[n, q, i6, i7] = (
                        10 / 7 * dflat[n, ((S - 2) // 2 + 1) * i6 + i7 + ((S - 2) // 2 + 1) ** 2 * q]
                        * mask2[n, ((S - 2) // 2 + 1) * i6 + i7 + ((S - 2) // 2 + 1) ** 2 * q]
                        if h2[n, q, i6, i7] > 0 else 0.0
                    )  # (23)
                    dc2[q] += da2[n, q, i6, i7]  # (24)
            for r in range(3):
                for s in range(3):
                    for i3 in range((S - 2) // 2 + 1):
                        for i4 in range((S - 2) // 2 + 1):
                            dh1_windows[n, q, r, s, i3, i4] = (
                                da2[n, q, i3 + 1 - r, i4 + 1 - s]
                                if 0 <= i3 + 1 - r < (S - 2) // 2 + 1 and 0 <= i4 + 1 - s < (S - 2) // 2 + 1
                                else 0.0
                            )  # (25)


@kernel
def _compute_dh1_left(dh1_left, C2):
    """Equation (25)."""
    _disjoint()
    for k in range(F1):
        for q in range(32):
            for r in range(3):
                for s in range(3):
                    dh1_left[k, q, r, s] = C2[q, k, r, s]  # (25)


@kernel
def _compute_dc1(dC2, dc1, dC2_each, da1_window, h1, dh1, da1, h1_place, rows, S):
    """Equations (26), (27), (29)."""
    _disjoint()
    dC2[:, :, :, :] = 0.0
    dc1[:] = 0.0
    for n in range(rows):
        for q in range(32):
            for k in range(F1):
                for r in range(3):
                    for s in range(3):
                        dC2[q, k, r, s] += dC2_each[n, q, k, r, s]  # (26)
        for k in range(F1):
            for i3 in range((S - 2) // 2 + 1):
                for i4 in range((S - 2) // 2 + 1):
                    da1_window[n, k, i3, i4] = _either(h1[n, k, i3, i4] > 0, dh1[n, k, i3, i4], 0.0)  # (27)
            for i1 in range(S):
                for i2 in range(S):
                    da1[n, k, i1, i2] = (
                        da1_window[n, k, i1 // 2, i2 // 2]
                        if (
                            i1 // 2 <= (S - 2) // 2 and i2 // 2 <= (S - 2) // 2
                            and 2 * (i1 % 2) + i2 % 2 == h1_place[n, k, i1 // 2, i2 // 2]
                        ) else 0.0
                    )  # (27)
                    dc1[k] += da1[n, k, i1, i2]  # (29)


@kernel
def _compute_dC1(dC1, dC1_each, rows):
    """Equation (28)."""
    _disjoint()
    dC1[:, :, :, :] = 0.0
    for n in range(rows):
        for k in range(F1):
            for i in range(D1):
                for l_ in range(3):
                    for m in range(3):
                        dC1[k, i, l_, m] += dC1_each[n, k, i, l_, m]  # (28)


@kernel
def _compute_u_flat(a2, z2, c2, h2, u_flat, rows, S):
    """Equations (6) to (8)."""
    _disjoint()
    for n in range(rows):
        for q in range(32):
            for i6 in range((S - 2) // 2 + 1):
                for i7 in range((S - 2) // 2 + 1):
                    a2[n, q, i6, i7] = z2[n, q, i6, i7] + c2[q]  # (6)
                    h2[n, q, i6, i7] = 0.0 if a2[n, q, i6, i7] <= 0 else a2[n, q, i6, i7]  # (7)
        for u in range(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32):
            u_flat[n, u] = h2[n, u // (((S - 2) // 2) ** 2 + 2 * ((S - 2) // 2) + 1), (u // ((S - 2) // 2 + 1)) % ((S - 2) // 2 + 1), u % ((S - 2) // 2 + 1)]  # (8)


@kernel
def _compute_z3_infer_left(z3_infer_left, u_flat, N, S):
    """Equation (30)."""
    _disjoint()
    for n in range(N):
        for u in range(32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32):
            z3_infer_left[n, u] = u_flat[n, u]  # (30)


@kernel
def _compute_accuracy(m_a3_infer, a3_infer, y, s_p_infer, p_infer, c_accuracy, loss_infer, accuracy, N, K):
    """Equations (36) to (38)."""
    _disjoint()
    loss_infer_sum = 0.0
    accuracy_sum = 0.0
    for n in range(N):
        loss_infer_sum += (m_a3_infer[n] - a3_infer[n, y[n]] + _log(s_p_infer[n])) / N  # (36)
        c_accuracy_argmax = -np.inf
        c_accuracy_at = -1
        for v in range(K):
            if c_accuracy_at < 0 or p_infer[n, v] > c_accuracy_argmax:  # (37)
                c_accuracy_argmax, c_accuracy_at = p_infer[n, v], v
        c_accuracy[n] = c_accuracy_at
        if c_accuracy[n] == y[n]:
            accuracy_sum += float(1 / N)  # (38)
    loss_infer[0] = loss_infer_sum
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
def _evaluate(theta, work, counts, at, x, y, rows, N, S, K):
    """Outputs, loss and metrics."""
    _inference(theta, work, counts, at, x, rows, N, S, K)
    _metrics(theta, work, counts, at, y, rows, N, S, K)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, mask2, rows, N, S, K):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, mask2, rows, N, S, K)
    _loss(theta, work, counts, at, y, rows, N, S, K)
    _backward(theta, gradient, work, counts, at, y, mask2, rows, N, S, K)
    return work[at[17]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, work, counts, at, x, y, mask2, rows, N, S, K,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, mask2, rows, N, S, K)
    _loss(theta, work, counts, at, y, rows, N, S, K)
    _backward(theta, gradient, work, counts, at, y, mask2, rows, N, S, K)
    loss = work[at[17]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1, beta2, eps)
    return loss, finite, moderate


@parallel_kernel
def _chunks(theta, gradients, work, counts, at, bounds, x, y, mask2, N, S, K):
    """Each chunk by itself, on a thread of its own: its part of the loss and of every gradient."""
    for c in prange(len(bounds)):
        first, last = bounds[c, 0], bounds[c, 1]
        _forward(theta, work[c], counts[c], at, x[first:last], mask2[first:last], last - first, N, S, K)
        _loss(theta, work[c], counts[c], at, y[first:last], last - first, N, S, K)
        _backward(
            theta, gradients[c], work[c], counts[c], at, y[first:last], mask2[first:last], last - first, N, S,
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
    theta, gradient, m, v, step_, lr, beta1, beta2, eps, gradients, work, counts, at, bounds, x, y, mask2, N,
    S, K,
):
    """A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(y, K, 0):
        return math.nan, False, False
    _chunks(theta, gradients, work, counts, at, bounds, x, y, mask2, N, S, K)
    _add_gradients(gradient, gradients)
    for k in range(1, len(work)):
        work[0, at[17]] += work[k, at[17]]
    loss = work[0, at[17]]
    moderate = _moderate_in_chunks(gradient, gradients)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update_in_chunks(theta, gradient, m, v, step_, lr, beta1, beta2, eps, len(bounds))
    return loss, finite, moderate


def _flops(N, S, K):
    """Floating-point operations of one step."""
    return (
        192 * ((S - 2) // 2) ** 2 * K * N + 206 * K * N + 28128 * ((S - 2) // 2) ** 2 * N + 32887 * N
        + 384 * ((S - 2) // 2) * K * N + 56256 * ((S - 2) // 2) * N + 736 * N * S**2
    )


def _places(rows, N, S, K):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x_windows": (0, 432 * rows + 432 * ((S - 2) // 2) ** 2 * rows + 64 * S**2 * rows + 864 * ((S - 2) // 2) * rows, (rows, D1, 3, 3, S, S)),
        "z1": (0, 432 * rows + 432 * ((S - 2) // 2) ** 2 * rows + 864 * ((S - 2) // 2) * rows, (rows, F1, S, S)),
        "a1": (0, 16 * S**2 * rows + 432 * rows + 432 * ((S - 2) // 2) ** 2 * rows + 864 * ((S - 2) // 2) * rows, (rows, F1, S, S)),
        "h1_2": (0, 32 * S**2 * rows + 432 * rows + 432 * ((S - 2) // 2) ** 2 * rows + 864 * ((S - 2) // 2) * rows, (rows, F1, S, S)),
        "h1": (0, 1312 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 64 * ((S - 2) // 2) * N + 656 * rows + 656 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "h1_windows": (0, 288 * rows + 288 * ((S - 2) // 2) ** 2 * rows + 576 * ((S - 2) // 2) * rows, (rows, F1, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "z2": (0, 432 * rows + 432 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 864 * ((S - 2) // 2) * rows, (rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "a2": (0, 464 * rows + 464 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 928 * ((S - 2) // 2) * rows, (rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "h2": (0, 496 * rows + 496 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 992 * ((S - 2) // 2) * rows, (rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "u_flat": (0, 1056 * ((S - 2) // 2) * rows + 528 * rows + 528 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)),
        "flat": (0, 1120 * ((S - 2) // 2) * rows + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)),
        "z3": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows, K)),
        "a3": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + K * rows + 4608, (rows, K)),
        "m_a3": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 4 * K * N + 5456 * rows + 5 * K * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows,)),
        "e_p": (0, 1408 * ((S - 2) // 2) * rows + 2 * K * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows, K)),
        "s_p": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 4 * K * N + 5457 * rows + 5 * K * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows,)),
        "p": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 3 * K * rows + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows, K)),
        "loss": (0, 1408 * ((S - 2) // 2) * rows + 32 * ((S - 2) // 2) ** 2 * N + 34 * N + 4 * K * N + 5458 * rows + 5 * K * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, ()),
        "h1_place": (1, 0, (rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "da3": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 4 * K * rows + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows + 4608, (rows, K)),
        "dflat": (0, 1184 * ((S - 2) // 2) * rows + 592 * rows + 592 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)),
        "da2": (0, 1248 * ((S - 2) // 2) * rows + 624 * rows + 624 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, 32, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "dh1_windows": (0, 0, (rows, 32, 3, 3, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "dh1_left": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 5456 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (F1, 32, 3, 3)),
        "dh1": (0, 1344 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 64 * ((S - 2) // 2) * N + 672 * rows + 672 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "dC2_each": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 64 * ((S - 2) // 2) * N + 704 * rows + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, 32, F1, 3, 3)),
        "da1_window": (0, 1376 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 64 * ((S - 2) // 2) * N + 688 * rows + 688 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, F1, (S - 2) // 2 + 1, (S - 2) // 2 + 1)),
        "da1": (0, 0, (rows, F1, S, S)),
        "dC1_each": (0, 1408 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 5312 * rows + 64 * ((S - 2) // 2) * N + 704 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (rows, F1, D1, 3, 3)),
        "z3_infer_left": (0, 1120 * ((S - 2) // 2) * rows + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 73 * S**2 * rows, (N, 32 * ((S - 2) // 2) ** 2 + 64 * ((S - 2) // 2) + 32)),
        "z3_infer": (0, 1120 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, (N, K)),
        "a3_infer": (0, 1120 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows + K * N, (N, K)),
        "m_a3_infer": (0, 1120 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 4 * K * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, (N,)),
        "e_p_infer": (0, 1120 * ((S - 2) // 2) * rows + 2 * K * N + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, (N, K)),
        "s_p_infer": (0, 1120 * ((S - 2) // 2) * rows + 32 * ((S - 2) // 2) ** 2 * N + 33 * N + 4 * K * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, (N,)),
        "p_infer": (0, 1120 * ((S - 2) // 2) * rows + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 3 * K * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, (N, K)),
        "loss_infer": (0, 1120 * ((S - 2) // 2) * rows + 2 * K * N + 32 * N + 32 * ((S - 2) // 2) ** 2 * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, ()),
        "c_accuracy": (1, 0, (N,)),
        "accuracy": (0, 1120 * ((S - 2) // 2) * rows + 32 * ((S - 2) // 2) ** 2 * N + 34 * N + 4 * K * N + 560 * rows + 560 * ((S - 2) // 2) ** 2 * rows + 64 * ((S - 2) // 2) * N + 73 * S**2 * rows, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    S = sizes["S"]
    K = sizes["K"]
    return {
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "C1": math.sqrt(2 / (D1 * D2 * D3)) * rng.standard_normal((F1, D1, D2, D3)),
        # an offset needs no asymmetry to learn
        "c1": np.zeros(F1),
        # a rectifier passes half of the variance: weights carry twice as much (He et al. 2015, equation 10)
        "C2": math.sqrt(2 / (D4 * D5 * F1)) * rng.standard_normal((F2, F1, D4, D5)),
        # an offset needs no asymmetry to learn
        "c2": np.zeros(F2),
        # keeps variances from layer to layer, forward and backward (Glorot and Bengio 2010, equation 16)
        "W": 2.449489742783178 * math.sqrt(1 / (F2 * ((S + 1 - D2) // 2 - D4 + 4) * ((S + 1 - D3) // 2 - D5 + 4) + K)) * rng.uniform(-1, 1, (((S + 1 - D2) // 2 + 4 - D4) * ((S + 1 - D3) // 2 + 4 - D5) * F2, K)),
        # an offset needs no asymmetry to learn
        "b": np.zeros(K),
    }


# ---- Functions of one element, and of one matrix ----


# symbp/runtime/numba/functions.py: _all_finite, _all_moderate, _any_outside, _either
# symbp/runtime/numba/float64.py: _exp, _log, _power_of_two, _reduced


# ---- Matrix products in tiles ----


# symbp/runtime/numba/vectors.py: _ITEM, _LANES, _TALL, _WIDE, _DEEP, _Vectors, _write_tile, _write_turn, _write_row, _write_copy, _write_room, _vector_intrinsics
# symbp/runtime/numba/products.py: _in_registers, _room, _tile, _narrow_tile, _turn, _copy_row, _copy, _product, _product_in_tiles, _multiply, _pack, _tiles


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_solved.py: _settle, _settle_parameters, _sizes_in, _sample_sizes
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
