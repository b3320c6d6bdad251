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
    (31)  h5[k,n,t,q] = (1 + tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π)))·a5[k,n,t,q]/2
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
    (54)  da5[k,n,t,q] = (1/2 + sqrt(2)·(1 + 0.134145·a5[k,n,t,q]²)·(1 - tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π))²)·a5[k,n,t,q]/(2·sqrt(π)) + tanh(sqrt(2)·(0.044715·a5[k,n,t,q]³ + a5[k,n,t,q])/sqrt(π))/2)·dh5[k,n,t,q]
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

    (U1)  rate = (0.01·[step ≤ 99]·step + [step ≥ 100]·([step ≤ 874]·(0.55 + 0.45·cos(π·(step/775 - 4/31))) + [step ≥ 875]/10))·lr
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

from __future__ import annotations

import argparse
import json
import math
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DTYPE = np.float64
OPEN_SIZES = ("N", "T", "V")
POSITIONS = ("range_T", "range_N", "range_V", "range_")
ONES = ("ones_D1", "ones_T", "ones_V", "ones_NT", "ones_N")
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
INPUTS = {"x": ("N", "T"), "y": ("N", "T")}
INTEGERS = {"x": ("V", None), "y": ("V", None)}
FACTS = {}
FORWARD_INPUTS = ("x",)
OUTPUTS, LOSS = ("z",), "loss"
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
MOMENTS = ("m", "v")
HYPER = {"lr": 0.005, "beta1": 0.9, "beta2": 0.999, "eps": 1e-08, "weight_decay": 0.01, "clip_norm": 1.0}
Array = np.ndarray


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
            if D2 == k + 1:  # (52)
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
            ((float(1 / 10) if step >= 875 else 0.05
            * (9 * math.cos(0.004053667940115862 * (step - 100)) + 11)) if step >= 100 else 0.01 * step) * lr
        )  # (U1)
        g_squares = float(np.dot(gradient, gradient))  # (U2)
        g_norm = math.sqrt(g_squares)  # (U3)
        g_scale[...] = (clip_norm / g_norm if clip_norm < g_norm else 1.0)  # (U4)
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


def _add_rows(target: Array, rows: Array, values: Array, count_up: Array, at: Array, ordered: Array) -> None:
    """target[r] = the sum of the values whose row is r. Where most rows repeat they are sorted first, beside
    their positions (`count_up` is 0, 1, 2, …), so that each sum is made in one go; `at` and `ordered` have
    room for that."""
    rows, values, sums = rows.reshape(-1), values.reshape(rows.size, -1), target.reshape(len(target), -1)
    count = rows.size
    if 2 * len(sums) > count:
        sums.fill(0)
        for k in range(values.shape[1]):
            np.add.at(sums[:, k], rows, values[:, k])
        return
    np.multiply(rows, count, out=at)
    np.add(at, count_up, out=at)
    at.sort()
    np.remainder(at, count, out=at)
    np.take(values, at, 0, out=ordered.reshape(values.shape), mode="clip")
    # What `at` held is read: here follow where each row's values start, and which rows have none.
    starts, absent = at[: len(sums)], at[len(sums) :].view(bool)[: len(sums)]
    starts.fill(0)
    np.add.at(starts, rows, 1)
    np.equal(starts, 0, out=absent)
    np.cumsum(starts, out=starts)
    starts[1:], starts[0] = starts[:-1], 0
    here = slice(0, int(rows.max()) + 1)  # rows behind the last one would start behind all values
    np.add.reduceat(ordered.reshape(values.shape), starts[here], axis=0, out=sums[here])
    np.copyto(sums, 0, where=absent[:, None])


def _choose(out: Array, mask: Array, other: Any) -> None:
    """Leaves `out` where the mask is set and puts `other` elsewhere: on the bits, since a branch for each
    element costs most where the mask has no pattern, and 0 times an infinity is a NaN."""
    kind = f"i{out.itemsize}"
    bits = out.view(kind)
    if np.isscalar(other) and other == 0:
        np.multiply(bits, mask, out=bits)
        return
    others = np.asarray(other, out.dtype).view(kind)
    np.bitwise_xor(bits, others, out=bits)
    np.multiply(bits, mask, out=bits)
    np.bitwise_xor(bits, others, out=bits)


# ---- Arrays that come in ----


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


