"""gpt: a network that trains in Numba.

Derived from the network gpt; float64. It reads x(N, T), y(N, T).
The comment (k) behind a line names the equation that the line computes, (Uk) an equation of the update.
Train, evaluate, predict or check it: python THIS_FILE --help

Equations:

    (1)   x1[n,t,j] = tokens_E[x[n,t],j]
    (2)   x1_2[n,t,j] = x1[n,t,j] + positions_E[t,j]
    (3)   m_h1[k,n,t] = Σ_j a6[k - 1,n,t,j | x1_2[n,t,j]]/D1
    (4)   c_h1[k,n,t,j] = a6[k - 1,n,t,j | x1_2[n,t,j]] - m_h1[k,n,t]
    (5)   v_h1[k,n,t] = Σ_j c_h1[k,n,t,j]²/D1
    (6)   r_h1[k,n,t] = 1/sqrt(v_h1[k,n,t] + 1e-5)
    (7)   x_h1[k,n,t,j] = r_h1[k,n,t]·c_h1[k,n,t,j]
    (8)   h1[k,n,t,j] = x_h1[k,n,t,j]·gamma1[k,j] + beta1[k,j]
    (9)   z1[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wq1[k,j,l,m]
    (10)  q1[k,n,l,t,m] = z1[k,n,l,t,m] + bq1[k,l,m]
    (11)  z2[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wk2[k,j,l,m]
    (12)  k2[k,n,l,t,m] = z2[k,n,l,t,m] + bk2[k,l,m]
    (13)  z3[k,n,l,t,m] = Σ_j h1[k,n,t,j]·Wv3[k,j,l,m]
    (14)  v3[k,n,l,t,m] = z3[k,n,l,t,m] + bv3[k,l,m]
    (15)  S_z4[k,n,l,t,i] = Σ_m q1[k,n,l,t,m]·k2[k,n,l,i,m]/sqrt(D3)
    (16)  m_S_z4[k,n,l,t] = max_i S_z4[k,n,l,t,i] where [i ≤ t]
    (17)  e_z4[k,n,l,t,i] = [i ≤ t]·exp(S_z4[k,n,l,t,i] - m_S_z4[k,n,l,t])
    (18)  s_z4[k,n,l,t] = Σ_i e_z4[k,n,l,t,i]
    (19)  p_z4[k,n,l,t,i] = e_z4[k,n,l,t,i]/s_z4[k,n,l,t]
    (20)  o_z4[k,n,l,t,m] = Σ_i p_z4[k,n,l,t,i]·v3[k,n,l,i,m]
    (21)  z4[k,n,t,j] = Σ_l,m o_z4[k,n,l,t,m]·Wo4[k,l,m,j]
    (22)  a4[k,n,t,j] = a6[k - 1,n,t,j | x1_2[n,t,j]] + z4[k,n,t,j] + bo4[k,j]
    (23)  m_h4[k,n,t] = Σ_j a4[k,n,t,j]/D1
    (24)  c_h4[k,n,t,j] = a4[k,n,t,j] - m_h4[k,n,t]
    (25)  v_h4[k,n,t] = Σ_j c_h4[k,n,t,j]²/D1
    (26)  r_h4[k,n,t] = 1/sqrt(v_h4[k,n,t] + 1e-5)
    (27)  x_h4[k,n,t,j] = r_h4[k,n,t]·c_h4[k,n,t,j]
    (28)  h4[k,n,t,j] = x_h4[k,n,t,j]·gamma4[k,j] + beta4[k,j]
    (29)  z5[k,n,t,q] = Σ_j h4[k,n,t,j]·W5[k,j,q]
    (30)  a5[k,n,t,q] = z5[k,n,t,q] + b5[k,q]
    (31)  h5[k,n,t,q] = (1 + tanh(sqrt(2/π)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])))·a5[k,n,t,q]/2
    (32)  z6[k,n,t,j] = Σ_q h5[k,n,t,q]·W6[k,q,j]
    (33)  a6[k,n,t,j] = a4[k,n,t,j] + z6[k,n,t,j] + b6[k,j]
    (34)  m_h6[n,t] = Σ_j a6[D2 - 1,n,t,j]/D1
    (35)  c_h6[n,t,j] = a6[D2 - 1,n,t,j] - m_h6[n,t]
    (36)  v_h6[n,t] = Σ_j c_h6[n,t,j]²/D1
    (37)  r_h6[n,t] = 1/sqrt(v_h6[n,t] + 1e-5)
    (38)  x_h6[n,t,j] = r_h6[n,t]·c_h6[n,t,j]
    (39)  h6[n,t,j] = x_h6[n,t,j]·gamma6[j] + beta6[j]
    (40)  z[n,t,i] = Σ_j h6[n,t,j]·tokens_E[i,j]
    (41)  m_z[n,t] = max_i z[n,t,i]
    (42)  s_loss[n,t] = Σ_i exp(z[n,t,i] - m_z[n,t])
    (43)  count = Σ_n,t [y[n,t] ≠ 0]
    (44)  loss = Σ_n,t [y[n,t] ≠ 0]·(log(s_loss[n,t]) + m_z[n,t] - z[n,t,y[n,t]])/count
    (45)  dz[n,t,i] = [y[n,t] ≠ 0]·(exp(z[n,t,i] - m_z[n,t])/s_loss[n,t] - [i = y[n,t]])/count
    (46)  dh6[n,t,j] = Σ_i dz[n,t,i]·tokens_E[i,j]
    (47)  dx_h6[n,t,j] = dh6[n,t,j]·gamma6[j]
    (48)  dgamma6[j] = Σ_n,t dh6[n,t,j]·x_h6[n,t,j]
    (49)  dbeta6[j] = Σ_n,t dh6[n,t,j]
    (50)  dr_h6_s1[n,t] = Σ_j dx_h6[n,t,j]·x_h6[n,t,j]
    (51)  dm_h6_s1[n,t] = Σ_j dx_h6[n,t,j]
    (52)  da6[k,n,t,j] = [k = D2 - 1]·r_h6[n,t]·(dx_h6[n,t,j] - dr_h6_s1[n,t]·x_h6[n,t,j]/D1 - dm_h6_s1[n,t]/D1) + [k < D2 - 1]·(r_h1[k + 1,n,t]·(dx_h1[k + 1,n,t,j] - dr_h1_s1[k + 1,n,t]·x_h1[k + 1,n,t,j]/D1) + da4[k + 1,n,t,j] - dm_h1_s1[k + 1,n,t]·r_h1[k + 1,n,t]/D1)
    (53)  dh5[k,n,t,q] = Σ_j da6[k,n,t,j]·W6[k,q,j]
    (54)  da5[k,n,t,q] = (1/2 + (1 + 0.134145·a5[k,n,t,q]²)·(1 - tanh(sqrt(2/π)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q]))²)·a5[k,n,t,q]/sqrt(2·π) + tanh(sqrt(2/π)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q]))/2)·dh5[k,n,t,q]
    (55)  dh4[k,n,t,j] = Σ_q da5[k,n,t,q]·W5[k,j,q]
    (56)  dx_h4[k,n,t,j] = dh4[k,n,t,j]·gamma4[k,j]
    (57)  dr_h4_s1[k,n,t] = Σ_j dx_h4[k,n,t,j]·x_h4[k,n,t,j]
    (58)  dm_h4_s1[k,n,t] = Σ_j dx_h4[k,n,t,j]
    (59)  da4[k,n,t,j] = r_h4[k,n,t]·(dx_h4[k,n,t,j] - dr_h4_s1[k,n,t]·x_h4[k,n,t,j]/D1 - dm_h4_s1[k,n,t]/D1) + da6[k,n,t,j]
    (60)  do_z4[k,n,l,t,m] = Σ_j da4[k,n,t,j]·Wo4[k,l,m,j]
    (61)  dp_z4[k,n,l,t,i] = Σ_m do_z4[k,n,l,t,m]·v3[k,n,l,i,m]
    (62)  ds_z4_s1[k,n,l,t] = Σ_i dp_z4[k,n,l,t,i]·p_z4[k,n,l,t,i]
    (63)  dS_z4[k,n,l,t,i] = (dp_z4[k,n,l,t,i] - ds_z4_s1[k,n,l,t])·p_z4[k,n,l,t,i]
    (64)  dv3[k,n,l,t,m] = Σ_t2 p_z4[k,n,l,t2,t]·do_z4[k,n,l,t2,m]
    (65)  dk2_s1[k,n,l,t,m] = Σ_t2 dS_z4[k,n,l,t2,t]·q1[k,n,l,t2,m]
    (66)  dq1[k,n,l,t,m] = Σ_i dS_z4[k,n,l,t,i]·k2[k,n,l,i,m]/sqrt(D3)
    (67)  dh1_1[k,n,t,j] = Σ_l,m dq1[k,n,l,t,m]·Wq1[k,j,l,m]
    (68)  dh1_2[k,n,t,j] = Σ_l,m dk2_s1[k,n,l,t,m]·Wk2[k,j,l,m]/sqrt(D3)
    (69)  dh1_3[k,n,t,j] = Σ_l,m dv3[k,n,l,t,m]·Wv3[k,j,l,m]
    (70)  dh1[k,n,t,j] = dh1_1[k,n,t,j] + dh1_2[k,n,t,j] + dh1_3[k,n,t,j]
    (71)  dx_h1[k,n,t,j] = dh1[k,n,t,j]·gamma1[k,j]
    (72)  dr_h1_s1[k,n,t] = Σ_j dx_h1[k,n,t,j]·x_h1[k,n,t,j]
    (73)  dm_h1_s1[k,n,t] = Σ_j dx_h1[k,n,t,j]
    (74)  dbo4[k,j] = Σ_n,t da4[k,n,t,j]
    (75)  db6[k,j] = Σ_n,t da6[k,n,t,j]
    (76)  dW6[k,q,j] = Σ_n,t h5[k,n,t,q]·da6[k,n,t,j]
    (77)  db5[k,q] = Σ_n,t da5[k,n,t,q]
    (78)  dW5[k,j,q] = Σ_n,t h4[k,n,t,j]·da5[k,n,t,q]
    (79)  dgamma4[k,j] = Σ_n,t dh4[k,n,t,j]·x_h4[k,n,t,j]
    (80)  dbeta4[k,j] = Σ_q W5[k,j,q]·db5[k,q]
    (81)  dWo4[k,l,m,j] = Σ_n,t o_z4[k,n,l,t,m]·da4[k,n,t,j]
    (82)  dbv3[k,l,m] = Σ_n,t dv3[k,n,l,t,m]
    (83)  dbk2[k,l,m] = 0
    (84)  dbq1[k,l,m] = Σ_n,t dq1[k,n,l,t,m]
    (85)  dWq1[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dq1[k,n,l,t,m]
    (86)  dWk2[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dk2_s1[k,n,l,t,m]/sqrt(D3)
    (87)  dWv3[k,j,l,m] = Σ_n,t h1[k,n,t,j]·dv3[k,n,l,t,m]
    (88)  dgamma1[k,j] = Σ_n,t dh1[k,n,t,j]·x_h1[k,n,t,j]
    (89)  dbeta1[k,j] = Σ_n,t dh1[k,n,t,j]
    (90)  dx1_2[n,t,j] = r_h1[0,n,t]·(dx_h1[0,n,t,j] - dr_h1_s1[0,n,t]·x_h1[0,n,t,j]/D1 - dm_h1_s1[0,n,t]/D1) + da4[0,n,t,j]
    (91)  dtokens_E_1[i,j] = Σ_n,t [i = x[n,t]]·dx1_2[n,t,j]
    (92)  dtokens_E_2[i,j] = Σ_n,t dz[n,t,i]·h6[n,t,j]
    (93)  dtokens_E[i,j] = dtokens_E_1[i,j] + dtokens_E_2[i,j]
    (94)  dpositions_E[t,j] = Σ_n dx1_2[n,t,j]
    (95)  best[n,t] = argmax_i z[n,t,i]
    (96)  wrong[n] = Σ_t [best[n,t] ≠ y[n,t]]·[y[n,t] ≠ 0]
    (97)  exact = Σ_n [wrong[n] = 0]/N

Update of each entry i of the parameters:
AdamW, Loshchilov and Hutter 2019, Decoupled weight decay regularization, algorithm 2

    (U1)  rate = (0.01·[step ≤ 100]·step + [step ≥ 101]·([step ≤ 874]·(0.55 + 0.45·cos(π·(step/775 - 4/31))) + [step ≥ 875]/10))·lr
    (U2)  g_squares = Σ_i gradient[i]²
    (U3)  g_norm = sqrt(g_squares)
    (U4)  g_scale = [clip_norm < g_norm]·clip_norm/g_norm + [g_norm ≤ clip_norm]
    (U5)  g_clipped[i] = g_scale·gradient[i]
    (U6)  m_next[i] = (1 - beta1)·g_clipped[i] + beta1·m[i]
    (U7)  v_next[i] = (1 - beta2)·g_clipped[i]² + beta2·v[i]
    (U8)  theta_next[i] = (1 - rate·weight_decay)·theta[i] - rate·m_next[i]/((1 - beta1^step)·(sqrt(v_next[i]/(1 - beta2^step)) + eps))

Sizes: D1 = 32, D2 = 2, D3 = 8; N, T, V read off the arrays.
One training step takes, with each array read and written once per kernel:

    flops      96·D1·D2·D3·N·T + 237·D1·D2·N·T + 28·D2·D3·N·T + 48·D2·D3·N·T² + 48·D2·N·T·D1²
               + 6·D1·N·T·V + 17·N·T·V + 33·D1·N·T + 4·D1·D2·D3 + 4·D2·N·T + 64·D2·N·T² + 13·N·T
               + 8·D2·D1² + D1·V
             = 18,432 + 209·N·T·V + 164,149·N·T + 896·N·T² + 32·V
    bytes      32 + 1,112·D1·D2·N·T + 1,792·D2·D3·N·T + 256·D3·N·T + 368·D2·N·T + 384·D1·N·T + 56·N·T·V
               + 608·D1·D2·D3 + 608·D2·N·T² + 16·D1·T + 192·D2·D3 + 208·D1·D2 + 208·N·T + 224·D2·D1²
               + 56·D1·V + 64·N·T² + 40·D1
             = 787,744 + 56·N·T·V + 115,120·N·T + 1,280·N·T² + 1,792·V + 512·T
    workspace  8·N·T + 8·max(3,088 + 2·N·T·V + 2,604·N·T + 28·N·T², 16 + 2·N·T·V + 2,614·N·T
               + 28·N·T², 16 + 2·N·T·V + 2,612·N·T + 28·N·T² + 64·V) bytes
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
OPEN_SIZES = ("N", "T", "V")
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ()
NEEDED: dict[str, Any] = {}
D1, D2, D3 = 32, 2, 8
NAME = "gpt"
SIZES = {"D1": D1, "D2": D2, "D3": D3}
PARAMETERS = {
    "tokens_E": ("V", "D1"), "positions_E": ("T", "D1"), "gamma1": ("D2", "D1"), "beta1": ("D2", "D1"),
    "Wq1": ("D2", "D1", 4, "D3"), "bq1": ("D2", 4, "D3"), "Wk2": ("D2", "D1", 4, "D3"),
    "bk2": ("D2", 4, "D3"), "Wv3": ("D2", "D1", 4, "D3"), "bv3": ("D2", 4, "D3"),
    "Wo4": ("D2", 4, "D3", "D1"), "bo4": ("D2", "D1"), "gamma4": ("D2", "D1"), "beta4": ("D2", "D1"),
    "W5": ("D2", "D1", lambda s: 4 * s["D1"]), "b5": ("D2", lambda s: 4 * s["D1"]),
    "W6": ("D2", lambda s: 4 * s["D1"], "D1"), "b6": ("D2", "D1"), "gamma6": ("D1",), "beta6": ("D1",),
}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS: dict[str, Any] = {}
FORWARD_INPUTS = ("x",)
FORWARD_GIVEN = ("x",)
OUTPUTS = ("z",)
LOSS = "loss"
METRICS = ("exact",)
BATCH = "N"
GRADIENTS = {
    "tokens_E": "dtokens_E", "positions_E": "dpositions_E", "gamma1": "dgamma1", "beta1": "dbeta1",
    "Wq1": "dWq1", "bq1": "dbq1", "Wk2": "dWk2", "bk2": "dbk2", "Wv3": "dWv3", "bv3": "dbv3", "Wo4": "dWo4",
    "bo4": "dbo4", "gamma4": "dgamma4", "beta4": "dbeta4", "W5": "dW5", "b5": "db5", "W6": "dW6", "b6": "db6",
    "gamma6": "dgamma6", "beta6": "dbeta6",
}
EQUATIONS = {
    1: "x1", 2: "x1_2", 3: "m_h1", 4: "c_h1", 5: "v_h1", 6: "r_h1", 7: "x_h1", 8: "h1", 9: "z1", 10: "q1",
    11: "z2", 12: "k2", 13: "z3", 14: "v3", 15: "S_z4", 16: "m_S_z4", 17: "e_z4", 18: "s_z4", 19: "p_z4",
    20: "o_z4", 21: "z4", 22: "a4", 23: "m_h4", 24: "c_h4", 25: "v_h4", 26: "r_h4", 27: "x_h4", 28: "h4",
    29: "z5", 30: "a5", 31: "h5", 32: "z6", 33: "a6", 34: "m_h6", 35: "c_h6", 36: "v_h6", 37: "r_h6",
    38: "x_h6", 39: "h6", 40: "z", 41: "m_z", 42: "s_loss", 43: "count", 44: "loss", 45: "dz", 46: "dh6",
    47: "dx_h6", 48: "dgamma6", 49: "dbeta6", 50: "dr_h6_s1", 51: "dm_h6_s1", 52: "da6", 53: "dh5", 54: "da5",
    55: "dh4", 56: "dx_h4", 57: "dr_h4_s1", 58: "dm_h4_s1", 59: "da4", 60: "do_z4", 61: "dp_z4",
    62: "ds_z4_s1", 63: "dS_z4", 64: "dv3", 65: "dk2_s1", 66: "dq1", 67: "dh1_1", 68: "dh1_2", 69: "dh1_3",
    70: "dh1", 71: "dx_h1", 72: "dr_h1_s1", 73: "dm_h1_s1", 74: "dbo4", 75: "db6", 76: "dW6", 77: "db5",
    78: "dW5", 79: "dgamma4", 80: "dbeta4", 81: "dWo4", 82: "dbv3", 83: "dbk2", 84: "dbq1", 85: "dWq1",
    86: "dWk2", 87: "dWv3", 88: "dgamma1", 89: "dbeta1", 90: "dx1_2", 91: "dtokens_E_1", 92: "dtokens_E_2",
    93: "dtokens_E", 94: "dpositions_E", 95: "best", 96: "wrong", 97: "exact",
}
STOPPED: tuple[str, ...] = ()
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "weight_decay": 0.01, "clip_norm": 1.0}
Array = np.ndarray[Any, Any]


# ---- Compiling ----


# symbp/runtime/numba/compiling.py: _KERNELS, _EXACT, _PARALLEL, _INTRINSICS, prange, kernel, exact_kernel, parallel_kernel, intrinsics, _disjoint, _larger, _of_the_compiler, _compile


# ---- The network ----


@kernel
def _forward(theta, work, counts, at, x, N, T, V):
    """The outputs: equations (1) to (40)."""
    tokens_E = theta[0 : 32 * V].reshape(V, D1)
    positions_E = theta[32 * V : 32 * T + 32 * V].reshape(T, D1)
    gamma1 = theta[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    beta1 = theta[32 * T + 32 * V + 64 : 32 * T + 32 * V + 128].reshape(D2, D1)
    Wq1 = theta[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    bq1 = theta[32 * T + 32 * V + 2176 : 32 * T + 32 * V + 2240].reshape(D2, 4, D3)
    Wk2 = theta[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    bk2 = theta[32 * T + 32 * V + 4288 : 32 * T + 32 * V + 4352].reshape(D2, 4, D3)
    Wv3 = theta[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    bv3 = theta[32 * T + 32 * V + 6400 : 32 * T + 32 * V + 6464].reshape(D2, 4, D3)
    Wo4 = theta[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    bo4 = theta[32 * T + 32 * V + 8512 : 32 * T + 32 * V + 8576].reshape(D2, D1)
    gamma4 = theta[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    beta4 = theta[32 * T + 32 * V + 8640 : 32 * T + 32 * V + 8704].reshape(D2, D1)
    W5 = theta[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    b5 = theta[32 * T + 32 * V + 16896 : 32 * T + 32 * V + 17152].reshape(D2, 4 * D1)
    W6 = theta[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    b6 = theta[32 * T + 32 * V + 25344 : 32 * T + 32 * V + 25408].reshape(D2, D1)
    gamma6 = theta[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    beta6 = theta[32 * T + 32 * V + 25440 : 32 * T + 32 * V + 25472]
    x1 = work[at[0] : at[0] + 32 * N * T].reshape(N, T, D1)
    x1_2 = work[at[1] : at[1] + 32 * N * T].reshape(N, T, D1)
    m_h1 = work[at[2] : at[2] + 2 * N * T].reshape(D2, N, T)
    c_h1 = work[at[3] : at[3] + 64 * N * T].reshape(D2, N, T, D1)
    v_h1 = work[at[4] : at[4] + 2 * N * T].reshape(D2, N, T)
    r_h1 = work[at[5] : at[5] + 2 * N * T].reshape(D2, N, T)
    x_h1 = work[at[6] : at[6] + 64 * N * T].reshape(D2, N, T, D1)
    h1 = work[at[7] : at[7] + 64 * N * T].reshape(D2, N, T, D1)
    z1_right = work[at[8] : at[8] + 1024].reshape(4, D1, D3)
    z2_right = work[at[9] : at[9] + 1024].reshape(4, D1, D3)
    z3_right = work[at[10] : at[10] + 1024].reshape(4, D1, D3)
    z1_product = work[at[11] : at[11] + 32 * N * T].reshape(N, 4, T, D3)
    z1 = work[at[12] : at[12] + 64 * N * T].reshape(D2, N, 4, T, D3)
    q1 = work[at[13] : at[13] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z2_product = work[at[14] : at[14] + 32 * N * T].reshape(N, 4, T, D3)
    z2 = work[at[15] : at[15] + 64 * N * T].reshape(D2, N, 4, T, D3)
    k2 = work[at[16] : at[16] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z3_product = work[at[17] : at[17] + 32 * N * T].reshape(N, 4, T, D3)
    z3 = work[at[18] : at[18] + 64 * N * T].reshape(D2, N, 4, T, D3)
    v3 = work[at[19] : at[19] + 64 * N * T].reshape(D2, N, 4, T, D3)
    S_z4_product = work[at[20] : at[20] + 4 * N * T**2].reshape(N, 4, T, T)
    S_z4 = work[at[21] : at[21] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    m_S_z4 = work[at[22] : at[22] + 8 * N * T].reshape(D2, N, 4, T)
    e_z4 = work[at[23] : at[23] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    s_z4 = work[at[24] : at[24] + 8 * N * T].reshape(D2, N, 4, T)
    p_z4 = work[at[25] : at[25] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    o_z4_product = work[at[26] : at[26] + 32 * N * T].reshape(N, 4, T, D3)
    o_z4 = work[at[27] : at[27] + 64 * N * T].reshape(D2, N, 4, T, D3)
    z4_left = work[at[28] : at[28] + 32 * N * T].reshape(N, T, 4, D3)
    z4_product = work[at[29] : at[29] + 32 * N * T].reshape(N, T, D1)
    z4 = work[at[30] : at[30] + 64 * N * T].reshape(D2, N, T, D1)
    a4 = work[at[31] : at[31] + 64 * N * T].reshape(D2, N, T, D1)
    m_h4 = work[at[32] : at[32] + 2 * N * T].reshape(D2, N, T)
    c_h4 = work[at[33] : at[33] + 64 * N * T].reshape(D2, N, T, D1)
    v_h4 = work[at[34] : at[34] + 2 * N * T].reshape(D2, N, T)
    r_h4 = work[at[35] : at[35] + 2 * N * T].reshape(D2, N, T)
    x_h4 = work[at[36] : at[36] + 64 * N * T].reshape(D2, N, T, D1)
    h4 = work[at[37] : at[37] + 64 * N * T].reshape(D2, N, T, D1)
    z5_product = work[at[38] : at[38] + 128 * N * T].reshape(N, T, 4 * D1)
    z5 = work[at[39] : at[39] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    a5 = work[at[40] : at[40] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    h5 = work[at[41] : at[41] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    z6_product = work[at[42] : at[42] + 32 * N * T].reshape(N, T, D1)
    z6 = work[at[43] : at[43] + 64 * N * T].reshape(D2, N, T, D1)
    a6 = work[at[44] : at[44] + 64 * N * T].reshape(D2, N, T, D1)
    m_h6 = work[at[45] : at[45] + N * T].reshape(N, T)
    c_h6 = work[at[46] : at[46] + 32 * N * T].reshape(N, T, D1)
    v_h6 = work[at[47] : at[47] + N * T].reshape(N, T)
    r_h6 = work[at[48] : at[48] + N * T].reshape(N, T)
    x_h6 = work[at[49] : at[49] + 32 * N * T].reshape(N, T, D1)
    h6 = work[at[50] : at[50] + 32 * N * T].reshape(N, T, D1)
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    _compute_x1_2(x1, tokens_E, x, x1_2, positions_E, N, T)  # (1), (2)
    for k in range(D2):
        _compute_h1(a6, x1_2, m_h1, c_h1, v_h1, r_h1, x_h1, h1, gamma1, beta1, N, T, k)  # (3) to (8)
        _compute_z3_right(z1_right, Wq1, z2_right, Wk2, z3_right, Wv3, k)  # (9), (11), (13)
        for n in range(N):
            for l_ in range(4):
                _product(h1[k, n], z1_right[l_], z1_product[n, l_])  # (9)
        _compute_q1(z1, z1_product, q1, bq1, N, T, k)  # (9), (10)
        for n in range(N):
            for l_ in range(4):
                _product(h1[k, n], z2_right[l_], z2_product[n, l_])  # (11)
        _compute_q1(z2, z2_product, k2, bk2, N, T, k)  # (11), (12)
        for n in range(N):
            for l_ in range(4):
                _product(h1[k, n], z3_right[l_], z3_product[n, l_])  # (13)
        _compute_q1(z3, z3_product, v3, bv3, N, T, k)  # (13), (14)
        for n in range(N):
            for l_ in range(4):
                _product(q1[k, n, l_], k2[k, n, l_].T, S_z4_product[n, l_])  # (15)
        _compute_p_z4(S_z4, S_z4_product, m_S_z4, e_z4, s_z4, p_z4, N, T, k)  # (15) to (19)
        for n in range(N):
            for l_ in range(4):
                _product(p_z4[k, n, l_], v3[k, n, l_], o_z4_product[n, l_])  # (20)
        _compute_z4_left(o_z4, o_z4_product, z4_left, N, T, k)  # (20), (21)
        _product(
            z4_left.reshape(N * T, 4 * D3), Wo4[k].reshape(4 * D3, D1), z4_product.reshape(N * T, D1)
        )  # (21)
        _compute_h4(
            z4, z4_product, a4, a6, x1_2, bo4, m_h4, c_h4, v_h4, r_h4, x_h4, h4, gamma4, beta4, N, T, k
        )  # (21) to (28)
        _product(h4[k].reshape(N * T, D1), W5[k], z5_product.reshape(N * T, 4 * D1))  # (29)
        _compute_h5(z5, z5_product, a5, b5, h5, N, T, k)  # (29) to (31)
        _product(h5[k].reshape(N * T, 4 * D1), W6[k], z6_product.reshape(N * T, D1))  # (32)
        _compute_a6(z6, z6_product, a6, a4, b6, N, T, k)  # (32), (33)
    _compute_h6(a6, m_h6, c_h6, v_h6, r_h6, x_h6, h6, gamma6, beta6, N, T)  # (34) to (39)
    _product(h6.reshape(N * T, D1), tokens_E.T, z.reshape(N * T, V))  # (40)


@kernel
def _loss(theta, work, counts, at, y, N, T, V):
    """The loss: equations (41) to (44)."""
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    m_z = work[at[52] : at[52] + N * T].reshape(N, T)
    s_loss = work[at[53] : at[53] + N * T].reshape(N, T)
    count = work[at[54] : at[54] + 1]
    loss = work[at[55] : at[55] + 1]
    _compute_count(z, m_z, s_loss, y, count, N, T, V)  # (41) to (43)
    _compute_loss(y, m_z, z, s_loss, count, loss, N, T)  # (44)


@kernel
def _backward(theta, gradient, work, counts, at, x, y, N, T, V):
    """The gradients: equations (45) to (94)."""
    tokens_E = theta[0 : 32 * V].reshape(V, D1)
    gamma1 = theta[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    Wq1 = theta[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    Wk2 = theta[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    Wv3 = theta[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    Wo4 = theta[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    gamma4 = theta[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    W5 = theta[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    W6 = theta[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    gamma6 = theta[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    r_h1 = work[at[5] : at[5] + 2 * N * T].reshape(D2, N, T)
    x_h1 = work[at[6] : at[6] + 64 * N * T].reshape(D2, N, T, D1)
    h1 = work[at[7] : at[7] + 64 * N * T].reshape(D2, N, T, D1)
    q1 = work[at[13] : at[13] + 64 * N * T].reshape(D2, N, 4, T, D3)
    k2 = work[at[16] : at[16] + 64 * N * T].reshape(D2, N, 4, T, D3)
    v3 = work[at[19] : at[19] + 64 * N * T].reshape(D2, N, 4, T, D3)
    p_z4 = work[at[25] : at[25] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    o_z4 = work[at[27] : at[27] + 64 * N * T].reshape(D2, N, 4, T, D3)
    r_h4 = work[at[35] : at[35] + 2 * N * T].reshape(D2, N, T)
    x_h4 = work[at[36] : at[36] + 64 * N * T].reshape(D2, N, T, D1)
    h4 = work[at[37] : at[37] + 64 * N * T].reshape(D2, N, T, D1)
    a5 = work[at[40] : at[40] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    h5 = work[at[41] : at[41] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    r_h6 = work[at[48] : at[48] + N * T].reshape(N, T)
    x_h6 = work[at[49] : at[49] + 32 * N * T].reshape(N, T, D1)
    h6 = work[at[50] : at[50] + 32 * N * T].reshape(N, T, D1)
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    m_z = work[at[52] : at[52] + N * T].reshape(N, T)
    s_loss = work[at[53] : at[53] + N * T].reshape(N, T)
    count = work[at[54] : at[54] + 1]
    dz = work[at[56] : at[56] + N * T * V].reshape(N, T, V)
    dh6 = work[at[57] : at[57] + 32 * N * T].reshape(N, T, D1)
    dx_h6 = work[at[58] : at[58] + 32 * N * T].reshape(N, T, D1)
    dgamma6 = gradient[32 * T + 32 * V + 25408 : 32 * T + 32 * V + 25440]
    dbeta6 = gradient[32 * T + 32 * V + 25440 : 32 * T + 32 * V + 25472]
    dr_h6_s1 = work[at[59] : at[59] + N * T].reshape(N, T)
    dm_h6_s1 = work[at[60] : at[60] + N * T].reshape(N, T)
    da6 = work[at[61] : at[61] + 64 * N * T].reshape(D2, N, T, D1)
    dh5_product = work[at[62] : at[62] + 128 * N * T].reshape(N, T, 4 * D1)
    dh5 = work[at[63] : at[63] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    da5 = work[at[64] : at[64] + 256 * N * T].reshape(D2, N, T, 4 * D1)
    dh4_product = work[at[65] : at[65] + 32 * N * T].reshape(N, T, D1)
    dh4 = work[at[66] : at[66] + 64 * N * T].reshape(D2, N, T, D1)
    dx_h4 = work[at[67] : at[67] + 64 * N * T].reshape(D2, N, T, D1)
    dr_h4_s1 = work[at[68] : at[68] + 2 * N * T].reshape(D2, N, T)
    dm_h4_s1 = work[at[69] : at[69] + 2 * N * T].reshape(D2, N, T)
    da4 = work[at[70] : at[70] + 64 * N * T].reshape(D2, N, T, D1)
    do_z4_product = work[at[71] : at[71] + 32 * N * T].reshape(N, 4, T, D3)
    do_z4 = work[at[72] : at[72] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dp_z4_product = work[at[73] : at[73] + 4 * N * T**2].reshape(N, 4, T, T)
    dp_z4 = work[at[74] : at[74] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    ds_z4_s1 = work[at[75] : at[75] + 8 * N * T].reshape(D2, N, 4, T)
    dS_z4 = work[at[76] : at[76] + 8 * N * T**2].reshape(D2, N, 4, T, T)
    dv3_product = work[at[77] : at[77] + 32 * N * T].reshape(N, 4, T, D3)
    dv3 = work[at[78] : at[78] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_3_left = work[at[79] : at[79] + 32 * N * T].reshape(N, T, 4, D3)
    dk2_s1_product = work[at[80] : at[80] + 32 * N * T].reshape(N, 4, T, D3)
    dk2_s1 = work[at[81] : at[81] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_2_left = work[at[82] : at[82] + 32 * N * T].reshape(N, T, 4, D3)
    dq1_product = work[at[83] : at[83] + 32 * N * T].reshape(N, 4, T, D3)
    dq1 = work[at[84] : at[84] + 64 * N * T].reshape(D2, N, 4, T, D3)
    dh1_1_left = work[at[85] : at[85] + 32 * N * T].reshape(N, T, 4, D3)
    dh1_1_product = work[at[86] : at[86] + 32 * N * T].reshape(N, T, D1)
    dh1_1 = work[at[87] : at[87] + 64 * N * T].reshape(D2, N, T, D1)
    dh1_2_product = work[at[88] : at[88] + 32 * N * T].reshape(N, T, D1)
    dh1_2 = work[at[89] : at[89] + 64 * N * T].reshape(D2, N, T, D1)
    dh1_3_product = work[at[90] : at[90] + 32 * N * T].reshape(N, T, D1)
    dh1_3 = work[at[91] : at[91] + 64 * N * T].reshape(D2, N, T, D1)
    dh1 = work[at[92] : at[92] + 64 * N * T].reshape(D2, N, T, D1)
    dx_h1 = work[at[93] : at[93] + 64 * N * T].reshape(D2, N, T, D1)
    dr_h1_s1 = work[at[94] : at[94] + 2 * N * T].reshape(D2, N, T)
    dm_h1_s1 = work[at[95] : at[95] + 2 * N * T].reshape(D2, N, T)
    dbo4 = gradient[32 * T + 32 * V + 8512 : 32 * T + 32 * V + 8576].reshape(D2, D1)
    db6 = gradient[32 * T + 32 * V + 25344 : 32 * T + 32 * V + 25408].reshape(D2, D1)
    db5 = gradient[32 * T + 32 * V + 16896 : 32 * T + 32 * V + 17152].reshape(D2, 4 * D1)
    dgamma4 = gradient[32 * T + 32 * V + 8576 : 32 * T + 32 * V + 8640].reshape(D2, D1)
    dWo4_left = work[at[96] : at[96] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dbv3 = gradient[32 * T + 32 * V + 6400 : 32 * T + 32 * V + 6464].reshape(D2, 4, D3)
    dbk2 = gradient[32 * T + 32 * V + 4288 : 32 * T + 32 * V + 4352].reshape(D2, 4, D3)
    dbq1 = gradient[32 * T + 32 * V + 2176 : 32 * T + 32 * V + 2240].reshape(D2, 4, D3)
    dWq1_right = work[at[97] : at[97] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dWk2_right = work[at[98] : at[98] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dWv3_right = work[at[99] : at[99] + 64 * N * T].reshape(D2, N, T, 4, D3)
    dgamma1 = gradient[32 * T + 32 * V : 32 * T + 32 * V + 64].reshape(D2, D1)
    dbeta1 = gradient[32 * T + 32 * V + 64 : 32 * T + 32 * V + 128].reshape(D2, D1)
    dW6 = gradient[32 * T + 32 * V + 17152 : 32 * T + 32 * V + 25344].reshape(D2, 4 * D1, D1)
    dW5 = gradient[32 * T + 32 * V + 8704 : 32 * T + 32 * V + 16896].reshape(D2, D1, 4 * D1)
    dbeta4 = gradient[32 * T + 32 * V + 8640 : 32 * T + 32 * V + 8704].reshape(D2, D1)
    dWo4 = gradient[32 * T + 32 * V + 6464 : 32 * T + 32 * V + 8512].reshape(D2, 4, D3, D1)
    dWq1 = gradient[32 * T + 32 * V + 128 : 32 * T + 32 * V + 2176].reshape(D2, D1, 4, D3)
    dWk2 = gradient[32 * T + 32 * V + 2240 : 32 * T + 32 * V + 4288].reshape(D2, D1, 4, D3)
    dWv3 = gradient[32 * T + 32 * V + 4352 : 32 * T + 32 * V + 6400].reshape(D2, D1, 4, D3)
    dx1_2 = work[at[100] : at[100] + 32 * N * T].reshape(N, T, D1)
    dtokens_E_1 = work[at[101] : at[101] + 32 * V].reshape(V, D1)
    dpositions_E = gradient[32 * V : 32 * T + 32 * V].reshape(T, D1)
    dtokens_E_2 = work[at[102] : at[102] + 32 * V].reshape(V, D1)
    dtokens_E = gradient[0 : 32 * V].reshape(V, D1)
    _compute_dz(dz, z, m_z, s_loss, y, count, N, T, V)  # (45)
    _product(dz.reshape(N * T, V), tokens_E, dh6.reshape(N * T, D1))  # (46)
    _compute_dm_h6_s1(dgamma6, dbeta6, dx_h6, dh6, gamma6, x_h6, dr_h6_s1, dm_h6_s1, N, T)  # (47) to (51)
    for k in range(D2 - 1, -1, -1):
        _compute_da6(
            da6, da4, dx_h1, x_h1, dr_h1_s1, r_h1, dm_h1_s1, dx_h6, x_h6, dr_h6_s1, dm_h6_s1, r_h6, N, T, k
        )  # (52)
        _product(da6[k].reshape(N * T, D1), W6[k].T, dh5_product.reshape(N * T, 4 * D1))  # (53)
        _compute_da5(dh5, dh5_product, a5, da5, N, T, k)  # (53), (54)
        _product(da5[k].reshape(N * T, 4 * D1), W5[k].T, dh4_product.reshape(N * T, D1))  # (55)
        _compute_da4(
            dh4, dh4_product, dx_h4, gamma4, x_h4, dr_h4_s1, dm_h4_s1, da4, da6, r_h4, N, T, k
        )  # (55) to (59)
        for n in range(N):
            for l_ in range(4):
                _product(da4[k, n], Wo4[k, l_].T, do_z4_product[n, l_])  # (60)
        _compute_do_z4(do_z4, do_z4_product, N, T, k)  # (60)
        for n in range(N):
            for l_ in range(4):
                _product(do_z4[k, n, l_], v3[k, n, l_].T, dp_z4_product[n, l_])  # (61)
        _compute_dS_z4(dp_z4, dp_z4_product, p_z4, ds_z4_s1, dS_z4, N, T, k)  # (61) to (63)
        for n in range(N):
            for l_ in range(4):
                _product(p_z4[k, n, l_].T, do_z4[k, n, l_], dv3_product[n, l_])  # (64)
        _compute_z4_left(dv3, dv3_product, dh1_3_left, N, T, k)  # (64), (69)
        for n in range(N):
            for l_ in range(4):
                _product(dS_z4[k, n, l_].T, q1[k, n, l_], dk2_s1_product[n, l_])  # (65)
        _compute_z4_left(dk2_s1, dk2_s1_product, dh1_2_left, N, T, k)  # (65), (68)
        for n in range(N):
            for l_ in range(4):
                _product(dS_z4[k, n, l_], k2[k, n, l_], dq1_product[n, l_])  # (66)
        _compute_dh1_1_left(dq1, dq1_product, dh1_1_left, N, T, k)  # (66), (67)
        _product(
            dh1_1_left.reshape(N * T, 4 * D3), Wq1[k].reshape(D1, 4 * D3).T, dh1_1_product.reshape(N * T, D1)
        )  # (67)
        _compute_dh1_1(dh1_1, dh1_1_product, N, T, k)  # (67)
        _product(
            dh1_2_left.reshape(N * T, 4 * D3), Wk2[k].reshape(D1, 4 * D3).T, dh1_2_product.reshape(N * T, D1)
        )  # (68)
        _compute_dh1_2(dh1_2, dh1_2_product, N, T, k)  # (68)
        _product(
            dh1_3_left.reshape(N * T, 4 * D3), Wv3[k].reshape(D1, 4 * D3).T, dh1_3_product.reshape(N * T, D1)
        )  # (69)
        _compute_dm_h1_s1(
            dh1_3, dh1_3_product, dh1, dh1_1, dh1_2, dx_h1, gamma1, x_h1, dr_h1_s1, dm_h1_s1, N, T, k
        )  # (69) to (73)
    _compute_dbeta1(
        dbo4, db6, db5, dgamma4, dbv3, dbq1, dgamma1, dbeta1, da4, da6, dh4, x_h4, dh1, x_h1, da5, dWo4_left,
        o_z4, dWq1_right, dq1, dWk2_right, dk2_s1, dWv3_right, dv3, dbk2, N, T,
    )  # (74), (75), (77), (79), (81) to (89)
    for k in range(D2):
        _product(h5[k].reshape(N * T, 4 * D1).T, da6[k].reshape(N * T, D1), dW6[k])  # (76)
    for k in range(D2):
        _product(h4[k].reshape(N * T, D1).T, da5[k].reshape(N * T, 4 * D1), dW5[k])  # (78)
    for k in range(D2):
        np.dot(W5[k], db5[k], dbeta4[k])  # (80)
    for k in range(D2):
        _product(
            dWo4_left[k].reshape(N * T, 4 * D3).T, da4[k].reshape(N * T, D1), dWo4[k].reshape(4 * D3, D1)
        )  # (81)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWq1_right[k].reshape(N * T, 4 * D3), dWq1[k].reshape(D1, 4 * D3)
        )  # (85)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWk2_right[k].reshape(N * T, 4 * D3), dWk2[k].reshape(D1, 4 * D3)
        )  # (86)
    _compute_dWk2(dWk2)  # (86)
    for k in range(D2):
        _product(
            h1[k].reshape(N * T, D1).T, dWv3_right[k].reshape(N * T, 4 * D3), dWv3[k].reshape(D1, 4 * D3)
        )  # (87)
    _compute_dpositions_E(
        dtokens_E_1, dpositions_E, dx1_2, da4, dx_h1, x_h1, dr_h1_s1, dm_h1_s1, r_h1, x, N, T, V
    )  # (90), (91), (94)
    _product(dz.reshape(N * T, V).T, h6.reshape(N * T, D1), dtokens_E_2)  # (92)
    _compute_dtokens_E(dtokens_E, dtokens_E_1, dtokens_E_2, V)  # (93)


@kernel
def _metrics(theta, work, counts, at, y, N, T, V):
    """The metrics: equations (95) to (97)."""
    z = work[at[51] : at[51] + N * T * V].reshape(N, T, V)
    best = counts[at[103] : at[103] + N * T].reshape(N, T)
    wrong = work[at[104] : at[104] + N]
    exact = work[at[105] : at[105] + 1]
    _compute_exact(z, best, y, wrong, exact, N, T, V)  # (95) to (97)


@kernel
def _compute_x1_2(x1, tokens_E, x, x1_2, positions_E, N, T):
    """Equations (1), (2)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                x1[n, t, j] = tokens_E[x[n, t], j]  # (1)
                x1_2[n, t, j] = x1[n, t, j] + positions_E[t, j]  # (2)


