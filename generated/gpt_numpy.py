"""gpt: a network that trains in NumPy.

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

    flops      96·D1·D2·D3·N·T + 187·D1·D2·N·T + 28·D2·D3·N·T + 48·D2·D3·N·T² + 48·D2·N·T·D1²
               + 6·D1·N·T·V + 14·N·T·V + 33·D1·N·T + 4·D1·D2·D3 + 4·D2·N·T + 64·D2·N·T² + 15·N·T
               + 8·D2·D1² + D1·V
             = 18,432 + 206·N·T·V + 160,951·N·T + 896·N·T² + 32·V
    bytes      32 + 1,240·D1·D2·N·T + 1,792·D2·D3·N·T + 256·D3·N·T + 368·D2·N·T + 384·D1·N·T
               + 608·D1·D2·D3 + 608·D2·N·T² + 72·N·T·V + 16·D1·T + 192·D2·D3 + 208·D1·D2 + 216·N·T
               + 224·D2·D1² + 56·D1·V + 64·N·T² + 40·D1
             = 787,744 + 72·N·T·V + 123,320·N·T + 1,280·N·T² + 1,792·V + 512·T
    workspace  393,480 + 16·N·T·V + 23,632·N·T + 352·N·T² + 16·N + 16·T + 528·V + max(T², 2·N·T
               + N·T·V) bytes
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
from pathlib import Path
from typing import Any, Self

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("N", "T", "V")
POSITIONS = ("range_T", "range_N", "range_V", "range_")
ONES = ("ones_D1", "ones_T", "ones_V", "ones_NT", "ones_N")
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


# ---- The network ----


def _forward(params, tensors, N, T, V):
    """The outputs: equations (1) to (40)."""
    tokens_E, positions_E, gamma1 = params["tokens_E"], params["positions_E"], params["gamma1"]
    beta1, Wq1, bq1, Wk2 = params["beta1"], params["Wq1"], params["bq1"], params["Wk2"]
    bk2, Wv3, bv3, Wo4 = params["bk2"], params["Wv3"], params["bv3"], params["Wo4"]
    bo4, gamma4, beta4, W5 = params["bo4"], params["gamma4"], params["beta4"], params["W5"]
    b5, W6, b6, gamma6 = params["b5"], params["W6"], params["b6"], params["gamma6"]
    beta6 = params["beta6"]
    x1, x1_2, m_h1, c_h1 = tensors["x1"], tensors["x1_2"], tensors["m_h1"], tensors["c_h1"]
    v_h1, r_h1, x_h1, h1 = tensors["v_h1"], tensors["r_h1"], tensors["x_h1"], tensors["h1"]
    z1, q1, z2, k2 = tensors["z1"], tensors["q1"], tensors["z2"], tensors["k2"]
    z3, v3, S_z4, m_S_z4 = tensors["z3"], tensors["v3"], tensors["S_z4"], tensors["m_S_z4"]
    e_z4, s_z4, p_z4, o_z4 = tensors["e_z4"], tensors["s_z4"], tensors["p_z4"], tensors["o_z4"]
    z4, a4, m_h4, c_h4 = tensors["z4"], tensors["a4"], tensors["m_h4"], tensors["c_h4"]
    v_h4, r_h4, x_h4, h4 = tensors["v_h4"], tensors["r_h4"], tensors["x_h4"], tensors["h4"]
    z5, a5, h5_tanh, h5 = tensors["z5"], tensors["a5"], tensors["h5_tanh"], tensors["h5"]
    z6, a6, m_h6, c_h6 = tensors["z6"], tensors["a6"], tensors["m_h6"], tensors["c_h6"]
    v_h6, r_h6, x_h6, h6 = tensors["v_h6"], tensors["r_h6"], tensors["x_h6"], tensors["h6"]
    z = tensors["z"]
    t_N_T_D1, t_N4TT, is_TT = tensors["t_N_T_D1"], tensors["t_N4TT"], tensors["is_TT"]
    t_N_T_4_D3, ones_D1, range_T = tensors["t_N_T_4_D3"], tensors["ones_D1"], tensors["range_T"]
    ones_T = tensors["ones_T"]
    t_N_T_D1_rows = t_N_T_D1.reshape(N * T, D1)
    c1 = math.sqrt(D3)  # (15)
    range_T_column = range_T[:, None]
    c2 = 4 * N  # (18)
    t_N_T_4_D3_rows = t_N_T_4_D3.reshape(N * T, 4 * D3)
    a6_rows = a6[D2 - 1].reshape(N * T, D1)
    m_h6_flat = m_h6.reshape(N * T)
    c3 = np.array(D1, DTYPE)  # (34)
    a6_last = a6[D2 - 1]
    m_h6_column = m_h6[..., None]
    v_h6_flat = v_h6.reshape(N * T)
    c4 = np.array(1e-5, DTYPE)  # (37)
    one = np.array(1, DTYPE)
    r_h6_column = r_h6[..., None]
    h6_rows = h6.reshape(N * T, D1)
    tokens_E_T = tokens_E.T
    z_rows = z.reshape(N * T, V)

    def run(data):
        x = data["x"]
        np.take(tokens_E, x, 0, out=x1, mode="clip")  # (1)
        np.add(x1, positions_E, out=x1_2)  # (2)
        for k in range(D2):
            np.dot(
                (a6[k - 1] if k >= 1 else x1_2).reshape(N * T, D1), ones_D1, out=m_h1[k].reshape(N * T)
            )  # (3)
            np.divide(m_h1[k], D1, out=m_h1[k])  # (3)
            np.subtract(a6[k - 1] if k >= 1 else x1_2, m_h1[k][..., None], out=c_h1[k])  # (4)
            np.multiply(c_h1[k], c_h1[k], out=t_N_T_D1)  # (5)
            np.dot(t_N_T_D1_rows, ones_D1, out=v_h1[k].reshape(N * T))  # (5)
            np.divide(v_h1[k], D1, out=v_h1[k])  # (5)
            np.add(v_h1[k], 1e-5, out=r_h1[k])  # (6)
            np.sqrt(r_h1[k], out=r_h1[k])  # (6)
            np.divide(1, r_h1[k], out=r_h1[k])  # (6)
            np.multiply(c_h1[k], r_h1[k][..., None], out=x_h1[k])  # (7)
            np.multiply(x_h1[k], gamma1[k], out=h1[k])  # (8)
            np.add(h1[k], beta1[k], out=h1[k])  # (8)
            np.matmul(h1[k][:, None], Wq1[k].transpose(1, 0, 2), out=z1[k])  # (9)
            np.add(z1[k], bq1[k][:, None, :], out=q1[k])  # (10)
            np.matmul(h1[k][:, None], Wk2[k].transpose(1, 0, 2), out=z2[k])  # (11)
            np.add(z2[k], bk2[k][:, None, :], out=k2[k])  # (12)
            np.matmul(h1[k][:, None], Wv3[k].transpose(1, 0, 2), out=z3[k])  # (13)
            np.add(z3[k], bv3[k][:, None, :], out=v3[k])  # (14)
            np.matmul(q1[k], k2[k].swapaxes(-1, -2), out=S_z4[k])  # (15)
            np.divide(S_z4[k], c1, out=S_z4[k])  # (15)
            np.less_equal(range_T, range_T_column, out=is_TT)  # (16)
            np.copyto(t_N4TT, S_z4[k])  # (16)
            _choose(t_N4TT, is_TT, -np.inf)  # (16)
            t_N4TT.max(3, out=m_S_z4[k])  # (16)
            np.less_equal(range_T, range_T_column, out=is_TT)  # (17)
            np.subtract(S_z4[k], m_S_z4[k][..., None], out=e_z4[k])  # (17)
            np.exp(e_z4[k], out=e_z4[k])  # (17)
            _choose(e_z4[k], is_TT, 0)  # (17)
            np.dot(e_z4[k].reshape(c2 * T, T), ones_T, out=s_z4[k].reshape(c2 * T))  # (18)
            np.divide(e_z4[k], s_z4[k][..., None], out=p_z4[k])  # (19)
            np.matmul(p_z4[k], v3[k], out=o_z4[k])  # (20)
            np.copyto(t_N_T_4_D3, o_z4[k].transpose(0, 2, 1, 3))  # (21)
            np.matmul(t_N_T_4_D3_rows, Wo4[k].reshape(4 * D3, D1), out=z4[k].reshape(N * T, D1))  # (21)
            np.add(a6[k - 1] if k >= 1 else x1_2, z4[k], out=a4[k])  # (22)
            np.add(a4[k], bo4[k], out=a4[k])  # (22)
            np.dot(a4[k].reshape(N * T, D1), ones_D1, out=m_h4[k].reshape(N * T))  # (23)
            np.divide(m_h4[k], D1, out=m_h4[k])  # (23)
            np.subtract(a4[k], m_h4[k][..., None], out=c_h4[k])  # (24)
            np.multiply(c_h4[k], c_h4[k], out=t_N_T_D1)  # (25)
            np.dot(t_N_T_D1_rows, ones_D1, out=v_h4[k].reshape(N * T))  # (25)
            np.divide(v_h4[k], D1, out=v_h4[k])  # (25)
            np.add(v_h4[k], 1e-5, out=r_h4[k])  # (26)
            np.sqrt(r_h4[k], out=r_h4[k])  # (26)
            np.divide(1, r_h4[k], out=r_h4[k])  # (26)
            np.multiply(c_h4[k], r_h4[k][..., None], out=x_h4[k])  # (27)
            np.multiply(x_h4[k], gamma4[k], out=h4[k])  # (28)
            np.add(h4[k], beta4[k], out=h4[k])  # (28)
            np.dot(h4[k].reshape(N * T, D1), W5[k], out=z5[k].reshape(N * T, 4 * D1))  # (29)
            np.add(z5[k], b5[k], out=a5[k])  # (30)
            np.multiply(a5[k], a5[k], out=h5_tanh[k])  # (31)
            np.multiply(h5_tanh[k], a5[k], out=h5_tanh[k])  # (31)
            np.multiply(0.044715, h5_tanh[k], out=h5_tanh[k])  # (31)
            np.add(h5_tanh[k], a5[k], out=h5_tanh[k])  # (31)
            np.multiply(0.7978845608028654, h5_tanh[k], out=h5_tanh[k])  # (31)
            np.tanh(h5_tanh[k], out=h5_tanh[k])  # (31)
            np.add(h5_tanh[k], 1, out=h5[k])  # (31)
            np.multiply(h5[k], a5[k], out=h5[k])  # (31)
            np.divide(h5[k], 2, out=h5[k])  # (31)
            np.dot(h5[k].reshape(N * T, 4 * D1), W6[k], out=z6[k].reshape(N * T, D1))  # (32)
            np.add(a4[k], z6[k], out=a6[k])  # (33)
            np.add(a6[k], b6[k], out=a6[k])  # (33)
        np.dot(a6_rows, ones_D1, out=m_h6_flat)  # (34)
        np.divide(m_h6, c3, out=m_h6)  # (34)
        np.subtract(a6_last, m_h6_column, out=c_h6)  # (35)
        np.multiply(c_h6, c_h6, out=t_N_T_D1)  # (36)
        np.dot(t_N_T_D1_rows, ones_D1, out=v_h6_flat)  # (36)
        np.divide(v_h6, c3, out=v_h6)  # (36)
        np.add(v_h6, c4, out=r_h6)  # (37)
        np.sqrt(r_h6, out=r_h6)  # (37)
        np.divide(one, r_h6, out=r_h6)  # (37)
        np.multiply(c_h6, r_h6_column, out=x_h6)  # (38)
        np.multiply(x_h6, gamma6, out=h6)  # (39)
        np.add(h6, beta6, out=h6)  # (39)
        np.dot(h6_rows, tokens_E_T, out=z_rows)  # (40)

    return run


def _loss(params, tensors, N, T, V):
    """The loss: equations (41) to (44)."""
    z, m_z, s_loss_exp, s_loss = tensors["z"], tensors["m_z"], tensors["s_loss_exp"], tensors["s_loss"]
    count, loss = tensors["count"], tensors["loss"]
    is_NT, t_NT, at_NT, at_NT2 = tensors["is_NT"], tensors["t_NT"], tensors["at_NT"], tensors["at_NT2"]
    t_NT2, range_T, ones_V = tensors["t_NT2"], tensors["range_T"], tensors["ones_V"]
    range_N = tensors["range_N"]
    m_z_column = m_z[..., None]
    s_loss_exp_rows = s_loss_exp.reshape(N * T, V)
    s_loss_flat = s_loss.reshape(N * T)
    c1 = np.array(T, np.int64)  # (44)
    range_N_column = range_N[:, None]
    c2 = np.array(V, np.int64)  # (44)
    c3 = V - 1  # (44)
    z_flat = z.reshape(-1)

    def run(data):
        y = data["y"]
        z.max(2, out=m_z)  # (41)
        np.subtract(z, m_z_column, out=s_loss_exp)  # (42)
        np.exp(s_loss_exp, out=s_loss_exp)  # (42)
        np.dot(s_loss_exp_rows, ones_V, out=s_loss_flat)  # (42)
        np.not_equal(y, 0, out=is_NT)  # (43)
        count[...] = DTYPE(is_NT.sum())  # (43)
        np.not_equal(y, 0, out=is_NT)  # (44)
        np.multiply(range_N_column, c1, out=at_NT)  # (44)
        np.add(at_NT, range_T, out=at_NT)  # (44)
        np.multiply(at_NT, c2, out=at_NT)  # (44)
        np.clip(y, 0, c3, out=at_NT2)  # (44)
        np.add(at_NT, at_NT2, out=at_NT)  # (44)
        np.take(z_flat, at_NT, out=t_NT, mode="clip")  # (44)
        np.subtract(m_z, t_NT, out=t_NT)  # (44)
        np.log(s_loss, out=t_NT2)  # (44)
        np.add(t_NT, t_NT2, out=t_NT)  # (44)
        np.divide(t_NT, count, out=t_NT)  # (44)
        _choose(t_NT, is_NT, 0)  # (44)
        loss[...] = t_NT.sum()  # (44)

    return run


def _backward(params, tensors, gradients, N, T, V):
    """The gradients: equations (45) to (94)."""
    tokens_E, gamma1, Wq1, Wk2 = params["tokens_E"], params["gamma1"], params["Wq1"], params["Wk2"]
    Wv3, Wo4, gamma4, W5 = params["Wv3"], params["Wo4"], params["gamma4"], params["W5"]
    W6, gamma6 = params["W6"], params["gamma6"]
    r_h1, x_h1, h1, q1 = tensors["r_h1"], tensors["x_h1"], tensors["h1"], tensors["q1"]
    k2, v3, p_z4, o_z4 = tensors["k2"], tensors["v3"], tensors["p_z4"], tensors["o_z4"]
    r_h4, x_h4, h4, a5 = tensors["r_h4"], tensors["x_h4"], tensors["h4"], tensors["a5"]
    h5_tanh, h5, r_h6, x_h6 = tensors["h5_tanh"], tensors["h5"], tensors["r_h6"], tensors["x_h6"]
    h6, s_loss_exp, s_loss, count = tensors["h6"], tensors["s_loss_exp"], tensors["s_loss"], tensors["count"]
    dz, dh6, dx_h6, dr_h6_s1 = tensors["dz"], tensors["dh6"], tensors["dx_h6"], tensors["dr_h6_s1"]
    dm_h6_s1, da6_all, da6, dh5 = tensors["dm_h6_s1"], tensors["da6_all"], tensors["da6"], tensors["dh5"]
    da5, dh4, dx_h4, dr_h4_s1 = tensors["da5"], tensors["dh4"], tensors["dx_h4"], tensors["dr_h4_s1"]
    dm_h4_s1, da4, do_z4, dp_z4 = tensors["dm_h4_s1"], tensors["da4"], tensors["do_z4"], tensors["dp_z4"]
    ds_z4_s1, dS_z4, dv3, dk2_s1 = tensors["ds_z4_s1"], tensors["dS_z4"], tensors["dv3"], tensors["dk2_s1"]
    dq1, dh1_1, dh1_2, dh1_3 = tensors["dq1"], tensors["dh1_1"], tensors["dh1_2"], tensors["dh1_3"]
    dh1, dx_h1, dr_h1_s1 = tensors["dh1"], tensors["dx_h1"], tensors["dr_h1_s1"]
    dm_h1_s1, dx1_2, dtokens_E_1 = tensors["dm_h1_s1"], tensors["dx1_2"], tensors["dtokens_E_1"]
    dtokens_E_2 = tensors["dtokens_E_2"]
    dtokens_E, dpositions_E, dgamma1 = gradients["tokens_E"], gradients["positions_E"], gradients["gamma1"]
    dbeta1, dWq1, dbq1, dWk2 = gradients["beta1"], gradients["Wq1"], gradients["bq1"], gradients["Wk2"]
    dbk2, dWv3, dbv3, dWo4 = gradients["bk2"], gradients["Wv3"], gradients["bv3"], gradients["Wo4"]
    dbo4, dgamma4, dbeta4, dW5 = gradients["bo4"], gradients["gamma4"], gradients["beta4"], gradients["W5"]
    db5, dW6, db6, dgamma6 = gradients["b5"], gradients["W6"], gradients["b6"], gradients["gamma6"]
    dbeta6 = gradients["beta6"]
    t_N_T_D1, t_N4TT, t_N_T_4_D3 = tensors["t_N_T_D1"], tensors["t_N4TT"], tensors["t_N_T_4_D3"]
    is_NT, t_NT, is_NT1, is_NTV = tensors["is_NT"], tensors["t_NT"], tensors["is_NT1"], tensors["is_NTV"]
    t_1, t_2, t_D2_N_T_D1, t_3 = tensors["t_1"], tensors["t_2"], tensors["t_D2_N_T_D1"], tensors["t_3"]
    t_D2_N_T_4_D3, order, ordered = tensors["t_D2_N_T_4_D3"], tensors["order"], tensors["ordered"]
    ones_D1, ones_T, range_V = tensors["ones_D1"], tensors["ones_T"], tensors["range_V"]
    ones_NT, range_, ones_N = tensors["ones_NT"], tensors["range_"], tensors["ones_N"]
    is_NT_column = is_NT[..., None]
    s_loss_column = s_loss[..., None]
    dz_rows = dz.reshape(N * T, V)
    dh6_rows = dh6.reshape(N * T, D1)
    t_N_T_D1_rows = t_N_T_D1.reshape(N * T, D1)
    dr_h6_s1_flat = dr_h6_s1.reshape(N * T)
    dx_h6_rows = dx_h6.reshape(N * T, D1)
    dm_h6_s1_flat = dm_h6_s1.reshape(N * T)
    c1 = np.array(D1, DTYPE)  # (52)
    one = np.array(1, DTYPE)
    t_NT_column = t_NT[..., None]
    t_N4TT_rows = t_N4TT.reshape(4 * N * T, T)
    c2 = 4 * N  # (62)
    c3 = math.sqrt(D3)  # (66)
    t_N_T_4_D3_rows = t_N_T_4_D3.reshape(N * T, 4 * D3)
    c4 = np.array(math.sqrt(D3), DTYPE)  # (68)
    t_2_shaped = t_2.reshape(N, T, D1)
    da4_shaped = da4.reshape(D2, N * T, D1)
    da6_shaped = da6.reshape(D2, N * T, D1)
    da5_shaped = da5.reshape(D2, N * T, 4 * D1)
    t_D2_N_T_D1_shaped = t_D2_N_T_D1.reshape(D2, N * T, D1)
    dh1_shaped = dh1.reshape(D2, N * T, D1)
    h5_T = h5.reshape(D2, N * T, 4 * D1).swapaxes(-1, -2)
    h4_T = h4.reshape(D2, N * T, D1).swapaxes(-1, -2)
    db5_column = db5[..., None]
    dbeta4_column = dbeta4[..., None]
    t_3_shaped = t_3.reshape(D2, N, T, 4, D3)
    o_z4_turned = o_z4.transpose(0, 1, 3, 2, 4)
    t_3_T = t_3.swapaxes(-1, -2)
    dWo4_shaped = dWo4.reshape(D2, 4 * D3, D1)
    dq1_turned = dq1.transpose(0, 1, 3, 2, 4)
    h1_T = h1.reshape(D2, N * T, D1).swapaxes(-1, -2)
    t_D2_N_T_4_D3_shaped = t_D2_N_T_4_D3.reshape(D2, N * T, 4 * D3)
    dWq1_shaped = dWq1.reshape(D2, D1, 4 * D3)
    dk2_s1_turned = dk2_s1.transpose(0, 1, 3, 2, 4)
    dWk2_shaped = dWk2.reshape(D2, D1, 4 * D3)
    dv3_turned = dv3.transpose(0, 1, 3, 2, 4)
    dWv3_shaped = dWv3.reshape(D2, D1, 4 * D3)
    x_h1_0 = x_h1[0]
    dr_h1_s1_0_column = dr_h1_s1[0][..., None]
    dx_h1_0 = dx_h1[0]
    dm_h1_s1_0 = dm_h1_s1[0]
    r_h1_0_column = r_h1[0][..., None]
    da4_0 = da4[0]
    dx1_2_rows = dx1_2.reshape(N, D1 * T)
    dpositions_E_flat = dpositions_E.reshape(D1 * T)
    dz_T = dz.reshape(N * T, V).T
    h6_rows = h6.reshape(N * T, D1)

    def run(data):
        x, y = data["x"], data["y"]
        np.not_equal(y, 0, out=is_NT)  # (45)
        np.copyto(is_NT1, is_NT_column)  # (45)
        np.divide(s_loss_exp, s_loss_column, out=dz)  # (45)
        np.equal(range_V, y[..., None], out=is_NTV)  # (45)
        np.subtract(dz, is_NTV, out=dz)  # (45)
        np.divide(dz, count, out=dz)  # (45)
        _choose(dz, is_NT1, 0)  # (45)
        np.dot(dz_rows, tokens_E, out=dh6_rows)  # (46)
        np.multiply(dh6, gamma6, out=dx_h6)  # (47)
        np.multiply(dh6, x_h6, out=t_N_T_D1)  # (48)
        np.dot(ones_NT, t_N_T_D1_rows, out=dgamma6)  # (48)
        np.dot(ones_NT, dh6_rows, out=dbeta6)  # (49)
        np.multiply(dx_h6, x_h6, out=t_N_T_D1)  # (50)
        np.dot(t_N_T_D1_rows, ones_D1, out=dr_h6_s1_flat)  # (50)
        np.dot(dx_h6_rows, ones_D1, out=dm_h6_s1_flat)  # (51)
        np.divide(dm_h6_s1, c1, out=da6_all)  # (52)
        for k in reversed(range(D2)):
            if k + 2 <= D2:  # (52)
                np.multiply(x_h1[k + 1], dr_h1_s1[k + 1][..., None], out=da6[k])  # (52)
                np.divide(da6[k], D1, out=da6[k])  # (52)
                np.subtract(dx_h1[k + 1], da6[k], out=da6[k])  # (52)
                np.multiply(da6[k], r_h1[k + 1][..., None], out=da6[k])  # (52)
                np.add(da4[k + 1], da6[k], out=da6[k])  # (52)
                np.multiply(dm_h1_s1[k + 1], r_h1[k + 1], out=t_NT)  # (52)
                np.divide(t_NT, D1, out=t_NT)  # (52)
                np.subtract(da6[k], t_NT[..., None], out=da6[k])  # (52)
            else:  # (52)
                da6[k].fill(0)  # (52)
            if k + 1 == D2:  # (52)
                np.multiply(x_h6, dr_h6_s1[..., None], out=t_N_T_D1)  # (52)
                np.divide(t_N_T_D1, D1, out=t_N_T_D1)  # (52)
                np.subtract(dx_h6, t_N_T_D1, out=t_N_T_D1)  # (52)
                np.subtract(t_N_T_D1, da6_all[..., None], out=t_N_T_D1)  # (52)
                np.multiply(t_N_T_D1, r_h6[..., None], out=t_N_T_D1)  # (52)
            else:  # (52)
                t_N_T_D1.fill(0)  # (52)
            np.add(da6[k], t_N_T_D1, out=da6[k])  # (52)
            np.dot(da6[k].reshape(N * T, D1), W6[k].T, out=dh5[k].reshape(N * T, 4 * D1))  # (53)
            np.multiply(a5[k], a5[k], out=da5[k])  # (54)
            np.multiply(0.134145, da5[k], out=da5[k])  # (54)
            np.add(da5[k], 1, out=da5[k])  # (54)
            np.multiply(0.7978845608028654, da5[k], out=da5[k])  # (54)
            np.multiply(h5_tanh[k], h5_tanh[k], out=t_1)  # (54)
            np.subtract(one, t_1, out=t_1)  # (54)
            np.multiply(da5[k], t_1, out=da5[k])  # (54)
            np.multiply(da5[k], a5[k], out=da5[k])  # (54)
            np.add(h5_tanh[k], da5[k], out=da5[k])  # (54)
            np.add(da5[k], 1, out=da5[k])  # (54)
            np.multiply(da5[k], dh5[k], out=da5[k])  # (54)
            np.divide(da5[k], 2, out=da5[k])  # (54)
            np.dot(da5[k].reshape(N * T, 4 * D1), W5[k].T, out=dh4[k].reshape(N * T, D1))  # (55)
            np.multiply(dh4[k], gamma4[k], out=dx_h4[k])  # (56)
            np.multiply(dx_h4[k], x_h4[k], out=t_N_T_D1)  # (57)
            np.dot(t_N_T_D1_rows, ones_D1, out=dr_h4_s1[k].reshape(N * T))  # (57)
            np.dot(dx_h4[k].reshape(N * T, D1), ones_D1, out=dm_h4_s1[k].reshape(N * T))  # (58)
            np.multiply(x_h4[k], dr_h4_s1[k][..., None], out=da4[k])  # (59)
            np.divide(da4[k], D1, out=da4[k])  # (59)
            np.subtract(dx_h4[k], da4[k], out=da4[k])  # (59)
            np.divide(dm_h4_s1[k], D1, out=t_NT)  # (59)
            np.subtract(da4[k], t_NT_column, out=da4[k])  # (59)
            np.multiply(da4[k], r_h4[k][..., None], out=da4[k])  # (59)
            np.add(da6[k], da4[k], out=da4[k])  # (59)
            np.matmul(da4[k][:, None], Wo4[k].swapaxes(-1, -2), out=do_z4[k])  # (60)
            np.matmul(do_z4[k], v3[k].swapaxes(-1, -2), out=dp_z4[k])  # (61)
            np.multiply(dp_z4[k], p_z4[k], out=t_N4TT)  # (62)
            np.dot(t_N4TT_rows, ones_T, out=ds_z4_s1[k].reshape(c2 * T))  # (62)
            np.subtract(dp_z4[k], ds_z4_s1[k][..., None], out=dS_z4[k])  # (63)
            np.multiply(dS_z4[k], p_z4[k], out=dS_z4[k])  # (63)
            np.matmul(p_z4[k].swapaxes(-1, -2), do_z4[k], out=dv3[k])  # (64)
            np.matmul(dS_z4[k].swapaxes(-1, -2), q1[k], out=dk2_s1[k])  # (65)
            np.matmul(dS_z4[k], k2[k], out=dq1[k])  # (66)
            np.divide(dq1[k], c3, out=dq1[k])  # (66)
            np.copyto(t_N_T_4_D3, dq1[k].transpose(0, 2, 1, 3))  # (67)
            np.matmul(t_N_T_4_D3_rows, Wq1[k].reshape(D1, 4 * D3).T, out=dh1_1[k].reshape(N * T, D1))  # (67)
            np.copyto(t_N_T_4_D3, dk2_s1[k].transpose(0, 2, 1, 3))  # (68)
            np.matmul(t_N_T_4_D3_rows, Wk2[k].reshape(D1, 4 * D3).T, out=t_2)  # (68)
            np.divide(t_2_shaped, c4, out=dh1_2[k])  # (68)
            np.copyto(t_N_T_4_D3, dv3[k].transpose(0, 2, 1, 3))  # (69)
            np.matmul(t_N_T_4_D3_rows, Wv3[k].reshape(D1, 4 * D3).T, out=dh1_3[k].reshape(N * T, D1))  # (69)
            np.add(dh1_1[k], dh1_2[k], out=dh1[k])  # (70)
            np.add(dh1[k], dh1_3[k], out=dh1[k])  # (70)
            np.multiply(dh1[k], gamma1[k], out=dx_h1[k])  # (71)
            np.multiply(dx_h1[k], x_h1[k], out=t_N_T_D1)  # (72)
            np.dot(t_N_T_D1_rows, ones_D1, out=dr_h1_s1[k].reshape(N * T))  # (72)
            np.dot(dx_h1[k].reshape(N * T, D1), ones_D1, out=dm_h1_s1[k].reshape(N * T))  # (73)
        np.matmul(ones_NT, da4_shaped, out=dbo4)  # (74)
        np.matmul(ones_NT, da6_shaped, out=db6)  # (75)
        np.matmul(ones_NT, da5_shaped, out=db5)  # (77)
        np.multiply(dh4, x_h4, out=t_D2_N_T_D1)  # (79)
        np.matmul(ones_NT, t_D2_N_T_D1_shaped, out=dgamma4)  # (79)
        dv3.sum((1, 3), out=dbv3)  # (82)
        dbk2.fill(0)  # (83)
        dq1.sum((1, 3), out=dbq1)  # (84)
        np.multiply(dh1, x_h1, out=t_D2_N_T_D1)  # (88)
        np.matmul(ones_NT, t_D2_N_T_D1_shaped, out=dgamma1)  # (88)
        np.matmul(ones_NT, dh1_shaped, out=dbeta1)  # (89)
        np.matmul(h5_T, da6_shaped, out=dW6)  # (76)
        np.matmul(h4_T, da5_shaped, out=dW5)  # (78)
        np.matmul(W5, db5_column, out=dbeta4_column)  # (80)
        np.copyto(t_3_shaped, o_z4_turned)  # (81)
        np.matmul(t_3_T, da4_shaped, out=dWo4_shaped)  # (81)
        np.copyto(t_D2_N_T_4_D3, dq1_turned)  # (85)
        np.matmul(h1_T, t_D2_N_T_4_D3_shaped, out=dWq1_shaped)  # (85)
        np.copyto(t_D2_N_T_4_D3, dk2_s1_turned)  # (86)
        np.matmul(h1_T, t_D2_N_T_4_D3_shaped, out=dWk2_shaped)  # (86)
        np.divide(dWk2, c4, out=dWk2)  # (86)
        np.copyto(t_D2_N_T_4_D3, dv3_turned)  # (87)
        np.matmul(h1_T, t_D2_N_T_4_D3_shaped, out=dWv3_shaped)  # (87)
        np.multiply(x_h1_0, dr_h1_s1_0_column, out=dx1_2)  # (90)
        np.divide(dx1_2, c1, out=dx1_2)  # (90)
        np.subtract(dx_h1_0, dx1_2, out=dx1_2)  # (90)
        np.divide(dm_h1_s1_0, c1, out=t_NT)  # (90)
        np.subtract(dx1_2, t_NT_column, out=dx1_2)  # (90)
        np.multiply(dx1_2, r_h1_0_column, out=dx1_2)  # (90)
        np.add(da4_0, dx1_2, out=dx1_2)  # (90)
        _add_rows(dtokens_E_1, x, dx1_2, range_, order, ordered)  # (91)
        np.dot(ones_N, dx1_2_rows, out=dpositions_E_flat)  # (94)
        np.dot(dz_T, h6_rows, out=dtokens_E_2)  # (92)
        np.add(dtokens_E_1, dtokens_E_2, out=dtokens_E)  # (93)

    return run


def _metrics(params, tensors, N, T, V):
    """The metrics: equations (95) to (97)."""
    z, best, wrong, exact = tensors["z"], tensors["best"], tensors["wrong"], tensors["exact"]
    is_NT, at_N, is_NT2, is_N = tensors["is_NT"], tensors["at_N"], tensors["is_NT2"], tensors["is_N"]
    zero = np.array(0, DTYPE)

    def run(data):
        y = data["y"]
        z.argmax(2, out=best)  # (95)
        np.not_equal(best, y, out=is_NT)  # (96)
        np.not_equal(y, 0, out=is_NT2)  # (96)
        np.logical_and(is_NT, is_NT2, out=is_NT)  # (96)
        is_NT.sum(1, out=at_N)  # (96)
        np.copyto(wrong, at_N)  # (96)
        np.equal(wrong, zero, out=is_N)  # (97)
        exact[...] = DTYPE(is_N.sum()) / N  # (97)

    return run


def _update(tensors, theta, gradient, m, v):
    """AdamW: one step over all parameters, in place."""
    blocks = []
    for start in range(0, len(theta), 16384):
        block = [arena[start : start + 16384] for arena in (theta, gradient, m, v)]
        blocks.append((*block, tensors["g_clipped"][: len(block[0])], tensors["t_block"][: len(block[0])], tensors["t_block2"][: len(block[0])]))
    g_scale, c1, c2, c3, c4, c5, beta1_array, beta2_array = [np.empty((), DTYPE) for _ in range(8)]

    def run(step, lr, beta1, beta2, eps, weight_decay, clip_norm):
        rate = (
            (
                float(1 / 10) if step >= 875
                else 0.05 * (9 * math.cos(0.004053667940115862 * (step - 100)) + 11)
            ) if step >= 101 else 0.01 * step
        ) * lr  # (U1)
        g_squares = float(np.dot(gradient, gradient))  # (U2)
        g_norm = math.sqrt(g_squares)  # (U3)
        g_scale[...] = 1.0 if g_norm <= clip_norm else clip_norm / g_norm  # (U4)
        c1[...] = 1 - beta1  # (U6)
        c2[...] = 1 - beta2  # (U7)
        c3[...] = 1 - rate * weight_decay  # (U8)
        c4[...] = rate * math.sqrt(1 - beta2**step) / (1 - beta1**step)  # (U8)
        c5[...] = eps * math.sqrt(1 - beta2**step)  # (U8)
        beta1_array[...] = beta1
        beta2_array[...] = beta2
        for theta_block, gradient_block, m_block, v_block, g_clipped, t_block, t_block2 in blocks:
            np.multiply(g_scale, gradient_block, out=g_clipped)  # (U5)
            np.multiply(beta1_array, m_block, out=m_block)  # (U6)
            np.multiply(c1, g_clipped, out=t_block)  # (U6)
            np.add(m_block, t_block, out=m_block)  # (U6)
            np.multiply(beta2_array, v_block, out=v_block)  # (U7)
            np.multiply(g_clipped, g_clipped, out=t_block)  # (U7)
            np.multiply(c2, t_block, out=t_block)  # (U7)
            np.add(v_block, t_block, out=v_block)  # (U7)
            np.multiply(c3, theta_block, out=theta_block)  # (U8)
            np.multiply(c4, m_block, out=t_block)  # (U8)
            np.sqrt(v_block, out=t_block2)  # (U8)
            np.add(t_block2, c5, out=t_block2)  # (U8)
            np.divide(t_block, t_block2, out=t_block)  # (U8)
            np.subtract(theta_block, t_block, out=theta_block)  # (U8)

    return run


def _places(N, T, V):
    """Where each array lies: the arena (0 reals, 1 integers, 2 flags), its first element, its shape."""
    return {
        "x1": (0, 2112 * N * T + 44 * N * T**2, (N, T, D1)),
        "x1_2": (0, 2112 * N * T + 44 * N * T**2, (N, T, D1)),
        "m_h1": (0, 2144 * N * T + 44 * N * T**2, (D2, N, T)),
        "c_h1": (0, 1024 * N * T + 24 * N * T**2, (D2, N, T, D1)),
        "v_h1": (0, 2146 * N * T + 44 * N * T**2, (D2, N, T)),
        "r_h1": (0, 2944 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T)),
        "x_h1": (0, 1728 * N * T + 44 * N * T**2, (D2, N, T, D1)),
        "h1": (0, 1792 * N * T + 44 * N * T**2, (D2, N, T, D1)),
        "z1": (0, 1088 * N * T + 24 * N * T**2, (D2, N, 4, T, D3)),
        "q1": (0, 1856 * N * T + 44 * N * T**2, (D2, N, 4, T, D3)),
        "z2": (0, 1152 * N * T + 24 * N * T**2, (D2, N, 4, T, D3)),
        "k2": (0, 1920 * N * T + 44 * N * T**2, (D2, N, 4, T, D3)),
        "z3": (0, 1216 * N * T + 24 * N * T**2, (D2, N, 4, T, D3)),
        "v3": (0, 1984 * N * T + 44 * N * T**2, (D2, N, 4, T, D3)),
        "S_z4": (0, 0, (D2, N, 4, T, T)),
        "m_S_z4": (0, 1728 * N * T + 28 * N * T**2, (D2, N, 4, T)),
        "e_z4": (0, 8 * N * T**2, (D2, N, 4, T, T)),
        "s_z4": (0, 1736 * N * T + 28 * N * T**2, (D2, N, 4, T)),
        "p_z4": (0, 16 * N * T**2, (D2, N, 4, T, T)),
        "o_z4": (0, 2048 * N * T + 44 * N * T**2, (D2, N, 4, T, D3)),
        "z4": (0, 1280 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "a4": (0, 1344 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "m_h4": (0, 2148 * N * T + 44 * N * T**2, (D2, N, T)),
        "c_h4": (0, 1408 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "v_h4": (0, 2150 * N * T + 44 * N * T**2, (D2, N, T)),
        "r_h4": (0, 2946 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T)),
        "x_h4": (0, 1472 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "h4": (0, 1536 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "z5": (0, 24 * N * T**2, (D2, N, T, 4 * D1)),
        "a5": (0, 24 * N * T**2 + 256 * N * T, (D2, N, T, 4 * D1)),
        "h5_tanh": (0, 24 * N * T**2 + 512 * N * T, (D2, N, T, 4 * D1)),
        "h5": (0, 24 * N * T**2 + 768 * N * T, (D2, N, T, 4 * D1)),
        "z6": (0, 1600 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "a6": (0, 1664 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "m_h6": (0, 0, (N, T)),
        "c_h6": (0, 2816 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, D1)),
        "v_h6": (0, 2948 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T)),
        "r_h6": (0, 2948 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T)),
        "x_h6": (0, 2816 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, D1)),
        "h6": (0, 2848 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, D1)),
        "z": (0, 2112 * N * T + 44 * N * T**2, (N, T, V)),
        "m_z": (0, 0, (N, T)),
        "s_loss_exp": (0, 2112 * N * T + 44 * N * T**2 + N * T * V, (N, T, V)),
        "s_loss": (0, N * T, (N, T)),
        "count": (0, 3 * N * T, ()),
        "loss": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 65 * V + N + T + 49184, ()),
        "dz": (0, 2112 * N * T + 44 * N * T**2 + N * T * V, (N, T, V)),
        "dh6": (0, 24 * N * T**2, (N, T, D1)),
        "dx_h6": (0, 2880 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, D1)),
        "dr_h6_s1": (0, 2112 * N * T + 44 * N * T**2, (N, T)),
        "dm_h6_s1": (0, 2949 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T)),
        "da6_all": (0, 2949 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T)),
        "da6": (0, 1600 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "dh5": (0, 24 * N * T**2, (D2, N, T, 4 * D1)),
        "da5": (0, 1024 * N * T + 24 * N * T**2, (D2, N, T, 4 * D1)),
        "dh4": (0, 1664 * N * T + 28 * N * T**2, (D2, N, T, D1)),
        "dx_h4": (0, 2112 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dr_h4_s1": (0, 1736 * N * T + 28 * N * T**2, (D2, N, T)),
        "dm_h4_s1": (0, 1738 * N * T + 28 * N * T**2, (D2, N, T)),
        "da4": (0, 2176 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "do_z4": (0, 2240 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, 4, T, D3)),
        "dp_z4": (0, 0, (D2, N, 4, T, T)),
        "ds_z4_s1": (0, 1728 * N * T + 28 * N * T**2, (D2, N, 4, T)),
        "dS_z4": (0, 8 * N * T**2, (D2, N, 4, T, T)),
        "dv3": (0, 2304 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, 4, T, D3)),
        "dk2_s1": (0, 2368 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, 4, T, D3)),
        "dq1": (0, 2432 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, 4, T, D3)),
        "dh1_1": (0, 2496 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dh1_2": (0, 2560 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dh1_3": (0, 2624 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dh1": (0, 2688 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dx_h1": (0, 2752 * N * T + 2 * N * T * V + 44 * N * T**2, (D2, N, T, D1)),
        "dr_h1_s1": (0, 1740 * N * T + 28 * N * T**2, (D2, N, T)),
        "dm_h1_s1": (0, 1742 * N * T + 28 * N * T**2, (D2, N, T)),
        "dx1_2": (0, 0, (N, T, D1)),
        "dtokens_E_1": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 49152, (V, D1)),
        "dtokens_E_2": (0, 2951 * N * T + 2 * N * T * V + 32 * V + 44 * N * T**2 + 49152, (V, D1)),
        "best": (1, 0, (N, T)),
        "wrong": (0, 0, (N,)),
        "exact": (0, N, ()),
        "ones_D1": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 65 * V + N + T + 49152, (32,)),
        "range_T": (1, 3 * N * T, (T,)),
        "ones_T": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 64 * V + 49152, (T,)),
        "ones_V": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 64 * V + T + 49152, (V,)),
        "range_N": (1, 3 * N * T + T, (N,)),
        "range_V": (1, 3 * N * T + N + T, (V,)),
        "ones_NT": (0, 2950 * N * T + 2 * N * T * V + 44 * N * T**2 + 49152, (N * T,)),
        "range_": (1, N * T, (N * T,)),
        "ones_N": (0, 2951 * N * T + 2 * N * T * V + 44 * N * T**2 + 65 * V + T + 49152, (N,)),
        "t_N_T_D1": (0, 2912 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, 32)),
        "t_N4TT": (0, 1280 * N * T + 24 * N * T**2, (N, 4, T, T)),
        "is_TT": (2, 0, (T, T)),
        "t_N_T_4_D3": (0, 2912 * N * T + 2 * N * T * V + 44 * N * T**2, (N, T, 4, 8)),
        "is_NT": (2, N * T * V, (N, T)),
        "t_NT": (0, 1280 * N * T + 24 * N * T**2, (N, T)),
        "at_NT": (1, 0, (N, T)),
        "at_NT2": (1, 2 * N * T, (N, T)),
        "t_NT2": (0, 2 * N * T, (N, T)),
        "is_NT1": (2, N * T + N * T * V, (N, T, 1)),
        "is_NTV": (2, 0, (N, T, V)),
        "t_1": (0, 1280 * N * T + 24 * N * T**2, (N, T, 128)),
        "t_2": (0, 1280 * N * T + 24 * N * T**2, (N * T, 32)),
        "t_D2_N_T_D1": (0, 0, (2, N, T, 32)),
        "t_3": (0, 0, (2, N * T, 32)),
        "t_D2_N_T_4_D3": (0, 0, (2, N, T, 4, 8)),
        "order": (1, 0, (N * T,)),
        "ordered": (0, 32 * N * T, (N, T, 32)),
        "at_N": (1, 2 * N * T, (N,)),
        "is_NT2": (2, 0, (N, T)),
        "is_N": (2, 0, (N,)),
        "g_clipped": (0, 0, (16384,)),
        "t_block": (0, 16384, (16384,)),
        "t_block2": (0, 32768, (16384,)),
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


# ---- Functions that NumPy lacks ----


# symbp/runtime/numpy/functions.py: _add_rows, _choose


# ---- Arrays that come in ----


# symbp/runtime/common/arrays/shapes.py: DataError, _extent, _shape_text, _fit_shape
# symbp/runtime/common/arrays/sizes_shown.py: _settle, _sizes_in, _sample_sizes
# symbp/runtime/common/arrays/arrays.py: Arena, _as_dtype, _check_values, _check_facts, _holds, _refuse_names, _checked, _as_arena
# symbp/runtime/common/arrays/at_once.py: _all_checked, _pieces, _taken, _measured


# ---- Workspaces ----


# symbp/runtime/common/arrays/memory.py: _Memory, _SHORT, _refuse_short, _held, _memory
# symbp/runtime/common/arrays/keys.py: _key


# ---- Outputs, loss and metrics ----


# symbp/runtime/numpy/outputs.py: _outputs, _values


# ---- Gradients and training steps ----


# symbp/runtime/numpy/differentiate.py: _differentiate
# symbp/runtime/numpy/step.py: _Step
# symbp/runtime/numpy/bound.py: _bound, MODERATE
"""The squares of gradients whose sum is below this make no moment overflow in any number of steps."""


# symbp/runtime/numpy/bound.py: _updated, _all_finite
# symbp/runtime/numpy/outside.py: _any_outside
# symbp/runtime/numpy/advance.py: _advance


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