class Arena(MutableMapping[str, Array]):
    """Named arrays that are views of one flat row-major array; assigning to a name copies into its view."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: Any) -> None:
        self._cut(np.zeros(sum(math.prod(shape) for shape in shapes.values()), dtype), shapes)

    def _cut(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.flat = flat
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, value: Array) -> None:
        self._views[name][...] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError("an arena keeps all its arrays")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __getstate__(self) -> tuple[Array, dict[str, tuple[int, ...]]]:
        return self.flat, {name: view.shape for name, view in self.items()}

    def __setstate__(self, state: tuple[Array, dict[str, tuple[int, ...]]]) -> None:
        self._cut(*state)

    def like(self) -> Arena:
        """An arena of zeros with the same names and shapes."""
        return Arena({name: view.shape for name, view in self.items()}, self.flat.dtype)

    def copy(self) -> Arena:
        """An arena with the same values."""
        other = self.like()
        other.flat[:] = self.flat
        return other


def _extent(extent: Any, sizes: Mapping[str, int]) -> int | None:
    """The value of an extent, or None if a size of it is not known yet."""
    if isinstance(extent, str):
        return sizes.get(extent)
    try:
        return int(extent(sizes) if callable(extent) else extent)
    except KeyError:  # parameters don't show the size of images
        return None


def _shape_text(shape: tuple[Any, ...]) -> str:
    words = [extent if isinstance(extent, (str, int)) else "…" for extent in shape]
    return f"({', '.join(map(str, words))}{',' if len(words) == 1 else ''})"


def _fit_shape(name: str, array: Array, shape: tuple[Any, ...], sizes: dict[str, int]) -> None:
    """Checks a shape and records the open sizes that it shows."""
    known = {size: sizes[size] for e in shape if isinstance(size := e, str) and size in sizes}
    fits = array.ndim == len(shape)
    if fits:
        for axis, extent in enumerate(shape):
            if isinstance(extent, str):
                fits = fits and sizes.setdefault(extent, array.shape[axis]) == array.shape[axis]
        fits = fits and all(
            _extent(extent, sizes) in (None, array.shape[axis])
            for axis, extent in enumerate(shape)
            if callable(extent)
        )
        fits = fits and all(e == array.shape[k] for k, e in enumerate(shape) if isinstance(e, int))
    if not fits:
        sized = ", ".join(f"{size} = {value}" for size, value in known.items())
        raise DataError(
            f"{name} has shape {array.shape}, the network needs {_shape_text(shape)}"
            + (f" with {sized}" if sized else "")
        )


def _as_dtype(name: str, value: Any) -> Array:
    """The value as a C-contiguous array of reals (or integers, where the network counts with it)."""
    array = np.asarray(value)
    if name in INTEGERS:
        if array.dtype.kind not in "iu":
            raise DataError(f"{name} has dtype {array.dtype}, the network needs integers")
        return np.asarray(array, np.int64, order="C")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} has dtype {array.dtype}, the network needs real numbers")
    return np.asarray(array, DTYPE, order="C")


def _check_values(name: str, array: Array, sizes: Mapping[str, int]) -> None:
    """Refuses values outside what the network states of them."""
    if name in INTEGERS:
        bound, ignored = INTEGERS[name]
        top = None if bound is None else _extent(bound, sizes)
        array = array if ignored is None else array[array != ignored]
        if top is not None and array.size and not (array.min() >= 0 and array.max() < top):
            wrong = array.min() if array.min() < 0 else array.max()
            besides = "" if ignored is None else f", or be {ignored}"
            raise DataError(f"{name} holds {wrong}; its values must lie from 0 to {top - 1}{besides}")
        return
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name} holds {array[where]} at {where}; every value must be finite")
    _check_facts(name, array)


def _check_facts(name: str, array: Array) -> None:
    """Refuses values without the facts that the gradients rest on."""
    for fact, axis in FACTS.get(name, ()):
        if not _holds(fact, array, axis):
            over = f" over axis {axis}" if fact in ("sums to one", "one hot") else ""
            raise DataError(
                f"{name} must be {fact}{over}" if "sums" not in fact else f"{name} must sum to one{over}"
            )


def _holds(fact: str, array: Array, axis: int) -> bool:
    if fact == "binary":
        return bool(((array == 0) | (array == 1)).all())
    if fact == "positive":
        return bool((array > 0).all())
    if fact == "nonnegative":
        return bool((array >= 0).all())
    if fact == "one hot" and not ((array == 0) | (array == 1)).all():
        return False
    if fact in ("sums to one", "one hot"):
        return bool(np.abs(array.sum(axis) - 1).max(initial=0) < 1e-4)
    if fact == "symmetric":
        skew = np.abs(array - array.swapaxes(-1, -2)).max(initial=0)
        return bool(skew <= 1e-5 * np.abs(array).max(initial=0))
    if fact == "lower triangular":
        return not np.triu(array, 1).any()
    if fact == "upper triangular":
        return not np.tril(array, -1).any()
    return True


def _checked(
    given: Mapping[str, Any], names: tuple[str, ...], sizes: dict[str, int], *, values: bool = True
) -> dict[str, Array]:
    """The arrays `names` of `given`, checked; `sizes` gains the open sizes that they show."""
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in INPUTS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(
            f"{what}; the network reads " + ", ".join(f"{n}{_shape_text(INPUTS[n])}" for n in names)
        )
    data = {name: _as_dtype(name, given[name]) for name in names}
    for name, array in data.items():
        _fit_shape(name, array, INPUTS[name], sizes)
    if values:
        for name, array in data.items():
            _check_values(name, array, sizes)
    return data


def _as_arena(params: Mapping[str, Any]) -> tuple[Arena, dict[str, int]]:
    """Parameters as an arena (itself, or copied in) and the sizes that their shapes show."""
    sizes = dict(SIZES)
    missing = [name for name in PARAMETERS if name not in params]
    unknown = [name for name in params if name not in PARAMETERS]
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise DataError(f"parameters: {what}; the network has {', '.join(PARAMETERS) or 'none'}")
    for name, shape in PARAMETERS.items():
        _fit_shape(name, np.asarray(params[name]), shape, sizes)
    if isinstance(params, Arena) and params.flat.dtype == DTYPE:
        arena = params
    else:
        arena = Arena({name: np.shape(params[name]) for name in PARAMETERS}, DTYPE)
        for name in PARAMETERS:
            arena[name] = params[name]
    for name, values in arena.items():
        _check_facts(name, values)
    return arena, sizes


# ---- The workspaces of a step ----


class _Memory:
    """The workspaces for given open sizes: reals, integers, flags, and every array by name. Arrays that are
    not needed at the same time share their memory, unless `apart`."""

    def __init__(self, sizes: tuple[int, ...], *, apart: bool = False) -> None:
        self.sizes = sizes
        places, lengths = _places(*sizes), [0, 0, 0]
        starts: dict[str, int] = {}
        for name, (arena, start, shape) in places.items():
            if PARAMETERS and min(shape, default=1) < 1:  # the update of no parameter is empty by right
                raise DataError(
                    f"{name} would have the shape {shape}: an axis of the data is too short for what is read "
                    "from it, a kernel or a slice"
                )
            starts[name] = lengths[arena] if apart else start
            lengths[arena] = max(lengths[arena], starts[name] + math.prod(shape))
        kinds = (DTYPE, np.int64, bool)
        self.arenas: list[Array] = [np.zeros(n, kind) for n, kind in zip(lengths, kinds, strict=True)]
        self.tensors: dict[str, Array] = {}
        for name, (arena, _, shape) in places.items():
            stop = starts[name] + math.prod(shape)
            self.tensors[name] = self.arenas[arena][starts[name] : stop].reshape(shape)
        for name in POSITIONS:
            self.tensors[name][...] = np.arange(len(self.tensors[name]))
        for name in ONES:
            self.tensors[name].fill(1)
        self.arrays = (*self.arenas[:2], np.array(list(starts.values()), np.int64))  # as kernels take them

    @property
    def nbytes(self) -> int:
        """The size of the workspaces."""
        return sum(arena.nbytes for arena in self.arenas)


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The open sizes in their order; what nothing shows is of another stage."""
    return tuple([sizes.get(name, 1) for name in OPEN_SIZES])