@kernel
def _compute_h1(a6, x1_2, m_h1, c_h1, v_h1, r_h1, x_h1, h1, gamma1, beta1, N, T, k):
    """Equations (3) to (8)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h1_sum = 0.0
            for j in range(D1):
                m_h1_sum += (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) / D1  # (3)
            m_h1[k, n, t] = m_h1_sum
            v_h1_sum = 0.0
            for j in range(D1):
                c_h1[k, n, t, j] = (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) - m_h1[k, n, t]  # (4)
                v_h1_sum += c_h1[k, n, t, j] * c_h1[k, n, t, j] / D1  # (5)
            v_h1[k, n, t] = v_h1_sum
            r_h1[k, n, t] = 1 / math.sqrt(v_h1[k, n, t] + 1e-5)  # (6)
            for j in range(D1):
                x_h1[k, n, t, j] = c_h1[k, n, t, j] * r_h1[k, n, t]  # (7)
                h1[k, n, t, j] = x_h1[k, n, t, j] * gamma1[k, j] + beta1[k, j]  # (8)


@kernel
def _compute_z3_right(z1_right, Wq1, z2_right, Wk2, z3_right, Wv3, k):
    """Equations (9), (11), (13)."""
    _disjoint()
    for l_ in range(4):
        for j in range(D1):
            for m in range(D3):
                z1_right[l_, j, m] = Wq1[k, j, l_, m]  # (9)
                z2_right[l_, j, m] = Wk2[k, j, l_, m]  # (11)
                z3_right[l_, j, m] = Wv3[k, j, l_, m]  # (13)


@kernel
def _compute_q1(z1, z1_product, q1, bq1, N, T, k):
    """Equations (9) to (14)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                for m in range(D3):
                    z1[k, n, l_, t, m] = z1_product[n, l_, t, m]  # (9), (11), (13)
                    q1[k, n, l_, t, m] = z1[k, n, l_, t, m] + bq1[k, l_, m]  # (10), (12), (14)


@kernel
def _compute_p_z4(S_z4, S_z4_product, m_S_z4, e_z4, s_z4, p_z4, N, T, k):
    """Equations (15) to (19)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                m_S_z4_max = -np.inf
                for i in range(T):
                    S_z4[k, n, l_, t, i] = S_z4_product[n, l_, t, i] / math.sqrt(D3)  # (15)
                    if i <= t:
                        m_S_z4_max = _larger(m_S_z4_max, S_z4[k, n, l_, t, i])  # (16)
                m_S_z4[k, n, l_, t] = m_S_z4_max
                s_z4_sum = 0.0
                for i in range(T):
                    e_z4[k, n, l_, t, i] = (
                        _exp(S_z4[k, n, l_, t, i] - m_S_z4[k, n, l_, t]) if i <= t else 0.0
                    )  # (17)
                    s_z4_sum += e_z4[k, n, l_, t, i]  # (18)
                s_z4[k, n, l_, t] = s_z4_sum
                for i in range(T):
                    p_z4[k, n, l_, t, i] = e_z4[k, n, l_, t, i] / s_z4[k, n, l_, t]  # (19)


@kernel
def _compute_z4_left(o_z4, o_z4_product, z4_left, N, T, k):
    """Equations (20), (21), (64), (65), (68), (69)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                for m in range(D3):
                    o_z4[k, n, l_, t, m] = o_z4_product[n, l_, t, m]  # (20), (64), (65)
                    z4_left[n, t, l_, m] = o_z4[k, n, l_, t, m]  # (21), (68), (69)