def _held(kept: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is kept under a key, made if it isn't there."""
    if key not in kept:
        if len(kept) >= 4:  # a state sees two batch sizes as a rule: the full one and the last
            kept.clear()
        kept[key] = make()
    return kept[key]


def _memory(sizes: Mapping[str, int], kept: dict[Any, Any] | None = None, *, apart: bool = False) -> _Memory:
    """The workspaces for these sizes, from those kept if they are there."""
    key = _key(sizes)
    return _Memory(key, apart=apart) if kept is None else _held(kept, key, lambda: _Memory(key))


# ---- How the NumPy target runs its stages ----


@np.errstate(all="ignore")
def _outputs(
    params: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    training: bool,
) -> dict[str, Array]:
    memory = _memory(sizes)
    _forward(params, memory.tensors, *memory.sizes)(data)
    return {name: memory.tensors[name].copy() for name in OUTPUTS}


@np.errstate(all="ignore")
def _values(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    memory = _memory(sizes)
    for stage in (_forward, _loss, _metrics):
        stage(params, memory.tensors, *memory.sizes)(data)
    return memory.tensors


@np.errstate(all="ignore")
def _differentiate(
    params: Arena,
    gradients: Arena,
    data: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    apart: bool = False,
) -> dict[str, Array]:
    """The gradients and the tensors that are left, or all of them where they lie apart."""
    memory = _memory(sizes, apart=apart)
    for stage in (_forward, _loss):
        stage(params, memory.tensors, *memory.sizes)(data)
    _backward(params, memory.tensors, gradients, *memory.sizes)(data)
    return memory.tensors


class _Step:
    """A training step over the arrays of a state, which stay in their places, and a workspace."""

    def __init__(self, state: State, sizes: Mapping[str, int]) -> None:
        memory = self.memory = _memory(sizes)
        self.sizes = sizes
        self.params, self.gradients, self.moments = state.params, state.gradients, state.moments
        moments = {name: arena.flat for name, arena in state.moments.items()}
        self.forward = _forward(state.params, memory.tensors, *memory.sizes)
        self.loss = _loss(state.params, memory.tensors, *memory.sizes)
        self.backward = _backward(state.params, memory.tensors, state.gradients, *memory.sizes)
        self.update = _update(memory.tensors, state.params.flat, state.gradients.flat, **moments)
        self.value, self.gradient = memory.tensors[LOSS], state.gradients.flat

    @property
    def nbytes(self) -> int:
        """The size of the workspace."""
        return self.memory.nbytes

    def serves(self, state: State) -> bool:
        """Whether the state still has the arrays of this step."""
        same = self.params is state.params and self.gradients is state.gradients
        return same and self.moments is state.moments

    def differentiate(self, data: Mapping[str, Array]) -> float:
        """Fills the gradients; returns the loss."""
        self.forward(data)
        self.loss(data)
        self.backward(data)
        return float(self.value)


@np.errstate(all="ignore")
def _advance(state: State, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    step = state.bound
    if step is None or step.sizes is not sizes or not step.serves(state):
        step = state.bound = _bound(state, sizes)
    loss = step.differentiate(data)
    if not (math.isfinite(loss) and _all_finite(step.gradient)):
        return loss, False
    state.step += 1
    step.update(state.step, **state.hyper)
    return loss, True


def _bound(state: State, sizes: Mapping[str, int]) -> _Step:
    """The step of a state for these sizes, from those kept if it is there."""
    key = _key(sizes)
    if key in state.workspace and not state.workspace[key].serves(state):
        state.workspace.clear()
    step: _Step = _held(state.workspace, key, lambda: _Step(state, sizes))
    step.sizes = sizes
    return step


def _all_finite(values: Array) -> bool:
    """Whether no value is a NaN or an infinity: their squares' sum or, if it overflows, both ends show it."""
    if math.isfinite(values.dot(values)):
        return True
    return math.isfinite(values.max(initial=0)) and math.isfinite(values.min(initial=0))


# ---- No buffers ----


def init_buffers(**sizes: int) -> dict[str, Array]:
    """Running statistics; this network has none."""
    return {}


def _as_buffers(buffers: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> dict[str, Array]:
    if buffers:
        raise DataError(f"{', '.join(buffers)}: the network has no buffers")
    return {}


# ---- What a step is given beside parameters ----


def _given(
    data: dict[str, Array],
    buffers: Mapping[str, Any] | None,
    sizes: Mapping[str, int],
    seed: int = 0,
    step: int = 0,
    masks: Mapping[str, Any] | None = None,
    kept: dict[Any, Array] | None = None,
    training: bool = True,
) -> dict[str, Array]:
    """All that the stages read beside parameters."""
    if buffers or masks:
        _as_buffers(buffers, sizes)
        raise DataError("the network has no random tensors, so there are no masks to give")
    return data


# ---- Parameters, the state of training, and the functions that need no training ----


class NotFinite(FloatingPointError):
    """A step's loss or gradient is not finite; the step was not taken. `equation` and `tensor` say where."""

    def __init__(self, equation: int | None, tensor: str, text: str) -> None:
        super().__init__(text)
        self.equation, self.tensor = equation, tensor
        self.history: list[dict[str, Any]] = []  # of the epochs before, where `fit` raised it


@dataclass
class State:
    """What training changes: parameters, buffers, moments, the count of steps; and its settings."""

    params: Arena
    buffers: MutableMapping[str, Array]
    moments: dict[str, Arena]
    gradients: Arena
    sizes: dict[str, int]
    step: int = 0
    seed: int = 0
    threads: int | None = None
    hyper: dict[str, float] = field(default_factory=lambda: dict(HYPER))
    workspace: dict[Any, Any] = field(default_factory=dict)
    accepted: dict[Any, dict[str, int]] = field(default_factory=dict)
    last: tuple[dict[str, Array], dict[str, int]] | None = None  # the arrays of the last step, their sizes
    bound: Any = None  # what the last step ran on
    random: dict[Any, Array] = field(default_factory=dict)  # arrays to draw into

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: nothing that is made for the steps of these very arrays."""
        made: dict[str, Any] = {name: {} for name in ("workspace", "accepted", "random")}
        return {**self.__dict__, **made, "last": None, "bound": None}


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shaping = [e for shape in (*PARAMETERS.values(), *INPUTS.values()) for e in shape]
    strange = [name for name in sizes if name not in shaping and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    needed = [e for shape in PARAMETERS.values() for e in shape if isinstance(e, str) and e not in known]
    if wrong or needed:
        raise DataError(
            f"{wrong[0]} is {SIZES[wrong[0]]} in this module"
            if wrong
            else f"{needed[0]} is open in this module: call init_params(seed, {needed[0]}=…)"
        )
    shapes = {n: tuple(int(_extent(e, known) or 0) for e in shape) for n, shape in PARAMETERS.items()}
    arena = Arena(shapes, DTYPE)
    for name, value in _initial(np.random.default_rng(seed), known).items():
        arena[name] = value
    return arena


def forward(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    training: bool = False,
    seed: int | None = None,
    **inputs: Any,
) -> dict[str, Array]:
    """The outputs for some inputs (arrays named like the input tensors), in training or at inference."""
    arena, sizes = _as_arena(params)
    data = _checked(inputs, FORWARD_INPUTS, sizes)
    given = _given(data, buffers, sizes, seed=seed or 0, training=training)
    return _outputs(arena, given, sizes, training)


def predict(
    params: Mapping[str, Any], buffers: Mapping[str, Any] | None = None, **inputs: Any
) -> dict[str, Array]:
    """The outputs at inference; arrays that only the loss needs may be given and are not used."""
    return forward(
        params,
        buffers,
        **{name: a for name, a in inputs.items() if name not in INPUTS or name in FORWARD_INPUTS},
    )


def evaluate(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, float]:
    """The loss and the metrics over all of the data at once, at inference."""
    arena, sizes = _as_arena(params)
    checked = _checked(data, tuple(INPUTS), sizes)
    tensors = _values(arena, _given(checked, buffers, sizes, training=False), sizes)
    return {"loss": float(tensors[LOSS]), **{name: float(tensors[name]) for name in METRICS}}


def loss_and_gradients(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> tuple[float, Arena]:
    """The loss in training and its gradient by every parameter; changes nothing. Random tensors are those
    of the first step with this seed, or given as `masks`, by name."""
    arena, sizes = _as_arena(params)
    data = _given(_checked(inputs, tuple(INPUTS), sizes), buffers, sizes, seed=seed, masks=masks)
    gradients = arena.like()
    tensors = _differentiate(arena, gradients, data, sizes)
    return float(tensors[LOSS]), gradients


def init_state(
    params: Mapping[str, Any],
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    threads: int | None = None,
) -> State:
    """A state that starts from a copy of `params` and `buffers`, its moments zero."""
    arena, sizes = _as_arena(params)
    arena, kept = arena.copy(), _as_buffers(buffers, sizes).copy()
    moments = {name: arena.like() for name in MOMENTS}
    return State(arena, kept, moments, arena.like(), sizes, 0, seed, threads)


def train_step(state: State, **inputs: Any) -> float:
    """One update in place; returns the loss before it. Checks dtype and shape only.

    Raises NotFinite, with the state as it was, if the loss or a gradient is not finite.
    """
    data, sizes = _step_data(state, inputs)
    data = _given(data, state.buffers, sizes, state.seed, state.step, None, state.random)
    loss, finite = _advance(state, data, sizes)
    if not finite:
        raise _culprit(state.params, data, sizes)
    return loss


def _step_data(state: State, inputs: dict[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The arrays of a step and its sizes; arrays that the last step had, and shapes and dtypes that were
    checked before, pass at once."""
    if state.last is not None and len(inputs) == len(INPUTS):
        data, sizes = state.last
        for name, array in inputs.items():
            if data.get(name) is not array:
                break
        else:
            return data, sizes
    key = tuple(
        (name, a.shape, a.dtype.char, a.flags.c_contiguous) if type(a) is np.ndarray else None
        for name, a in inputs.items()
    )
    if key in state.accepted:
        state.last = {name: inputs[name] for name in INPUTS}, state.accepted[key]
        return state.last
    sizes = dict(state.sizes)
    data = _checked(inputs, tuple(INPUTS), sizes, values=False)
    if all(data[name] is inputs[name] for name in INPUTS):
        state.accepted[key] = sizes
    return data, sizes


def _culprit(params: Arena, data: Mapping[str, Array], sizes: Mapping[str, int]) -> NotFinite:
    """Replays a step and names the first equation whose value is not finite."""
    for kind, arrays in (("the input", data), ("the parameter", params)):
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return NotFinite(None, name, f"{kind} {name} is not finite; the step was not taken")
    gradients = params.like()
    tensors = dict(_differentiate(params, gradients, data, sizes, apart=True))
    tensors.update({tensor: gradients[name] for name, tensor in GRADIENTS.items()})
    for number, tensor in EQUATIONS.items():
        if tensor in tensors and not np.isfinite(tensors[tensor]).all():
            equation = _equation_text(number) or tensor
            text = f"equation ({number}), {equation}, is not finite; the step was not taken"
            return NotFinite(number, tensor, text)
    return NotFinite(None, LOSS, "the loss is not finite; the step was not taken")


def _equation_text(number: int) -> str:
    """The equation as the head of this module states it."""
    found = re.search(rf"^ *\({number}\) +(.*)$", __doc__ or "", re.MULTILINE)
    return found.group(1) if found else ""


def save(path: str | os.PathLike[str], state: State) -> None:
    """Writes a state as .npz, by name; a file that is there is replaced whole or not at all."""
    arrays: dict[str, Any] = {f"params.{name}": array for name, array in state.params.items()}
    arrays.update({f"buffers.{name}": array for name, array in state.buffers.items()})
    for moment, arena in state.moments.items():
        arrays.update({f"moments.{moment}.{name}": array for name, array in arena.items()})
    arrays.update({"step": np.int64(state.step), "seed": np.int64(state.seed), "network": np.array(NAME)})
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> State:
    """Reads what `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    params = {n.removeprefix("params."): a for n, a in arrays.items() if n.startswith("params.")}
    if not params:
        raise DataError(f"{path} holds no parameters (arrays named params.…)")
    buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
    state = init_state(params, buffers, seed=int(arrays.get("seed", 0)))
    state.step = int(arrays.get("step", 0))
    for moment, arena in state.moments.items():
        for name in arena:
            if f"moments.{moment}.{name}" in arrays:
                arena[name] = arrays[f"moments.{moment}.{name}"]
    return state


# ---- Training over epochs ----


class _Stop:
    """Turns the first Ctrl-C into a flag, so that no update is cut in two; the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> _Stop:
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}


def fit(
    state: State,
    data: Mapping[str, Any],
    *,
    epochs: int,
    batch_size: int,
    validation: Mapping[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
) -> list[dict[str, Any]]:
    """Trains in place; returns one record per epoch: epoch, loss, metrics of `validation`, seconds.

    Ctrl-C ends it after the current step, and the last record then says `interrupted`. A step that is not
    finite raises NotFinite; the state keeps the last good parameters. A callback that returns True ends it.
    """
    if epochs < 1 or batch_size < 1:
        raise DataError(f"epochs ({epochs}) and batch_size ({batch_size}) must be at least 1")
    sizes = dict(state.sizes)
    whole = _checked(data, tuple(INPUTS), sizes)
    count = sizes[BATCH] if BATCH is not None else 1
    history: list[dict[str, Any]] = []
    with _Stop() as stop:
        for epoch in range(1, epochs + 1):
            started, total, seen = time.perf_counter(), 0.0, 0
            order = np.random.default_rng([state.seed, state.step]).permutation(count)
            for batch in _batches(whole, batch_size, order):
                if stop.asked:
                    break
                examples = min(batch_size, count - seen)
                try:
                    total += train_step(state, **batch) * examples
                except NotFinite as failure:
                    failure.history = history
                    raise
                seen += examples
            record: dict[str, Any] = {"epoch": epoch, "loss": total / max(seen, 1)}
            if validation is not None and not stop.asked:
                found = evaluate(state.params, state.buffers, **validation)
                record.update({f"validation_{k}": v for k, v in found.items()})
            record["seconds"] = time.perf_counter() - started
            if stop.asked:
                record["interrupted"] = True
            history.append(record)
            if (callback is not None and callback(record) is True) or stop.asked:
                break
    return history


# ---- The module's gradients beside central differences of its own loss ----


_ENTRIES = 64  # of a larger parameter, so many entries are tried
_SCALES = (1.0, 3.0, 0.3, 10.0, 0.03, 1.0, 5.0, 0.1)  # of what is drawn, one for each further point
_TRIES = 8  # to find data of which the loss is finite: a mask may hide a whole row
_STEPS = (1.0, 0.03, 1e-3)  # of a difference, the shorter ones where it may reach over a kink

Point = tuple[Arena, dict[str, Array], dict[str, int]]


def _sample_data(
    sizes: Mapping[str, int], rng: np.random.Generator, scale: float = 1.0, density: float = 0.5
) -> dict[str, Array]:
    """Random data that the network accepts; labels in turn, each as often as any other."""
    data: dict[str, Array] = {}
    for name, extents in INPUTS.items():
        shape = tuple(int(_extent(extent, sizes) or 1) for extent in extents)
        if name in INTEGERS:
            bound, _ = INTEGERS[name]
            top = 2 if bound is None else int(_extent(bound, sizes) or 1)
            turn = rng.integers(top) + np.arange(math.prod(shape))
            data[name] = rng.permutation(turn % top).reshape(shape)
            continue
        values: Array = np.asarray(scale * rng.standard_normal(shape))
        for fact, axis in FACTS.get(name, ()):
            if fact == "binary":
                values = np.asarray(rng.random(shape) < density, float)
            elif fact in ("positive", "nonnegative"):
                values = np.exp(values.clip(-3, 3))
            elif fact == "sums to one":
                values = np.exp(values.clip(-3, 3))
                values = values / values.sum(axis, keepdims=True)
            elif fact == "one hot":
                values = np.asarray(values == values.max(axis, keepdims=True), float)
            elif fact == "symmetric":
                values = np.asarray(values + values.swapaxes(-1, -2))
            elif fact in ("lower triangular", "upper triangular"):
                values = np.tril(values) if fact[0] == "l" else np.triu(values)
        data[name] = np.asarray(values, DTYPE)
    return data


def check_gradients(
    params: Mapping[str, Any] | None = None,
    buffers: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    masks: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> list[dict[str, Any]]:
    """Each gradient beside central differences: parameter, method, max_abs_error, max_rel_error, ok; the
    worst element with its value and the expected one; the sizes; how many entries, and at how many further
    points.

    Random tensors are held fixed: those of the first step with this seed, or the given `masks`. Without
    parameters or inputs, both are drawn at random, at several points. Of a large parameter, 64 entries are
    tried. `max_rel_error` is ‖a − b‖ / max(‖a‖, ‖b‖, 1e-8) over what was tried. A difference within the
    rounding of the loss passes; where a kink lies within the step, nothing is compared.
    """
    rng = np.random.default_rng(0)
    points = _points(params, buffers, seed, masks, inputs, rng)
    arena, data, sizes = next(points)
    gradients = arena.like()
    loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
    if not np.isfinite(loss):
        raise DataError(f"the loss is {loss} for these parameters and data")
    rows = [_check_one(name, (arena, data, sizes), gradients, loss, rng) for name in arena]
    for arena, data, sizes in points:
        gradients = arena.like()
        loss = float(_differentiate(arena, gradients, data, sizes)[LOSS])
        if np.isfinite(loss):
            for row in (row for row in rows if row["ok"]):
                _check_along(row, (arena, data, sizes), gradients, loss, rng)
    return rows


def _points(
    params: Mapping[str, Any] | None,
    buffers: Mapping[str, Any] | None,
    seed: int,
    masks: Mapping[str, Any] | None,
    inputs: Mapping[str, Any],
    rng: np.random.Generator,
) -> Iterator[Point]:
    """Where gradients are compared: at what is given; and what isn't given is drawn several times."""
    shapes = (*INPUTS.values(), *PARAMETERS.values())
    open_sizes = {e: 5 for shape in shapes for e in shape if isinstance(e, str) and e not in SIZES}
    shown = dict(SIZES)
    if params is None and inputs:
        _checked(inputs, tuple(INPUTS), shown)
    for number, scale in enumerate((1.0, *_SCALES)):
        if number and params is not None and inputs:
            return
        if BATCH in open_sizes and masks is None:
            open_sizes[BATCH] = 5 + number % 4
        for attempt in range(_TRIES):
            drawn = params if params is not None else init_params(number, **{**open_sizes, **shown})
            arena, sizes = _as_arena(drawn)
            arena = arena.copy()
            for name, array in arena.items():  # biases of zero would hide an error
                if params is None and name not in FACTS:
                    array += np.asarray(0.1 * scale * rng.standard_normal(array.shape), DTYPE)
            sizes = {**open_sizes, **sizes} if not inputs else sizes
            sample = inputs or _sample_data(sizes, rng, scale, min(0.5 + attempt / 8, 1.0))
            given = _checked(sample, tuple(INPUTS), sizes)
            data = _given(given, buffers, sizes, seed=seed, masks=masks)
            if np.isfinite(float(_differentiate(arena, arena.like(), data, sizes)[LOSS])):
                break
        yield arena, data, sizes


def _check_one(
    name: str, point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> dict[str, Any]:
    """One gradient at one point, entry by entry."""
    values, found = point[0][name].reshape(-1), gradients[name].reshape(-1)
    entries = np.arange(values.size)
    if values.size > _ENTRIES:
        entries = np.sort(rng.choice(values.size, _ENTRIES, replace=False))
    exact = found[entries].astype(float)
    along = [(entries[k : k + 1], np.ones(1)) for k in range(entries.size)]
    allowed = _tolerance() * np.abs(exact[np.isfinite(exact)]).max(initial=0.0)
    compared = [
        _difference(_moving(name, point, *to), g, allowed, loss) for to, g in zip(along, exact, strict=True)
    ]
    numeric, noise, seen = (np.array([c[k] for c in compared]) for k in range(3))
    off = np.where(seen.astype(bool), np.abs(exact - numeric), 0.0)
    scale = max(float(np.linalg.norm(exact)), float(np.linalg.norm(numeric)), 1e-8)
    beyond = np.where(np.isfinite(off), np.maximum(off - noise, 0.0), np.inf)
    worst = int(np.argmax(beyond)) if np.any(beyond) else int(np.argmax(off)) if off.size else 0
    place = np.unravel_index(entries[worst], gradients[name].shape) if off.size else ()
    return {
        "parameter": name,
        "method": "central differences",
        "max_abs_error": float(off.max(initial=0.0)),
        "max_rel_error": float(np.linalg.norm(off)) / scale,
        "ok": bool(np.linalg.norm(beyond) <= _tolerance() * scale),
        "element": [int(k) for k in place],
        "value": float(exact[worst]) if off.size else 0.0,
        "expected": float(numeric[worst]) if off.size else 0.0,
        "rounding": float(noise.max(initial=0.0)),
        "entries": int(seen.sum()),
        "points": 0,
        "sizes": dict(point[2]),
    }


def _check_along(
    row: dict[str, Any], point: Point, gradients: Arena, loss: float, rng: np.random.Generator
) -> None:
    """The same gradient at another point, along a random direction; the row says so if it is wrong there."""
    found = gradients[row["parameter"]].reshape(-1).astype(float)
    direction = rng.standard_normal(found.size)
    direction *= 4 / max(4.0, float(np.linalg.norm(direction)))
    scale = float(np.linalg.norm(found * direction))
    exact = float(found @ direction)
    moving = _moving(row["parameter"], point, np.arange(found.size), direction)
    numeric, noise, seen = _difference(moving, exact, _tolerance() * scale, loss)
    off = abs(exact - numeric)
    row["points"] += int(seen)
    if seen and not off <= _tolerance() * max(scale, abs(numeric)) + noise:
        row |= {"ok": False, "max_abs_error": off, "max_rel_error": off / max(scale, abs(numeric), 1e-8)}
        row |= {"element": "along a random direction", "value": exact, "expected": numeric}
        row |= {"sizes": dict(point[2])}


def _tolerance() -> float:
    return 1e-6 if np.float64 == DTYPE else 2e-2


def _moving(
    name: str, point: Point, entries: Array, direction: Array
) -> Callable[[float], tuple[float, float]]:
    """How far the parameter gets by a step along a direction, with the type's rounding, and the loss
    there."""
    arena, data, sizes = point
    values, scratch = arena[name].reshape(-1), arena.like()
    unit = max(1.0, float(np.abs(values[entries]).mean()) if entries.size else 1.0)

    def loss_at(step: float) -> tuple[float, float]:
        before = values[entries]
        values[entries] = before + np.asarray(step * unit * direction, DTYPE)
        moved = float((values[entries].astype(float) - before) @ direction / (direction @ direction))
        loss = float(_differentiate(arena, scratch, data, sizes)[LOSS])
        values[entries] = before
        return moved, loss

    return loss_at


def _difference(
    loss_at: Callable[[float], tuple[float, float]], exact: float, allowed: float, loss: float
) -> tuple[float, float, bool]:
    """(a central difference, its rounding, whether it says anything). It doesn't if it differs by no more
    than a kink within its reach explains: slopes over one step and two differ then, and so do the slopes to
    both sides."""
    double = np.float64 == DTYPE
    # The loss adds terms up: it is rounded to some units in its last place, never to fewer than those of 1.
    rounding = 32 * float(np.finfo(DTYPE).eps) * max(1.0 if not double else 0.1, abs(loss))
    numeric, noise = 0.0, 0.0
    for share in _STEPS if double else _STEPS[:1]:
        step = share * (3e-5 if double else 8e-3)
        (low, below), (high, above) = loss_at(-step), loss_at(step)
        numeric, noise = (above - below) / (high - low), rounding / (high - low)
        if not abs(exact - numeric) > allowed + noise:
            break
        (lower, far_below), (higher, far_above) = loss_at(-2 * step), loss_at(2 * step)
        farther = (far_above - far_below) / (higher - lower)
        near, far = (above - 2 * loss + below) / high, (far_above - 2 * loss + far_below) / higher
        refined = (4 * numeric - farther) / 3
        reach = abs(numeric - farther) + abs(far - 2 * near)
        if abs(exact - refined) <= allowed + 2 * noise:
            numeric, noise = refined, 2 * noise
            break
        if abs(exact - numeric) > 2 * reach + allowed + 8 * noise:
            break
    else:
        return numeric, noise, False
    return numeric, noise, True


# ---- The command line of a generated module ----


def _arguments() -> argparse.ArgumentParser:
    names = ", ".join(INPUTS)
    parser = argparse.ArgumentParser(
        description=f"The network {NAME}: train it, evaluate it, predict with it, check its gradients."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    train = verbs.add_parser("train", help="train and save the parameters")
    train.add_argument("--epochs", type=int, default=20)
    train.add_argument("--batch-size", type=int, default=32)
    train.add_argument("--seed", type=int, default=0)
    for name, value in HYPER.items():
        train.add_argument(f"--{name.replace('_', '-')}", dest=f"hyper_{name}", type=float, default=value)
    train.add_argument(
        "--validation", type=Path, metavar="FILE.npz", help="data to evaluate after each epoch"
    )
    train.add_argument("-o", "--out", type=Path, default=Path("params.npz"), help="where the parameters go")
    for verb, text in (("evaluate", "loss and metrics on data"), ("predict", "outputs for data")):
        other = verbs.add_parser(verb, help=text)
        other.add_argument(
            "--params", type=Path, default=Path("params.npz"), help="parameters saved by train"
        )
        if verb == "predict":
            other.add_argument(
                "-o", "--out", type=Path, default=Path("outputs.npz"), help="where the outputs go"
            )
    verbs.add_parser("check", help="gradients beside central differences")
    for verb, one in verbs.choices.items():
        one.add_argument(
            "--data", type=Path, required=verb != "check", metavar="FILE.npz", help=f"arrays named {names}"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in names if name in file.files}


def _open_sizes(data: dict[str, Array]) -> dict[str, int]:
    """Sizes that shape parameters and that the data show."""
    shown: dict[str, int] = {}
    for name, array in data.items():
        for extent, value in zip(INPUTS[name], array.shape, strict=False):
            if isinstance(extent, str):
                shown[extent] = value
    shaping = {e for shape in PARAMETERS.values() for e in shape if isinstance(e, str)}
    return {name: value for name, value in shown.items() if name in shaping and name not in SIZES}


def _train(options: argparse.Namespace) -> int:
    data = _read(options.data, tuple(INPUTS))
    validation = _read(options.validation, tuple(INPUTS)) if options.validation else None
    state = init_state(init_params(options.seed, **_open_sizes(data)), seed=options.seed)
    state.hyper.update({name: getattr(options, f"hyper_{name}") for name in HYPER})

    def report(record: dict[str, Any]) -> None:
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)

    status, stopped = 0, None
    history: list[dict[str, Any]] = []
    try:
        history = fit(
            state,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation=validation,
            callback=report,
        )
    except NotFinite as failure:
        stopped, status, history = str(failure), 1, failure.history
        print(f"stopped: {failure}", file=sys.stderr)
    save(options.out, state)
    last = history[-1] if history else {}
    result = {"epochs": len(history), "steps": state.step, "params": str(options.out), **last}
    if stopped:
        result["stopped"] = stopped
    _show(result, options.json)
    return status


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")


def _check(options: argparse.Namespace) -> int:
    data: dict[str, Any] = _read(options.data, tuple(INPUTS)) if options.data else {}
    rows = check_gradients(None, **data)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            mark = "ok" if row["ok"] else "WRONG"
            errors = f"relative {row['max_rel_error']:.1e}  absolute {row['max_abs_error']:.1e}"
            print(f"{row['parameter']:<12} {errors}  {mark}")
    return 0 if all(row["ok"] for row in rows) else 1


def main(arguments: list[str] | None = None) -> int:
    """Runs a verb; returns the exit status."""
    options = _arguments().parse_args(arguments)
    try:
        if options.verb == "train":
            return _train(options)
        if options.verb == "check":
            return _check(options)
        state = load(options.params)
        data = _read(options.data, tuple(INPUTS))
        if options.verb == "evaluate":
            _show(evaluate(state.params, state.buffers, **data), options.json)
        else:
            outputs: dict[str, Any] = predict(state.params, state.buffers, **data)
            with options.out.open("wb") as file:
                np.savez(file, **outputs)
            _show({name: str(array.shape) for name, array in outputs.items()}, options.json)
    except (DataError, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