@kernel
def _compute_h4(z4, z4_product, a4, a6, x1_2, bo4, m_h4, c_h4, v_h4, r_h4, x_h4, h4, gamma4, beta4, N, T, k):
    """Equations (21) to (28)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h4_sum = 0.0
            for j in range(D1):
                z4[k, n, t, j] = z4_product[n, t, j]  # (21)
                a4[k, n, t, j] = (
                    (a6[k - 1, n, t, j] if k >= 1 else x1_2[n, t, j]) + z4[k, n, t, j] + bo4[k, j]
                )  # (22)
                m_h4_sum += a4[k, n, t, j] / D1  # (23)
            m_h4[k, n, t] = m_h4_sum
            v_h4_sum = 0.0
            for j in range(D1):
                c_h4[k, n, t, j] = a4[k, n, t, j] - m_h4[k, n, t]  # (24)
                v_h4_sum += c_h4[k, n, t, j] * c_h4[k, n, t, j] / D1  # (25)
            v_h4[k, n, t] = v_h4_sum
            r_h4[k, n, t] = 1 / math.sqrt(v_h4[k, n, t] + 1e-5)  # (26)
            for j in range(D1):
                x_h4[k, n, t, j] = c_h4[k, n, t, j] * r_h4[k, n, t]  # (27)
                h4[k, n, t, j] = x_h4[k, n, t, j] * gamma4[k, j] + beta4[k, j]  # (28)


@kernel
def _compute_h5(z5, z5_product, a5, b5, h5, N, T, k):
    """Equations (29) to (31)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for q in range(4 * D1):
                z5[k, n, t, q] = z5_product[n, t, q]  # (29)
                a5[k, n, t, q] = z5[k, n, t, q] + b5[k, q]  # (30)
                h5[k, n, t, q] = (
                    (
                        _tanh(
                            0.7978845608028654
                            * (0.044715 * (a5[k, n, t, q] * a5[k, n, t, q] * a5[k, n, t, q]) + a5[k, n, t, q]),
                        ) + 1
                    ) * a5[k, n, t, q] / 2
                )  # (31)


@kernel
def _compute_a6(z6, z6_product, a6, a4, b6, N, T, k):
    """Equations (32), (33)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                z6[k, n, t, j] = z6_product[n, t, j]  # (32)
                a6[k, n, t, j] = a4[k, n, t, j] + z6[k, n, t, j] + b6[k, j]  # (33)


@kernel
def _compute_h6(a6, m_h6, c_h6, v_h6, r_h6, x_h6, h6, gamma6, beta6, N, T):
    """Equations (34) to (39)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            m_h6_sum = 0.0
            for j in range(D1):
                m_h6_sum += a6[D2 - 1, n, t, j] / D1  # (34)
            m_h6[n, t] = m_h6_sum
            v_h6_sum = 0.0
            for j in range(D1):
                c_h6[n, t, j] = a6[D2 - 1, n, t, j] - m_h6[n, t]  # (35)
                v_h6_sum += c_h6[n, t, j] * c_h6[n, t, j] / D1  # (36)
            v_h6[n, t] = v_h6_sum
            r_h6[n, t] = 1 / math.sqrt(v_h6[n, t] + 1e-5)  # (37)
            for j in range(D1):
                x_h6[n, t, j] = c_h6[n, t, j] * r_h6[n, t]  # (38)
                h6[n, t, j] = x_h6[n, t, j] * gamma6[j] + beta6[j]  # (39)


@kernel
def _compute_count(z, m_z, s_loss, y, count, N, T, V):
    """Equations (41) to (43)."""
    _disjoint()
    count_sum = 0.0
    for n in range(N):
        for t in range(T):
            m_z_max = -np.inf
            for i in range(V):
                m_z_max = _larger(m_z_max, z[n, t, i])  # (41)
            m_z[n, t] = m_z_max
            s_loss_sum = 0.0
            for i in range(V):
                s_loss_sum += _exp(z[n, t, i] - m_z[n, t])  # (42)
            s_loss[n, t] = s_loss_sum
            if y[n, t] != 0:
                count_sum += 1.0  # (43)
    count[0] = count_sum


@kernel
def _compute_loss(y, m_z, z, s_loss, count, loss, N, T):
    """Equation (44)."""
    _disjoint()
    loss_sum = 0.0
    for n in range(N):
        for t in range(T):
            if y[n, t] != 0:
                loss_sum += (m_z[n, t] - z[n, t, y[n, t]] + _log(s_loss[n, t])) / count[0]  # (44)
    loss[0] = loss_sum


@kernel
def _compute_dz(dz, z, m_z, s_loss, y, count, N, T, V):
    """Equation (45)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for i in range(V):
                dz[n, t, i] = (
                    (_exp(z[n, t, i] - m_z[n, t]) / s_loss[n, t] - (1.0 if i == y[n, t] else 0.0)) / count[0]
                    if y[n, t] != 0 else 0.0
                )  # (45)


@kernel
def _compute_dm_h6_s1(dgamma6, dbeta6, dx_h6, dh6, gamma6, x_h6, dr_h6_s1, dm_h6_s1, N, T):
    """Equations (47) to (51)."""
    _disjoint()
    dgamma6[:] = 0.0
    dbeta6[:] = 0.0
    for n in range(N):
        for t in range(T):
            dr_h6_s1_sum = 0.0
            dm_h6_s1_sum = 0.0
            for j in range(D1):
                dx_h6[n, t, j] = dh6[n, t, j] * gamma6[j]  # (47)
                dgamma6[j] += dh6[n, t, j] * x_h6[n, t, j]  # (48)
                dbeta6[j] += dh6[n, t, j]  # (49)
                dr_h6_s1_sum += dx_h6[n, t, j] * x_h6[n, t, j]  # (50)
                dm_h6_s1_sum += dx_h6[n, t, j]  # (51)
            dr_h6_s1[n, t] = dr_h6_s1_sum
            dm_h6_s1[n, t] = dm_h6_s1_sum


@kernel
def _compute_da6(
    da6, da4, dx_h1, x_h1, dr_h1_s1, r_h1, dm_h1_s1, dx_h6, x_h6, dr_h6_s1, dm_h6_s1, r_h6, N, T, k,
):
    """Equation (52)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                da6[k, n, t, j] = (
                    (
                        (
                            da4[k + 1, n, t, j]
                            + (dx_h1[k + 1, n, t, j] - x_h1[k + 1, n, t, j] * dr_h1_s1[k + 1, n, t] / D1)
                            * r_h1[k + 1, n, t] - dm_h1_s1[k + 1, n, t] * r_h1[k + 1, n, t] / D1
                        ) if k + 2 <= D2 else 0.0
                    )
                    + (
                        (dx_h6[n, t, j] - x_h6[n, t, j] * dr_h6_s1[n, t] / D1 - dm_h6_s1[n, t] / D1)
                        * r_h6[n, t] if k + 1 == D2 else 0.0
                    )
                )  # (52)


@kernel
def _compute_da5(dh5, dh5_product, a5, da5, N, T, k):
    """Equations (53), (54)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for q in range(4 * D1):
                dh5[k, n, t, q] = dh5_product[n, t, q]  # (53)
                u1 = _tanh(
                    0.7978845608028654
                    * (0.044715 * (a5[k, n, t, q] * a5[k, n, t, q] * a5[k, n, t, q]) + a5[k, n, t, q]),
                )  # (54)
                da5[k, n, t, q] = (
                    (
                        0.7978845608028654 * (0.134145 * (a5[k, n, t, q] * a5[k, n, t, q]) + 1)
                        * (1 - u1 * u1) * a5[k, n, t, q] + u1 + 1
                    ) * dh5[k, n, t, q] / 2
                )  # (54)


@kernel
def _compute_da4(dh4, dh4_product, dx_h4, gamma4, x_h4, dr_h4_s1, dm_h4_s1, da4, da6, r_h4, N, T, k):
    """Equations (55) to (59)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            dr_h4_s1_sum = 0.0
            dm_h4_s1_sum = 0.0
            for j in range(D1):
                dh4[k, n, t, j] = dh4_product[n, t, j]  # (55)
                dx_h4[k, n, t, j] = dh4[k, n, t, j] * gamma4[k, j]  # (56)
                dr_h4_s1_sum += dx_h4[k, n, t, j] * x_h4[k, n, t, j]  # (57)
                dm_h4_s1_sum += dx_h4[k, n, t, j]  # (58)
            dr_h4_s1[k, n, t] = dr_h4_s1_sum
            dm_h4_s1[k, n, t] = dm_h4_s1_sum
            for j in range(D1):
                da4[k, n, t, j] = (
                    da6[k, n, t, j]
                    + (dx_h4[k, n, t, j] - x_h4[k, n, t, j] * dr_h4_s1[k, n, t] / D1 - dm_h4_s1[k, n, t] / D1)
                    * r_h4[k, n, t]
                )  # (59)


@kernel
def _compute_do_z4(do_z4, do_z4_product, N, T, k):
    """Equation (60)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                for m in range(D3):
                    do_z4[k, n, l_, t, m] = do_z4_product[n, l_, t, m]  # (60)


@kernel
def _compute_dS_z4(dp_z4, dp_z4_product, p_z4, ds_z4_s1, dS_z4, N, T, k):
    """Equations (61) to (63)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                ds_z4_s1_sum = 0.0
                for i in range(T):
                    dp_z4[k, n, l_, t, i] = dp_z4_product[n, l_, t, i]  # (61)
                    ds_z4_s1_sum += dp_z4[k, n, l_, t, i] * p_z4[k, n, l_, t, i]  # (62)
                ds_z4_s1[k, n, l_, t] = ds_z4_s1_sum
                for i in range(T):
                    dS_z4[k, n, l_, t, i] = (
                        dp_z4[k, n, l_, t, i] - ds_z4_s1[k, n, l_, t]
                    ) * p_z4[k, n, l_, t, i]  # (63)


@kernel
def _compute_dh1_1_left(dq1, dq1_product, dh1_1_left, N, T, k):
    """Equations (66), (67)."""
    _disjoint()
    for n in range(N):
        for l_ in range(4):
            for t in range(T):
                for m in range(D3):
                    dq1[k, n, l_, t, m] = dq1_product[n, l_, t, m] / math.sqrt(D3)  # (66)
                    dh1_1_left[n, t, l_, m] = dq1[k, n, l_, t, m]  # (67)


@kernel
def _compute_dh1_1(dh1_1, dh1_1_product, N, T, k):
    """Equation (67)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dh1_1[k, n, t, j] = dh1_1_product[n, t, j]  # (67)


@kernel
def _compute_dh1_2(dh1_2, dh1_2_product, N, T, k):
    """Equation (68)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dh1_2[k, n, t, j] = dh1_2_product[n, t, j] / math.sqrt(D3)  # (68)


@kernel
def _compute_dm_h1_s1(
    dh1_3, dh1_3_product, dh1, dh1_1, dh1_2, dx_h1, gamma1, x_h1, dr_h1_s1, dm_h1_s1, N, T, k,
):
    """Equations (69) to (73)."""
    _disjoint()
    for n in range(N):
        for t in range(T):
            dr_h1_s1_sum = 0.0
            dm_h1_s1_sum = 0.0
            for j in range(D1):
                dh1_3[k, n, t, j] = dh1_3_product[n, t, j]  # (69)
                dh1[k, n, t, j] = dh1_1[k, n, t, j] + dh1_2[k, n, t, j] + dh1_3[k, n, t, j]  # (70)
                dx_h1[k, n, t, j] = dh1[k, n, t, j] * gamma1[k, j]  # (71)
                dr_h1_s1_sum += dx_h1[k, n, t, j] * x_h1[k, n, t, j]  # (72)
                dm_h1_s1_sum += dx_h1[k, n, t, j]  # (73)
            dr_h1_s1[k, n, t] = dr_h1_s1_sum
            dm_h1_s1[k, n, t] = dm_h1_s1_sum


@kernel
def _compute_dbeta1(
    dbo4, db6, db5, dgamma4, dbv3, dbq1, dgamma1, dbeta1, da4, da6, dh4, x_h4, dh1, x_h1, da5, dWo4_left,
    o_z4, dWq1_right, dq1, dWk2_right, dk2_s1, dWv3_right, dv3, dbk2, N, T,
):
    """Equations (74), (75), (77), (79), (81) to (89)."""
    _disjoint()
    for k in range(D2):
        dbo4[k, :] = 0.0
        db6[k, :] = 0.0
        db5[k, :] = 0.0
        dgamma4[k, :] = 0.0
        dbv3[k, :, :] = 0.0
        dbq1[k, :, :] = 0.0
        dgamma1[k, :] = 0.0
        dbeta1[k, :] = 0.0
        for n in range(N):
            for t in range(T):
                for j in range(D1):
                    dbo4[k, j] += da4[k, n, t, j]  # (74)
                    db6[k, j] += da6[k, n, t, j]  # (75)
                    dgamma4[k, j] += dh4[k, n, t, j] * x_h4[k, n, t, j]  # (79)
                    dgamma1[k, j] += dh1[k, n, t, j] * x_h1[k, n, t, j]  # (88)
                    dbeta1[k, j] += dh1[k, n, t, j]  # (89)
                for q in range(4 * D1):
                    db5[k, q] += da5[k, n, t, q]  # (77)
                for l_ in range(4):
                    for m in range(D3):
                        dWo4_left[k, n, t, l_, m] = o_z4[k, n, l_, t, m]  # (81)
                        dWq1_right[k, n, t, l_, m] = dq1[k, n, l_, t, m]  # (85)
                        dWk2_right[k, n, t, l_, m] = dk2_s1[k, n, l_, t, m]  # (86)
                        dWv3_right[k, n, t, l_, m] = dv3[k, n, l_, t, m]  # (87)
            for l_ in range(4):
                for t in range(T):
                    for m in range(D3):
                        dbv3[k, l_, m] += dv3[k, n, l_, t, m]  # (82)
                        dbq1[k, l_, m] += dq1[k, n, l_, t, m]  # (84)
        for l_ in range(4):
            for m in range(D3):
                dbk2[k, l_, m] = 0.0  # (83)


@kernel
def _compute_dWk2(dWk2):
    """Equation (86)."""
    _disjoint()
    for k in range(D2):
        for j in range(D1):
            for l_ in range(4):
                for m in range(D3):
                    dWk2[k, j, l_, m] *= 1 / math.sqrt(D3)  # (86)


@kernel
def _compute_dpositions_E(
    dtokens_E_1, dpositions_E, dx1_2, da4, dx_h1, x_h1, dr_h1_s1, dm_h1_s1, r_h1, x, N, T, V,
):
    """Equations (90), (91), (94)."""
    _disjoint()
    dtokens_E_1[:, :] = 0.0
    dpositions_E[:, :] = 0.0
    for n in range(N):
        for t in range(T):
            for j in range(D1):
                dx1_2[n, t, j] = (
                    da4[0, n, t, j]
                    + (dx_h1[0, n, t, j] - x_h1[0, n, t, j] * dr_h1_s1[0, n, t] / D1 - dm_h1_s1[0, n, t] / D1)
                    * r_h1[0, n, t]
                )  # (90)
                if x[n, t] + 1 <= V and x[n, t] >= 0:
                    dtokens_E_1[x[n, t], j] += dx1_2[n, t, j]  # (91)
                dpositions_E[t, j] += dx1_2[n, t, j]  # (94)


@kernel
def _compute_dtokens_E(dtokens_E, dtokens_E_1, dtokens_E_2, V):
    """Equation (93)."""
    _disjoint()
    for i in range(V):
        for j in range(D1):
            dtokens_E[i, j] = dtokens_E_1[i, j] + dtokens_E_2[i, j]  # (93)


@kernel
def _compute_exact(z, best, y, wrong, exact, N, T, V):
    """Equations (95) to (97)."""
    _disjoint()
    exact_sum = 0.0
    for n in range(N):
        wrong_sum = 0.0
        for t in range(T):
            best_argmax = -np.inf
            best_at = -1
            for i in range(V):
                if best_at < 0 or z[n, t, i] > best_argmax:  # (95)
                    best_argmax, best_at = z[n, t, i], i
            best[n, t] = best_at
            if best[n, t] != y[n, t] and y[n, t] != 0:
                wrong_sum += 1.0  # (96)
        wrong[n] = wrong_sum
        if wrong[n] == 0:
            exact_sum += float(1 / N)  # (97)
    exact[0] = exact_sum


@kernel
def _update(theta, gradient, m, v, step, lr, beta1, beta2, eps, weight_decay, clip_norm):
    """AdamW: one step over all parameters, in place."""
    _disjoint()
    rate = (
        (float(1 / 10) if step >= 875 else 0.05 * (9 * math.cos(0.004053667940115862 * (step - 100)) + 11))
        if step >= 101 else 0.01 * step
    ) * lr  # (U1)
    g_squares = 0.0
    for i in range(len(theta)):
        g_squares += gradient[i] * gradient[i]  # (U2)
    g_norm = math.sqrt(g_squares)  # (U3)
    g_scale = 1.0 if g_norm <= clip_norm else clip_norm / g_norm  # (U4)
    c1 = 1 - beta1  # (U6)
    c2 = 1 - beta2  # (U7)
    c3 = 1 - rate * weight_decay  # (U8)
    c4 = 1 - beta1**step  # (U8)
    c5 = 1 - beta2**step  # (U8)
    for i in range(len(theta)):
        g_clipped = g_scale * gradient[i]  # (U5)
        m_next = c1 * g_clipped + beta1 * m[i]  # (U6)
        v_next = c2 * (g_clipped * g_clipped) + beta2 * v[i]  # (U7)
        theta_next = c3 * theta[i] - rate * m_next / (c4 * (math.sqrt(v_next / c5) + eps))  # (U8)
        m[i] = m_next
        v[i] = v_next
        theta[i] = theta_next


@kernel
def _evaluate(theta, work, counts, at, x, y, N, T, V):
    """Outputs, loss and metrics."""
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _metrics(theta, work, counts, at, y, N, T, V)


@kernel
def _loss_and_gradients(theta, gradient, work, counts, at, x, y, N, T, V):
    """The loss, and its gradient by all parameters."""
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, N, T, V)
    return work[at[55]]


@kernel
def _train_step(
    theta, gradient, m, v, step_, lr, beta1_, beta2, eps, weight_decay, clip_norm, work, counts, at, x, y, N,
    T, V,
):
    """A whole step; the update is left out if the loss or a gradient is not finite, or large."""
    if _any_outside(x, V, 0):
        return math.nan, False, False
    if _any_outside(y, V, 0):
        return math.nan, False, False
    _forward(theta, work, counts, at, x, N, T, V)
    _loss(theta, work, counts, at, y, N, T, V)
    _backward(theta, gradient, work, counts, at, x, y, N, T, V)
    loss = work[at[55]]
    moderate = _all_moderate(gradient)
    finite = math.isfinite(loss) and (moderate or _all_finite(gradient))
    if finite and moderate:
        _update(theta, gradient, m, v, step_, lr, beta1_, beta2, eps, weight_decay, clip_norm)
    return loss, finite, moderate


def _places(N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 16, (N, T, D1)),
        "x1_2": (0, 1984 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "m_h1": (0, 2032 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "c_h1": (0, 28 * N * T**2 + 896 * N * T + 16, (D2, N, T, D1)),
        "v_h1": (0, 2034 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "r_h1": (0, 2600 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "x_h1": (0, 1152 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "h1": (0, 1216 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "z1_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (4, D1, D3)),
        "z2_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 1040, (4, D1, D3)),
        "z3_right": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 2064, (4, D1, D3)),
        "z1_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z1": (0, 28 * N * T**2 + 960 * N * T + 16, (D2, N, 4, T, D3)),
        "q1": (0, 1280 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z2_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z2": (0, 1024 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "k2": (0, 1344 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z3_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "z3": (0, 1088 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "v3": (0, 1408 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "S_z4_product": (0, 24 * N * T**2 + 16, (N, 4, T, T)),
        "S_z4": (0, 16, (D2, N, 4, T, T)),
        "m_S_z4": (0, 2016 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T)),
        "e_z4": (0, 8 * N * T**2 + 16, (D2, N, 4, T, T)),
        "s_z4": (0, 2024 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T)),
        "p_z4": (0, 16 * N * T**2 + 16, (D2, N, 4, T, T)),
        "o_z4_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, 4, T, D3)),
        "o_z4": (0, 1472 * N * T + 28 * N * T**2 + 16, (D2, N, 4, T, D3)),
        "z4_left": (0, 28 * N * T**2 + 800 * N * T + 16, (N, T, 4, D3)),
        "z4_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, D1)),
        "z4": (0, 1536 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "a4": (0, 1600 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "m_h4": (0, 2036 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "c_h4": (0, 1664 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "v_h4": (0, 2038 * N * T + 28 * N * T**2 + 16, (D2, N, T)),
        "r_h4": (0, 2602 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "x_h4": (0, 1728 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "h4": (0, 1792 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "z5_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, 4 * D1)),
        "z5": (0, 28 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "a5": (0, 256 * N * T + 28 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "h5": (0, 28 * N * T**2 + 512 * N * T + 16, (D2, N, T, 4 * D1)),
        "z6_product": (0, 28 * N * T**2 + 768 * N * T + 16, (N, T, D1)),
        "z6": (0, 1856 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "a6": (0, 1920 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "m_h6": (0, 16, (N, T)),
        "c_h6": (0, 24 * N * T**2 + 16, (N, T, D1)),
        "v_h6": (0, N * T + 16, (N, T)),
        "r_h6": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T)),
        "x_h6": (0, 2496 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "h6": (0, 2528 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "z": (0, 1856 * N * T + 28 * N * T**2 + 16, (N, T, V)),
        "m_z": (0, 16, (N, T)),
        "s_loss": (0, N * T + 16, (N, T)),
        "count": (0, 0, ()),
        "loss": (0, 1, ()),
        "dz": (0, 1856 * N * T + 28 * N * T**2 + N * T * V + 16, (N, T, V)),
        "dh6": (0, 24 * N * T**2 + 16, (N, T, D1)),
        "dx_h6": (0, 2560 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T, D1)),
        "dr_h6_s1": (0, 1856 * N * T + 28 * N * T**2 + 16, (N, T)),
        "dm_h6_s1": (0, 2613 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (N, T)),
        "da6": (0, 1536 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dh5_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, 4 * D1)),
        "dh5": (0, 24 * N * T**2 + 16, (D2, N, T, 4 * D1)),
        "da5": (0, 28 * N * T**2 + 768 * N * T + 16, (D2, N, T, 4 * D1)),
        "dh4_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh4": (0, 1600 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dx_h4": (0, 1664 * N * T + 28 * N * T**2 + 16, (D2, N, T, D1)),
        "dr_h4_s1": (0, 2604 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dm_h4_s1": (0, 2606 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "da4": (0, 1856 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "do_z4_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "do_z4": (0, 1920 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dp_z4_product": (0, 24 * N * T**2 + 256 * N * T + 16, (N, 4, T, T)),
        "dp_z4": (0, 16, (D2, N, 4, T, T)),
        "ds_z4_s1": (0, 2592 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T)),
        "dS_z4": (0, 8 * N * T**2 + 16, (D2, N, 4, T, T)),
        "dv3_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dv3": (0, 1984 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_3_left": (0, 1056 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dk2_s1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dk2_s1": (0, 2048 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_2_left": (0, 1088 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dq1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, 4, T, D3)),
        "dq1": (0, 2112 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, 4, T, D3)),
        "dh1_1_left": (0, 1120 * N * T + 28 * N * T**2 + 16, (N, T, 4, D3)),
        "dh1_1_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_1": (0, 2176 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1_2_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_2": (0, 2240 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1_3_product": (0, 1024 * N * T + 28 * N * T**2 + 16, (N, T, D1)),
        "dh1_3": (0, 2304 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dh1": (0, 2368 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dx_h1": (0, 2432 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T, D1)),
        "dr_h1_s1": (0, 2608 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dm_h1_s1": (0, 2610 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (D2, N, T)),
        "dWo4_left": (0, 16, (D2, N, T, 4, D3)),
        "dWq1_right": (0, 64 * N * T + 16, (D2, N, T, 4, D3)),
        "dWk2_right": (0, 128 * N * T + 16, (D2, N, T, 4, D3)),
        "dWv3_right": (0, 192 * N * T + 16, (D2, N, T, 4, D3)),
        "dx1_2": (0, 16, (N, T, D1)),
        "dtokens_E_1": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 16, (V, D1)),
        "dtokens_E_2": (0, 2612 * N * T + 28 * N * T**2 + 2 * N * T * V + 32 * V + 16, (V, D1)),
        "best": (1, 0, (N, T)),
        "wrong": (0, N * T + 16, (N,)),
        "exact": (0, 0, ()),
    }


def _initial(rng, sizes):
    """The parameters' starting values, drawn in this order."""
    T = sizes["T"]
    V = sizes["V"]
    return {
        # the author's choice
        "tokens_E": 0.02 * rng.standard_normal((V, D1)),
        "positions_E": 0.02 * rng.standard_normal((T, D1)),
        "gamma1": np.full((D2, D1), 1),
        # an offset needs no asymmetry to learn
        "beta1": np.zeros((D2, D1)),
        # the author's choice
        "Wq1": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bq1": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wk2": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bk2": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wv3": 0.02 * rng.standard_normal((D2, D1, 4, D3)),
        # an offset needs no asymmetry to learn
        "bv3": np.zeros((D2, 4, D3)),
        # the author's choice
        "Wo4": 0.02 * rng.standard_normal((D2, 4, D3, D1)),
        # an offset needs no asymmetry to learn
        "bo4": np.zeros((D2, D1)),
        # the author's choice
        "gamma4": np.full((D2, D1), 1),
        # an offset needs no asymmetry to learn
        "beta4": np.zeros((D2, D1)),
        # the author's choice
        "W5": 0.02 * rng.standard_normal((D2, D1, 4 * D1)),
        # an offset needs no asymmetry to learn
        "b5": np.zeros((D2, 4 * D1)),
        # the author's choice
        "W6": 0.02 * rng.standard_normal((D2, 4 * D1, D1)),
        # an offset needs no asymmetry to learn
        "b6": np.zeros((D2, D1)),
        # the author's choice
        "gamma6": np.full(D1, 1),
        # an offset needs no asymmetry to learn
        "beta6": np.zeros(D1),
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
